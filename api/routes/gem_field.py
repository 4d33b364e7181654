"""How one gem holds: its state, its curve, its forecast, its passages, and what a rehearsal would change."""

from typing import Annotated

from litestar import Router, get, post
from litestar.params import JSONBody, QueryParameter

from api.auth import Role, needs
from api.pages import Cursor, Limit
from api.passage_pages import cut_passages, open_page
from api.request import ApiRequest
from api.routes.moments import At, Below, Points, Since, Until, read_moment
from api.routes.paths import GemId
from api.routes.problems import problems
from api.schemas.gem_field import (
    GemForecastView,
    GemHistoryView,
    GemStateView,
    NewRehearsal,
    PassageInterferenceView,
    PassageStatePage,
    RehearsalView,
    to_forecast,
    to_gem_state,
    to_history,
    to_passage_interference,
    to_rehearsal,
)
from knowledge import PassageOrder

Order = Annotated[
    PassageOrder,
    QueryParameter(description="`-coherence`: the most coherent first; `coherence`: the least; `position`: as stored."),
]
Later = Annotated[
    str | None, QueryParameter(description="Now or a later moment, as an ISO 8601 date or time; a + is %2B.")
]
Compared = Annotated[int, QueryParameter(ge=1, le=200, description="How many passages are compared at the most.")]


@get("/{gem_id:str}/state", guards=[needs(Role.VIEWER)], responses=problems(404), summary="Get a gem's state")
async def get_state(request: ApiRequest, gem_id: GemId, at: At = None, below: Below = 0.1) -> GemStateView:
    """Return a gem's state at a moment: exact by its log for the past, as if nobody used it for what is to come."""
    found = await request.service.lattice_field.state(
        request.tenant, gem_id, request.service.at(), moment=read_moment(at, "at"), below=below
    )
    return to_gem_state(found)


@get("/{gem_id:str}/history", guards=[needs(Role.VIEWER)], responses=problems(404), summary="Follow a gem through time")
async def get_history(
    request: ApiRequest, gem_id: GemId, since: Since = None, until: Until = None, points: Points = 200
) -> GemHistoryView:
    """Return a gem's curve, exact by its log, with all that made it jump; by default from its birth until now."""
    at = request.service.at()
    found = await request.service.lattice_field.history(
        request.tenant,
        gem_id,
        at,
        since=read_moment(since, "since"),
        until=read_moment(until, "until"),
        points=points,
    )
    return to_history(found, at.now)


@get("/{gem_id:str}/forecast", guards=[needs(Role.VIEWER)], responses=problems(404), summary="Foresee a gem")
async def get_forecast(
    request: ApiRequest, gem_id: GemId, until: Until = None, below: Below = 0.1, points: Points = 200
) -> GemForecastView:
    """Return what becomes of a gem that nobody uses, by default for a year, and when it falls below a coherence."""
    at = request.service.at()
    found = await request.service.lattice_field.forecast(
        request.tenant, gem_id, at, until=read_moment(until, "until"), below=below, points=points
    )
    return to_forecast(found, at.now)


@post(
    "/{gem_id:str}/rehearsals",
    status_code=200,
    guards=[needs(Role.EDITOR)],
    responses=problems(404, 409, 413, 415),
    summary="Rehearse a gem",
)
async def rehearse_gem(request: ApiRequest, gem_id: GemId, data: JSONBody[NewRehearsal]) -> RehearsalView:
    """Use a gem without a question, or, by default, tell what that would change: it, its partners, when it falls."""
    found = await request.service.rehearsals.rehearse(
        request.tenant,
        gem_id,
        request.service.at(),
        gain=data.gain,
        passage_ids=data.passage_ids,
        below=data.below,
        dry_run=data.dry_run,
    )
    return to_rehearsal(found)


@get(
    "/{gem_id:str}/interference",
    guards=[needs(Role.VIEWER)],
    responses=problems(404),
    summary="Compare a gem's passages",
)
async def compare_passages(request: ApiRequest, gem_id: GemId, limit: Compared = 30) -> PassageInterferenceView:
    """Return how the most coherent open passages of a gem interfere, each with each, in the order of their phases."""
    found = await request.service.passage_states.interference(request.tenant, gem_id, request.service.at(), limit=limit)
    return to_passage_interference(found)


@get(
    "/{gem_id:str}/passages",
    guards=[needs(Role.VIEWER)],
    responses=problems(404),
    summary="List a gem's passages with their states",
)
async def list_passages(
    request: ApiRequest,
    gem_id: GemId,
    *,
    order: Order = "-coherence",
    at: Later = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> PassageStatePage:
    """List passages, closed ones among them, by how strongly they hold at a moment, which all pages share."""
    page = open_page(order, read_moment(at, "at"), cursor, request.service.at().now)
    found = await request.service.passage_states.list_page(
        request.tenant,
        gem_id,
        request.service.at(page.at),
        order=order,
        after=page.after,
        limit=limit + 1,
    )
    return cut_passages(found, limit, page)


router = Router(
    path="/gems",
    tags=["field"],
    route_handlers=[
        get_state,
        get_history,
        get_forecast,
        rehearse_gem,
        compare_passages,
        list_passages,
    ],
)
