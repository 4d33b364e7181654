"""A domain model: an economy's parameters in, a scenario of the axiom out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from axiom.simulation import (
    AxiomInputs,
    Decay,
    Ensemble,
    EventHandler,
    Exponential,
    MeanReversion,
    Oscillation,
    Parameters,
    Rule,
    Scenario,
    VariableName,
    number,
    read_event,
    whole,
)
from core.extensions import Plugin

QUARTERS_A_YEAR = 4


@dataclass(frozen=True, slots=True)
class EconomicForecast(Plugin, Parameters):
    """Output as E·(1 + F)·X·Y·Z·(A·B·C): potential, cycle, conditions, and what is put in. One step is a quarter."""

    tag: ClassVar[str] = "model"
    kind: ClassVar[str] = "economic_forecast"
    name: ClassVar[str] = "economic_forecast"
    version: ClassVar[str] = "1.0.0"

    growth: float = number(0.02, low=-0.5, high=0.5, help="Trend of potential output, a year.")
    inflation: float = number(0.02, low=0.0, high=1.0, help="Rate a year at which prices erode stability.")
    investment: float = number(0.8, low=0.0, high=1.0, help="Share of useful investment that is made, on average.")
    shock: float = number(0.02, low=0.0, high=0.5, help="Standard deviation of a quarter's shock to investment.")
    employment: float = number(0.95, low=0.0, high=1.0, help="Share of those who want to work that do.")
    cycle: float = number(0.03, low=0.0, high=0.5, help="Half of the swing of the business cycle.")
    cycle_years: float = number(8.0, low=1.0, high=60.0, help="From one boom to the next.")
    years: int = whole(10, low=1, high=100, help="How far to look.")
    paths: int = whole(500, low=1, high=10_000, help="Futures that are drawn; 1 is a single run.")

    @classmethod
    def get_metadata(cls) -> Mapping[str, object]:
        """Return what it is good for, and what to try it with."""
        return {"use": "a worked example, no advice on any real economy", "trial": {"years": 3, "paths": 20}}

    def scenario(self) -> Scenario:
        """Return the simulation of these parameters."""
        inputs = AxiomInputs(A=self.investment, B=self.employment)
        rules: dict[VariableName, Rule] = {
            "A": MeanReversion(rate=0.2, mean=self.investment, sd=self.shock),
            "C": Decay(rate=self.inflation / QUARTERS_A_YEAR),
            "E_n": Exponential(rate=(1.0 + self.growth) ** (1.0 / QUARTERS_A_YEAR) - 1.0),
            "F_n": Oscillation(amplitude=self.cycle, period=self.cycle_years * QUARTERS_A_YEAR),
        }
        return Scenario(
            inputs=inputs,
            rules=rules,
            steps=self.years * QUARTERS_A_YEAR,
            events=(self._recession(),),
            ensemble=None if self.paths == 1 else Ensemble(size=self.paths),
            name="economic_forecast",
        )

    def _recession(self) -> EventHandler:
        """Return what notices output that falls a twentieth below where it starts."""
        level = 0.95 * self.investment * self.employment
        return read_event({"event": "threshold", "variable": "score", "level": level, "direction": "down"}, "events[0]")
