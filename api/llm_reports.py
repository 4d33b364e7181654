"""What operators are told of the LLM router, and the switches they turn: for REST and the command line alike."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
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
from core.errors import InvalidInputError, TargetNotFoundError
from core.pg import DEFAULT_TENANT
from llm_router import EmbeddingRouter, ModelConfig, Route, SpendBy, read_budgets, read_spend, set_switch

FREE = Decimal(0)


async def report_targets(service: Service, tenant: UUID) -> TargetListView:
    """Return all targets as they fare in this process, with what a tenant spent on each, and all models."""
    now = service.at().now
    today = await _read_spent(service, tenant, _midnight(now), now)
    month = await _read_spent(service, tenant, _month(now), now)
    config, routes, embedding = service.llm.router.config, _list_routes(service), _list_embedding_routes(service)
    members = {model.name: _list_members(model, routes) for model in config.models}
    targets = [
        to_target(
            route,
            [name for name, targets in members.items() if route.name in targets],
            embeds=route in embedding,
            today=today.get(route.name, FREE),
            month=month.get(route.name, FREE),
        )
        for route in routes
    ]
    return TargetListView(targets=targets, models=[_to_model(model, routes) for model in config.models])


async def switch_target(service: Service, tenant: UUID, name: str, *, enabled: bool) -> LlmTargetView:
    """Let a target be asked, or not, here at once and elsewhere within seconds, until somebody switches it back.

    Raises:
        TargetNotFoundError: there is none of this name.
    """
    routes = _list_routes(service)
    named = [route for route in routes if route.name == name]
    if not named:
        known = sorted(route.name for route in routes)
        raise TargetNotFoundError(f"no LLM target is named {name!r}; known are {', '.join(known)}", known=known)
    await set_switch(service.database, name, enabled=enabled)
    for route in named:
        route.health.enabled = enabled
    listing = await report_targets(service, tenant)
    return next(target for target in listing.targets if target.name == name)


async def report_cost(
    service: Service, tenant: UUID, *, since: datetime | None, until: datetime | None, by: SpendBy
) -> CostView:
    """Return what a tenant spent, and how its budgets stand now.

    Args:
        service: whose accounts they are.
        tenant: who spent it.
        since: None is the first of the month of `until`.
        until: None is now.
        by: what it is added up by.

    Raises:
        InvalidInputError: it ends before it begins.
    """
    now = service.at().now
    until = until or now
    since = since or _month(until)
    if since > until:
        raise InvalidInputError("since", f"must not be after until, {until.isoformat()}")
    spends = await read_spend(service.database, tenant, since=since, until=until, by=by)
    # the caps of models and targets are the whole service's, and kept by its first tenant: others are not shown them
    caps = [cap for cap in service.llm.router.config.budgets if not cap.is_shared or tenant == DEFAULT_TENANT]
    budgets = await read_budgets(service.database, tenant, caps, now=now)
    return CostView(
        since=since,
        until=until,
        by=by,
        total_usd=float(sum((spend.cost_usd for spend in spends), FREE)),
        items=[to_spend(spend) for spend in spends],
        budgets=[to_budget(budget) for budget in budgets],
    )


async def report_experiments(service: Service, tenant: UUID) -> ExperimentList:
    """Return how the variants of every experiment fare by what a tenant's users reward."""
    running = [(model.name, model.experiment) for model in service.llm.router.config.models if model.experiment]
    variants = await service.llm.experiments.report(tenant, [experiment for _, experiment in running])
    return ExperimentList(items=[to_experiment(model, experiment, variants) for model, experiment in running])


def _list_routes(service: Service) -> list[Route]:
    """Return all targets; the health of one that embeds is in the embedding's router, which asks it."""
    embedding = _list_embedding_routes(service)
    told = service.llm.router.config.embedding
    elsewhere = told.targets if told else ()
    return [*(route for route in service.llm.router.routes if route.name not in elsewhere), *embedding]


def _list_embedding_routes(service: Service) -> tuple[Route, ...]:
    return service.embedder.routes if isinstance(service.embedder, EmbeddingRouter) else ()


def _list_members(model: ModelConfig, routes: Sequence[Route]) -> set[str]:
    """Return the names of all targets that a model may ask."""
    variants = model.experiment.variants if model.experiment else ()
    return {*_to_model(model, routes).targets}.union(*(variant.targets for variant in variants))


def _to_model(model: ModelConfig, routes: Sequence[Route]) -> LlmModelView:
    last = [route.name for route in routes if route.local and model.extractive and route.name not in model.targets]
    return LlmModelView(
        name=model.name,
        policy=model.policy,
        targets=[*model.targets, *last],
        experiment=model.experiment.name if model.experiment else None,
    )


async def _read_spent(service: Service, tenant: UUID, since: datetime, until: datetime) -> Mapping[str, Decimal]:
    spends = await read_spend(service.database, tenant, since=since, until=until, by="target")
    return {spend.part: spend.cost_usd for spend in spends}


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def _month(at: datetime) -> datetime:
    return _midnight(at).replace(day=1)
