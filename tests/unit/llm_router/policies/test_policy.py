from random import Random

import pytest

from llm_router.config import ModelConfig, PolicyName
from llm_router.policies import build_policy
from tests.unit.llm_router.policies.routes import make_route, names_of

POLICIES: tuple[PolicyName, ...] = (
    "ordered",
    "weighted",
    "least_cost",
    "lowest_latency",
    "least_busy",
    "difficulty",
)


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_gives_each_route_once_and_the_local_one_last(policy: PolicyName) -> None:
    routes = [make_route(name) for name in "abc"] + [make_route("extractive", local=True)]
    built = build_policy(ModelConfig("m", ("a", "b", "c"), policy, strong=("b",)), Random(1).random)
    for _ in range(50):
        found = names_of(built, routes)
        assert sorted(found[:3]) == ["a", "b", "c"]
        assert found[3:] == ["extractive"]
    assert [route.name for route in routes] == ["a", "b", "c", "extractive"]


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_takes_one_route_or_none(policy: PolicyName) -> None:
    built = build_policy(ModelConfig("m", ("a",), policy, strong=("a",)), Random(1).random)
    assert names_of(built, []) == []
    assert names_of(built, [make_route("a")]) == ["a"]
    assert names_of(built, [make_route("extractive", local=True)]) == ["extractive"]


def test_ordered_keeps_the_order_also_of_a_local_route_that_is_named_early() -> None:
    routes = [make_route("a"), make_route("local", local=True), make_route("b")]
    assert names_of(build_policy(ModelConfig("m", ()), Random(1).random), routes) == ["a", "local", "b"]
