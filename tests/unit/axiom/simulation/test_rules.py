import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from axiom.simulation import (
    AxiomInputs,
    Bounded,
    Chain,
    Constant,
    Coupled,
    Decay,
    ESequence,
    Exponential,
    Fibonacci,
    Linear,
    Logistic,
    MeanReversion,
    Oscillation,
    Piecewise,
    RandomWalk,
    Rule,
    Sigmoid,
    Sum,
    SystemState,
    TimeSphere,
    UpdateRule,
    VariableName,
    read_rule,
)
from core.errors import InvalidParameterError

quick = settings(deadline=None, max_examples=60)


def run(rule: Any, start: float = 0.5, steps: int = 4, **others: float) -> list[float]:
    sphere = TimeSphere(AxiomInputs(A=start, **others), {"A": rule}, seed=7)
    values: list[float] = sphere.simulate(steps).series["A"].tolist()
    return values


def test_each_rule_by_hand() -> None:
    assert run(Constant(), 0.3, 2) == [0.3, 0.3, 0.3]
    assert run(Constant(0.9), 0.3, 2) == [0.3, 0.9, 0.9]
    # 0.5 + 0.25·n
    assert run(Linear(0.25), 0.5, 3) == [0.5, 0.75, 1.0, 1.25]
    # 2·1.5 = 3; 3·1.5 = 4.5
    assert run(Exponential(0.5), 2.0, 2) == [2.0, 3.0, 4.5]
    # halves the distance of 0.8 to 0.2 at each step: 0.2 + 0.3, 0.2 + 0.15
    assert run(Decay(math.log(2.0), 0.2), 0.8, 2) == pytest.approx([0.8, 0.5, 0.35], rel=1e-15)
    # odds v/(1 − v) are 1 at first and double at each step: 2/3, 4/5
    assert run(Logistic(math.log(2.0)), 0.5, 2) == pytest.approx([0.5, 2 / 3, 4 / 5], rel=1e-15)
    # from 0.5, sin(2πn/4) = 0, 1, 0, −1, 0
    assert run(Oscillation(0.25, 4.0), 0.5, 4) == pytest.approx([0.5, 0.75, 0.5, 0.25, 0.5], rel=1e-15)
    # 3·1 + 2 = 5; 3·5 + 2 = 17; 3·17 + 2 = 53
    assert run(ESequence(), 1.0, 3) == pytest.approx([1.0, 5.0, 17.0, 53.0], rel=1e-15)
    assert run(ESequence(1.0, 0.25), 1.0, 2) == [1.0, 1.25, 1.5]
    # F(1), F(2), … = 1, 1, 2, 3, 5, tenths of them
    assert run(Fibonacci(0.1), 0.7, 5) == pytest.approx([0.7, 0.1, 0.1, 0.2, 0.3, 0.5], rel=1e-15)
    # a tenth of the way to the mean: 0.5 + 0.05, 0.55 + 0.045
    assert run(MeanReversion(0.1, 1.0), 0.5, 2) == pytest.approx([0.5, 0.55, 0.595], rel=1e-15)
    # half of the way to 2·C − 0.2 = 1.4: 0.4 + 0.5·1 = 0.9; 0.9 + 0.5·0.5 = 1.15
    assert run(Coupled("C", 0.5, 2.0, -0.2), 0.4, 2, C=0.8) == pytest.approx([0.4, 0.9, 1.15], rel=1e-15)


def test_a_sigmoid_goes_from_here_to_there_by_way_of_the_middle() -> None:
    values = run(Sigmoid(to=1.0, midpoint=50.0, width=5.0), 0.2, 200)
    assert values[50] == pytest.approx(0.6, abs=1e-4)  # (0.2 + 1) / 2
    assert values[-1] == pytest.approx(1.0, abs=1e-12)
    assert np.all(np.diff(values) >= 0.0)
    assert run(Sigmoid(to=1.0, midpoint=-1e6, width=1.0), 0.2, 3)[-1] == pytest.approx(1.0 - 0.8 * math.exp(-3.0))


def test_noise_has_its_spread_and_its_seed() -> None:
    steps = np.diff(run(RandomWalk(0.1), 0.5, 20_000))
    assert np.std(steps) == pytest.approx(0.1, rel=0.03)
    assert abs(np.mean(steps)) < 0.003
    assert run(RandomWalk(0.1)) == run(RandomWalk(0.1))
    drawn = run(MeanReversion(0.2, 0.7, 0.05), 0.7, 20_000)
    # the variance s of v' − m = 0.8·(v − m) + 0.05·N is the fixed point of s = 0.64·s + 0.0025
    assert np.var(drawn) == pytest.approx(0.0025 / 0.36, rel=0.1)


def test_a_logistic_stays_where_it_does_not_move_for_any_time() -> None:
    # 0 and the capacity are its two rests; e^±n is 0 or infinite beside them long before 100,000 steps
    for rate in (1.0, -1.0):
        for start in (0.0, 0.7):
            assert run(Logistic(rate, 0.7), start, 100_000) == [start] * 100_001
    assert run(Logistic(1.0, 1e-30), 1e-40, 2_000)[-1] == pytest.approx(1e-30, rel=1e-14)
    assert run(Logistic(-1.0), 0.5, 2_000)[-1] == pytest.approx(0.0, abs=1e-300)


@pytest.mark.parametrize(("start", "rate"), [(-0.1, 0.3), (1.1, -0.3)])
def test_a_logistic_that_runs_away_stops_before_it_comes_back_from_the_other_side(start: float, rate: float) -> None:
    # v/(v − 1) goes from 1/11 or 11 to 1, where v is infinite, in ln 11 / 0.3 = 7.99 steps
    rule = Logistic(rate)
    for moves in (rule, rule.__call__):
        result = TimeSphere(AxiomInputs(A=start), {"A": moves}).simulate(20)
        assert result.stopped is not None
        assert (result.stopped.step, result.stopped.problem) == (8, "grew beyond what a float can hold")
        assert np.all(np.diff(result.series["A"]) * (1 if start > 0 else -1) > 0)


@pytest.mark.parametrize("rate", [0.001, -0.001, 1e-5, 0.0001234, 0.005])
def test_growth_is_as_exact_at_step_100_000_as_at_step_1(rate: float) -> None:
    # 1 + rate is no float: its rounding alone, 1e-16, would be 1e-11 after 100,000 steps
    exact = Fraction(0.5) * (1 + Fraction(rate)) ** 1_000  # in whole numbers; a hundredfold power of it by logarithms
    assert run(Exponential(rate), 0.5, 1_000)[-1] == pytest.approx(float(exact), rel=3e-15)
    far = 0.5 * math.exp(math.fsum((100_000 * math.log1p(rate),)))
    assert run(Exponential(rate), 0.5, 100_000)[-1] == pytest.approx(far, rel=3e-13)


def test_a_sine_is_as_exact_at_step_100_000_as_at_step_1() -> None:
    # 100,000 = 5,882·17 + 6, and 17 is a float: the same as at step 6
    values = run(Oscillation(0.3, 17.0, 1.0), 0.5, 100_000)
    assert values[100_000] == values[6]


CLOSED = [
    Constant(),
    Constant(0.4),
    Linear(-0.01),
    Exponential(0.02),
    Exponential(-1.0),
    Decay(0.03, 0.1),
    Logistic(0.1, 2.0),
    Logistic(-0.1),
    Sigmoid(0.9, 20.0, 4.0),
    Oscillation(0.2, 17.0, 1.0),
    ESequence(0.9, 0.2),
    ESequence(1.0, 0.2),
    Fibonacci(0.01, 3),
    Piecewise([(7, Linear(0.02)), (5, Decay(0.1)), (1, Oscillation(0.1, 9.0))]),
    Piecewise([(7, Linear(0.02)), (5, Linear(-0.02))], repeat=True),
    Piecewise([(3, Oscillation(0.1, 9.0))], repeat=True),
    Piecewise([(4, Piecewise([(1, Linear(0.1)), (2, Constant())], repeat=True)), (3, Constant(0.2))], repeat=True),
]


@pytest.mark.parametrize("rule", CLOSED, ids=repr)
def test_the_closed_form_is_the_step_form_taken_many_times(rule: Rule) -> None:
    assert rule.mover(np.array([0.5])) is not None
    stepped = run(rule.__call__, 0.5, 60)  # a function, whose closed form nobody knows
    assert run(rule, 0.5, 60) == pytest.approx(stepped, rel=1e-11, abs=1e-13)


@quick
@given(st.sampled_from(CLOSED), st.integers(1, 50), st.integers(1, 50))
def test_a_mover_does_not_care_in_how_many_parts_it_is_asked(rule: Rule, first: int, second: int) -> None:
    def move(*counts: int) -> np.ndarray:
        mover = rule.mover(np.array([0.5, 0.7]))
        assert mover is not None
        return np.concatenate([np.broadcast_to(mover(count), (count, 2)) for count in counts])

    assert np.array_equal(move(first, second), move(first + second))


def test_growth_from_next_to_nothing_goes_as_far_as_its_value_allows() -> None:
    # 3^n exceeds floats from n = 647 on, 10^-300·3^n does not before n = 1,276
    values = run(Exponential(2.0), 1e-300, 1_000)
    assert values[1_000] == pytest.approx(math.exp(1_000 * math.log(3.0) - 300 * math.log(10.0)), rel=1e-10)


def test_a_piece_begins_where_the_one_before_it_ended() -> None:
    # up 0.1 for two steps, hold for one, then halve the distance to 0 for good: 0.7, 0.35, 0.175
    rule = Piecewise([(2, Linear(0.1)), (1, Constant()), (1, Decay(math.log(2.0)))])
    assert run(rule, 0.5, 5) == pytest.approx([0.5, 0.6, 0.7, 0.7, 0.35, 0.175], rel=1e-14)


def test_sums_chains_and_bounds() -> None:
    # 0.5 + 0.1 + 0.5·0.2 = 0.7, then 0.7 + 0.1 + 0.7·0.2 = 0.94
    assert run(Sum([Linear(0.1), Exponential(0.2)]), 0.5, 2) == pytest.approx([0.5, 0.7, 0.94], rel=1e-14)
    # (0.5 + 0.1)·1.2 = 0.72, then (0.72 + 0.1)·1.2 = 0.984
    assert run(Chain([Linear(0.1), Exponential(0.2)]), 0.5, 2) == pytest.approx([0.5, 0.72, 0.984], rel=1e-14)
    # up to the bound, and down from the bound at once, not from where it would have been without it
    rule = Bounded(Piecewise([(4, Linear(0.3)), (1, Linear(-0.25))]), 0.0, 1.0)
    assert run(rule, 0.5, 6) == pytest.approx([0.5, 0.8, 1.0, 1.0, 1.0, 0.75, 0.5], rel=1e-14)


def test_rules_read_the_state_before_all_at_once() -> None:
    swap: dict[VariableName, UpdateRule] = {"A": lambda state, _: state["B"], "B": lambda state, _: state["A"]}
    result = TimeSphere(AxiomInputs(A=0.1, B=0.9), swap).simulate(3)
    assert result.series["A"].tolist() == [0.1, 0.9, 0.1, 0.9]
    assert result.series["B"].tolist() == [0.9, 0.1, 0.9, 0.1]


def test_a_rule_sees_the_score_and_the_states_before() -> None:
    seen: list[tuple[int, Any, Any, Any]] = []

    def rule(state: SystemState, step: int) -> float:
        seen.append((step, state.step, state["score"], state.before().own))
        return float(np.asarray(state.own)) / 2.0

    sphere = TimeSphere(AxiomInputs(A=0.8, B=0.5), {"A": rule})
    sphere.simulate(3)
    # score = A·B: 0.8·0.5, 0.4·0.5, 0.2·0.5
    assert seen == [(1, 0, 0.4, 0.8), (2, 1, 0.2, 0.8), (3, 2, 0.1, 0.4)]


def test_a_state_keeps_sixteen_before_it_and_cannot_be_written() -> None:
    kept: list[float] = []

    def rule(state: SystemState, step: int) -> Any:
        past = state.before(16)
        kept.append(past.step)
        return state.own + 1.0

    TimeSphere(AxiomInputs(A=0.0), {"A": rule}).simulate(20)
    assert kept == [0] * 16 + [0, 1, 2, 3]

    def far(state: SystemState, step: int) -> Any:
        return state.before(17).own

    assert "lag: must be from 0 to 16" in TimeSphere(AxiomInputs(), {"A": far}).simulate(2).stopped.problem  # type: ignore[union-attr]

    def vandal(state: SystemState, step: int) -> Any:
        np.asarray(state["B"])[:] = 9.0
        return 0.5

    result = TimeSphere(AxiomInputs(), {"A": vandal}).simulate_ensemble(AxiomInputs(A=np.ones(2)), 3, keep=["B"])
    assert "read-only" in result.stopped.problem  # type: ignore[union-attr]
    assert result.series["B"].tolist() == [[1.0, 1.0]]


@pytest.mark.parametrize(
    "rule",
    [*CLOSED, RandomWalk(0.1), MeanReversion(0.1, 0.5, 0.1), Coupled("score", 0.5), Bounded(Linear(0.1), -1.0, 2.0)],
    ids=repr,
)
def test_a_rule_comes_back_from_its_json(rule: Rule) -> None:
    again = read_rule(rule.to_dict(), "rules.A")
    assert again == rule
    assert read_rule({"rule": "sum", "rules": [rule.to_dict()]}, "rules.A") == Sum([rule])


@pytest.mark.parametrize(
    ("data", "field", "problem"),
    [
        (3, "rules.A", "must be an object, not 3"),
        ({}, "rules.A.rule", "is required; known are bounded, chain, constant, coupled, decay"),
        ({"rule": 3}, "rules.A.rule", "must be a name, not 3"),
        ({"rule": "linaer"}, "rules.A.rule", "update rule 'linaer' is unknown; known are bounded"),
        ({"rule": "linear"}, "rules.A.slope", "is required for linear"),
        ({"rule": "linear", "slope": "1"}, "rules.A.slope", "must be a number, not the text '1'"),
        ({"rule": "linear", "slope": True}, "rules.A.slope", "must be a number, not true or false"),
        ({"rule": "linear", "slope": math.nan}, "rules.A.slope", "must be a finite number, not nan"),
        ({"rule": "linear", "slope": 10**400}, "rules.A.slope", "must be a finite number, not inf"),
        ({"rule": "linear", "slope": 1, "rate": 1}, "rules.A.rate", "is no parameter of linear; it has slope"),
        ({"rule": "decay", "rate": -1}, "rules.A.rate", "must be a finite number at least 0, not -1"),
        ({"rule": "oscillation", "amplitude": 1, "period": 0}, "rules.A.period", "above 0, not 0"),
        ({"rule": "coupled", "source": "Q", "rate": 1}, "rules.A.source", "must be one of A, B, C, X, Y, Z, E_n, F_n"),
        ({"rule": "sum", "rules": []}, "rules.A.rules", "must have 1 to 1,000 rules, not 0"),
        ({"rule": "sum", "rules": {}}, "rules.A.rules", "must be a list, not an object"),
        ({"rule": "sum", "rules": [{"rule": "linear"}]}, "rules.A.rules[0].slope", "is required"),
        (
            {"rule": "piecewise", "pieces": [{"steps": 0, "rule": {}}]},
            "rules.A.pieces[0].steps",
            "must be from 1 to 1,000,000, not 0",
        ),
        ({"rule": "piecewise", "pieces": [{"steps": 1}]}, "rules.A.pieces[0].rule", "is required"),
        (
            {"rule": "piecewise", "pieces": [{"steps": 1, "rule": {"rule": "linear"}}]},
            "rules.A.pieces[0].rule.slope",
            "is required",
        ),
        ({"rule": "bounded", "rule_": 1}, "rules.A.rule_", "is no parameter of bounded"),
        ({"rule": "fibonacci", "offset": 1.5}, "rules.A.offset", "must be a whole number, not 1.5"),
    ],
)
def test_what_is_wrong_with_a_rule_is_named_by_its_path(data: object, field: str, problem: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        read_rule(data, "rules.A")
    assert caught.value.field == field
    assert problem in caught.value.problem


def test_parameters_are_checked_in_python_too() -> None:
    with pytest.raises(InvalidParameterError, match="slope: must be a finite number, not inf"):
        Linear(math.inf)
    with pytest.raises(ValueError, match="low: must be at most high"):
        Bounded(Linear(0.1), 1.0, 0.0)
    with pytest.raises(InvalidParameterError, match=r"rules\[1\]: must be a rule, not int"):
        Sum([Linear(0.1), 3])  # type: ignore[list-item]
