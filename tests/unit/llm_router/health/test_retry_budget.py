import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_router.config import RetryBudgetConfig
from llm_router.health.retry_budget import RetryBudget


def drain(budget: RetryBudget) -> int:
    spent = 0
    while budget.spend():
        spent += 1
    return spent


def test_it_starts_full() -> None:
    assert drain(RetryBudget(RetryBudgetConfig(ratio=0.2, burst=20.0))) == 20


@pytest.mark.parametrize(("ratio", "calls"), [(0.1, 10), (0.2, 5), (0.3, 4), (1 / 3, 3), (1.0, 1), (0.01, 100)])
def test_first_calls_earn_an_extra_one_and_no_call_sooner(ratio: float, calls: int) -> None:
    budget = RetryBudget(RetryBudgetConfig(ratio=ratio, burst=5.0))
    drain(budget)
    for _ in range(calls - 1):
        budget.earn()
        assert not budget.spend()
    budget.earn()
    assert budget.spend()
    assert not budget.spend()


def test_no_more_is_saved_than_the_burst() -> None:
    budget = RetryBudget(RetryBudgetConfig(ratio=0.5, burst=3.0))
    for _ in range(1000):
        budget.earn()
    assert budget.tokens == 3.0
    assert drain(budget) == 3


@pytest.mark.parametrize("config", [RetryBudgetConfig(burst=0.0), RetryBudgetConfig(ratio=5.0, burst=0.9)])
def test_a_burst_below_one_allows_none(config: RetryBudgetConfig) -> None:
    budget = RetryBudget(config)
    for _ in range(50):
        budget.earn()
        assert not budget.spend()


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.floats(0.0, 2.0), st.floats(0.0, 10.0), st.lists(st.booleans(), max_size=200))
def test_no_more_is_spent_than_was_there_and_earned(ratio: float, burst: float, steps: list[bool]) -> None:
    budget, spent, earned = RetryBudget(RetryBudgetConfig(ratio, burst)), 0, 0.0
    for is_first_call in steps:
        if is_first_call:
            budget.earn()
            earned += ratio
        else:
            spent += budget.spend()
        assert 0.0 <= budget.tokens <= burst
        assert spent <= burst + earned + 1e-6
