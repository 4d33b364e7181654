from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from llm_router.config import BudgetConfig
from llm_router.ports import FIRST_TENANT, Caller
from llm_router.spend.caps import Cap
from llm_router.spend.refusal import Standing, explain_refusal

CALLER = Caller(UUID(int=7), "anne")
NOW = datetime(2026, 3, 1, 23, 59, 58, 500_000, tzinfo=UTC)


def standing(spent: str, reserved: str = "0", *, owner: UUID = CALLER.tenant, **budget: Any) -> Standing:
    capped = replace(BudgetConfig("b", Decimal(10), each="key"), **budget)
    return Standing(Cap(capped, owner, "anne"), Decimal(spent), Decimal(reserved))


def test_a_refusal_names_the_cap_and_when_it_is_whole_again() -> None:
    error = explain_refusal([standing("9.50", "0.25")], Decimal("0.75"), CALLER, NOW)
    assert error.details == {
        "budget": "b",
        "subject": "anne",
        "limit_usd": "10",
        "amount_usd": "0.75",
        "spent_usd": "9.50",
        "reserved_usd": "0.25",
        "retry_after_s": 2,
    }
    assert error.message == (
        "budget 'b': this call may cost 0.75 USD; of 10 USD a day for the key 'anne', "
        "9.50 are spent and 0.25 set aside for running calls"
    )


@pytest.mark.parametrize("window", ["month", "total"])
def test_what_only_running_calls_hold_is_soon_free_again(window: str) -> None:
    held = standing("7", "2.50", name="held", window=window)
    assert explain_refusal([held], Decimal("0.75"), CALLER, NOW).details["retry_after_s"] == 5
    spent = standing("10", name="spent", window="day")
    assert explain_refusal([held, spent], Decimal("0.75"), CALLER, NOW.replace(hour=1)).details["budget"] == "spent"


def test_amounts_are_written_out() -> None:
    error = explain_refusal([standing("10", limit_usd=Decimal("1E+1"))], Decimal("1E-9"), CALLER, NOW)
    assert (error.details["limit_usd"], error.details["amount_usd"]) == ("10", "0.000000001")


def test_what_never_ends_names_no_end() -> None:
    assert "retry_after_s" not in explain_refusal([standing("10", window="total")], Decimal(1), CALLER, NOW).details


def test_an_amount_above_the_whole_limit_says_that_waiting_does_not_help() -> None:
    error = explain_refusal([standing("0")], Decimal("10.01"), CALLER, NOW)
    assert "more than the whole limit of 10 USD a day for the key 'anne'" in error.message
    assert "retry_after_s" not in error.details


@pytest.mark.parametrize("order", [1, -1])
def test_of_several_caps_the_one_that_is_short_the_longest_is_named(order: int) -> None:
    caps = [
        standing("10", name="hours", window="hour"),
        standing("10", name="months", window="month"),
        standing("0", name="roomy", window="total"),
    ]
    assert explain_refusal(caps[::order], Decimal(1), CALLER, NOW).details["budget"] == "months"
    caps.append(standing("0", name="small", window="hour", limit_usd=Decimal("0.5")))
    assert explain_refusal(caps[::order], Decimal(1), CALLER, NOW).details["budget"] == "small"


def test_what_all_tenants_share_is_not_told_to_one() -> None:
    shared = standing("9.87", "0.65", owner=FIRST_TENANT, each="target")
    error = explain_refusal([shared], Decimal(1), CALLER, NOW)
    assert not {"spent_usd", "reserved_usd"} & error.details.keys()
    assert "9.87" not in error.message
    assert explain_refusal([shared], Decimal(1), Caller(), NOW).details["spent_usd"] == "9.87"
