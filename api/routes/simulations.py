"""Simulations: run a scenario, see it again, delete it."""

from litestar import Response, Router, delete, get, post
from litestar.datastructures import ResponseHeader
from litestar.openapi import ResponseSpec
from litestar.params import JSONBody

from api.auth import Role, needs
from api.idempotency import IdempotencyKey
from api.pages import Cursor, Limit, cut_page, decode_cursor
from api.request import ApiRequest
from api.routes.paths import SimulationId
from api.routes.problems import problems
from api.schemas.simulations import NewSimulation, SimulationPage, SimulationView, to_summary, to_told
from api.simulation_answers import (
    SCENARIO,
    Every,
    Variables,
    WithTrend,
    answer_scenario,
    read_aside,
    to_shown,
    to_simulation,
)

_KNOWN = ResponseSpec(data_container=SimulationView, description="It was run before", generate_examples=False)
_X_CACHE = ResponseHeader(name="X-Cache", description="`miss`, `stored` or `hit`.", documentation_only=True)


@post(
    "/",
    guards=[needs(Role.EDITOR)],
    opt=SCENARIO,
    response_headers=[_X_CACHE],
    responses={200: _KNOWN, **problems(409, 413, 415)},
    summary="Run a simulation",
)
async def create_simulation(
    request: ApiRequest,
    data: JSONBody[NewSimulation],
    *,
    every: Every = 1,
    variables: Variables = None,
    trend: WithTrend = False,
    idempotency_key: IdempotencyKey = None,
) -> Response[SimulationView]:
    """Run a scenario and store what comes of it; the same request gives the same simulation, run once.

    201 if this request ran it, else 200; the header X-Cache tells `miss`, `stored` or `hit`. If the request accepts
    text/event-stream, the answer is 200 with server-sent events: `progress` ({"step", "steps"}) a few times a second,
    then `done` (the simulation) or `error` (a problem); when the client leaves, the run ends.
    """
    shown = to_shown(every, variables, trend=trend)
    return await answer_scenario(request, await read_aside(to_told(data)), shown, idempotency_key)


@get("/", guards=[needs(Role.VIEWER)], responses=problems(), summary="List simulations")
async def list_simulations(request: ApiRequest, limit: Limit = 50, cursor: Cursor = None) -> SimulationPage:
    """List simulations without their series and events, newest first."""
    found = await request.service.simulations.list_page(request.tenant, before=decode_cursor(cursor), limit=limit + 1)
    page = cut_page(found, limit, lambda each: (each.created_at, each.simulation_id))
    return SimulationPage(items=[to_summary(each) for each in page.items], next_cursor=page.next_cursor)


@get("/{simulation_id:str}", guards=[needs(Role.VIEWER)], responses=problems(404), summary="Get a simulation")
async def get_simulation(
    request: ApiRequest,
    simulation_id: SimulationId,
    every: Every = 1,
    variables: Variables = None,
    trend: WithTrend = True,
) -> SimulationView:
    """Return a simulation with its series, events and the trend of its score."""
    shown = to_shown(every, variables, trend=trend)
    return await to_simulation(await request.service.simulations.get(request.tenant, simulation_id), shown)


@delete("/{simulation_id:str}", guards=[needs(Role.EDITOR)], responses=problems(404), summary="Delete a simulation")
async def delete_simulation(request: ApiRequest, simulation_id: SimulationId) -> None:
    """Delete a simulation; the same request runs it anew."""
    await request.service.simulations.delete(request.tenant, simulation_id)


router = Router(
    path="/simulations",
    tags=["simulations"],
    route_handlers=[create_simulation, list_simulations, get_simulation, delete_simulation],
)
