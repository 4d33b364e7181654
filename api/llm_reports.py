"""What operators are told of the LLM router, and the switches they turn: for REST and the command line alike."""

from datetime import datetime
from uuid import UUID

from api.schemas.llm import (
    CostView,
    ExperimentList,
    LlmModelView,
    LlmTargetView,
    TargetListView,
    to_budget,
    to_experiment,
    to_spend,
    to_target,
)
from api.service import Service
from core.clock import parse_moment
from core.errors import InvalidInputError, TargetNotFoundError
from core.pg import DEFAULT_TENANT
from llm_router import EmbeddingRouter, ModelConfig, Route, SpendBy, read_budgets, read_spend, set_switch


async def report_targets(service: Service, tenant: UUID) -> TargetListView:
    """Return all targets, as they fare in this process, with what a tenant spent on each; and all models."""
    now = service.at().now
    month = await _read_spent(service, tenant, _month_of(now), now)
    today = await _read_spent(service, tenant, now.replace(hour=0, minute=0, second=0, microsecond=0), now)
    config, routes = service.llm.router.config, _list_routes(service)
    embedding = config.embedding.targets if config.embedding else ()
    members = {model.name: _list_members(model, routes) for model in config.models}
    return TargetListView(
        targets=[
            to_target(
                route,
                [name for name, targets in members.items() if route.name in targets],
                embeds=route.name in embedding,
                today=today.get(route.name, Decimal(0)),
                month=month.get(route.name, Decimal(0)),
            )
            for route in routes
        ],
        models=[_to_model(model, routes) for model in config.models],
    )


async def switch_target(service: Service, tenant: UUID, name: str, *, enabled: bool) -> LlmTargetView:
    """Let a target be asked, or not, by all processes and until somebody switches it back; return it.

    Raises:
        TargetNotFoundError: there is none of this name.
    """
