from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_router.prices import Prices
from llm_router.reply import NO_USAGE, Usage

BUCKETS = [field.name for field in fields(Usage) if field.name != "estimated"]
COUNTS = st.integers(0, 10**9)
USAGES = st.builds(Usage, **dict.fromkeys(BUCKETS, COUNTS))
AMOUNTS = st.decimals(0, 10_000, places=6)
PRICES = st.builds(Prices, AMOUNTS, AMOUNTS, *(st.none() | AMOUNTS for _ in range(3)))
AMOUNTS_OF_EACH = (Decimal(3), Decimal(15), Decimal("0.30"), Decimal("3.75"), Decimal(6))
EACH = Prices(*AMOUNTS_OF_EACH)


def usage_of(bucket: str) -> Usage:
    counts: dict[str, Any] = {bucket: 1_000_000}
    return replace(NO_USAGE, **counts)


def test_cost_is_exact_and_charges_each_bucket_once() -> None:
    usage = Usage(
        input_tokens=1_000, output_tokens=300, cache_read_tokens=10, cache_write_tokens=20, reasoning_tokens=7
    )
    full = Prices(Decimal("3"), Decimal("15"), Decimal("0.30"), Decimal("3.75"))
    assert full.cost(usage) == Decimal("0.007683")
    assert Prices(Decimal("3"), Decimal("15")).cost(usage) == Decimal("0.007695")


@pytest.mark.parametrize(
    ("bucket", "cost"),
    [
        ("input_tokens", "3"),
        ("output_tokens", "15"),
        ("cache_read_tokens", "0.30"),
        ("cache_write_tokens", "3.75"),
        ("reasoning_tokens", "15"),
        ("cache_write_1h_tokens", "6"),
    ],
)
def test_a_million_tokens_cost_their_price(bucket: str, cost: str) -> None:
    assert EACH.cost(usage_of(bucket)) == Decimal(cost)


def test_every_bucket_is_priced() -> None:
    assert all(EACH.cost(usage_of(bucket)) > 0 for bucket in BUCKETS)


def test_an_hours_cache_costs_as_other_writes_where_it_has_no_price_of_its_own() -> None:
    usage = usage_of("cache_write_1h_tokens")
    assert Prices(Decimal(3), Decimal(15), cache_write_usd=Decimal(4)).cost(usage) == 4
    assert Prices(Decimal(3), Decimal(15)).cost(usage) == 3


def test_a_price_of_nothing_is_a_price() -> None:
    free = Prices(Decimal(3), Decimal(15), cache_read_usd=Decimal(0))
    assert free.cost(usage_of("cache_read_tokens")) == 0
    assert EACH.cost(NO_USAGE) == 0


@given(PRICES, USAGES, USAGES)
def test_what_is_used_together_costs_as_much_as_apart(prices: Prices, one: Usage, other: Usage) -> None:
    assert prices.cost(one + other) == prices.cost(one) + prices.cost(other)


def test_the_amounts_are_those_that_are_given() -> None:
    assert Prices(Decimal(3), Decimal(15)).amounts() == (Decimal(3), Decimal(15))
    assert EACH.amounts() == AMOUNTS_OF_EACH
