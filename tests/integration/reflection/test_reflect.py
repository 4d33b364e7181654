import math
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from core.errors import GemArchivedError, GemNotFoundError, InvalidInputError, ReflectionNotFoundError
from core.pg import Database
from gems import Gem, GemChange, Gems, Moment
from knowledge import Filters, Ingestion, Recall, RecallQuery
from llm_router import NO_ANSWER, ScriptedTarget, TokenEvent, build_router_of
from reflection import DoneEvent, EvidenceEvent, ReflectionRequest, Reflections


@pytest.fixture
def scripted(database: Database, gems: Gems, recall: Recall) -> Callable[[str], Reflections]:
    def build(answer: str) -> Reflections:
        router = build_router_of([ScriptedTarget([answer])])
        return Reflections(database, gems, recall, router)

    return build


async def test_an_answer_cites_its_evidence_and_is_stored_as_it_was(
    reflections: Reflections, port: Gem, tenant: UUID, at: Moment
) -> None:
    found = await reflections.reflect(tenant, ReflectionRequest(port.gem_id, "When does the ferry leave?"), at)
    assert "leaves at seven" in found.answer
    assert found.grounding == "grounded"
    cited = [each for each in found.evidence if each.cited]
    assert cited[0].external_id == "ferry"
    assert f"[{cited[0].label}]" in found.answer
    assert found.provider == "extractive"
    assert [attempt.outcome for attempt in found.attempts] == ["answered"]
    assert found.axiom.score > 0
    assert sum(share or 0 for share in found.axiom.shares.shares.values()) == pytest.approx(math.log(found.axiom.score))
    stored = await reflections.get(tenant, found.reflection_id)
    assert stored == replace(found, change=None)


async def test_what_was_used_is_measured_and_what_was_not_is_left_alone(
    reflections: Reflections, gems: Gems, port: Gem, tenant: UUID, at: Moment
) -> None:
    later = replace(at, now=at.now + timedelta(days=30))
    found = await reflections.reflect(tenant, ReflectionRequest(port.gem_id, "When does the ferry leave?"), later)
    assert found.change is not None
    assert found.change.after.coherence > found.change.before.coherence
    assert found.change.after.energy > found.change.before.energy
    assert found.change.after.uncertainty < found.change.before.uncertainty
    log = await gems.list_measurements(tenant, port.gem_id, later)
    used = [entry for entry in log if entry.cause != "ingest"]
    assert {entry.reflection_id for entry in used} == {found.reflection_id}
    measured = {entry.passage_id for entry in used}
    assert measured == {None} | {each.passage_id for each in found.evidence if each.cited}


async def test_a_question_beside_the_matter_is_declined_and_strengthens_nothing(
    reflections: Reflections, gems: Gems, port: Gem, tenant: UUID, at: Moment
) -> None:
    request = ReflectionRequest(port.gem_id, "Which composer wrote nine symphonies?")
    found = await reflections.reflect(tenant, request, at)
    assert found.answer == NO_ANSWER
    assert found.grounding == "unanswered"
    assert found.change is not None
    assert found.change.before == found.change.after
    assert [entry.cause for entry in await gems.list_measurements(tenant, port.gem_id, at)] == ["ingest"]


@pytest.mark.parametrize(
    ("answer", "grounding"), [("At seven.", "uncited"), ("At seven [1].", "grounded"), ("At seven [17].", "invented")]
)
async def test_a_models_answer_is_marked_by_what_it_cites(
    scripted: Callable[[str], Reflections], port: Gem, tenant: UUID, at: Moment, answer: str, grounding: str
) -> None:
    request = ReflectionRequest(port.gem_id, "When does the ferry leave?")
    found = await scripted(answer).reflect(tenant, request, at)
    assert (found.answer, found.grounding) == (answer, grounding)


async def test_a_stream_tells_the_evidence_then_the_words_then_what_was_stored(
    reflections: Reflections, port: Gem, tenant: UUID, at: Moment
) -> None:
    request = ReflectionRequest(port.gem_id, "When does the ferry leave?")
    events = [event async for event in reflections.stream(tenant, request, at)]
    assert isinstance(events[0], EvidenceEvent)
    assert isinstance(events[-1], DoneEvent)
    said = "".join(event.text for event in events if isinstance(event, TokenEvent))
    done = events[-1].reflection
    assert done.answer == said
    assert (await reflections.get(tenant, done.reflection_id)).answer == said


async def test_a_gem_without_documents_answers_that_it_does_not_know(
    reflections: Reflections, gems: Gems, tenant: UUID, at: Moment
) -> None:
    empty = await gems.create(tenant, GemChange("empty"), at)
    found = await reflections.reflect(tenant, ReflectionRequest(empty.gem_id, "Anything?"), at)
    assert (found.answer, found.evidence, found.axiom.score) == (NO_ANSWER, (), 0.0)


async def test_filters_reach_the_evidence(reflections: Reflections, port: Gem, tenant: UUID, at: Moment) -> None:
    request = ReflectionRequest(port.gem_id, "ferry", filters=Filters(sources=("nowhere",)))
    assert (await reflections.reflect(tenant, request, at)).evidence == ()


async def test_a_rating_is_stored_and_moves_the_feedback_of_the_gem(
    reflections: Reflections, port: Gem, tenant: UUID, at: Moment
) -> None:
    request = ReflectionRequest(port.gem_id, "When does the ferry leave?")
    first = await reflections.reflect(tenant, request, at)
    rated = await reflections.rate(tenant, first.reflection_id, 1.0, at)
    assert rated.feedback == 1.0
    assert (await reflections.get(tenant, first.reflection_id)).rating == 1.0
    second = await reflections.reflect(tenant, request, at)
    assert second.axiom.terms.F == 1.0
    assert second.axiom.score > first.axiom.score
    with pytest.raises(InvalidInputError, match="rating"):
        await reflections.rate(tenant, first.reflection_id, 1.5, at)
    with pytest.raises(ReflectionNotFoundError):
        await reflections.rate(tenant, uuid4(), 1.0, at)


async def test_deleting_a_document_takes_its_text_out_of_past_evidence(
    reflections: Reflections, ingestion: Ingestion, port: Gem, tenant: UUID, at: Moment
) -> None:
    request = ReflectionRequest(port.gem_id, "When does the ferry leave?")
    found = await reflections.reflect(tenant, request, at)
    gone = next(each.document_id for each in found.evidence if each.external_id == "ferry")
    await ingestion.delete(tenant, port.gem_id, [gone], at)
    stored = await reflections.get(tenant, found.reflection_id)
    assert {each.external_id for each in stored.evidence} == {"crane", "gulls"}


async def test_a_gem_deleted_while_the_model_was_thinking_is_not_found(
    reflections: Reflections, gems: Gems, port: Gem, tenant: UUID, at: Moment
) -> None:
    async def ask() -> None:
        async for event in reflections.stream(tenant, ReflectionRequest(port.gem_id, "ferry"), at):
            if isinstance(event, EvidenceEvent):
                await gems.delete(tenant, port.gem_id)

    with pytest.raises(GemNotFoundError):
        await ask()


async def test_a_rating_said_twice_counts_once_and_another_one_counts_anew(
    reflections: Reflections, port: Gem, tenant: UUID, at: Moment
) -> None:
    request = ReflectionRequest(port.gem_id, "When does the ferry leave?")
    first, second = [await reflections.reflect(tenant, request, at) for _ in range(2)]
    await reflections.rate(tenant, first.reflection_id, 1.0, at)
    once = await reflections.rate(tenant, second.reflection_id, -1.0, at)
    again = await reflections.rate(tenant, second.reflection_id, -1.0, at)
    assert (again.feedback, again.ratings) == (once.feedback, once.ratings)
    assert once.feedback == pytest.approx(0.4)
    assert once.ratings == 2
    assert (await reflections.rate(tenant, second.reflection_id, 0.5, at)).ratings == 3


async def test_reflections_are_listed_newest_first_and_never_to_strangers(
    reflections: Reflections, port: Gem, tenant: UUID, at: Moment
) -> None:
    for minute in range(3):
        moment = replace(at, now=at.now + timedelta(minutes=minute))
        await reflections.reflect(tenant, ReflectionRequest(port.gem_id, f"Question {minute} of the ferry?"), moment)
    page = await reflections.list_page(tenant, port.gem_id, at, before=None, limit=2)
    assert [each.question for each in page] == ["Question 2 of the ferry?", "Question 1 of the ferry?"]
    rest = await reflections.list_page(
        tenant, port.gem_id, at, before=(page[-1].created_at, page[-1].reflection_id), limit=2
    )
    assert [each.question for each in rest] == ["Question 0 of the ferry?"]
    stranger = uuid4()
    with pytest.raises(GemNotFoundError):
        await reflections.list_page(stranger, port.gem_id, at, before=None, limit=2)
    with pytest.raises(ReflectionNotFoundError):
        await reflections.get(stranger, page[0].reflection_id)
    with pytest.raises(GemNotFoundError):
        await reflections.reflect(stranger, ReflectionRequest(port.gem_id, "ferry"), at)


async def test_an_archived_gem_is_not_asked(
    reflections: Reflections, gems: Gems, port: Gem, tenant: UUID, at: Moment
) -> None:
    await gems.archive(tenant, port.gem_id, at)
    with pytest.raises(GemArchivedError):
        await reflections.reflect(tenant, ReflectionRequest(port.gem_id, "ferry"), at)


async def test_a_passage_whose_vector_is_zero_is_like_nothing_and_stops_no_answer(
    reflections: Reflections, recall: Recall, database: Database, port: Gem, tenant: UUID, at: Moment
) -> None:
    async with database.transaction(tenant) as conn:
        await conn.execute("UPDATE passage SET embedding = array_fill(0, ARRAY[384])::halfvec WHERE ordinal = 0")
    for passage in await recall.recall(tenant, RecallQuery("When does the ferry leave?"), at):
        assert passage.score.cosine == 0.0
        assert math.isfinite(passage.score.score)
    found = await reflections.reflect(tenant, ReflectionRequest(port.gem_id, "When does the ferry leave?"), at)
    assert "leaves at seven" in found.answer
    assert math.isfinite(found.axiom.score)


async def test_a_good_rating_confirms_what_was_cited_and_only_once(
    reflections: Reflections, gems: Gems, port: Gem, tenant: UUID, at: Moment
) -> None:
    later = replace(at, now=at.now + timedelta(days=30))
    found = await reflections.reflect(tenant, ReflectionRequest(port.gem_id, "When does the ferry leave?"), at)
    cited = {each.passage_id for each in found.evidence if each.cited}
    for rating in (-1.0, 0.5, 0.5, 0.2, 1.0):
        await reflections.rate(tenant, found.reflection_id, rating, later)
    log = [each for each in await gems.list_measurements(tenant, port.gem_id, later) if each.cause == "feedback"]
    assert {each.passage_id for each in log} == {None} | cited
    # 0.5 exceeds 0 by 0.5, then 1 exceeds 0.5, the highest before it, by as much
    assert [each.gain for each in log] == pytest.approx([0.15] * 2 * (1 + len(cited)))
    assert {each.reflection_id for each in log} == {found.reflection_id}
    assert (await gems.replay(tenant, later, port.gem_id)).agrees


async def test_a_rating_of_an_archived_gem_counts_and_strengthens_nothing(
    reflections: Reflections, gems: Gems, port: Gem, tenant: UUID, at: Moment
) -> None:
    found = await reflections.reflect(tenant, ReflectionRequest(port.gem_id, "When does the ferry leave?"), at)
    await gems.archive(tenant, port.gem_id, at)
    rated = await reflections.rate(tenant, found.reflection_id, 1.0, at)
    assert rated.feedback == 1.0
    log = await gems.list_measurements(tenant, port.gem_id, at)
    assert "feedback" not in {each.cause for each in log}
