"""The field of a lattice: how its gems hold together, held, and will hold. Nothing here changes anything."""

from typing import Annotated

from litestar import Router, get, post
from litestar.params import JSONBody, QueryParameter

from api.auth import Role, needs
from api.pages import Cursor, Limit, cut_page, decode_cursor
from api.request import ApiRequest
from api.routes.moments import At, Below, Points, Since, Until, read_moment
from api.routes.problems import problems
from api.schemas.field import (
    FieldView,
    InterferenceView,
    LatticeHistoryView,
    ModesView,
    NewInterference,
    RecentReflectionPage,
    RisksView,
    to_field,
    to_interference,
    to_lattice_history,
    to_modes,
    to_recent,
    to_risks,
)

Buckets = Annotated[int, QueryParameter(ge=1, le=200, description="Of the histograms over [0, 1].")]
WithinDays = Annotated[float, QueryParameter(ge=0, le=36_500, description="How far to look ahead.")]
Named = Annotated[int, QueryParameter(ge=1, le=200, description="How many gems of each mode are named at the most.")]


@get("/field", guards=[needs(Role.VIEWER)], responses=problems(), summary="Summarise the lattice")
async def get_field(request: ApiRequest, at: At = None, buckets: Buckets = 20, below: Below = 0.1) -> FieldView:
    """Return what all gems are like together at a moment: order parameter, means, histograms, how many are fading.

    The past is exact by the log, of the gems that are not archived now; the future is as if nobody used them.
    """
    found = await request.service.lattice_field.summary(
        request.tenant, request.service.at(), moment=read_moment(at, "at"), buckets=buckets, below=below
    )
    return to_field(found)


@get("/history", guards=[needs(Role.VIEWER)], responses=problems(), summary="Follow the lattice through time")
async def get_lattice_history(
    request: ApiRequest, since: Since = None, until: Until = None, points: Points = 200
) -> LatticeHistoryView:
    """Return how the gems that are not archived now fared together, exact by the log; by default for 90 days."""
    at = request.service.at()
    found = await request.service.lattice_field.lattice_history(
        request.tenant,
        at,
        since=read_moment(since, "since"),
        until=read_moment(until, "until"),
        points=points,
    )
    return to_lattice_history(found, at.now)


@get("/risk", guards=[needs(Role.VIEWER)], responses=problems(), summary="List gems at risk")
async def list_risks(
    request: ApiRequest, below: Below = 0.1, within_days: WithinDays = 30.0, limit: Limit = 50
) -> RisksView:
    """List the gems whose coherence falls below a threshold soon if nobody uses them, or has fallen, soonest first."""
    found = await request.service.lattice_field.risks(
        request.tenant, request.service.at(), below=below, within_days=within_days, limit=limit
    )
    return to_risks(found, below)


@get("/modes", guards=[needs(Role.VIEWER)], responses=problems(), summary="Find gems that move together")
async def list_modes(request: ApiRequest, limit: Named = 20) -> ModesView:
    """Return the groups of gems that move together; each gem that is not archived is in one. docs/field.md says how."""
    return to_modes(await request.service.lattice_field.modes(request.tenant, request.service.at(), limit=limit))


@post(
    "/interference",
    status_code=200,
    guards=[needs(Role.VIEWER)],
    responses=problems(404, 413, 415),
    summary="Compare gems",
)
async def compare_gems(request: ApiRequest, data: JSONBody[NewInterference]) -> InterferenceView:
    """Return how some gems interfere, each with each, and how much of them moves together."""
    found = await request.service.lattice_field.interference(request.tenant, data.gem_ids, request.service.at())
    return to_interference(found)


@get("/reflections", guards=[needs(Role.VIEWER)], responses=problems(), summary="List reflections of all gems")
async def list_recent_reflections(
    request: ApiRequest, limit: Limit = 50, cursor: Cursor = None
) -> RecentReflectionPage:
    """List the reflections of all gems without their evidence, newest first."""
    found = await request.service.recent_reflections.list_page(
        request.tenant, before=decode_cursor(cursor), limit=limit + 1
    )
    return to_recent(cut_page(found, limit, lambda each: (each.summary.created_at, each.summary.reflection_id)))


router = Router(
    path="/lattice",
    tags=["field"],
    route_handlers=[
        get_field,
        get_lattice_history,
        list_risks,
        list_modes,
        compare_gems,
        list_recent_reflections,
    ],
)
