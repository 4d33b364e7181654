"""The LLM router over the wire: targets and models, what they cost, experiments."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from api.schemas.reflections import AttemptView, UsageView
from api.schemas.wire import View
from llm_router import BudgetState, DifficultyScore, ExperimentConfig, Reply, Route, Spend, SpendBy, VariantReport


class CapabilitiesView(View, frozen=True, kw_only=True):
    """What a target can do; what is not known is assumed."""

    context_tokens: Annotated[int | None, Meta(description="Prompt and answer together; null if not known.")]
    max_output_tokens: Annotated[int | None, Meta(description="Of one answer; null if not known.")]
    tools: Annotated[bool, Meta(description="Calls tools.")]
    schema: Annotated[bool, Meta(description="Answers in the form of a JSON schema.")]
    vision: Annotated[bool, Meta(description="Sees images.")]
    streaming: Annotated[bool, Meta(description="Gives its answer in pieces.")]
    refuses: Annotated[list[str], Meta(description="Parameters that it does not take.")]


class PricesView(View, frozen=True, kw_only=True):
    """What a target charges, in US dollars a million tokens."""

    input_usd: Annotated[float, Meta(description="Of the prompt.")]
    output_usd: Annotated[float, Meta(description="Of the answer, reasoning included.")]
    cache_read_usd: Annotated[float | None, Meta(description="Read from the provider's cache; null is as input.")]
    cache_write_usd: Annotated[float | None, Meta(description="Put into the provider's cache; null is as input.")]
    cache_write_1h_usd: Annotated[float | None, Meta(description="Put there for an hour; null is as other writes.")]
    version: Annotated[str, Meta(description="Of the price list.")]


class LlmTargetView(View, frozen=True, kw_only=True):
    """An LLM target: how it fares in the process that answers, and what the caller's lattice spent on it."""

    name: Annotated[str, Meta(description="In the settings.")]
    provider: Annotated[str, Meta(description="The adapter that speaks to it.")]
    model: Annotated[str, Meta(description="As its provider calls it; empty for `extractive`.")]
    models: Annotated[list[str], Meta(description="The models that it serves, variants of experiments included.")]
    embeds: Annotated[bool, Meta(description="It serves the embedding model.")]
    local: Annotated[bool, Meta(description="It needs no network.")]
    enabled: Annotated[bool, Meta(description="False while an operator has it switched off.")]
    breaker: Annotated[
        Literal["closed", "open", "half_open"],
        Meta(description="`open` lets no call through; `half_open` waits for one call to go well."),
    ]
    reopens_in_s: Annotated[float, Meta(description="Seconds until it is asked again; 0 for now.")]
    busy: Annotated[int, Meta(description="Calls under way.")]
    calls: Annotated[int, Meta(description="That ended in the breaker's window.")]
    failures: Annotated[int, Meta(description="How many of these the target failed.")]
    latency_p50_s: Annotated[
        float | None, Meta(description="Median of recent answers, to the first token where streamed; null with none.")
    ]
    latency_p95_s: Annotated[float | None, Meta(description="The same for the slowest twentieth.")]
    samples: Annotated[int, Meta(description="Answers that the latencies are made of.")]
    capabilities: Annotated[CapabilitiesView, Meta(description="What it can do.")]
    prices: Annotated[PricesView | None, Meta(description="Null if not known.")]
    spent_today_usd: Annotated[float, Meta(description="Since midnight UTC, in US dollars, where the cost is known.")]
    spent_month_usd: Annotated[float, Meta(description="Since the first of the month in UTC.")]


class LlmModelView(View, frozen=True, kw_only=True):
    """What callers ask for, made of targets."""

    name: Annotated[str, Meta(description="What callers say.")]
    policy: Annotated[str, Meta(description="How it is decided who is asked first.")]
    targets: Annotated[list[str], Meta(description="In the order of the settings; local ones come last.")]
    experiment: Annotated[str | None, Meta(description="That its traffic is split by; null for none.")]


class TargetListView(View, frozen=True, kw_only=True):
    """All targets, and the models made of them."""

    targets: Annotated[list[LlmTargetView], Meta(description="In the order of the settings.")]
    models: Annotated[list[LlmModelView], Meta(description="In the order of the settings.")]


class SpendView(View, frozen=True, kw_only=True):
    """What the attempts of one target, model, API key or day came to."""

    part: Annotated[str, Meta(description="Which one; a day is of UTC, as in 2026-03-01; calls without a key have ''.")]
    calls: Annotated[int, Meta(description="Attempts, however they ended.")]
    answered: Annotated[int, Meta(description="How many gave a whole answer.")]
    failed: Annotated[int, Meta(description="How many failed.")]
    cancelled: Annotated[int, Meta(description="For how many nobody waited any more.")]
    usage: Annotated[UsageView, Meta(description="Tokens of them all.")]
    cost_usd: Annotated[float, Meta(description="In US dollars, of all whose cost is known.")]
    unpriced: Annotated[int, Meta(description="Attempts that used tokens at a price that is not known.")]
    estimated: Annotated[int, Meta(description="Attempts whose tokens are a guess.")]
    seconds_p50: Annotated[float | None, Meta(description="Half of the answers took no longer; null with none.")]
    seconds_p95: Annotated[float | None, Meta(description="95 of 100 answers took no longer.")]


class BudgetView(View, frozen=True, kw_only=True):
    """How a cap on spending stands in its present window."""

    name: Annotated[str, Meta(description="In the settings.")]
    each: Annotated[Literal["tenant", "key", "model", "target"], Meta(description="What each has a cap of its own.")]
    subject: Annotated[str, Meta(description="The tenant's id, or the name of the API key, model or target.")]
    window: Annotated[Literal["hour", "day", "month", "total"], Meta(description="Of UTC; `total` never ends.")]
    limit_usd: Annotated[float, Meta(description="In US dollars, in one window.")]
    spent_usd: Annotated[float, Meta(description="What is spent of it.")]
    reserved_usd: Annotated[float, Meta(description="What is set aside for calls under way.")]
    left_usd: Annotated[float, Meta(description="What is left; below 0 if calls cost more than was set aside.")]
    window_end: Annotated[datetime | None, Meta(description="When all of it is there again; null if never.")]


class CostView(View, frozen=True, kw_only=True):
    """What LLMs cost, and what may still be spent."""

    since: Annotated[datetime, Meta(description="Attempts that began then or later.")]
    until: Annotated[datetime, Meta(description="Attempts that began before.")]
    by: Annotated[SpendBy, Meta(description="What each item is of.")]
    total_usd: Annotated[float, Meta(description="Of all items, in US dollars.")]
    items: Annotated[list[SpendView], Meta(description="In the order of their names.")]
    budgets: Annotated[list[BudgetView], Meta(description="As they stand now, whatever span is asked for.")]


class VariantView(View, frozen=True, kw_only=True):
    """How a variant of an experiment fares by what users reward."""

    name: Annotated[str, Meta(description="In its experiment.")]
    trials: Annotated[int, Meta(description="Rewards.")]
    mean_reward: Annotated[float, Meta(description="Posterior mean, in [0, 1]; 0.5 without any reward.")]
    low: Annotated[float, Meta(description="Lower end of its central 95 % credible interval.")]
    high: Annotated[float, Meta(description="Upper end.")]
    best: Annotated[float, Meta(description="The probability that no other variant is better.")]
    share: Annotated[float, Meta(description="Of the traffic that it gets by these rewards.")]


class ExperimentView(View, frozen=True, kw_only=True):
    """A split of a model's traffic."""

    name: Annotated[str, Meta(description="In the settings.")]
    model: Annotated[str, Meta(description="Whose traffic is split.")]
    method: Annotated[
        Literal["thompson", "split"],
        Meta(description="`thompson` shifts traffic to what is rewarded, `split` keeps the shares."),
    ]
    variants: Annotated[list[VariantView], Meta(description="In the order of the settings.")]


class ExperimentList(View, frozen=True, kw_only=True):
    """Every experiment."""

    items: Annotated[list[ExperimentView], Meta(description="In the order of the models in the settings.")]


class ReplyView(View, frozen=True, kw_only=True):
    """The router's answer to one prompt."""

    text: Annotated[str, Meta(description="The answer.")]
    target: Annotated[str, Meta(description="Who answered.")]
    provider: Annotated[str, Meta(description="Its adapter.")]
    model: Annotated[str, Meta(description="As the provider names it.")]
    finish: Annotated[str, Meta(description="Why the answer ended where it does.")]
    usage: Annotated[UsageView, Meta(description="Tokens of the attempt that answered.")]
    cost_usd: Annotated[float | None, Meta(description="Of all attempts, in US dollars; null if a price is unknown.")]
    attempts: Annotated[list[AttemptView], Meta(description="All calls, in order; the last one answered.")]
    cached: Annotated[bool, Meta(description="Taken from the cache of exact answers.")]
    variant: Annotated[str | None, Meta(description="Of the experiment that the model is in.")]


class DifficultyTermView(View, frozen=True, kw_only=True):
    """One part of a difficulty score."""

    name: Annotated[str, Meta(description="Which part.")]
    value: Annotated[float, Meta(description="How much of it there is, in [0, 1].")]
    weight: Annotated[float, Meta(description="Its effect at the value 1.")]
    effect: Annotated[float, Meta(description="The chance that this part alone makes the prompt hard, in [0, 1].")]


class DifficultyView(View, frozen=True, kw_only=True):
    """How hard a prompt is: 1 − Π(1 − effect) over the terms."""

    score: Annotated[float, Meta(description="In [0, 1].")]
    terms: Annotated[list[DifficultyTermView], Meta(description="All parts.")]


def to_target(route: Route, models: Sequence[str], *, embeds: bool, today: Decimal, month: Decimal) -> LlmTargetView:
    """Return a target as it is shown: without its key, address and headers.

    Args:
        route: the target.
        models: the names of those that it serves.
        embeds: whether it serves the embedding model.
        today: what was spent on it since midnight, in US dollars.
        month: the same since the first of the month.
    """
    config, health = route.config, asdict(route.health.describe())
    return LlmTargetView(
        name=config.name,
        provider=config.provider,
        model=config.model,
        models=list(models),
        embeds=embeds,
        local=route.local,
        breaker=health.pop("state"),
        capabilities=CapabilitiesView(**asdict(route.limits) | {"refuses": sorted(route.limits.refuses)}),
        prices=msgspec.convert(config.prices, PricesView | None, from_attributes=True),
        spent_today_usd=float(today),
        spent_month_usd=float(month),
        **health,
    )


def to_budget(state: BudgetState) -> BudgetView:
    """Return a budget as it is shown."""
    return BudgetView(
        name=state.budget.name,
        each=state.budget.each,
        subject=state.subject,
        window=state.budget.window,
        limit_usd=float(state.budget.limit_usd),
        spent_usd=float(state.spent_usd),
        reserved_usd=float(state.reserved_usd),
        left_usd=float(state.left_usd),
        window_end=state.window_end,
    )


def to_spend(spend: Spend) -> SpendView:
    """Return what was spent on something as it is shown."""
    return msgspec.convert(spend, SpendView, from_attributes=True)


def to_experiment(model: str, experiment: ExperimentConfig, variants: Sequence[VariantReport]) -> ExperimentView:
    """Return an experiment as it is shown; `variants` may hold those of other experiments too."""
    shown = [
        msgspec.convert({**asdict(each), "name": each.variant}, VariantView)
        for each in variants
        if each.experiment == experiment.name
    ]
    return ExperimentView(name=experiment.name, model=model, method=experiment.method, variants=shown)


def to_reply(reply: Reply) -> ReplyView:
    """Return the router's reply as it is shown."""
    return msgspec.convert(reply, ReplyView, from_attributes=True)


def to_difficulty(score: DifficultyScore) -> DifficultyView:
    """Return a difficulty score as it is shown."""
    return msgspec.convert(score, DifficultyView, from_attributes=True)
