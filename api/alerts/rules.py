"""The rules of alerts: a metric, a threshold, and how long it must be passed. Pure."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias
from uuid import UUID

from core.errors import InvalidInputError

Metric: TypeAlias = Literal[
    "coherence_mean",
    "order_parameter",
    "gems_at_risk",
    "gem_coherence",
    "error_rate",
    "reflection_p95_s",
    "recall_p95_s",
    "cost_usd_per_hour",
    "ingestion_lag_s",
    "provider_down",
]
Op: TypeAlias = Literal["above", "below"]
Severity: TypeAlias = Literal["info", "warning", "critical"]

SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")  # the least first
LONGEST_FOR_S = 7 * 86_400.0


@dataclass(frozen=True, slots=True)
class Rule:
    """When to raise an alert, and when it is over.

    Attributes:
        metric: what is measured.
        op: on which side of the threshold it is too much.
        threshold: in the metric's unit; a value must be beyond it.
        clear_threshold: which a value must reach before an alert is over; between the two nothing changes.
        for_s: how many seconds a value must stay beyond the threshold first.
        enabled: whether it is looked at.
        gem_id: of `gem_coherence`, the one gem that it is about; None is every gem.
        description: for whoever gets the alert.
    """

    name: str
    metric: Metric
    op: Op
    threshold: float
    clear_threshold: float
    for_s: float
    severity: Severity
    enabled: bool = True
    gem_id: UUID | None = None
    description: str = ""

    def is_breached_by(self, value: float) -> bool:
        """Tell whether a value is beyond the threshold."""
        return value > self.threshold if self.op == "above" else value < self.threshold

    def is_cleared_by(self, value: float) -> bool:
        """Tell whether a value ends an alert."""
        return value <= self.clear_threshold if self.op == "above" else value >= self.clear_threshold


def check_rule(rule: Rule) -> None:
    """Check that a rule can be held.

    Raises:
        InvalidInputError: it cannot; names the field.
    """
    for field, value in (("threshold", rule.threshold), ("clear_threshold", rule.clear_threshold)):
        if not math.isfinite(value):
            raise InvalidInputError(field, "must be a finite number")
    if not 0 <= rule.for_s <= LONGEST_FOR_S:
        raise InvalidInputError("for_s", f"must be from 0 to {LONGEST_FOR_S:,.0f} seconds")
    if rule.is_breached_by(rule.clear_threshold):
        side = "at most" if rule.op == "above" else "at least"
        raise InvalidInputError("clear_threshold", f"must be {side} the threshold, {rule.threshold:g}")
    if rule.metric == "gem_coherence" and rule.op == "above":
        raise InvalidInputError("op", "must be below for gem_coherence")
    if rule.gem_id is not None and rule.metric != "gem_coherence":
        raise InvalidInputError("gem_id", f"is for gem_coherence, not for {rule.metric}")


BUILT_IN: tuple[Rule, ...] = (
    Rule(
        "coherence", "coherence_mean", "below", 0.2, 0.25, 3600.0, "warning",
        description="The gems of the lattice have faded on the whole: rehearse or archive what is at risk.",
    ),
    Rule(
        "order", "order_parameter", "below", 0.1, 0.2, 3600.0, "info", enabled=False,
        description="The gems hardly move together any more.",
    ),
    Rule(
        "risk", "gems_at_risk", "above", 100.0, 80.0, 3600.0, "info", enabled=False,
        description="Many gems have a coherence below 0.1.",
    ),
    Rule(
        "fading", "gem_coherence", "below", 0.1, 0.15, 0.0, "warning", enabled=False,
        description="This gem has faded: rehearse it, or archive it.",
    ),
    Rule(
        "errors", "error_rate", "above", 0.05, 0.02, 120.0, "critical",
        description="More than one request in twenty fails by our fault: the service's log says why.",
    ),
    Rule(
        "slow_reflections", "reflection_p95_s", "above", 30.0, 20.0, 300.0, "warning",
        description="Answers are slow: see how the LLM targets fare.",
    ),
    Rule(
        "slow_recalls", "recall_p95_s", "above", 2.0, 1.0, 300.0, "warning",
        description="Recall is slow: see how busy the database is.",
    ),
    Rule(
        "cost", "cost_usd_per_hour", "above", 10.0, 8.0, 0.0, "warning",
        description="LLM calls of the last hour cost more than usual; budgets cap it.",
    ),
    Rule(
        "ingestion_lag", "ingestion_lag_s", "above", 900.0, 300.0, 60.0, "warning",
        description="An ingestion has waited long: no worker runs, or all are busy.",
    ),
    Rule(
        "provider", "provider_down", "above", 0.5, 0.5, 60.0, "warning",
        description="An LLM target fails and is left alone for a while; others answer in its place.",
    ),
)  # fmt: skip
BUILT_IN_NAMES = frozenset(rule.name for rule in BUILT_IN)


def merge_rules(stored: Iterable[Rule]) -> tuple[Rule, ...]:
    """Return all rules by name: the built-in ones, unless users have changed them, and those of users."""
    rules = {rule.name: rule for rule in BUILT_IN} | {rule.name: rule for rule in stored}
    return tuple(rules[name] for name in sorted(rules))
