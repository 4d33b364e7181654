"""What rules say of samples: who begins to be alerted, stays so, or is so no more. Pure, without clock or store."""

import math
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from api.alerts.rules import Rule

Verdict = Literal["quiet", "fire", "hold", "resolve"]


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What there is at most one open alert of: a rule, and the subject that it is about."""

    rule: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """A value of a rule's metric.

    Attributes:
        subject: a gem's id, a target's name, or "" for the whole lattice.
        name: of the subject, for people.
        value: in the metric's unit; None where there is nothing to measure.
    """

    subject: str
    name: str
    value: float | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a rule stands for one subject.

    Attributes:
        breached_since: since when values have been beyond the threshold without a break; None if the last was not.
        is_firing: whether there is an open alert.
    """

    breached_since: datetime | None = None
    is_firing: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one sample comes to."""

    standing: Standing
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Finding:
    """A sample that begins, keeps or ends an alert; one that ends it may be of a rule that is gone."""

    key: Key
    rule: Rule | None
    name: str
    value: float | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What one look comes to.

    Attributes:
        pending: since when the values of those that do not fire yet have been beyond their threshold.
    """

    fired: tuple[Finding, ...] = ()
    held: tuple[Finding, ...] = ()
    resolved: tuple[Finding, ...] = ()
    pending: Mapping[Key, datetime] = field(default_factory=dict)


def judge(rule: Rule, standing: Standing, value: float | None, now: datetime) -> Judgement:
    """Judge one sample.

    An alert fires once values have been beyond the threshold for as long as the rule says, and ends with the first that
    reaches the clear threshold, or when there is nothing to measure any more. Between the two thresholds it stays what
    it is; there, what was on its way to firing begins anew.
    """
    if value is None or math.isnan(value):
        return Judgement(Standing(), "resolve" if standing.is_firing else "quiet")
    if standing.is_firing:
        if rule.is_cleared_by(value):
            return Judgement(Standing(), "resolve")
        return Judgement(standing, "hold")
    if not rule.is_breached_by(value):
        return Judgement(Standing(), "quiet")
    since = standing.breached_since or now
    if now - since >= timedelta(seconds=rule.for_s):
        return Judgement(Standing(since, is_firing=True), "fire")
    return Judgement(Standing(since), "quiet")


def plan_look(
    samples: Iterable[tuple[Rule, Sample]], firing: Set[Key], pending: Mapping[Key, datetime], now: datetime
) -> Plan:
    """Judge all samples of one look.

    Args:
        samples: each with its rule; of a subject that a rule has an open alert about and that has no sample, there is
            nothing to measure.
        firing: which alerts are open.
        pending: of the look before.
        now: the moment of the samples.
    """
    found: dict[Verdict, list[Finding]] = {"quiet": [], "fire": [], "hold": [], "resolve": []}
    waiting: dict[Key, datetime] = {}
    seen: set[Key] = set()
    for rule, sample in samples:
        key = Key(rule.name, sample.subject)
        seen.add(key)
        judgement = judge(rule, Standing(pending.get(key), key in firing), sample.value, now)
        found[judgement.verdict].append(Finding(key, rule, sample.name, sample.value))
        if judgement.verdict == "quiet" and judgement.standing.breached_since is not None:
            waiting[key] = judgement.standing.breached_since
    found["resolve"] += (Finding(key, None, "", None) for key in sorted(firing - seen))
    return Plan(tuple(found["fire"]), tuple(found["hold"]), tuple(found["resolve"]), waiting)
