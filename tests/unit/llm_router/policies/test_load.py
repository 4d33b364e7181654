from collections import Counter
from random import Random

from llm_router.config import ModelConfig
from llm_router.policies import build_policy
from tests.unit.llm_router.policies.routes import make_route, names_of


def test_the_least_busy_comes_first_and_equals_share_the_traffic() -> None:
    routes = [make_route(name) for name in "abcd"]
    for route, busy in zip(routes, (2, 1, 1, 0), strict=True):
        route.health.busy = busy
    policy = build_policy(ModelConfig("m", (), "least_busy"), Random(5).random)
    counts = Counter("".join(names_of(policy, routes)) for _ in range(1_000))
    assert set(counts) == {"dbca", "dcba"}
    assert abs(counts["dbca"] - 500) < 60


def test_calls_that_never_overlap_are_spread_over_all() -> None:
    routes = [make_route(name) for name in "abc"]
    policy = build_policy(ModelConfig("m", (), "least_busy"), Random(5).random)
    counts = Counter(names_of(policy, routes)[0] for _ in range(3_000))
    assert min(counts[name] for name in "abc") > 900
