"""Moving documents with all that is known of them from one gem to another, in one transaction under the locks of both.

What a document holds stays as it is: its passages keep their ids, vectors, states and log. What depends on the gem is
made as if the document had been ingested there: slots, the lexical index, what is near in a thread, names, titles,
claims. Rows are moved by a few statements, whatever their number.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from psycopg import sql

from knowledge.context import Context
from knowledge.keeping.passages import read_placed
from knowledge.keeping.vectors import fetch
from knowledge.moving.edges import EdgeChanges, compare_edges, read_edges
from knowledge.moving.indexing import Berth, Load, index_arrived, index_left, make_room
from knowledge.moving.naming import drop_wordings, find_wordings, forget_names, name_entities, tell_apart
from knowledge.moving.relating import (
    drop_marks,
    list_groups,
    move_supersessions,
    settle_claims,
    settle_supersessions,
    take_marks,
)
from knowledge.moving.way import SQL, TakenDocument, Trace, Way
from knowledge.passages import update_around, update_readings
from knowledge.readings import Readings
from knowledge.store import Connection


class NotAtHandError(Exception):
    """Passages have other neighbours now, and nobody has embedded them with these yet; never leaves this package."""

    def __init__(self, contexts: Sequence[Context]) -> None:
        super().__init__(f"{len(contexts)} contexts are to be embedded")
        self.contexts = contexts


@dataclass(frozen=True, slots=True)
class _Cut:
    """What moving the documents, and nothing else yet, did to threads."""

    edge_ids: tuple[UUID, ...]
    changes: EdgeChanges


async def move(
    conn: Connection, way: Way, documents: Sequence[TakenDocument], readings: Readings, back: Trace | None = None
) -> Trace:
    """Move documents.

    Args:
        conn: with both gems locked and sealed, and the lattice's model held.
        way: from where to where.
        documents: of the old gem; none of them is known in the new one.
        readings: of contexts; where threads are cut or joined, a few passages need new ones.
        back: the move that this one takes back.

    Raises:
        NotAtHandError: a reading is missing; the transaction is to be given up.
    """
    await conn.execute(SQL["make_tables"])
    taken = {
        "document_ids": [each.document_id for each in documents],
        "positions": [each.position for each in documents],
    }
    await conn.execute(SQL["take_documents"], way.ends | taken)
    await conn.execute(SQL["look_at_documents"])
    await conn.execute(SQL["place_documents"], way.ends)
    if back is not None:
        await drop_wordings(conn, back)
    groups = await list_groups(conn, way.source)
    cut = await _cut_threads(conn, way, readings)
    (row,) = await fetch(conn, SQL["size_up"], way.ends)
    load = Load(**row)
    berth = await make_room(conn, way, load, cut.changes.staying.get(way.target, ()))
    named = await _move_rows(conn, way, berth, back)
    await _mend_threads(conn, way, cut, readings)
    tokens = await index_arrived(conn, way, load, berth, cut.changes)
    await index_left(conn, way, load, tokens, cut.changes)
    closings = await settle_supersessions(conn, way, await move_supersessions(conn, way), back)
    marked = await _settle_marks(conn, way, back)
    await settle_claims(conn, way, groups)
    worded = await find_wordings(conn, way, load, berth)
    (row,) = await fetch(conn, SQL["last_change"], way.ends)
    return replace(named, worded=worded, marked=marked, closings=closings, changes=row["changes"])


async def _cut_threads(conn: Connection, way: Way, readings: Readings) -> _Cut:
    """Move the documents, and find out what that means for passages near the ends of what goes."""
    edge_ids = tuple(row["passage_id"] for row in await fetch(conn, SQL["find_edges"], way.ends))
    before = await read_edges(conn, edge_ids)
    await conn.execute(SQL["move_documents"], way.ends)
    changes = compare_edges(before, await read_edges(conn, edge_ids))
    if missing := readings.missing(changes.contexts.values()):
        raise NotAtHandError(tuple(missing.values()))
    return _Cut(edge_ids, changes)


async def _move_rows(conn: Connection, way: Way, berth: Berth, back: Trace | None) -> Trace:
    """Move all that hangs on the documents; return what became of entities."""
    await conn.execute(SQL["number_passages"], {"first": berth.first})
    await conn.execute(SQL["look_at_passages"])
    named = await name_entities(conn, way, back)
    for query in ("drop_links", "move_passages", "move_relations", "move_log"):
        await conn.execute(SQL[query], way.ends)
    for table in way.tables:
        await conn.execute(sql.SQL(SQL["follow_documents"]).format(table=sql.Identifier(table)), way.ends)
    if back is not None:
        await tell_apart(conn, way, back)
    return named


async def _mend_threads(conn: Connection, way: Way, cut: _Cut, readings: Readings) -> None:
    """Give passages the vectors of their new contexts, and tell them what is around them now."""
    contexts = cut.changes.contexts
    found = {i: (context.key, readings.found[context.key]) for i, context in contexts.items()}
    await update_readings(conn, found, way.column)
    placed = await read_placed(conn, cut.edge_ids)
    await update_around(conn, {each.passage.passage_id: each.around for each in placed})


async def _settle_marks(conn: Connection, way: Way, back: Trace | None) -> tuple[str, ...]:
    if back is None:
        return await take_marks(conn, way)
    await forget_names(conn, back)
    await drop_marks(conn, back, way.at)
    return ()
