"""Presets: scenarios by name. Ours, the one that starts from a gem, and those that domain models make."""

import asyncio
from functools import partial
from typing import Annotated

from litestar import Response, Router, get, post
from litestar.params import JSONBody, PathParameter
from msgspec import UNSET

from api.auth import Role, needs
from api.domain_models import DOMAIN_MODELS, build_scenario, describe_model
from api.idempotency import IdempotencyKey
from api.request import ApiRequest
from api.routes.problems import problems
from api.schemas.gem_axiom import parse_later
from api.schemas.presets import (
    FROM_GEM,
    PresetList,
    PresetSummaryView,
    PresetView,
    RunPreset,
    to_changes,
    to_model,
    to_model_summary,
    to_preset,
    to_summary,
)
from api.schemas.simulations import SimulationView
from api.simulation_answers import SCENARIO, Every, Variables, WithTrend, answer_scenario, to_shown
from axiom.simulation import PRESETS, Scenario, find_preset, list_presets, vary
from core.errors import InvalidInputError, PresetNotFoundError
from core.threads import run_aside
from reflection.simulations import read_scenario

OURS = (*PRESETS, FROM_GEM.name)
GEM_STEPS = 365

PresetName = Annotated[str, PathParameter(description="The preset's name.", max_length=100)]


@get("/", guards=[needs(Role.VIEWER)], responses=problems(), summary="List presets")
async def list_all() -> PresetList:
    """List all presets: ours, then the domain models of extensions, whose code is not run for it."""
    return PresetList(items=await asyncio.to_thread(_list_all))


@get("/{name:str}", guards=[needs(Role.VIEWER)], responses=problems(404), summary="Get a preset")
async def get_preset(name: PresetName) -> PresetView:
    """Return a preset with its parameters and, where it is always the same, its scenario."""
    return await run_aside(partial(_find, name))


@post(
    "/{name:str}",
    guards=[needs(Role.EDITOR)],
    opt=SCENARIO,
    responses=problems(404, 409, 413, 415),
    summary="Run a preset",
)
async def run_preset(
    request: ApiRequest,
    name: PresetName,
    data: JSONBody[RunPreset],
    *,
    every: Every = 1,
    variables: Variables = None,
    trend: WithTrend = False,
    idempotency_key: IdempotencyKey = None,
) -> Response[SimulationView]:
    """Run a preset as a simulation, with whatever the body says otherwise; `{}` runs it as it is.

    It is stored and answered as POST /simulations does, server-sent events included.
    """
    shown = to_shown(every, variables, trend=trend)
    _check_foreign(name, data)
    scenario = await _prepare(request, name, data)
    scenario = await run_aside(partial(vary, scenario, to_changes(data), read_scenario))
    return await answer_scenario(request, scenario, shown, idempotency_key)


async def _prepare(request: ApiRequest, name: str, data: RunPreset) -> Scenario:
    """Return the scenario of a preset before anything is changed."""
    if name in PRESETS:
        return find_preset(name).scenario
    if name != FROM_GEM.name:
        parameters = {} if data.parameters is UNSET else data.parameters
        _require_known(name)
        return await run_aside(partial(build_scenario, name, parameters))
    if data.gem_id is UNSET:
        raise InvalidInputError("gem_id", "is required for from_gem")
    service = request.service
    now = service.at().now
    at = service.at(parse_later(None if data.at is UNSET else data.at, now))
    return await service.gem_axioms.foresee(
        request.tenant,
        data.gem_id,
        at,
        step_days=1.0 if data.step_days is UNSET else data.step_days,
        steps=GEM_STEPS if data.steps is UNSET else data.steps,
    )


def _check_foreign(name: str, data: RunPreset) -> None:
    """Check that a run is told nothing that its preset does not take.

    Raises:
        InvalidInputError: it is; names the field.
    """
    of_gem = name == FROM_GEM.name
    of_model = name not in OURS
    fields = {"gem_id": of_gem, "step_days": of_gem, "at": of_gem, "parameters": of_model}
    for field, takes in fields.items():
        if not takes and getattr(data, field) is not UNSET:
            whose = "a domain model" if field == "parameters" else FROM_GEM.name
            raise InvalidInputError(field, f"is for {whose}, not for {name}")


def _list_all() -> list[PresetSummaryView]:
    ours = [to_summary(each) for each in (*map(to_preset, list_presets()), FROM_GEM)]
    models = [each for each in DOMAIN_MODELS.describe() if each.state != "off"]
    return [*ours, *(to_model_summary(each, is_hidden=each.name in OURS) for each in models)]


def _find(name: str) -> PresetView:
    if name in PRESETS:
        return to_preset(find_preset(name))
    if name == FROM_GEM.name:
        return FROM_GEM
    _require_known(name)
    return to_model(describe_model(name))


def _require_known(name: str) -> None:
    """Check that a domain model goes by this name, broken or not.

    Raises:
        PresetNotFoundError: none does.
    """
    models = [each.name for each in DOMAIN_MODELS.describe() if each.state != "off"]
    if name not in models:
        known = ", ".join(dict.fromkeys([*OURS, *models]))
        raise PresetNotFoundError(f"preset {name!r} is unknown; known are {known}")


router = Router(path="/presets", tags=["simulations"], route_handlers=[list_all, get_preset, run_preset])
