"""The axiom of a gem: its score, what the score rests on, and how its reflections scored."""

from typing import Annotated

from litestar import Router, get
from litestar.params import QueryParameter

from api.auth import Role, needs
from api.pages import Cursor, Limit, cut_page, decode_cursor
from api.request import ApiRequest
from api.routes.paths import GemId
from api.routes.problems import problems
from api.schemas.gem_axiom import GemAxiomView, parse_later, to_gem_axiom

At = Annotated[
    str | None,
    QueryParameter(
        description="A later moment, an ISO 8601 date or time, if it is left alone until then. Absent: now."
    ),
]


@get("/{gem_id:str}/axiom", guards=[needs(Role.VIEWER)], responses=problems(404), summary="Score a gem")
async def get_gem_axiom(
    request: ApiRequest, gem_id: GemId, at: At = None, limit: Limit = 50, cursor: Cursor = None
) -> GemAxiomView:
    """Return a gem's score with its eight terms, what each rests on, and how its reflections scored, newest first."""
    moment = request.service.at()
    found = await request.service.gem_axioms.score(
        request.tenant,
        gem_id,
        request.service.at(parse_later(at, moment.now)),
        before=decode_cursor(cursor),
        limit=limit + 1,
    )
    return to_gem_axiom(found, cut_page(found.history, limit, lambda each: (each.created_at, each.reflection_id)))


router = Router(path="/gems", tags=["gems"], route_handlers=[get_gem_axiom])
