"""A simulation drawn as SVG or PNG: the score above, what moves it below, each on an axis of its own."""

import itertools
import math
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, cast

import numpy as np
import typer
from numpy.typing import NDArray

from api.cli.simulation_words import LABELS, FloatArray, group_events, moving_series, percent
from axiom.simulation import EnsembleResult, Event, Scenario, SeriesName, SimulationResult
from core.errors import ConfigurationError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Form = Literal["svg", "png"]
Steps = NDArray[np.integer[Any]]

SCORE, VARIABLE, MARK, INK = "#0072B2", "#009E73", "#D55E00", "#333333"  # Okabe and Ito: told apart by every eye
MARKERS = {"threshold": "D", "milestone": "*", "peak": "^", "trough": "v", "plateau": "s"}
POINTS = 2_000  # of a line; more cannot be seen
MARKS = 200  # of one kind in one panel
WIDEST = 1e300  # axes need room beyond what they show
DECADES = 5  # marked on a logarithmic axis
LARGE = 1e3  # what grows beyond it, and so many times over, is drawn on a logarithmic axis
STYLE = {
    "svg.hashsalt": "crystal-lattice",  # ids that do not change from run to run
    "font.family": "DejaVu Sans",  # it comes with matplotlib
    "font.size": 9.5,
    "text.color": INK,
    "axes.edgecolor": "#999999",
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.titlelocation": "left",
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "grid.color": "#E5E5E5",
    "grid.linewidth": 0.8,
    "xtick.color": "#777777",
    "ytick.color": "#777777",
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.8,
    "lines.solid_joinstyle": "round",
}


def form_of(path: Path) -> Form:
    """Return what a file's name asks for.

    Raises:
        typer.BadParameter: neither SVG nor PNG.
    """
    form = path.suffix.lower().removeprefix(".")
    if form not in {"svg", "png"}:
        raise typer.BadParameter(f"must end in .svg or .png, not {path.name!r}", param_hint="--plot")
    return cast("Form", form)


def require_plotting() -> None:
    """Look for what drawing takes.

    Raises:
        ConfigurationError: the extra is missing.
    """
    try:
        import matplotlib as mpl  # noqa: F401
    except ImportError as e:
        raise ConfigurationError("drawing needs an extra: pip install 'crystal-lattice[plot]'") from e


def draw_simulation(file: BinaryIO, form: Form, scenario: Scenario, result: SimulationResult | EnsembleResult) -> None:
    """Draw a simulation; the same one gives the same bytes.

    Raises:
        ConfigurationError: the extra is missing.
    """
    require_plotting()
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # without pyplot: no window, no state that stays
    with mpl.rc_context(cast("Any", STYLE)):
        names = moving_series(result)
        rows = math.ceil((len(names) - 1) / 2)
        figure = Figure(figsize=(10.0, 4.0 + 1.9 * rows), layout="constrained")
        for name, axes in _lay_out(figure, names, rows):
            _draw_series(axes, name, result)
            _mark_events(axes, name, result)
            _set_steps(axes, result)
            if axes.get_legend_handles_labels()[0]:
                # beside the title: within the panel it would lie on the lines
                axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=6, columnspacing=1.0, handletextpad=0.4)
        _tell_facts(figure, scenario, result)
        title = scenario.name or "Simulation"
        metadata = {"Date": None, "Title": title} if form == "svg" else {"Software": None, "Title": title}
        figure.savefig(file, format=form, dpi=150, metadata=cast("Any", metadata))


def _lay_out(figure: "Figure", names: Sequence[SeriesName], rows: int) -> "Iterator[tuple[SeriesName, Axes]]":
    """Yield a panel for each series: the first one across the top, then two a row; an odd last one has a whole row."""
    grid = figure.add_gridspec(1 + rows, 2, height_ratios=(1.7, *[1.0] * rows))
    first = None
    for at, name in enumerate(names):
        row, column = (at + 1) // 2, (at + 1) % 2
        alone = at == 0 or (column == 0 and at == len(names) - 1)
        axes = figure.add_subplot(grid[row, :] if alone else grid[row, column], sharex=first)
        first = first or axes
        axes.set_title(f"{name} · {LABELS[name]}")
        if row == rows:
            axes.set_xlabel("step")
        yield name, axes


def _draw_series(axes: "Axes", name: SeriesName, result: SimulationResult | EnsembleResult) -> None:
    colour = SCORE if name == "score" else VARIABLE
    if isinstance(result, SimulationResult):
        lines = [_within(result.series[name])]
        axes.plot(*_thin(lines[0]), color=colour)
    else:
        order = np.argsort(result.quantiles)
        lines = [_within(result.bands[name][i]) for i in order]
        levels = [result.quantiles[i] for i in order]
        _draw_bands(axes, lines, levels, colour, labelled=name == "score")
    _set_scale(axes, min(float(line.min()) for line in lines), max(float(line.max()) for line in lines))


def _draw_bands(
    axes: "Axes", lines: Sequence[FloatArray], levels: Sequence[float], colour: str, *, labelled: bool
) -> None:
    """Draw nested areas between quantiles, the outermost first, and the one in the middle as a line."""
    pairs = len(lines) // 2
    for i in range(pairs):
        between = f"{percent(levels[i])} to {percent(levels[-1 - i])}" if labelled else None
        steps, low, high = _thin_area(lines[i], lines[-1 - i])
        axes.fill_between(steps, low, high, color=_tint(colour, 0.5 * (i + 1) / pairs), linewidth=0.0, label=between)
    if len(lines) % 2:
        middle = len(lines) // 2
        axes.plot(*_thin(lines[middle]), color=colour, label=percent(levels[middle]) if labelled else None)


def _mark_events(axes: "Axes", name: SeriesName, result: SimulationResult | EnsembleResult) -> None:
    own = [event for event in result.events if event.variable == name]
    if isinstance(result, EnsembleResult):
        _mark_groups(axes, own)
        return
    for kind in dict.fromkeys(event.kind for event in own):
        alike = [event for event in own if event.kind == kind]
        shown = alike[:: math.ceil(len(alike) / MARKS)]
        told = kind if len(shown) == len(alike) else f"{kind} ({len(shown):,} of {len(alike):,})"
        points = ([event.step for event in shown], _within([event.value for event in shown]))
        axes.plot(*points, **_mark(kind), linestyle="none", label=told)


def _mark_groups(axes: "Axes", events: Iterable[Event]) -> None:
    """Mark what many scenarios have in common: the median step, and from where to where nine of ten lie."""
    told = set()
    for group in group_events(events):
        low, middle, high = group.steps
        label = f"{group.kind} (90 % of them)" if group.kind not in told else None
        told.add(group.kind)
        spread = [[middle - low], [high - middle]]
        look = _mark(group.kind) | {"ecolor": MARK, "elinewidth": 1.4, "capsize": 3.0, "linestyle": "none"}
        axes.errorbar([middle], _within([group.value]), xerr=spread, label=label, **look)


def _mark(kind: str) -> dict[str, Any]:
    marker = MARKERS.get(kind, "o")
    size = 10.0 if marker == "*" else 6.5
    look = {"color": MARK, "markeredgecolor": "white", "markeredgewidth": 0.8, "zorder": 5, "clip_on": False}
    return {"marker": marker, "markersize": size, **look}


def _set_scale(axes: "Axes", low: float, high: float) -> None:
    """Choose an axis on which the values can be read."""
    if low > 0.0 and high > LARGE * max(1.0, low):
        # bounds and marks of our own: those of matplotlib go beyond the greatest float
        axes.set_ylim(low / 1.5, high * 1.5)
        axes.set_yscale("log")
        first, last = math.ceil(math.log10(low)), math.floor(math.log10(high))
        axes.set_yticks([10.0**power for power in range(first, last + 1, math.ceil((last - first) / DECADES) or 1)])
        axes.minorticks_off()
        return
    axes.ticklabel_format(axis="y", useOffset=False)
    size = max(abs(low), abs(high))
    if high / 2.0 - low / 2.0 <= 1e-9 * size:  # one value; rounding is not to be seen as change
        room = 0.1 * size or 0.1
        axes.set_ylim(low - room, high + room)


def _set_steps(axes: "Axes", result: SimulationResult | EnsembleResult) -> None:
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    last = max(result.last_step, 1)
    axes.set_xlim(0.0, last)
    axes.xaxis.set_major_locator(MaxNLocator(8, steps=(1, 2, 5, 10), integer=True))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    if result.stopped is not None:
        axes.axvline(result.last_step, color=MARK, linestyle=(0, (4, 3)), linewidth=1.2)
        axes.set_xlim(0.0, 1.03 * last)


def _tell_facts(figure: "Figure", scenario: Scenario, result: SimulationResult | EnsembleResult) -> None:
    """Write the name above, and below how it was run and whether it stopped."""
    facts = [f"{result.last_step:,} steps", f"seed {scenario.seed}"]
    if isinstance(result, EnsembleResult):
        facts.insert(0, f"{result.size:,} scenarios")
    stopped = result.stopped
    if stopped is not None:
        facts.append(f"stopped before step {stopped.step:,}: {stopped.variable} {stopped.problem}")
    name = textwrap.shorten(scenario.name or "Simulation", 80, placeholder=" …")
    told = textwrap.shorten(" · ".join(facts), 120, placeholder=" …")
    # names are text, never formulas
    look: dict[str, Any] = {"x": 0.008, "ha": "left", "parse_math": False}
    figure.suptitle(name, fontsize=13.0, fontweight="bold", **look)
    figure.supxlabel(told, fontsize=9.0, color="#666666" if stopped is None else MARK, **look)


def _tint(colour: str, share: float) -> tuple[float, ...]:
    """Return so much of a colour on white."""
    from matplotlib.colors import to_rgb

    return tuple(1.0 - share * (1.0 - part) for part in to_rgb(colour))


def _within(values: Sequence[float] | FloatArray) -> FloatArray:
    return np.clip(values, -WIDEST, WIDEST)


def _thin(values: FloatArray) -> tuple[Steps, FloatArray]:
    """Return steps and values of a line (n,): of many points, the least and the greatest of each stretch."""
    steps = np.arange(values.size)
    if values.size <= POINTS:
        return steps, values
    edges = np.linspace(0, values.size, POINTS // 2 + 1).astype(np.int64)
    pairs = (
        (first + values[first:end].argmin(), first + values[first:end].argmax())
        for first, end in itertools.pairwise(edges)
    )
    kept = sorted({0, values.size - 1, *(int(at) for pair in pairs for at in pair)})
    return steps[kept], values[kept]


def _thin_area(low: FloatArray, high: FloatArray) -> tuple[Steps, FloatArray, FloatArray]:
    """Return steps and both bounds of an area (n,): of many points, the widest of each stretch."""
    starts = np.unique(np.linspace(0, low.size - 1, min(low.size, POINTS)).astype(np.int64))
    return starts, np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts)
