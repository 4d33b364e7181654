"""The use cases of reflection: question → evidence → answer → check → one transaction that stores and measures."""

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from uuid import UUID, uuid4

from axiom import bound_terms, intelligence, log_shares
from core.errors import GemArchivedError, InvalidInputError
from core.pg import Database
from gems import ALPHA_DEFAULT, LEAST_GAIN, Gem, Gems, Moment, get_gems, rate_gem
from knowledge import Recall, RecalledPassage, RecallQuery, feed_axiom, use_passages
from llm_router import Caller, Prompt, Reply, Router, TokenEvent, add_reward, reward_of_rating
from reflection import store
from reflection.happenings import ReflectionStored
from reflection.prompt import build_prompt, check_grounding, find_citations
from reflection.reflection import (
    AxiomScore,
    CitedPassage,
    Reflection,
    ReflectionRequest,
    ReflectionSummary,
    StateChange,
)
from reflection.store import Connection


@dataclass(frozen=True, slots=True)
class EvidenceEvent:
    """What the answer will rest on, before its first word."""

    passages: tuple[RecalledPassage, ...]


@dataclass(frozen=True, slots=True)
class DoneEvent:
    """The reflection, stored."""

    reflection: Reflection


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question with what was found for it, ready to be answered."""

    tenant: UUID
    request: ReflectionRequest
    at: Moment
    gem: Gem
    passages: tuple[RecalledPassage, ...]
    prompt: Prompt
    started: float


@dataclass(frozen=True, slots=True)
class Reflections:
    """Answers questions from what a gem holds, and remembers having done so."""

    database: Database
    gems: Gems
    recall: Recall
    router: Router

    async def reflect(self, tenant: UUID, request: ReflectionRequest, at: Moment) -> Reflection:
        """Answer a question with citations, store the answer, and measure what was used.

        Raises:
            GemNotFoundError, GemArchivedError, InvalidInputError: nothing was asked.
            StoreUnavailableError, EmbedderUnavailableError: the same request may succeed later.
        """
        asked = await self._ask(tenant, request, at)
        return await self._finish(
            asked, await self.router.ask(asked.prompt, model=request.model, caller=Caller(tenant))
        )

    async def stream(
        self, tenant: UUID, request: ReflectionRequest, at: Moment
    ) -> AsyncGenerator[EvidenceEvent | TokenEvent | DoneEvent]:
        """Do the same, telling the evidence first and the answer as it comes.

        Raises:
            StreamBrokenError: the model failed in the middle of its answer; nothing is stored.
        """
        asked = await self._ask(tenant, request, at)
        yield EvidenceEvent(asked.passages)
        answer = self.router.stream(asked.prompt, model=request.model, caller=Caller(tenant))
        async with aclosing(answer) as events:
            async for event in events:
                if isinstance(event, TokenEvent):
                    yield event
                else:
                    yield DoneEvent(await self._finish(asked, event.reply))

    async def get(self, tenant: UUID, reflection_id: UUID) -> Reflection:
        """Return a reflection with its evidence and attempts."""
        async with self.database.transaction(tenant, read_only=True) as conn:
            return await store.get_reflection(conn, reflection_id)

    async def list_page(
        self, tenant: UUID, gem_id: UUID, at: Moment, *, before: tuple[datetime, UUID] | None, limit: int
    ) -> list[ReflectionSummary]:
        """Return a page of a gem's reflections, newest first."""
        await self.gems.get(tenant, gem_id, at)
        async with self.database.transaction(tenant, read_only=True) as conn:
            return await store.list_reflections(conn, gem_id, before=before, limit=limit)

    async def rate(self, tenant: UUID, reflection_id: UUID, rating: float, at: Moment) -> Gem:
        """Store a user's rating in [−1, 1]; it moves the feedback F_n of the gem. Return the gem.

        A good rating confirms what the answer cited: passages and gem are measured with a gain of α times what the
        rating exceeds 0, and the highest one before it, by; so all ratings of an answer together confirm it at most
        once. Said again, the same rating counts once, so that a request may be repeated. It also rewards the variant
        that the answer was made by, if its model is in an experiment.
        """
        if not -1.0 <= rating <= 1.0:
            raise InvalidInputError("rating", "must be from -1 (wrong) to 1 (right)")

        async def carry_out(conn: Connection) -> Gem:
            rated = await store.rate_reflection(conn, reflection_id, rating)
            if rated.previous == rating:
                return (await get_gems(conn, [rated.gem_id], at))[0]
            if rated.variant is not None:
                await add_reward(conn, reward_of_rating(rated.variant, rating, rated.previous))
            cited = await store.list_cited(conn, reflection_id) if rating > 0 else {}
            gain = ALPHA_DEFAULT * rating - max(cited.values(), default=0.0)
            if cited and gain >= LEAST_GAIN:
                gains, gems = dict.fromkeys(cited, gain), {rated.gem_id: gain}
                await use_passages(conn, gains, at, cause="feedback", reflection_id=reflection_id, gems=gems)
            return await rate_gem(conn, rated.gem_id, rating, at)  # last, since a use locks passages before gems

        return await self.database.retrying(tenant, carry_out)

    async def _ask(self, tenant: UUID, request: ReflectionRequest, at: Moment) -> _Asked:
        started = time.perf_counter()
        query = RecallQuery(
            question=request.question,
            gem_ids=(request.gem_id,),
            k=request.k,
            max_tokens=request.max_tokens,
            filters=request.filters,
            reach=request.reach,
        )
        gem = await self.gems.get(tenant, request.gem_id, at)
        if gem.archived_at is not None:
            raise GemArchivedError(f"gem {gem.name!r} is archived: a reflection would change it; restore it first")
        passages = tuple(await self.recall.recall(tenant, query, at))
        prompt = build_prompt(request.question, passages, request.max_output_tokens)
        return _Asked(tenant, request, at, gem, passages, prompt, started)

    async def _finish(self, asked: _Asked, reply: Reply) -> Reflection:
        reflection = _conclude(asked, reply)
        cited = {passage.passage_id: ALPHA_DEFAULT for passage in reflection.evidence if passage.cited}

        async def carry_out(conn: Connection) -> StateChange:
            await get_gems(conn, [asked.gem.gem_id], asked.at)  # it may have been deleted while the model was thinking
            await store.insert_reflection(conn, reflection)
            same = StateChange(asked.gem.state, asked.gem.state)
            if not cited:  # nothing was used, so nothing is strengthened
                return same
            why, gems = reflection.reflection_id, {asked.gem.gem_id: ALPHA_DEFAULT}
            used = await use_passages(conn, cited, asked.at, cause="reflection", reflection_id=why, gems=gems)
            changes = (StateChange(each.before, each.after.state) for each in used if each.gem_id in gems)
            return next(changes, same)

        with self.database.observer.watch("reflection.store"):
            change = await self.database.retrying(asked.tenant, carry_out)
        self.database.observer.see(ReflectionStored(reflection.grounding, time.perf_counter() - asked.started))
        return replace(reflection, change=change)


def _conclude(asked: _Asked, reply: Reply) -> Reflection:
    return Reflection(
        reflection_id=uuid4(),
        gem_id=asked.gem.gem_id,
        question=asked.request.question,
        answer=reply.text,
        grounding=check_grounding(reply.text, len(asked.passages)),
        evidence=_mark_cited(asked.passages, find_citations(reply.text)),
        axiom=score_evidence(asked.request.question, asked.passages, asked.gem),
        target=reply.target,
        provider=reply.provider,
        model=reply.model,
        finish=reply.finish,
        usage=reply.usage,
        cost_usd=reply.cost_usd,
        attempts=reply.attempts,
        seconds=time.perf_counter() - asked.started,
        rating=None,
        created_at=asked.at.now,
        variant=reply.variant,
        cached=reply.cached,
    )


def score_evidence(question: str, passages: Sequence[RecalledPassage], gem: Gem) -> AxiomScore:
    """Score the evidence by the axiom, and say what each term did to the score."""
    terms = bound_terms(feed_axiom(question, passages, gem))
    return AxiomScore(intelligence(terms), terms, log_shares(terms))


def _mark_cited(passages: Sequence[RecalledPassage], labels: Sequence[int]) -> tuple[CitedPassage, ...]:
    return tuple(
        CitedPassage(
            label=label,
            passage_id=passage.passage_id,
            gem_id=passage.gem_id,
            document_id=passage.document_id,
            external_id=passage.external_id,
            title=passage.title,
            source=passage.source,
            text=passage.text,
            cited=label in labels,
            score=passage.score.score,
            scores=asdict(passage.score),
            gem_name=passage.gem_name,
            entanglement=passage.entanglement,
        )
        for label, passage in enumerate(passages, start=1)
    )
