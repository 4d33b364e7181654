"""The LLM router: its targets and their switches, what it costs, its experiments."""

from typing import Annotated

from litestar import Router, get, post
from litestar.params import PathParameter, QueryParameter

from api.auth import Role, needs
from api.llm_reports import report_cost, report_experiments, report_targets, switch_target
from api.request import ApiRequest
from api.routes.problems import problems
from api.schemas.llm import CostView, ExperimentList, LlmTargetView, TargetListView
from api.schemas.recall import MOMENT
from api.slashes import read_slashes
from core.clock import parse_moment
from llm_router import SpendBy

TargetName = Annotated[str, PathParameter(description="The target's name; a slash in it is sent as %2F.")]
Since = Annotated[
    str | None, QueryParameter(description=f"Attempts that began then or later: {MOMENT}. Absent: this month's.")
]
Until = Annotated[str | None, QueryParameter(description=f"Attempts that began before: {MOMENT}. Absent: now.")]
By = Annotated[SpendBy, QueryParameter(description="What the cost is added up by.")]


@get("/targets", guards=[needs(Role.VIEWER)], responses=problems(), summary="List LLM targets and models")
async def list_targets(request: ApiRequest) -> TargetListView:
    """List every target as it fares in the process that answers, with what was spent on it, and every model."""
    return await report_targets(request.service, request.tenant)


@post(
    "/targets/{name:str}/enable",
    status_code=200,
    guards=[needs(Role.ADMIN)],
    responses=problems(404),
    summary="Switch an LLM target on",
)
async def enable_target(request: ApiRequest, name: TargetName) -> LlmTargetView:
    """Let a target be asked again. Other processes of the service follow within seconds."""
    return await switch_target(request.service, request.tenant, read_slashes(name), enabled=True)


@post(
    "/targets/{name:str}/disable",
    status_code=200,
    guards=[needs(Role.ADMIN)],
    responses=problems(404),
    summary="Switch an LLM target off",
)
async def disable_target(request: ApiRequest, name: TargetName) -> LlmTargetView:
    """Ask a target no more until it is enabled; calls under way end. Other processes follow within seconds."""
    return await switch_target(request.service, request.tenant, read_slashes(name), enabled=False)


@get("/cost", guards=[needs(Role.VIEWER)], responses=problems(), summary="What LLMs cost")
async def read_cost(request: ApiRequest, since: Since = None, until: Until = None, by: By = "target") -> CostView:
    """Return what was spent in a span of time, and how the budgets stand now."""
    return await report_cost(
        request.service,
        request.tenant,
        since=None if since is None else parse_moment(since, "since"),
        until=None if until is None else parse_moment(until, "until"),
        by=by,
    )


@get("/experiments", guards=[needs(Role.VIEWER)], responses=problems(), summary="List experiments")
async def list_experiments(request: ApiRequest) -> ExperimentList:
    """List the experiments, and how each variant fares by what users reward."""
    return await report_experiments(request.service, request.tenant)


router = Router(
    path="/llm",
    tags=["llm"],
    route_handlers=[list_targets, enable_target, disable_target, read_cost, list_experiments],
)
