"""Contradictions that stand open: claims that cannot both hold, with what was said; and deciding between two."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from core.errors import ConflictError, RelationNotFoundError
from gems import Moment
from knowledge.graph.changes import Undo, record_change
from knowledge.graph.predicates import Cardinality, get_predicates, list_uses
from knowledge.graph.relations import Relation, to_relation
from knowledge.graph.rows import Connection, fetch, load
from knowledge.graph.versions import Group, Revision, settle, withdraw

MOST_CLAIMS = 50  # of one subject and predicate that are compared, those learned last
RESOLVED = "resolved"

_SQL = load("relations.sql")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A claim and what its document says.

    Attributes:
        passage_id, text: of the document's passage that names both ends best; None if it is gone.
        occurred_at: when what the document tells happened.
    """

    relation: Relation
    passage_id: UUID | None
    text: str | None
    occurred_at: datetime | None


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two open claims that cannot both hold.

    Attributes:
        cardinality: how many objects the predicate takes; None if nobody said, and the gem's use of it suggests one.
        newer, older: by when they were learned.
    """

    cardinality: Cardinality | None
    newer: Evidence
    older: Evidence


async def list_contradictions(
    conn: Connection, gem_id: UUID, *, subject_id: UUID | None = None, limit: int = 50
) -> list[Contradiction]:
    """Return the open contradictions of a gem, of one subject if it is given, those learned last first."""
    predicates = await get_predicates(conn, gem_id)
    constant, changing = predicates.of("one"), predicates.of("one_at_a_time")
    uses = await list_uses(conn, gem_id, [*constant, *changing, *predicates.of("many")])
    seeming = [use.predicate for use in uses if use.seems_single]
    values = {
        "gem_id": gem_id,
        "predicates": [*constant, *changing, *seeming],
        "constant": constant,
        "subject_id": subject_id,
        "most": MOST_CLAIMS,
        "limit": limit,
    }
    pairs = await fetch(conn, _SQL["list_contradictions"], values)
    found = await _get_evidence(conn, gem_id, [row[end] for row in pairs for end in ("newer", "older")])
    return [Contradiction(predicates.find(row["predicate"]), found[row["newer"]], found[row["older"]]) for row in pairs]


async def resolve_contradiction(conn: Connection, gem_id: UUID, keep: UUID, drop: UUID, at: Moment) -> UUID:
    """Keep one relation and close the other, with all that says the same against the one kept; the gem is locked.

    Returns:
        The id of the change.

    Raises:
        RelationNotFoundError: one of them is not in the gem.
        ConflictError: they do not stand against each other, or no longer.
    """
    found = await _get_evidence(conn, gem_id, [keep, drop])
    if missing := [str(each) for each in (keep, drop) if each not in found]:
        raise RelationNotFoundError(f"no relation with id {', '.join(missing)} in this gem", relation_ids=missing)
    kept, dropped = found[keep].relation, found[drop].relation
    _check_opposed(kept, dropped)
    predicates = await get_predicates(conn, gem_id)
    constant = predicates.find(kept.predicate) == "one"
    rows = await fetch(conn, _SQL["list_opposed"], {"gem_id": gem_id, "keep": keep, "drop": drop, "constant": constant})
    closed = [Revision(successor=None, **row) for row in rows]
    if drop not in {each.relation_id for each in closed}:
        raise ConflictError("these relations hold at different times, so they do not contradict each other")
    ids = [each.relation_id for each in closed]
    await withdraw(conn, gem_id, ids, at, closed_by=kept.claim_id, reason=RESOLVED)
    revised = await settle(conn, gem_id, [Group(kept.subject_id, kept.predicate)], at)
    facts = {"kept": _say(kept), "closed": _say(dropped), "relations": len(closed)}
    undo = Undo(revisions=(*closed, *revised))
    ends = [kept.subject_id, kept.object_id, dropped.object_id]
    return await record_change(conn, gem_id, "resolve", at, entities=ends, facts=facts, undo=undo)


def _check_opposed(kept: Relation, dropped: Relation) -> None:
    if kept.known_to is not None or dropped.known_to is not None:
        raise ConflictError("one of these relations was closed meanwhile; list the contradictions again")
    same = (kept.subject_id, kept.predicate) == (dropped.subject_id, dropped.predicate)
    if not same or kept.object_id == dropped.object_id:
        raise ConflictError("only relations of one subject and predicate to different objects contradict each other")


def _say(relation: Relation) -> str:
    return f"{relation.subject} {relation.predicate} {relation.object}"


async def _get_evidence(conn: Connection, gem_id: UUID, relation_ids: Sequence[UUID]) -> dict[UUID, Evidence]:
    values = {"gem_id": gem_id, "relation_ids": list(dict.fromkeys(relation_ids))}
    rows = await fetch(conn, _SQL["get_relations"], values) if relation_ids else []
    return {row["relation_id"]: _to_evidence(row) for row in rows}


def _to_evidence(row: dict[str, Any]) -> Evidence:
    return Evidence(to_relation(row), row["passage_id"], row["text"], row["occurred_at"])
