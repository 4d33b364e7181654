"""How the LLM router looks in a terminal: targets and models, cost, trials, experiments, difficulty."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from rich.console import Console
from rich.text import Text

from api.cli.output import counted
from api.cli.views import plain_table, show_moment
from api.schemas.llm import BudgetView, CostView, ExperimentList, LlmTargetView, TargetListView
from core.errors import LatticeError
from llm_router import Attempt, Calibration, CurvePoint, DifficultyScore, Reply

POINTS_SHOWN = 12
"""Of a calibration's curve; --json has them all."""

NOT_LIVE = "Running services alone know how targets fare: --url http://… asks one."


def render_targets(console: Console, listing: TargetListView, *, is_live: bool) -> None:
    """Show targets and models; `is_live` says that the figures are those of a running service."""
    told = ("calls", "failed", "p50", "p95") if is_live else ("model",)
    right = range(2 if is_live else 3, 4 + len(told))
    table = plain_table("target", "state", *told, "$ today", "$ month", right=right)
    for target in listing.targets:
        facts = _list_figures(target) if is_live else (f"{target.provider} {target.model}".strip(),)
        spent = (_money(target.spent_today_usd), _money(target.spent_month_usd))
        table.add_row(Text(target.name, "bold"), _state(target), *facts, *spent)
    console.print(table)
    console.print()
    table = plain_table("model", "policy", "targets", "experiment")
    for each in listing.models:
        table.add_row(Text(each.name, "bold"), each.policy, ", ".join(each.targets), each.experiment or "")
    embedding = [target.name for target in listing.targets if target.embeds]
    if embedding:
        table.add_row(Text("(embedding)", "dim"), "", ", ".join(embedding), "")
    console.print(table)
    if not is_live:
        console.print()
        console.print(NOT_LIVE, style="dim")


def render_cost(console: Console, cost: CostView) -> None:
    """Show what was spent, and how the budgets stand."""
    console.print(f"from {show_moment(cost.since)} to {show_moment(cost.until)}", style="dim")
    titles = (cost.by, "calls", "failed", "in", "out", "p50", "p95", "$")
    table = plain_table(*titles, right=range(1, len(titles)))
    for item in cost.items:
        usage = item.usage
        cached = usage.cache_read_tokens + usage.cache_write_tokens + usage.cache_write_1h_tokens
        tokens = (usage.input_tokens + cached, usage.output_tokens + usage.reasoning_tokens)
        counts = (f"{number:,}" for number in (item.calls, item.failed, *tokens))
        seconds = (_seconds(item.seconds_p50), _seconds(item.seconds_p95))
        table.add_row(item.part or "(none)", *counts, *seconds, _money(item.cost_usd))
    console.print(table if cost.items else "no LLM was asked")
    unpriced = sum(item.unpriced for item in cost.items)
    told = f", and {counted(unpriced, 'call')} whose price is not known" if unpriced else ""
    console.print(Text(f"in all ${_money(cost.total_usd)}", "bold") + Text(told, "yellow"))
    if cost.budgets:
        console.print()
        _render_budgets(console, cost.budgets)


def _render_budgets(console: Console, budgets: Sequence[BudgetView]) -> None:
    table = plain_table("budget", "for", "$ limit", "spent", "reserved", "left", "until", right=range(2, 6))
    for budget in budgets:
        amounts = (budget.limit_usd, budget.spent_usd, budget.reserved_usd, budget.left_usd)
        until = "ever" if budget.window_end is None else show_moment(budget.window_end)
        whose = "" if budget.each == "tenant" else f"{budget.each} {budget.subject or '(none)'}"
        table.add_row(budget.name, whose, *map(_money, amounts), until)
    console.print(table)


def render_reply(console: Console, reply: Reply) -> None:
    """Show an answer, and what became of the attempts at it."""
    console.print(Text(reply.text))
    render_account(console, reply)


def render_account(console: Console, reply: Reply) -> None:
    """Show the attempts of a reply, their tokens and what they cost."""
    if reply.cached:
        console.print(f"from the cache: {reply.target} had answered this before", style="dim")
        return
    table = plain_table("attempt", "outcome", "first token", "whole", "in", "out", "$", right=range(2, 7))
    for attempt in reply.attempts:
        style = "" if attempt.outcome == "answered" else "yellow"
        table.add_row(attempt.target, Text(_outcome(attempt), style), *_list_account(attempt))
    console.print()
    console.print(table)
    variant = f", variant {reply.variant}" if reply.variant else ""
    guessed = " (tokens are estimated)" if reply.usage.estimated else ""
    console.print(f"by {reply.model or reply.provider}{variant}, finish {reply.finish}{guessed}", style="dim")


def render_failures(console: Console, error: LatticeError) -> None:
    """Show the attempts that an error tells of, one a line."""
    for attempt in cast("Sequence[Mapping[str, Any]]", error.details.get("attempts", ())):
        status = f", HTTP {attempt['status']}" if attempt["status"] else ""
        what = attempt["error"] or attempt["outcome"]
        console.print(f"{attempt['target']}: {what}{status}, after {attempt['seconds']:.2f} s", style="yellow")


def render_experiments(console: Console, experiments: ExperimentList) -> None:
    """Show how the variants of each experiment fare."""
    for experiment in experiments.items:
        console.print(Text(experiment.name, "bold") + Text(f"  model {experiment.model}, {experiment.method}", "dim"))
        table = plain_table("variant", "rewards", "mean", "95 % interval", "best", "share", right=range(1, 6))
        for each in experiment.variants:
            interval = f"{each.low:.3f} to {each.high:.3f}"
            shares = (f"{each.best:.1%}", f"{each.share:.1%}")
            table.add_row(each.name, f"{each.trials:,}", f"{each.mean_reward:.3f}", interval, *shares)
        console.print(table)
        console.print()
    if not experiments.items:
        console.print("no experiments")


def render_difficulty(console: Console, found: DifficultyScore) -> None:
    """Show a score, and its parts by their effect."""
    console.print(Text(f"difficulty {found.score:.3f}", "bold") + Text(" = 1 − Π(1 − effect)", "dim"))
    table = plain_table("part", "value", "weight", "effect", right=range(1, 4))
    for term in sorted(found.terms, key=lambda term: -term.effect):
        table.add_row(term.name, f"{term.value:.3f}", f"{term.weight:.2f}", f"{term.effect:.3f}")
    console.print(table)


def render_calibration(console: Console, found: Calibration) -> None:
    """Show the threshold that was picked, and the curve it was picked from."""
    titles = ("threshold", "to strong", "quality", "by lot", "cost", "of strong")
    table = plain_table(*titles, right=range(len(titles)))
    for point in _thin_out(found):
        shares = (f"{point.strong_share:.1%}", f"{point.quality:.3f}", f"{point.chance_quality:.3f}")
        costs = (f"{point.cost:.4g}", f"{point.cost_share:.1%}")
        table.add_row(f"{point.threshold:.4f}", *shares, *costs, style="bold" if point == found.chosen else "")
    console.print(table)
    console.print(f"from {counted(found.outcomes, 'outcome')}; for the model in the router's file:", style="dim")
    console.print(f"threshold = {found.threshold:.6g}")


def _thin_out(found: Calibration) -> list[CurvePoint]:
    """Return points spread over the curve, its ends and the chosen one among them, in its order."""
    last = len(found.curve) - 1
    kept = {round(last * i / (POINTS_SHOWN - 1)) for i in range(POINTS_SHOWN)} | {found.curve.index(found.chosen)}
    return [found.curve[i] for i in sorted(kept)]


def _state(target: LlmTargetView) -> Text:
    if not target.enabled:
        return Text("disabled", "yellow")
    if target.breaker == "closed":
        return Text("on", "green")
    wait = f", {target.reopens_in_s:.0f} s" if target.reopens_in_s else ""
    return Text(f"{target.breaker.replace('_', ' ')}{wait}", "red")


def _list_figures(target: LlmTargetView) -> tuple[str, ...]:
    counts = (f"{target.calls:,}", f"{target.failures:,}")
    return (*counts, _seconds(target.latency_p50_s), _seconds(target.latency_p95_s))


def _list_account(attempt: Attempt) -> tuple[str, ...]:
    usage = attempt.usage
    output = 0 if usage is None else usage.output_tokens + usage.reasoning_tokens
    tokens = ("", "") if usage is None else (f"{usage.total_tokens - output:,}", f"{output:,}")
    cost = "unknown" if attempt.cost_usd is None else _money(float(attempt.cost_usd))
    return (_seconds(attempt.first_token_s), _seconds(attempt.seconds), *tokens, cost)


def _outcome(attempt: Attempt) -> str:
    status = f", HTTP {attempt.status}" if attempt.status else ""
    return f"{attempt.error or attempt.outcome}{status}"


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f} s"


def _money(value: float) -> str:
    """Show US dollars: to the cent, or to the millionth below one dollar."""
    return f"{value:,.2f}" if abs(value) >= 1 or value == 0 else f"{value:.6f}"
