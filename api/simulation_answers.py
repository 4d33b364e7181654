"""A scenario run for a request, and the answer to it: at once or told while it runs. Presets answer by the same."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any, cast

import msgspec
import numpy as np
from litestar import Response
from litestar.params import QueryParameter
from numpy.typing import NDArray

from api.events import Told, ViewEvent, open_event_stream
from api.idempotency import Created, answer_once
from api.integrations import tell_simulation
from api.request import ApiRequest
from api.schemas.simulations import EventView, SimulationView, TrendView, list_shared, to_progress
from axiom.simulation import MOST_STEPS, SERIES, Scenario, SeriesName, analyse_trend
from core.errors import InvalidInputError
from core.threads import run_aside
from reflection.simulations import Answered, Progress, Simulation, is_quickly_read, read_scenario

FEW = 10_000  # numbers that are encoded without letting others in between
SCENARIO = {"most_bytes": 1_000_000}  # of a body; a scenario that asks for all that it may has a fifth of it

Every = Annotated[int, QueryParameter(ge=1, le=MOST_STEPS, description="Show each n-th step only, from step 0 on.")]
Variables = Annotated[
    str | None,
    QueryParameter(
        description="Which series to show, such as `C,score`; if absent, variables that have a rule or are uncertain, "
        "and the score.",
        max_length=100,
    ),
]
WithTrend = Annotated[bool, QueryParameter(description="Whether to tell the trend of the score.")]


@dataclass(frozen=True, slots=True)
class Shown:
    """What of a simulation is shown.

    Attributes:
        every: each n-th step.
        names: which series; None for those that are kept.
        trend: whether the trend of the score is told, which takes some milliseconds.
    """

    every: int = 1
    names: tuple[SeriesName, ...] | None = None
    trend: bool = False


def to_shown(every: int, variables: str | None, *, trend: bool) -> Shown:
    """Return what a request wants to be shown.

    Raises:
        InvalidInputError: a variable is none.
    """
    names = None if variables is None else [name.strip() for name in variables.split(",")]
    for name in names or ():
        if name not in SERIES:
            raise InvalidInputError("variables", f"{name!r} is none; there are {', '.join(SERIES)}")
    return Shown(every, cast("tuple[SeriesName, ...] | None", names and tuple(names)), trend)


async def answer_scenario(
    request: ApiRequest, scenario: Scenario, shown: Shown, key: str | None
) -> Response[SimulationView]:
    """Run a scenario, or find its run again, and answer with it.

    201 if this request ran it, else 200; X-Cache tells where it came from. If the request accepts text/event-stream,
    the answer is server-sent events: `progress` a few times a second, then `done` (the simulation) or `error`; when the
    client leaves, the run ends.

    Args:
        request: who asks.
        scenario: what is run.
        shown: what of it is told.
        key: the Idempotency-Key; None for none.

    Raises:
        InvalidInputError: it asks for more than one request may, or for events with a key.
    """
    if "text/event-stream" in request.headers.get("accept", "").lower():
        if key is not None:
            raise InvalidInputError("Idempotency-Key", "a streamed answer cannot be sent again; leave the key out")
        stream = await open_event_stream(_tell(request, scenario, shown), request.request_id)
        return cast("Response[SimulationView]", stream)
    origin: str | None = None

    async def make() -> Created[SimulationView]:
        nonlocal origin
        answered = await request.service.simulations.run(request.tenant, scenario)
        tell_simulation(request.service.integrations, answered)
        origin = answered.origin
        location = f"/api/v1/simulations/{answered.simulation.head.simulation_id}"
        view = await to_simulation(answered.simulation, shown)
        return Created(view, location, 201 if origin == "miss" else 200)

    asked = b"\0".join([await request.body(), request.scope["query_string"]])
    response = await answer_once(request, key, make, body=asked)
    if origin is not None:
        response.set_header("X-Cache", origin)
    return response


async def read_aside(told: Mapping[str, object]) -> Scenario:
    """Return the scenario that a request tells, read in another thread if that may take long.

    Raises:
        InvalidInputError: a field is wrong; names it by its path.
    """
    return read_scenario(told) if is_quickly_read(told) else await run_aside(lambda: read_scenario(told))


async def to_simulation(simulation: Simulation, shown: Shown) -> SimulationView:
    """Return a simulation as it is shown."""
    head = simulation.head
    names = head.outcome.names if shown.names is None else shown.names
    series: dict[str, Any] = {}
    bands: dict[str, Any] = {}
    for name in names:
        rows = simulation.series(name)[..., :: shown.every]
        if rows.ndim == 1:
            series[name] = await _encode(rows)
        else:
            quantiles = map(str, head.outcome.quantiles)
            bands[name] = {quantile: await _encode(band) for quantile, band in zip(quantiles, rows, strict=True)}
    trend = await asyncio.to_thread(analyse_trend, simulation.middle("score")) if shown.trend else None
    return SimulationView(
        **list_shared(head),
        scenario=dict(head.scenario),
        every=shown.every,
        series=series,
        bands=bands,
        events=msgspec.convert(simulation.events, list[EventView], from_attributes=True),
        trend=msgspec.convert(trend, TrendView | None, from_attributes=True),
    )


async def _encode(row: NDArray[np.float64]) -> msgspec.Raw:
    """Return numbers as a list in JSON; others get their turn after each few of them."""
    pieces = []
    for start in range(0, row.size, FEW):
        pieces.append(msgspec.json.encode(row[start : start + FEW].tolist())[1:-1])
        if row.size > FEW:
            await asyncio.sleep(0)
    return msgspec.Raw(b"[%b]" % b",".join(pieces))


async def _tell(request: ApiRequest, scenario: Scenario, shown: Shown) -> AsyncGenerator[Told]:
    async with aclosing(request.service.simulations.watch(request.tenant, scenario)) as told:
        async for each in told:
            match each:
                case Progress():
                    yield ViewEvent("progress", to_progress(each))
                case Answered():
                    tell_simulation(request.service.integrations, each)
                    yield ViewEvent("done", await to_simulation(each.simulation, shown))
