"""A reflection is read as it was stored, with every attempt and what it cost."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from axiom import Terms, log_shares
from core.pg import Database
from gems import GemChange, Gems, Moment
from llm_router.reply import Attempt, Usage
from reflection import AxiomScore, Reflection
from reflection.store import get_reflection, insert_reflection

FULL = Usage(1, 2, 3, 4, 5, 6, estimated=True)
TERMS = Terms(*(0.5,) * 8)


@pytest.fixture
async def reflection(gems: Gems, tenant: UUID, at: Moment) -> Reflection:
    gem = await gems.create(tenant, GemChange("port"), at)
    failed = Attempt(
        *("first", "openai", "large", "failed", "rate_limited", 429, at.now, 0.25),
        usage=None,
        raw_usage={"prompt_tokens": 3, "details": {"cached": [1, None, 0.5]}},
        cost_usd=Decimal("0.000000000001"),
    )
    left = replace(failed, outcome="cancelled", error=None, status=None, raw_usage=None, usage=FULL)
    answered = Attempt(
        *("second", "anthropic", "small", "answered", None, None, at.now + timedelta(seconds=1), 2.5),
        usage=FULL,
        first_token_s=0.75,
        price_version="2026-01",
        tier="priority",
    )
    return Reflection(
        reflection_id=uuid4(),
        gem_id=gem.gem_id,
        question="Why?",
        answer="Because.",
        grounding="uncited",
        evidence=(),
        axiom=AxiomScore(0.5, TERMS, log_shares(TERMS)),
        target="second",
        provider="anthropic",
        model="small",
        finish="stop",
        usage=FULL,
        cost_usd=None,
        attempts=(failed, left, answered),
        seconds=3.0,
        rating=None,
        created_at=at.now,
        variant="terse",
        cached=True,
    )


async def test_a_reflection_comes_back_as_it_was(database: Database, tenant: UUID, reflection: Reflection) -> None:
    async with database.transaction(tenant) as conn:
        await insert_reflection(conn, reflection)
        assert await get_reflection(conn, reflection.reflection_id) == reflection


async def test_what_postgres_cannot_hold_is_no_reason_to_lose_an_answer(
    database: Database, tenant: UUID, reflection: Reflection
) -> None:
    odd = replace(reflection.attempts[0], model="m\x00", tier="\ud800", raw_usage={"n": float("nan")})
    async with database.transaction(tenant) as conn:
        await insert_reflection(conn, replace(reflection, answer="no\x00thing", attempts=(odd,)))
        stored = await get_reflection(conn, reflection.reflection_id)
    assert stored.answer == "nothing"
    assert stored.attempts == (replace(odd, model="m", tier="\ufffd", raw_usage=None),)
