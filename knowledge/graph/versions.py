"""What replaces what among stored claims: found anew when one comes, goes or moves, and kept in versions.

The lattice never forgets what it took to hold: a row that is to say something else is closed by `known_to`, and a
successor says it from then on. Only a row of this very moment, which nobody can have asked for, is set right in place.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID, uuid4

from gems import Moment
from knowledge.graph.predicates import Predicates, get_predicates
from knowledge.graph.rows import Connection, fetch, load
from knowledge.graph.succession import Claim, End, plan_ends

REPLACED = "replaced"

_SQL = load("relations.sql")


@dataclass(frozen=True, slots=True)
class Group:
    """The claims of one subject and one predicate."""

    subject_id: UUID
    predicate: str


@dataclass(frozen=True, slots=True)
class Revision:
    """A row that a change closed or set right: what it said before, and the successor if it has one."""

    relation_id: UUID
    successor: UUID | None
    valid_to: datetime | None
    closed_by: UUID | None
    closed_reason: str | None


async def settle(conn: Connection, gem_id: UUID, groups: Iterable[Group], at: Moment) -> list[Revision]:
    """Find anew what replaces what in groups of claims, and write what changed; the gem is locked.

    Returns:
        What was revised; nothing if all was right.
    """
    predicates = await get_predicates(conn, gem_id)
    wanted = {each for each in groups if predicates.find(each.predicate) == "one_at_a_time"}
    return await _settle(conn, gem_id, wanted, predicates, at)


async def settle_predicates(conn: Connection, gem_id: UUID, changed: Sequence[str], at: Moment) -> list[Revision]:
    """Find anew what replaces what where the cardinality of predicates changed."""
    rows = await fetch(conn, _SQL["list_groups"], {"gem_id": gem_id, "predicates": list(changed)})
    return await _settle(conn, gem_id, {Group(**row) for row in rows}, await get_predicates(conn, gem_id), at)


async def withdraw(
    conn: Connection, gem_id: UUID, relation_ids: Sequence[UUID], at: Moment, *, closed_by: UUID, reason: str
) -> None:
    """Close rows for good: they were decided against."""
    values = {"gem_id": gem_id, "relation_ids": list(relation_ids), "now": at.now}
    await conn.execute(_SQL["withdraw"], {**values, "closed_by": closed_by, "reason": reason})


async def take_back(conn: Connection, revisions: Sequence[Revision]) -> None:
    """Undo revisions as though they had never been made; what something else closed or followed since stays."""
    made = [each for each in revisions if each.successor is not None]
    values = {"relation_ids": [r.relation_id for r in made], "successors": [r.successor for r in made]}
    gone = {row["relation_id"] for row in await fetch(conn, _SQL["drop_successors"], values)} if made else set()
    back = [each for each in revisions if each.successor is None or each.relation_id in gone]
    if back:
        ends = [End(r.valid_to, r.closed_by) for r in back]
        reasons = [r.closed_reason for r in back]
        columns = _columns([r.relation_id for r in back], ends, reasons)
        await conn.execute(_SQL["reopen"], {**columns, "succeeded": list(gone)})


async def _settle(
    conn: Connection, gem_id: UUID, groups: set[Group], predicates: Predicates, at: Moment
) -> list[Revision]:
    if not groups:
        return []
    ordered = sorted(groups, key=lambda each: (each.subject_id, each.predicate))
    names = {"subjects": [each.subject_id for each in ordered], "predicates": [each.predicate for each in ordered]}
    rows = await fetch(conn, _SQL["open_claims"], {"gem_id": gem_id, **names})
    rows.sort(key=lambda row: (row["subject_id"], row["predicate"]))
    wrong: list[tuple[dict[str, Any], End]] = []
    for (_, predicate), group in groupby(rows, key=lambda row: (row["subject_id"], row["predicate"])):
        members = list(group)
        claims = [_to_claim(row) for row in members]
        single = predicates.find(predicate) == "one_at_a_time"
        ends = plan_ends(claims) if single else {claim.claim_id: End(claim.given_end) for claim in claims}
        planned = ((row, ends[row["claim_id"]]) for row in members)
        wrong += [
            (row, end) for row, end in planned if (row["valid_to"], row["closed_by"]) != (end.valid_to, end.closed_by)
        ]
    return await _write(conn, wrong, at.now)


async def _write(conn: Connection, wrong: Sequence[tuple[dict[str, Any], End]], now: datetime) -> list[Revision]:
    fresh = [(row, end) for row, end in wrong if row["known_from"] >= now or row["valid_to"] == end.valid_to]
    older = [(row, end) for row, end in wrong if row["known_from"] < now and row["valid_to"] != end.valid_to]
    successors = [uuid4() for _ in older]
    if fresh:
        await conn.execute(_SQL["revise"], _columns_of(fresh))
    if older:
        await conn.execute(_SQL["succeed"], {**_columns_of(older), "successors": successors, "now": now})
    made = [*((row, None) for row, _ in fresh), *zip((row for row, _ in older), successors, strict=True)]
    return [
        Revision(row["relation_id"], successor, row["valid_to"], row["closed_by"], row["closed_reason"])
        for row, successor in made
    ]


def _to_claim(row: dict[str, Any]) -> Claim:
    given = None if row["closed_reason"] == REPLACED else row["valid_to"]
    return Claim(row["claim_id"], row["object_id"], row["begins_at"], given, row["learned_at"])


def _columns_of(rows: Sequence[tuple[dict[str, Any], End]]) -> dict[str, Any]:
    ends = [end for _, end in rows]
    reasons = [None if end.closed_by is None else REPLACED for end in ends]
    return _columns([row["relation_id"] for row, _ in rows], ends, reasons)


def _columns(relation_ids: Sequence[UUID], ends: Sequence[End], reasons: Sequence[str | None]) -> dict[str, Any]:
    return {
        "relation_ids": list(relation_ids),
        "ends": [end.valid_to for end in ends],
        "closers": [end.closed_by for end in ends],
        "reasons": list(reasons),
    }
