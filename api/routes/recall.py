"""Recall: a question in, ranked passages out."""

from litestar import Router, post
from litestar.params import JSONBody

from api.auth import Role, needs
from api.request import ApiRequest
from api.routes.problems import problems
from api.schemas.recall import RecallBody, RecallView, to_query, to_recall


@post(
    "/recall",
    status_code=200,
    guards=[needs(Role.VIEWER)],
    responses=problems(404, 409, 413, 415),
    summary="Recall passages",
)
async def recall(request: ApiRequest, data: JSONBody[RecallBody]) -> RecallView:
    """Return the passages that matter most to a question, best first, each score taken apart. Nothing is changed."""
    found = await request.service.recall.recall(request.tenant, to_query(data), request.service.at())
    return to_recall(found, explain=data.explain)


router = Router(path="/", tags=["recall"], route_handlers=[recall])
