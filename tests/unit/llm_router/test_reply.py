from decimal import Decimal

from llm_router.reply import Prices, Usage, estimate_usage


def test_usage_adds_bucket_by_bucket() -> None:
    total = Usage(1, 2, 3, 4, 5) + Usage(10, 20, 30, 40, 50, estimated=True)
    assert total == Usage(11, 22, 33, 44, 55, estimated=True)
    assert total.total_tokens == 165


def test_an_estimate_is_marked_and_rounds_up() -> None:
    assert estimate_usage("abcde", "") == Usage(2, 0, estimated=True)


def test_cost_is_exact_and_charges_each_bucket_once() -> None:
    usage = Usage(
        input_tokens=1_000, output_tokens=300, cache_read_tokens=10, cache_write_tokens=20, reasoning_tokens=7
    )
    full = Prices(Decimal("3"), Decimal("15"), Decimal("0.30"), Decimal("3.75"))
    assert full.cost(usage) == Decimal("0.007683")
    assert Prices(Decimal("3"), Decimal("15")).cost(usage) == Decimal("0.007695")
