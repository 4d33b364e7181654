"""What claims and supersessions mean in two gems once documents moved from one to the other."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from core.sql import load_queries
from gems import Moment
from knowledge.graph.predicates import get_predicates
from knowledge.graph.relations import close_unsupported, write_relations
from knowledge.graph.versions import Group, settle, settle_predicates
from knowledge.keeping.vectors import fetch
from knowledge.moving.way import SQL, Closing, Trace, Way
from knowledge.store import Connection, follow_documents
from knowledge.supersession import OpenedDocument, settle_documents
from knowledge.writing import GIVEN

SUPERSEDED = "superseded"

_FORGETTING = load_queries("knowledge.sql", "forgetting.sql")


@dataclass(frozen=True, slots=True)
class TouchedIds:
    """The ids of documents that may be closed or opened, since who supersedes them changed gems or they did."""

    left: tuple[str, ...]
    arrived: tuple[str, ...]


async def list_groups(conn: Connection, gem_id: UUID) -> set[Group]:
    """Return the subjects and predicates of what the moving documents claim in a gem."""
    return {Group(**row) for row in await fetch(conn, SQL["list_groups"], {"gem_id": gem_id})}


async def move_supersessions(conn: Connection, way: Way) -> TouchedIds:
    """Let what documents supersede follow them."""
    told = [row["external_id"] for row in await fetch(conn, SQL["move_supersessions"], way.ends)]
    came = [row["external_id"] for row in await fetch(conn, SQL["list_arrivals"], way.ends)]
    return TouchedIds(tuple(sorted(set(told))), tuple(sorted({*told, *came})))


async def settle_supersessions(
    conn: Connection, way: Way, touched: TouchedIds, back: Trace | None
) -> tuple[Closing, ...]:
    """Close what is superseded in either gem now, and open what is no longer; return how that was closed before."""
    closings: list[Closing] = []
    for gem_id, ids in ((way.source, touched.left), (way.target, touched.arrived)):
        if not ids:
            continue
        values = {"gem_id": gem_id, "external_ids": list(ids)}
        before = [Closing(**row) for row in await fetch(conn, SQL["read_closings"], values)]
        settled = await settle_documents(conn, gem_id, (), ids, way.at)
        await close_unsupported(conn, gem_id, settled.superseded, way.at, SUPERSEDED)
        await _reopen(conn, gem_id, settled.opened, way.at, back)
        after = {Closing(**row) for row in await fetch(conn, SQL["read_closings"], values)}
        closings += [each for each in before if each not in after]
    if back is not None:
        await _restore_closings(conn, back.closings)
    return tuple(closings)


async def settle_claims(conn: Connection, way: Way, before: Iterable[Group]) -> None:
    """Find anew what replaces what in either gem: among what is left, and among what came and was there."""
    await settle(conn, way.source, before, way.at)
    await settle(conn, way.target, await list_groups(conn, way.target), way.at)
    here, there = await get_predicates(conn, way.source), await get_predicates(conn, way.target)
    claimed = [row["predicate"] for row in await fetch(conn, SQL["list_predicates"], {})]
    if other := [each for each in claimed if here.find(each) != there.find(each)]:
        await settle_predicates(conn, way.target, other, way.at)


async def take_marks(conn: Connection, way: Way) -> tuple[str, ...]:
    """Let what users said of predicates go along, where nothing was said in the new gem."""
    marked = tuple(sorted(row["predicate"] for row in await fetch(conn, SQL["copy_marks"], way.ends)))
    if marked:
        await settle_predicates(conn, way.target, marked, way.at)
    return marked


async def drop_marks(conn: Connection, back: Trace, at: Moment) -> None:
    """Forget what an earlier move brought of that."""
    if back.marked:
        await conn.execute(SQL["drop_marks"], {"gem_id": back.target, "predicates": list(back.marked)})
        await settle_predicates(conn, back.target, back.marked, at)


async def _reopen(
    conn: Connection, gem_id: UUID, opened: Sequence[OpenedDocument], at: Moment, back: Trace | None
) -> None:
    """Let documents claim again what they did: as it was, if the move that is taken back closed it; else anew."""
    known = {each.document_id for each in back.closings if each.closed_at is None} if back else set()
    for document in opened:
        if back is not None and document.document_id in known:
            values = {"gem_id": gem_id, "document_ids": [document.document_id], "reason": SUPERSEDED}
            values |= {"closed_at": back.moved_at}
            rows = await fetch(conn, _FORGETTING["reopen_relations"], values)
            await settle(conn, gem_id, [Group(**row) for row in rows], at)
    told = [
        (each.document_id, each.slot, each.relations, each.occurred_at)
        for each in opened
        if each.relations and each.document_id not in known
    ]
    if told:
        await write_relations(conn, gem_id, told, at, GIVEN)


async def _restore_closings(conn: Connection, closings: Sequence[Closing]) -> None:
    closed = [each for each in closings if each.closed_at is not None]
    if not closed:
        return
    ids = [each.document_id for each in closed]
    values = {
        "document_ids": ids,
        "closed": [each.closed_at for each in closed],
        "closers": [each.closed_by for each in closed],
    }
    await conn.execute(SQL["restore_closings"], values)
    await follow_documents(conn, ids)
