"""Reflections in Postgres. Every function takes a connection in a transaction that the caller owns."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from axiom import Terms, log_shares
from core.errors import InvalidInputError, ReflectionNotFoundError
from core.sql import load_queries
from core.text import clean_object, make_storable
from llm_router import Attempt, Usage
from reflection.reflection import AxiomScore, CitedPassage, Reflection, ReflectionSummary, ScoredReflection

_SQL = load_queries("reflection.sql", "reflections.sql")

Connection = AsyncConnection[Any]


@dataclass(frozen=True, slots=True)
class Rated:
    """What a rating is about.

    Attributes:
        variant: of the experiment that the answer was made in; None if it was in none.
        previous: the reflection's last one; None if there was none.
    """

    gem_id: UUID
    variant: str | None
    previous: float | None


async def insert_reflection(conn: Connection, reflection: Reflection) -> None:
    """Store a reflection with its evidence and attempts."""
    key = {"reflection_id": reflection.reflection_id}
    async with conn.cursor() as cursor:
        await cursor.execute(_SQL["insert_reflection"], _reflection_values(reflection))
        evidence = [
            key | asdict(passage) | {"body": passage.text, "scores": Jsonb(dict(passage.scores))}
            for passage in reflection.evidence
        ]
        await cursor.executemany(_SQL["insert_evidence"], evidence)
        attempts = [
            key | {"number": number} | _attempt_values(attempt)
            for number, attempt in enumerate(reflection.attempts, start=1)
        ]
        await cursor.executemany(_SQL["insert_attempt"], attempts)


async def get_reflection(conn: Connection, reflection_id: UUID) -> Reflection:
    """Return a reflection with its evidence and attempts.

    Raises:
        ReflectionNotFoundError: it is not in the lattice.
    """
    key = {"reflection_id": reflection_id}
    rows = await _all(conn, "get_reflection", key)
    if not rows:
        raise _not_found(reflection_id)
    evidence = [_to_cited(row) for row in await _all(conn, "get_evidence", key)]
    attempts = [_to_attempt(row) for row in await _all(conn, "get_attempts", key)]
    return _to_reflection(rows[0], tuple(evidence), tuple(attempts))


async def list_reflections(
    conn: Connection, gem_id: UUID, *, before: tuple[datetime, UUID] | None, limit: int
) -> list[ReflectionSummary]:
    """Return a page of a gem's reflections, newest first."""
    before_at, before_id = before or (None, None)
    values = {"gem_id": gem_id, "before_at": before_at, "before_id": before_id, "limit": limit}
    names = ReflectionSummary.__dataclass_fields__
    return [
        ReflectionSummary(**{name: row[name] for name in names}) for row in await _all(conn, "list_reflections", values)
    ]


async def list_scores(
    conn: Connection, gem_id: UUID, *, before: tuple[datetime, UUID] | None, limit: int
) -> list[ScoredReflection]:
    """Return a page of how a gem's reflections scored, newest first."""
    before_at, before_id = before or (None, None)
    values = {"gem_id": gem_id, "before_at": before_at, "before_id": before_id, "limit": limit}
    return [
        ScoredReflection(row["reflection_id"], row["created_at"], _to_score(row))
        for row in await _all(conn, "list_scores", values)
    ]


async def rate_reflection(conn: Connection, reflection_id: UUID, rating: float) -> Rated:
    """Store a rating.

    Raises:
        ReflectionNotFoundError: it is not in the lattice.
    """
    rows = await _all(conn, "rate_reflection", {"reflection_id": reflection_id, "rating": rating})
    if not rows:
        raise _not_found(reflection_id)
    return Rated(**rows[0])


async def list_cited(conn: Connection, reflection_id: UUID) -> dict[UUID, float]:
    """Return the passages that an answer cited and that are still there, with the sum of what ratings of it gave."""
    rows = await _all(conn, "list_cited", {"reflection_id": reflection_id})
    return {row["passage_id"]: row["confirmed"] for row in rows}


def _not_found(reflection_id: UUID) -> ReflectionNotFoundError:
    return ReflectionNotFoundError(f"no reflection with id {reflection_id}", reflection_id=str(reflection_id))


def _reflection_values(reflection: Reflection) -> dict[str, Any]:
    stored = ("reflection_id", "gem_id", "question", "answer", "grounding", "target", "provider", "model", "finish")
    more = ("cost_usd", "seconds", "created_at", "variant", "cached")
    values = _storable({name: getattr(reflection, name) for name in (*stored, *more)})
    terms = Jsonb(asdict(reflection.axiom.terms))
    return values | {"usage": Jsonb(_usage_json(reflection.usage)), "score": reflection.axiom.score, "terms": terms}


def _attempt_values(attempt: Attempt) -> dict[str, Any]:
    values = {field.name: getattr(attempt, field.name) for field in fields(attempt)}
    return _storable(values) | {"usage": Jsonb(_usage_json(attempt.usage)), "raw_usage": _raw_json(attempt.raw_usage)}


def _storable(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with all texts as Postgres can hold them: models may say what it cannot."""
    return {name: make_storable(value) if isinstance(value, str) else value for name, value in values.items()}


def _raw_json(usage: Mapping[str, object] | None) -> Jsonb | None:
    try:
        return None if usage is None else Jsonb(clean_object(usage, "raw_usage"))
    except InvalidInputError:  # what a provider sends beside its answer never costs us the answer
        return None


def _usage_json(usage: Usage | None) -> dict[str, Any]:
    return {} if usage is None else asdict(usage)


def _to_reflection(
    row: Mapping[str, Any], evidence: tuple[CitedPassage, ...], attempts: tuple[Attempt, ...]
) -> Reflection:
    same = ("reflection_id", "gem_id", "question", "answer", "grounding", "target", "provider", "model", "finish")
    return Reflection(
        **{name: row[name] for name in (*same, "cost_usd", "seconds", "rating", "created_at", "variant", "cached")},
        evidence=evidence,
        axiom=_to_score(row),
        usage=Usage(**row["usage"]),
        attempts=attempts,
    )


def _to_score(row: Mapping[str, Any]) -> AxiomScore:
    terms = Terms(**row["terms"])
    return AxiomScore(row["score"], terms, log_shares(terms))


def _to_cited(row: Mapping[str, Any]) -> CitedPassage:
    same = (
        "label",
        "passage_id",
        "gem_id",
        "document_id",
        "external_id",
        "title",
        "source",
        "cited",
        "score",
        "scores",
        "gem_name",
        "entanglement",
    )
    return CitedPassage(**{name: row[name] for name in same}, text=row["body"])


def _to_attempt(row: Mapping[str, Any]) -> Attempt:
    usage = Usage(**row["usage"]) if row["usage"] else None
    return Attempt(**{field.name: row[field.name] for field in fields(Attempt)} | {"usage": usage})


async def _all(conn: Connection, query: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL[query], values)
        return await cursor.fetchall()
