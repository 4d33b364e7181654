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
async def recall_passages(request: ApiRequest, data: JSONBody[RecallBody]) -> RecallView:
    """Return the passages that matter most to a question, best first, each score taken apart.

    Nothing is changed, unless `measure` asks for it, which needs the role of an editor.
    """
    if data.measure:
        needs(Role.EDITOR)(request, request.route_handler)
    recall, at = request.service.recall, request.service.at()
    query, phrase = to_query(data), None
    if query.dates:
        query, phrase = await recall.dated(request.tenant, query, at)
    found = await recall.recall(request.tenant, query, at)
    if data.measure:
        await recall.use(request.tenant, found, at)
    return to_recall(found, explain=data.explain, phrase=phrase)


router = Router(path="/", tags=["recall"], route_handlers=[recall_passages])
