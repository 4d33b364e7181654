import json
from typing import Any

import pytest

from axiom.simulation import AxiomInputs, Bounded, Linear, Piecewise, Rule, Scenario, TimeSphere
from core.errors import InvalidParameterError


def nest(rule: dict[str, Any], times: int, kind: str) -> dict[str, Any]:
    for _ in range(times):
        inner = rule
        rule = (
            {"rule": kind, "of": inner}
            if kind == "bounded"
            else {"rule": kind, "pieces": [{"steps": 3, "rule": inner}]}
        )
    return rule


def test_pieces_deep_within_pieces_are_looked_at_once_each() -> None:
    asked = 0

    class Asked(Linear):
        def mover(self, start: Any) -> Any:
            nonlocal asked
            asked += 1
            return super().mover(start)

    rule: Rule = Asked(0.25)
    for _ in range(20):
        rule = Piecewise([(2, rule)], repeat=True)
    # a mover for each level's look at what is below it, not two for each of them
    assert TimeSphere(AxiomInputs(A=0.0), {"A": rule}).simulate(8).series["A"].tolist() == [0.25 * n for n in range(9)]
    assert asked <= 2 * 20 * 8


def test_rules_within_rules_go_so_deep_that_no_stack_ends() -> None:
    # `rules` and the innermost rule are two objects; a bound is one more, a piecewise two objects and a list
    for kind, times in (("bounded", 62), ("piecewise", 20)):
        deep = {"rules": {"A": nest({"rule": "linear", "slope": 0.1}, times, kind)}, "steps": 3}
        scenario = Scenario.from_dict(deep)
        assert Scenario.from_dict(json.loads(json.dumps(scenario.to_dict()))).fingerprint() == scenario.fingerprint()
        assert scenario.run().last_step == 3
    for kind, times in (("bounded", 63), ("piecewise", 21), ("bounded", 50_000)):
        with pytest.raises(InvalidParameterError, match=r"^rules: are nested too deeply: at most 64 objects and lists"):
            Scenario.from_dict({"rules": {"A": nest({"rule": "linear", "slope": 0.1}, times, kind)}})


def test_pieces_from_where_a_bound_ended_take_a_state_for_each_step() -> None:
    # 0.5 + 0.4 + 0.4 is cut to 1, then 0.25 less at each step; and again from the start of the pieces
    rule = Piecewise([(2, Bounded(Linear(0.4))), (2, Linear(-0.25))], repeat=True)
    values = TimeSphere(AxiomInputs(A=0.5), {"A": rule}).simulate(8).series["A"]
    assert values.tolist() == pytest.approx([0.5, 0.9, 1.0, 0.75, 0.5, 0.9, 1.0, 0.75, 0.5], rel=1e-15)
