import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import typer

from api.cli import plotting
from api.cli.plotting import MARKS, POINTS, draw_simulation, form_of
from axiom.simulation import (
    AxiomInputs,
    Constant,
    Ensemble,
    ESequence,
    Event,
    Exponential,
    Linear,
    Logistic,
    MeanReversion,
    RandomWalk,
    Scenario,
    Spread,
    UpdateRule,
    VariableName,
    read_event,
)
from core.errors import ConfigurationError

PNG = b"\x89PNG\r\n\x1a\n"


def draw(scenario: Scenario, form: Literal["svg", "png"] = "svg") -> bytes:
    file = io.BytesIO()
    draw_simulation(file, form, scenario, scenario.run())
    return file.getvalue()


def count_panels(svg: bytes) -> int:
    return sum(each.get("id", "").startswith("axes_") for each in ET.fromstring(svg).iter())  # noqa: S314 - our own


def watched(kind: str, **parameters: object) -> Scenario:
    found = read_event({"event": kind, **parameters}, "events[0]")
    rules: dict[VariableName, UpdateRule] = {"A": Logistic(0.1), "B": MeanReversion(0.1, 0.5, 0.05)}
    return Scenario(AxiomInputs(A=0.3), rules, 300, (found,), name=f"watched $x$ {kind}")


SCENARIOS: dict[str, Callable[[], Scenario]] = {
    "nothing moves": Scenario,
    "all move": lambda: Scenario(
        rules={name: RandomWalk(0.01) for name in ("A", "B", "C", "X", "Y", "Z", "E_n", "F_n")}
    ),
    "stopped at once": lambda: Scenario(rules={"A": Linear(1e308)}, steps=2),
    "stopped late": lambda: Scenario(rules={"E_n": ESequence(), "F_n": ESequence(-3.0)}, steps=2_000),
    "the greatest floats": lambda: Scenario(
        AxiomInputs(A=-1.7e308, B=5e-324), {"A": Constant(), "B": Exponential(9.0)}
    ),
    "an ensemble that stops": lambda: Scenario(
        rules={"E_n": ESequence()}, steps=1_000, ensemble=Ensemble(20, {"E_n": Spread("uniform", 0.5)})
    ),
    "one quantile": lambda: Scenario(rules={"A": RandomWalk(0.1)}, ensemble=Ensemble(20, quantiles=(0.9,))),
    "quantiles in disorder": lambda: Scenario(
        rules={"A": RandomWalk(0.1)}, ensemble=Ensemble(20, quantiles=(0.9, 0.1, 0.5, 0.4))
    ),
    "a formula for a name": lambda: watched("threshold", level=0.4),
    "peaks": lambda: watched("peaks", variable="B"),
    "plateaus": lambda: watched("plateaus", variable="A"),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_simulation_can_be_drawn_and_is_drawn_the_same_again(name: str) -> None:
    scenario = SCENARIOS[name]()
    svg = draw(scenario)
    assert count_panels(svg) == 1 + len(scenario.rules)
    assert draw(scenario) == svg
    assert b"<dc:date>" not in svg
    assert draw(scenario, "png").startswith(PNG)


def test_a_long_simulation_is_no_large_file() -> None:
    noisy: dict[VariableName, UpdateRule] = {"A": RandomWalk(0.01), "B": RandomWalk(0.01)}
    peaks = (read_event({"event": "peaks", "variable": "A"}, "events[0]"),)
    assert len(draw(Scenario(rules=noisy, steps=100_000, events=peaks))) < 500_000


def test_thinning_keeps_the_extremes_and_both_ends() -> None:
    values = np.random.default_rng(0).standard_normal(50_000)
    values[[123, 45_678]] = 9.0, -9.0
    steps, kept = plotting._thin(values)
    assert steps.size <= POINTS + 2
    assert (steps[0], steps[-1]) == (0, 49_999)
    assert (kept.max(), kept.min()) == (9.0, -9.0)
    np.testing.assert_array_equal(values[steps], kept)
    assert (np.diff(steps) > 0).all()
    steps, low, high = plotting._thin_area(values - 1.0, values + 1.0)
    assert (low.min(), high.max(), low.size) == (-10.0, 10.0, steps.size)


class Everywhere:
    """A detector that finds more than can be shown."""

    variables = frozenset({"score"})

    def detect(self, series: object, /) -> list[Event]:
        return [Event("here", "score", float(at), 1.0) for at in range(5 * MARKS)]


def test_more_events_than_can_be_told_apart_are_drawn_in_part() -> None:
    few, many = Scenario(steps=2_000), Scenario(steps=2_000, events=(Everywhere(),))  # type: ignore[arg-type]
    used = draw(many).count(b"<use ") - draw(few).count(b"<use ")
    assert MARKS <= used < 2 * MARKS


@pytest.mark.parametrize("name", ["out.pdf", "out", ".svg"])
def test_a_file_of_another_kind_is_refused(name: str) -> None:
    assert form_of(Path("a/B.SVG")) == "svg"
    with pytest.raises(typer.BadParameter, match=r"\.svg or \.png"):
        form_of(Path(name))


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ConfigurationError, match=r"crystal-lattice\[plot\]"):
        draw(Scenario())
