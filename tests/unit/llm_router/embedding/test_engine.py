import asyncio
import random
from collections.abc import Sequence
from decimal import Decimal

import pytest

from core.errors import BudgetExceededError, EmbedderUnavailableError
from llm_router.config import RouterConfig
from llm_router.embedding import Embedded
from llm_router.faults import TargetFault
from llm_router.reply import Usage
from llm_router.target import Clocks
from tests.unit.llm_router.embedding.scripted import ADA, Book, Scripted, build, check, fail, others, words
from tests.wire.clock import Clock


async def test_a_batch_moves_on_to_the_next_target_of_the_model() -> None:
    main, spare = Scripted(respond=fail("unauthenticated", status=401)), Scripted("spare")
    await check(build(main, spare, batch_texts=2, batches_at_once=1), words(6))
    assert (main.sizes, spare.sizes) == ([2], [2, 2, 2])  # a key that is refused once is left alone


async def test_a_passing_fault_is_waited_for_no_shorter_than_asked() -> None:
    def respond(texts: Sequence[str], number: int) -> None:
        if number == 1:
            raise TargetFault("main", "rate_limited", retry_after_s=3.0)

    target, clock = Scripted(respond=respond), Clock()
    await check(build(target, clock=clock), ["a"])
    assert sum(clock.slept) >= 3.0


async def test_batches_that_are_told_together_to_wait_all_get_through() -> None:
    def respond(texts: Sequence[str], number: int) -> None:
        if number <= 4:
            raise TargetFault("main", "rate_limited", retry_after_s=3.0)

    target, clock = Scripted(respond=respond), Clock()
    await check(build(target, clock=clock, batch_texts=1), words(12))
    assert len(target.asked) == 16
    assert clock.now_s >= 1_003.0


async def test_after_a_failure_the_batches_that_have_not_begun_are_not_sent() -> None:
    target = Scripted(respond=fail("malformed", cause="dimension_mismatch"))
    with pytest.raises(EmbedderUnavailableError, match="check the model and its dimension"):
        await build(target, batch_texts=1, batches_at_once=2).embed(words(50))
    assert len(target.asked) <= 3


async def test_a_dead_target_is_left_alone_and_says_when_to_come_back() -> None:
    target = Scripted(respond=fail("connection"))
    router = build(target, patience=RouterConfig(deadline_s=2.0))
    for _ in range(4):
        with pytest.raises(EmbedderUnavailableError) as caught:
            await router.embed(["a"])
    assert router.routes[0].health.breaker.state == "open"
    assert float(str(caught.value.details["retry_after_s"])) > 2.0
    asked = len(target.asked)
    with pytest.raises(EmbedderUnavailableError):
        await router.embed(["a"])
    assert len(target.asked) == asked


async def test_a_target_that_is_switched_off_is_not_asked() -> None:
    main, spare = Scripted(), Scripted("spare")
    router = build(main, spare)
    router.routes[0].health.enabled = False
    await check(router, ["a"])
    assert (main.asked, spare.asked) == ([], [["a"]])


async def test_the_policy_says_who_is_asked_first() -> None:
    main, spare = Scripted(), Scripted("spare")
    await check(build(main, spare, policy="weighted", weights={"main": 0.0}), ["a"])
    assert (main.asked, spare.asked) == ([], [["a"]])


async def test_every_attempt_is_charged() -> None:
    def respond(texts: Sequence[str], number: int) -> None:
        if number == 1:
            raise TargetFault("main", "timeout")

    target, book = Scripted(respond=respond), Book()
    await build(target, accounts=book).embed(["a" * 400, "b" * 400], caller=ADA)
    assert [(caller, model, attempt.outcome) for caller, model, attempt in book.settled] == [
        (ADA, "small", "failed"),
        (ADA, "small", "answered"),
    ]
    failed, answered = (attempt for _, _, attempt in book.settled)
    assert failed.usage == Usage(200, 0, estimated=True)
    assert (answered.usage, answered.cost_usd) == (Usage(2, 0), Decimal("0.000004"))
    assert answered.raw_usage == {"prompt_tokens": 2}
    assert book.amounts == [Decimal("0.0004")] * 2
    assert book.open == set()


async def test_a_spent_budget_is_told_as_such_and_nothing_is_sent() -> None:
    target = Scripted()
    router = build(target, accounts=Book(limit=0))
    with pytest.raises(BudgetExceededError):
        await router.embed(["a"])
    assert target.asked == []
    assert router.routes[0].health.breaker.state == "closed"


async def test_two_hundred_calls_with_random_cancels_leave_nothing_behind() -> None:
    chance = random.Random(7)

    def respond(texts: Sequence[str], number: int) -> None:
        if chance.random() < 0.1:
            raise TargetFault("main", "overloaded")

    class Slow(Scripted):
        async def embed(self, texts: Sequence[str], clocks: Clocks) -> Embedded:
            await asyncio.sleep(chance.random() * 0.004)
            return await super().embed(texts, clocks)

    target, book = Slow(respond=respond), Book(limit=100_000)
    router = build(target, accounts=book, batch_texts=2, cache_size=8)

    async def caller(number: int) -> str:
        texts = [f"w{chance.randrange(60)}" for _ in range(6)]
        try:
            async with asyncio.timeout(chance.random() * 0.03 if number % 2 else None):
                await check(router, texts)
        except TimeoutError:
            return "left"
        except EmbedderUnavailableError:
            return "failed"
        return "served"

    outcomes = await asyncio.gather(*(caller(number) for number in range(200)))
    await router.aclose()
    assert {"left", "served"} <= {*outcomes}
    assert router.routes[0].health.busy == 0
    assert (book.open, len(book.amounts)) == (set(), len(book.settled))
    assert (router._flying, others()) == ({}, set())
