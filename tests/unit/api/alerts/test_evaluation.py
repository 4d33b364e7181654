"""Rules over samples: no flapping within the band, one alert a subject, each ends once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.alerts.evaluation import Key, Sample, Standing, judge, plan_look
from api.alerts.rules import BUILT_IN, Rule, check_rule, merge_rules
from core.errors import InvalidInputError

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HIGH = Rule("high", "error_rate", "above", 0.5, 0.25, 0.0, "critical")
LOW = Rule("low", "coherence_mean", "below", 0.5, 0.75, 0.0, "warning")
RULES = st.sampled_from([HIGH, LOW, replace(HIGH, for_s=30.0), replace(LOW, for_s=30.0)])
VALUES = st.one_of(st.none(), st.floats(0, 1), st.just(float("nan")))
WAITS = st.floats(0.5, 20)


def walk(rule: Rule, values: list[tuple[float | None, float]]) -> list[tuple[datetime, float | None, str]]:
    """Judge values one after another; the verdicts with when they fell."""
    told: list[tuple[datetime, float | None, str]] = []
    standing, now = Standing(), NOON
    for value, wait_s in values:
        judgement = judge(rule, standing, value, now)
        told.append((now, value, judgement.verdict))
        standing, now = judgement.standing, now + timedelta(seconds=wait_s)
    return told


@given(RULES, st.lists(st.tuples(VALUES, WAITS), max_size=25))
def test_alerts_fire_and_end_in_turn(rule: Rule, values: list[tuple[float | None, float]]) -> None:
    turns = [verdict for _, _, verdict in walk(rule, values) if verdict in ("fire", "resolve")]
    assert turns == ["fire", "resolve"] * (len(turns) // 2) + ["fire"] * (len(turns) % 2)


@given(RULES, st.lists(st.tuples(st.floats(0.26, 0.49), WAITS), max_size=30), st.booleans())
def test_nothing_changes_within_the_band(rule: Rule, inside: list[tuple[float, float]], is_firing: bool) -> None:
    standing, now = Standing(is_firing=is_firing), NOON
    for share, wait_s in inside:
        judgement = judge(rule, standing, share if rule.op == "above" else share + 0.25, now)
        assert judgement.verdict == ("hold" if is_firing else "quiet")
        standing, now = judgement.standing, now + timedelta(seconds=wait_s)


@given(RULES, st.lists(st.tuples(VALUES, WAITS), min_size=1, max_size=25))
def test_an_alert_fires_only_after_its_time_beyond_the_threshold(
    rule: Rule, values: list[tuple[float | None, float]]
) -> None:
    since: datetime | None = None
    for now, value, verdict in walk(rule, values):
        is_beyond = value is not None and rule.is_breached_by(value)
        since = (since or now) if is_beyond else None
        if verdict == "fire":
            assert since is not None
            assert now - since >= timedelta(seconds=rule.for_s)


@given(RULES, VALUES)
def test_only_what_is_cleared_or_unmeasured_ends_an_alert(rule: Rule, value: float | None) -> None:
    verdict = judge(rule, Standing(is_firing=True), value, NOON).verdict
    is_over = value is None or value != value or rule.is_cleared_by(value)  # noqa: PLR0124 - NaN
    assert verdict == ("resolve" if is_over else "hold")


@given(st.floats(allow_nan=False), st.floats(-1e9, 1e9), st.floats(0, 1e9), st.sampled_from(["above", "below"]))
def test_no_value_both_raises_and_ends_an_alert(value: float, threshold: float, band: float, op: str) -> None:
    rule = Rule("r", "error_rate", "above", threshold, threshold - band, 0.0, "info")
    if op == "below":
        rule = replace(rule, op="below", clear_threshold=threshold + band)
    check_rule(rule)
    assert not (rule.is_breached_by(value) and rule.is_cleared_by(value))


def test_a_value_on_its_way_begins_anew_after_a_break() -> None:
    rule = replace(HIGH, for_s=30.0)
    told = walk(rule, [(0.9, 20), (0.4, 20), (0.9, 20), (0.9, 20), (0.9, 20)])
    assert [verdict for _, _, verdict in told] == ["quiet", "quiet", "quiet", "quiet", "fire"]


SUBJECTS = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.floats(0, 1), max_size=3)


@given(st.lists(SUBJECTS, max_size=30))
def test_each_subject_has_one_alert_at_a_time(looks: list[dict[str, float]]) -> None:
    rule = replace(LOW, metric="gem_coherence", for_s=1.0)
    firing: frozenset[Key] = frozenset()
    pending: dict[Key, datetime] = {}
    for number, subjects in enumerate(looks):
        samples = [(rule, Sample(name, name, value)) for name, value in subjects.items()]
        plan = plan_look(samples, firing, pending, NOON + timedelta(seconds=number))
        fired, resolved = {each.key for each in plan.fired}, {each.key for each in plan.resolved}
        held = {each.key for each in plan.held}
        assert not fired & firing
        assert resolved | held == firing
        assert not resolved & held
        assert not set(plan.pending) & (fired | firing)
        firing, pending = (firing | fired) - resolved, dict(plan.pending)


def test_alerts_of_rules_that_are_gone_end() -> None:
    plan = plan_look([], {Key("gone"), Key("gone", "x")}, {}, NOON)
    assert [each.key for each in plan.resolved] == [Key("gone"), Key("gone", "x")]


@pytest.mark.parametrize("rule", BUILT_IN, ids=lambda rule: rule.name)
def test_built_in_rules_can_be_held(rule: Rule) -> None:
    check_rule(rule)
    assert rule.description


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (replace(HIGH, clear_threshold=0.6), "clear_threshold"),
        (replace(LOW, clear_threshold=0.4), "clear_threshold"),
        (replace(HIGH, threshold=float("inf")), "threshold"),
        (replace(HIGH, for_s=-1.0), "for_s"),
        (replace(HIGH, metric="gem_coherence"), "op"),
    ],
)
def test_a_rule_that_cannot_be_held_names_its_field(rule: Rule, field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        check_rule(rule)
    assert caught.value.field == field


def test_rules_of_users_take_the_place_of_built_in_ones() -> None:
    mine = replace(HIGH, name="errors")
    rules = {rule.name: rule for rule in merge_rules([mine, HIGH])}
    assert rules["errors"] is mine
    assert set(rules) == {rule.name for rule in BUILT_IN} | {"high"}
