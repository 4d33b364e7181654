from collections import Counter
from dataclasses import replace
from decimal import Decimal
from random import Random

from llm_router.config import ModelConfig
from llm_router.policies import build_policy
from llm_router.prices import Prices
from tests.unit.llm_router.policies.routes import PROMPT, make_route, names_of

POLICY = build_policy(ModelConfig("m", (), "least_cost"), Random(3).random)


def price(input_usd: str, output_usd: str) -> Prices:
    return Prices(Decimal(input_usd), Decimal(output_usd))


def test_the_cheapest_comes_first_and_unknown_prices_last() -> None:
    routes = [
        make_route("unknown"),
        make_route("dear", prices=price("3", "15")),
        make_route("free", prices=price("0", "0")),
        make_route("cheap", prices=price("0.1", "0.4")),
    ]
    assert names_of(POLICY, routes) == ["free", "cheap", "dear", "unknown"]


def test_what_is_cheapest_depends_on_how_much_is_asked_and_answered() -> None:
    reader = make_route("cheap to read", prices=price("0.1", "9"))
    writer = make_route("cheap to write", prices=price("1", "1"))
    long_question = replace(PROMPT, question="words " * 4_000, max_output_tokens=10)
    long_answer = replace(PROMPT, max_output_tokens=4_000)
    assert names_of(POLICY, [writer, reader], long_question)[0] == "cheap to read"
    assert names_of(POLICY, [reader, writer], long_answer)[0] == "cheap to write"


def test_equal_costs_share_the_traffic() -> None:
    routes = [make_route(name, prices=price("1", "2")) for name in "abc"]
    counts = Counter(names_of(POLICY, routes)[0] for _ in range(3_000))
    assert all(abs(count - 1_000) < 100 for count in counts.values())
    assert set(counts) == {"a", "b", "c"}


def test_the_local_route_costs_nothing_and_yet_comes_last() -> None:
    routes = [make_route("extractive", local=True, prices=price("0", "0")), make_route("unknown")]
    assert names_of(POLICY, routes) == ["unknown", "extractive"]
