from collections import Counter
from itertools import permutations
from random import Random

from llm_router.config import ModelConfig
from llm_router.policies import build_policy
from tests.unit.llm_router.policies.routes import make_route, names_of

DRAWS = 20_000


def draw(weights: dict[str, float], names: str, draws: int = DRAWS) -> Counter[str]:
    routes = [make_route(name) for name in names]
    policy = build_policy(ModelConfig("m", tuple(names), "weighted", weights=weights), Random(7).random)
    return Counter("".join(names_of(policy, routes)) for _ in range(draws))


def probability(order: tuple[str, ...], weights: dict[str, float]) -> float:
    """Of this order, if each next name is drawn by weight from those that are left."""
    found, left = 1.0, sum(weights.values())
    for name in order:
        found *= weights[name] / left
        left -= weights[name]
    return found


def test_every_order_comes_as_often_as_drawing_without_replacement_gives_it() -> None:
    weights = {"a": 5.0, "b": 3.0, "c": 1.5, "d": 0.5}
    counts = draw(weights, "abcd")
    expected = {"".join(order): DRAWS * probability(order, weights) for order in permutations("abcd")}
    chi_square = sum((counts[order] - count) ** 2 / count for order, count in expected.items())
    assert chi_square < 49.7  # 23 degrees of freedom, p = 0.001


def test_weight_0_comes_after_all_others_and_in_no_fixed_order() -> None:
    counts = draw({"a": 0.0, "b": 1e-9, "c": 0.0, "d": 3.0}, "abcd", 2_000)
    assert {order[:2] for order in counts} <= {"bd", "db"}
    assert {order[2:] for order in counts} == {"ac", "ca"}


def test_a_route_without_a_weight_has_1() -> None:
    counts = draw({"a": 3.0}, "ab")
    assert abs(counts["ab"] / DRAWS - 0.75) < 0.01


def test_routes_of_weight_0_alone_are_all_asked() -> None:
    assert set(draw({"a": 0.0, "b": 0.0}, "ab", 200)) == {"ab", "ba"}
