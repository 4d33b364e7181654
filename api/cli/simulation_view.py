"""How a simulation looks in a terminal: a sparkline for all that moves, its summary, its trend and its events."""

from collections.abc import Sequence

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from api.cli.output import counted
from api.cli.simulation_words import (
    LABELS,
    FloatArray,
    Result,
    group_events,
    limits_of,
    middle_of,
    middle_series,
    moving_series,
    percent,
    summarise_all,
    tell_steps,
    tell_stop,
    tell_trend,
)
from axiom.simulation import EnsembleResult, Event, Scenario, SeriesName, SimulationResult, Summary, analyse_trend

BLOCKS = "▁▂▃▄▅▆▇█"
FLAT = "─"
LEAST_LINE, LONGEST_LINE = 8, 60  # characters of a sparkline
GAP = 2  # between columns
EVENTS_SHOWN = 20
QUANTILES_SHOWN = 5
ROUNDING = 1e-12  # of the greatest value; what is less is no movement
GREAT_GROWTH = 100.0  # from here on told in multiples of the start, no longer in percent
NAMES = {"E": "E_n", "F": "F_n"}  # terms that are called otherwise as variables


def draw_sparkline(values: FloatArray, width: int) -> str:
    """Return a series (n,) as blocks of eight heights from its least to its greatest value, at most `width` of them."""
    low, high = float(values.min()), float(values.max())
    room = high / 2.0 - low / 2.0  # halves: the whole may be beyond any float
    parts = min(width, values.size)
    if room <= ROUNDING * max(abs(low), abs(high)):
        return FLAT * parts
    heights = np.array([part.mean() for part in np.array_split((values / 2.0 - low / 2.0) / room, parts)])
    return "".join(BLOCKS[at] for at in np.minimum(heights * len(BLOCKS), len(BLOCKS) - 1).astype(int).tolist())


def render_simulation(console: Console, scenario: Scenario, result: Result) -> None:
    """Show what came of a simulation."""
    size = [counted(result.size, "scenario")] if isinstance(result, EnsembleResult) else []
    facts = " · ".join([*size, counted(result.last_step, "step"), f"seed {scenario.seed}"])
    console.print(Text(scenario.name or "simulation", "bold") + Text(f"  {facts}", "dim"), soft_wrap=True)
    console.print()
    console.print(_line_table(console, result))
    console.print()
    console.print(_final_table(result) if isinstance(result, EnsembleResult) else _summary_table(result))
    console.print()
    console.print(_fact_table(_list_facts(scenario, result)))
    if result.events:
        console.print()
        is_single = isinstance(result, SimulationResult)
        console.print(_event_table(result.events) if is_single else _group_table(result))
    if _is_cut(result):
        console.print(f"… and {counted(len(result.events) - EVENTS_SHOWN, 'more event')}: --json has them", style="dim")
    if result.events_total > len(result.events):
        kept = f"the first {len(result.events):,} of {result.events_total:,} events were kept"
        console.print(f"{kept}, and no more are told here", style="dim")
    if result.stopped is not None:
        console.print()
        console.print(Text(tell_stop(result), "yellow"), soft_wrap=True)


def _is_cut(result: Result) -> bool:
    """Tell whether a single run has more events than are shown."""
    return isinstance(result, SimulationResult) and len(result.events) > EVENTS_SHOWN


def show_number(value: float) -> str:
    """Return a number in four digits."""
    return f"{value:.4g}"


def _show_growth(summary: Summary) -> str:
    if summary.growth is None:  # from 0
        return "–"
    growth = float(summary.growth)
    if abs(growth) <= ROUNDING:
        return "0 %"
    return f"{100.0 * growth:+.4g} %" if abs(growth) < GREAT_GROWTH else f"{growth:+.4g} ×"


def _list_facts(scenario: Scenario, result: Result) -> dict[str, str]:
    trend = analyse_trend(middle_series(result, "score"))
    facts = {"trend": tell_trend(trend)}
    if trend.inflections:
        facts["bends"] = f"the other way at {tell_steps(trend.inflections)}"
    if trend.change_points:
        facts["changes"] = f"course at {tell_steps(trend.change_points)}"
    if scenario.clamp_to_unit:
        facts["limited by"] = _tell_limits(scenario, result)
    return facts


def _tell_limits(scenario: Scenario, result: Result) -> str:
    limits = limits_of(scenario, result)
    if not limits:
        return "nothing: all terms are at their best"
    told = []
    for term, share in limits.items():
        name: SeriesName = NAMES.get(term, term)  # type: ignore[assignment]  # a term is a variable
        part = "" if isinstance(result, SimulationResult) else f" in {100.0 * share:.3g} %"
        told.append(f"{name} ({LABELS[name]}){part}")
    if (free := 1.0 - sum(limits.values())) > 0.5e-3:
        told.append(f"nothing in {100.0 * free:.3g} %")
    return f"{', '.join(told)}, at step {result.last_step:,}"


def _line_table(console: Console, result: Result) -> Table:
    """Return a sparkline for the score and for all that moves, with its first and last value."""
    names = moving_series(result)
    ends = [(show_number(float(line[0])), show_number(float(line[-1]))) for line in _list_lines(result)]
    room = console.width - sum(max(map(len, column)) for column in (names, *zip(*ends, strict=True))) - 3 * GAP
    length = min(max(room, LEAST_LINE), LONGEST_LINE)
    table = Table.grid(padding=(0, GAP, 0, 0))
    for name, line, (first, last) in zip(names, _list_lines(result), ends, strict=True):
        drawn = Text(draw_sparkline(line, length), "cyan")
        table.add_row(_style(name), Text(first, justify="right"), drawn, Text(last))
    return table


def _list_lines(result: Result) -> list[FloatArray]:
    return [middle_series(result, name) for name in moving_series(result)]


def _summary_table(result: Result) -> Table:
    table = _plain_table("", "least", "greatest", "mean", "growth", "volatility", right=range(1, 6))
    for name, each in summarise_all(result).items():
        least, greatest = float(each.minimum), float(each.maximum)
        volatility = float(each.volatility)
        if volatility <= ROUNDING * max(abs(least), abs(greatest)):
            volatility = 0.0
        numbers = (show_number(number) for number in (least, greatest, float(each.mean)))
        table.add_row(_style(name), *numbers, _show_growth(each), show_number(volatility))
    return table


def _final_table(result: EnsembleResult) -> Table:
    """Return the quantiles of the last step, the middle and the outermost ones if there are many."""
    order = sorted(range(len(result.quantiles)), key=lambda at: result.quantiles[at])
    ends = {order[0], middle_of(result.quantiles), order[-1]}
    shown = order if len(order) <= QUANTILES_SHOWN else [at for at in order if at in ends]
    titles = (percent(result.quantiles[at]) for at in shown)
    table = _plain_table(f"at step {result.last_step:,}", *titles, right=range(1, 1 + len(shown)))
    for name in moving_series(result):
        table.add_row(_style(name), *(show_number(float(result.bands[name][at, -1])) for at in shown))
    return table


def _style(name: SeriesName) -> Text:
    return Text(name, "bold cyan" if name == "score" else "bold")


def _event_table(events: Sequence[Event]) -> Table:
    table = _plain_table("step", "event", "of", "value", "", right=(0, 3))
    for event in events[:EVENTS_SHOWN]:
        step = f"{event.step:,.2f}".removesuffix(".00")
        table.add_row(step, event.kind, event.variable, show_number(event.value), event.detail)
    return table


def _group_table(result: Result) -> Table:
    """Return what the scenarios have in common."""
    table = _plain_table("event", "of", "", "scenarios", "events", "steps 5 %", "median", "95 %", right=range(3, 8))
    for group in group_events(result.events)[:EVENTS_SHOWN]:
        steps = (f"{step:,.1f}" for step in group.steps)
        table.add_row(group.kind, group.variable, group.detail, f"{group.scenarios:,}", f"{group.count:,}", *steps)
    return table


def _plain_table(*columns: str, right: Sequence[int]) -> Table:
    """As `api.cli.views`, which takes a second to load."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for at, column in enumerate(columns):
        table.add_column(column, justify="right" if at in right else "left", no_wrap=True)
    return table


def _fact_table(facts: dict[str, str]) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, value in facts.items():
        table.add_row(Text(name, "dim"), Text(value))
    return table
