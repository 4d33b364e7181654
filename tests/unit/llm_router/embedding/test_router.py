import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from core.errors import EmbedderUnavailableError, InvalidInputError
from llm_router.faults import TargetFault
from tests.unit.llm_router.embedding.scripted import (
    ADA,
    BO,
    Looks,
    Scripted,
    build,
    check,
    fail,
    others,
    vector_of,
    words,
)
from tests.wire.clock import Clock


async def test_texts_go_in_batches_few_at_once_and_come_back_in_order() -> None:
    target = Scripted()
    router = build(target, batch_texts=10, batches_at_once=3)
    await check(router, words(95))
    assert sorted(target.sizes) == [5] + [10] * 9
    assert target.most_at_once == 3
    assert (router.model, router.dimension) == ("small", 2)
    await router.aclose()
    assert not target.is_open


async def test_no_texts_are_not_sent() -> None:
    target = Scripted()
    assert (await build(target).embed([])).shape == (0, 2)
    assert target.asked == []


async def test_a_text_is_sent_once_and_its_vector_kept() -> None:
    target, looks = Scripted(), Looks()
    router = build(target, observer=looks)
    await check(router, ["a", "b", "a", "a"])
    await check(router, ["b", "c"])
    assert target.asked == [["a", "b"], ["c"]]
    assert looks.hits == [False, False, True, False]


async def test_what_is_given_back_can_be_changed_without_harm() -> None:
    router = build(Scripted())
    vectors = await router.embed(["a"])
    vectors[:] = 7
    await check(router, ["a"])


async def test_the_cache_is_bounded_and_can_be_off() -> None:
    target = Scripted()
    router = build(target, cache_size=1)
    for text in ("a", "b", "a"):
        await check(router, [text])
    assert len(target.asked) == 3
    target = Scripted()
    router = build(target, cache_size=0)
    for _ in range(2):
        await check(router, ["a"])
    assert len(target.asked) == 2


async def test_calls_at_the_same_time_share_what_they_both_need() -> None:
    target = Scripted()
    target.may_answer.clear()
    router = build(target)
    calls = [asyncio.create_task(router.embed(texts)) for texts in (["a", "b"], ["b", "c"], ["a", "c"])]
    await asyncio.sleep(0.001)
    target.may_answer.set()
    for call, texts in zip(calls, ("ab", "bc", "ac"), strict=True):
        np.testing.assert_array_equal(await call, np.array([vector_of(text) for text in texts], np.float32))
    assert target.asked == [["a", "b"], ["c"]]
    assert others() == set()


async def test_tenants_share_nothing() -> None:
    target = Scripted()
    target.may_answer.clear()
    router = build(target)
    calls = [asyncio.create_task(router.embed(["a"], caller=caller)) for caller in (ADA, BO)]
    await asyncio.sleep(0.001)
    target.may_answer.set()
    await asyncio.gather(*calls)
    await router.embed(["a"], caller=BO)
    assert target.asked == [["a"], ["a"]]


async def test_the_first_caller_may_leave_without_harm_to_the_second() -> None:
    target = Scripted()
    target.may_answer.clear()
    router = build(target)
    first, second = (asyncio.create_task(router.embed(["a"])) for _ in range(2))
    await asyncio.sleep(0.001)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    target.may_answer.set()
    assert (await second).shape == (1, 2)
    assert target.sizes == [1]


async def test_only_the_batch_that_failed_is_sent_again() -> None:
    def respond(texts: Sequence[str], number: int) -> None:
        if number == 2:
            raise TargetFault("main", "overloaded")

    target, clock = Scripted(respond=respond), Clock()
    await check(build(target, clock=clock, batch_texts=2, batches_at_once=1), words(6))
    assert target.asked == [["w0", "w1"], ["w2", "w3"], ["w2", "w3"], ["w4", "w5"]]
    assert len(clock.slept) == 1


async def test_a_batch_too_large_is_halved_until_it_is_taken() -> None:
    def respond(texts: Sequence[str], number: int) -> None:
        if len(texts) > 3:
            raise TargetFault("main", "context_length", status=413)

    target = Scripted(respond=respond)
    router = build(target)
    await check(router, words(8))
    assert target.sizes == [8, 4, 2, 2, 4, 2, 2]
    assert router.routes[0].health.breaker.state == "closed"


@pytest.mark.parametrize("kind", ["context_length", "invalid_request", "content_policy"])
async def test_a_text_that_is_refused_alone_is_named_and_the_others_are_kept(kind: str) -> None:
    def respond(texts: Sequence[str], number: int) -> None:
        if "w5" in texts:
            raise TargetFault("main", kind, status=400)  # type: ignore[arg-type]

    target, spare = Scripted(respond=respond), Scripted("spare")
    router = build(target, spare)
    with pytest.raises(InvalidInputError, match=r"texts\[5\]: the embedding model refuses it") as caught:
        await router.embed(words(8))
    assert caught.value.field == "texts[5]"
    asked = len(target.asked)
    await check(router, [*words(5), "w6", "w7"])
    assert (len(target.asked), spare.asked) == (asked, [])


async def test_who_shares_a_batch_with_a_refused_text_gets_its_own() -> None:
    def respond(texts: Sequence[str], number: int) -> None:
        if "bad" in texts:
            raise TargetFault("main", "context_length", status=400)

    target = Scripted(respond=respond)
    target.may_answer.clear()
    router = build(target)
    first = asyncio.create_task(router.embed(["good", "bad"]))
    second = asyncio.create_task(router.embed(["good"]))
    await asyncio.sleep(0.001)
    target.may_answer.set()
    with pytest.raises(InvalidInputError, match=r"texts\[1\]"):
        await first
    assert (await second).shape == (1, 2)


async def test_a_server_that_refuses_everything_is_not_asked_for_each_text() -> None:
    target = Scripted(respond=fail("invalid_request", status=400))
    with pytest.raises(InvalidInputError, match=r"texts\[0\]"):
        await build(target).embed(words(256))
    assert len(target.asked) < 20


async def test_what_was_embedded_is_kept_when_another_batch_fails() -> None:
    is_down = True

    def respond(texts: Sequence[str], number: int) -> None:
        if is_down and "w3" in texts:
            raise TargetFault("main", "not_found", status=404)

    target = Scripted(respond=respond)
    clock = Clock()
    router = build(target, clock=clock, batch_texts=2, batches_at_once=2)
    with pytest.raises(EmbedderUnavailableError, match="did not answer") as caught:
        await router.embed(words(4))
    assert caught.value.details["attempts"]
    is_down = False
    clock.now_s += 3_600
    asked = len(target.asked)
    await check(router, words(4))
    assert target.asked[asked:] == [["w2", "w3"]]
