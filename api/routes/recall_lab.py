"""The recall lab: what each channel says of a question, and how the ranking came about."""

from litestar import Router, post
from litestar.params import JSONBody

from api.auth import Role, needs
from api.request import ApiRequest
from api.routes.problems import problems
from api.schemas.recall_lab import ChannelsBody, ChannelsView, to_channels, to_query
from knowledge import unfold


@post(
    "/recall/channels",
    status_code=200,
    guards=[needs(Role.VIEWER)],
    responses=problems(404, 409, 413, 415),
    summary="Take a question apart",
)
async def unfold_recall(request: ApiRequest, data: JSONBody[ChannelsBody]) -> ChannelsView:
    """Return each channel's list and each step of the ranking, with a passage's rank in all of them.

    Nothing is changed. What shapes an answer (folding, diversity, reranking, budget) is left out: this is the ranking
    that they begin with.
    """
    service = request.service
    found = await unfold(service.recall, request.tenant, to_query(data), service.at(), data.shown)
    return to_channels(found)


router = Router(path="/", tags=["recall"], route_handlers=[unfold_recall])
