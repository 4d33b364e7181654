"""Whatever ends an extraction, what was answered is stored; and what may be spent is not overspent."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from core.errors import AllTargetsFailedError, InvalidInputError, StructureInvalidError
from core.pg import Connection
from knowledge.graph.extracting import COST_REACHED
from knowledge.graph.extraction import BATCH_PASSAGES
from knowledge.graph.extraction_progress import Counts, ExtractionWish
from tests.integration.knowledge.graph.library import ALL, Library
from tests.integration.knowledge.graph.scribe import CALL_USD, Scribe

TEA = "Bo likes tea."
PEOPLE = [f"{name} likes tea." for name in ("Ann", "Bo", "Cy", "Dee", "Eve", "Fay", "Gus", "Hal", "Ida", "Jo")]


@pytest.mark.usefixtures("one_each")
async def test_a_kill_between_two_calls_costs_nothing(library: Library) -> None:
    await library.write(*PEOPLE)
    scribe = Scribe()

    async def die_after_three(conn: Connection, counts: Counts) -> bool:
        if counts.calls > 3:
            run.cancel()
            await asyncio.sleep(1)
        return True

    run = asyncio.create_task(library.extract(scribe, record=die_after_three))
    with pytest.raises(asyncio.CancelledError):
        await run
    assert len(await library.held()) == 3
    ended = await library.extract(later := Scribe())
    assert ended.counts.passages == len(PEOPLE) - 3
    assert len(later.texts) == len(PEOPLE) - 3
    assert len(await library.held()) == len(PEOPLE)


@pytest.mark.usefixtures("one_each")
async def test_an_answer_that_fails_leaves_the_others_stored(library: Library) -> None:
    await library.write(*PEOPLE)
    scribe = Scribe()
    scribe.fails[1] = AllTargetsFailedError("nobody is there")
    with pytest.raises(AllTargetsFailedError):
        await library.extract(scribe)
    stored = len(await library.held())
    assert 1 <= stored < len(PEOPLE)
    await library.extract(later := Scribe())
    assert len(later.texts) == len(PEOPLE) - stored


async def test_what_cannot_be_read_is_asked_in_smaller_calls_and_left_for_later(library: Library) -> None:
    await library.write(*PEOPLE)
    scribe = Scribe()
    scribe.unreadable, scribe.silent = {PEOPLE[3]}, {PEOPLE[7], PEOPLE[8]}
    ended = await library.extract(scribe)
    assert (ended.counts.passages, ended.counts.failed) == (len(PEOPLE) - 1, 1)
    assert len(await library.held()) == len(PEOPLE) - 1
    scribe.unreadable.clear()
    scribe.asked.clear()
    await library.extract(scribe)
    assert scribe.texts == [PEOPLE[3]]


async def test_a_model_that_passes_over_a_passage_again_and_again_has_found_nothing_there(library: Library) -> None:
    await library.write("Nothing of note.", TEA)
    scribe = Scribe()
    read = scribe.extract

    async def extract(passages: Any) -> Any:
        answer = await read(passages)
        return replace(answer, found=[each if each and each.relations else None for each in answer.found])

    scribe.extract = extract  # type: ignore[method-assign]
    assert (await library.extract(scribe)).counts.passages == 2
    assert (await library.extract(scribe)).counts.passages == 0


async def test_a_model_that_never_makes_sense_is_not_asked_for_ever(library: Library) -> None:
    texts = [f"Nonsense number {number}." for number in range(3 * BATCH_PASSAGES)]
    await library.write(*texts)
    scribe = Scribe()
    scribe.unreadable = {*texts}
    with pytest.raises(StructureInvalidError):
        await library.extract(scribe)
    assert len(scribe.asked) < 3 * BATCH_PASSAGES
    assert await library.count("extraction") == 0


@pytest.mark.usefixtures("one_each")
async def test_a_limit_of_cost_is_kept_to_also_by_calls_side_by_side(library: Library) -> None:
    await library.write(*PEOPLE)
    wish = ExtractionWish(5 * CALL_USD)
    ended = await library.extract(scribe := Scribe(), wish)
    assert ended.stop == COST_REACHED
    assert ended.counts.cost_usd == 4 * CALL_USD  # a fifth may cost twice as much
    assert len(scribe.asked) == 4 == len(await library.held())
    more = await library.extract(scribe, ExtractionWish(6 * CALL_USD), counts=ended.counts)
    assert len(scribe.asked) == 5
    assert more.counts.cost_usd == 5 * CALL_USD


async def test_a_limit_of_cost_needs_known_prices(library: Library) -> None:
    await library.write(TEA)
    with pytest.raises(InvalidInputError, match="max_usd"):
        await library.extract(Scribe(cost_usd=None), ExtractionWish(Decimal(1)))
    assert (await library.extract(Scribe(cost_usd=None))).counts.unpriced == 1


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "Infinity"])
def test_a_limit_of_cost_is_an_amount(amount: str) -> None:
    with pytest.raises(InvalidInputError, match="max_usd"):
        ExtractionWish(Decimal(amount))
    with pytest.raises(InvalidInputError, match="limit"):
        ExtractionWish(most=0)


async def test_so_many_passages_and_no_more(library: Library) -> None:
    await library.write(*PEOPLE)
    assert (await library.extract(scribe := Scribe(), ExtractionWish(most=4))).counts.passages == 4
    assert scribe.texts == PEOPLE[:4]


async def test_a_plan_tells_what_it_would_take_and_does_nothing(library: Library) -> None:
    await library.write(*PEOPLE)
    await library.extract(Scribe(), ExtractionWish(most=2))
    await library.write(PEOPLE[0], id="again")
    plan = await library.extracting.plan(library.tenant, library.gem_id, scribe := Scribe(), ALL)
    assert (plan.passages, plan.known, plan.calls) == (9, 1, 1)
    assert (plan.cost_usd, plan.most_usd) == (CALL_USD, 2 * CALL_USD)
    assert plan.output_tokens == 2 * plan.input_tokens > 0
    few = await library.extracting.plan(library.tenant, library.gem_id, scribe, ExtractionWish(most=3))
    assert few.passages == 3
    free = await library.extracting.plan(library.tenant, library.gem_id, Scribe(cost_usd=None), ALL)
    assert (free.cost_usd, free.most_usd) == (None, None)
    assert not scribe.asked
    assert len(await library.held()) == 2


@pytest.mark.usefixtures("one_each")
async def test_a_word_ends_a_run(library: Library) -> None:
    await library.write(*PEOPLE)

    async def cancelled(conn: Connection, counts: Counts) -> bool:
        return counts.calls < 2

    ended = await library.extract(scribe := Scribe(), record=cancelled)
    assert ended.stop == "cancelled"
    assert len(scribe.asked) < len(PEOPLE)
    assert ended.counts.passages == len(scribe.asked)  # what was paid for is stored
