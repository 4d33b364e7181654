from collections import Counter
from random import Random

import pytest

from llm_router.config import ModelConfig
from llm_router.policies import build_policy
from llm_router.policies.latency import ENOUGH_SAMPLES, EXPLORATION
from llm_router.route import Route
from tests.unit.llm_router.policies.routes import PROMPT, make_route, names_of
from tests.wire.clock import Clock


@pytest.fixture
def random() -> Random:
    return Random(11)


def warm(name: str, seconds: float, clock: Clock | None = None, samples: int = ENOUGH_SAMPLES) -> Route:
    route = make_route(name, clock=clock)
    for _ in range(samples):
        route.health.latency.add(seconds, None)
    return route


def count_first(routes: list[Route], random: Random, calls: int = 2_000) -> Counter[str]:
    policy = build_policy(ModelConfig("m", (), "lowest_latency"), random.random)
    return Counter(names_of(policy, routes)[0] for _ in range(calls))


def test_the_quickest_comes_first(random: Random) -> None:
    routes = [warm("slow", 2.0), warm("quick", 0.2), warm("middling", 0.9)]
    policy = build_policy(ModelConfig("m", (), "lowest_latency"), random.random)
    for _ in range(20):
        assert names_of(policy, routes) == ["quick", "middling", "slow"]


def test_the_median_forgives_a_few_slow_answers(random: Random) -> None:
    routes = [warm("steady", 0.5), warm("quick", 0.2)]
    for _ in range(4):
        routes[1].health.latency.add(60.0, None)
    assert count_first(routes, random, 50) == {"quick": 50}


def test_targets_that_are_as_quick_share_the_traffic(random: Random) -> None:
    counts = count_first([warm("a", 1.00), warm("b", 1.05), warm("c", 1.09), warm("d", 1.5)], random, 3_000)
    assert set(counts) == {"a", "b", "c"}
    assert all(abs(count - 1_000) < 100 for count in counts.values())


def test_a_cold_target_gets_a_small_share_that_shrinks_with_its_samples(random: Random) -> None:
    shares = []
    for samples in (0, 5, ENOUGH_SAMPLES - 1):
        routes = [warm("known", 5.0), warm("cold", 0.01, samples=samples)]
        shares.append(count_first(routes, random, 20_000)["cold"] / 20_000)
    expected = [EXPLORATION * (1 - samples / ENOUGH_SAMPLES) for samples in (0, 5, ENOUGH_SAMPLES - 1)]
    assert shares == pytest.approx(expected, abs=0.006)


def test_many_cold_targets_together_get_no_more(random: Random) -> None:
    counts = count_first([warm("known", 1.0), *(make_route(f"cold{i}") for i in range(8))], random, 20_000)
    assert 1 - counts["known"] / 20_000 == pytest.approx(EXPLORATION, abs=0.01)
    assert len(counts) == 9


def test_a_cold_target_is_asked_before_the_local_one_when_the_known_ones_fail(random: Random) -> None:
    routes = [make_route("extractive", local=True), make_route("cold"), warm("known", 1.0)]
    policy = build_policy(ModelConfig("m", (), "lowest_latency"), lambda: 0.99)
    assert names_of(policy, routes) == ["known", "cold", "extractive"]


def test_all_cold_targets_are_asked_alike(random: Random) -> None:
    counts = count_first([make_route(name) for name in "abc"], random, 3_000)
    assert min(counts[name] for name in "abc") > 900


def test_a_new_quick_target_takes_over_once_it_is_warm(random: Random) -> None:
    speeds = {"old": 1.0, "new": 0.3}
    routes = [warm("old", speeds["old"]), make_route("new")]
    policy = build_policy(ModelConfig("m", (), "lowest_latency"), random.random)
    served: list[str] = []
    for _ in range(2_000):
        first = policy.order(routes, PROMPT)[0]
        first.health.latency.add(speeds[first.name], None)
        served.append(first.name)
    assert served[:100].count("new") < 30
    assert set(served[-1_000:]) == {"new"}


def test_a_target_that_was_slow_is_tried_again_when_its_samples_are_old(random: Random) -> None:
    clock = Clock()
    routes = [warm("steady", 1.0, clock), warm("was slow", 9.0, clock)]
    assert count_first(routes, random, 200) == {"steady": 200}
    clock.now_s += 10_000.0
    for _ in range(ENOUGH_SAMPLES):
        routes[0].health.latency.add(1.0, None)
    assert count_first(routes, random, 2_000)["was slow"] > 100
