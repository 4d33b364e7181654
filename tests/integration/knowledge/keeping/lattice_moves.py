"""A lattice of which a snapshot was taken, all that can be done to its gems since, and whether a restore undoes it."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from core.errors import GemNotFoundError
from core.pg import Database
from gems import GemChange, Gems, Moment, delete_entanglement, replay, set_entanglement
from knowledge import Ingestion, Recall, RecallQuery, parse_document
from knowledge.keeping import Restored, RestoreWish, Snapshot, Snapshots
from knowledge.keeping.snapshots.sums import find_wrong_sums
from knowledge.measuring import measure_passages
from knowledge.moving import Moves, SplitWish
from reflection import ReflectionRequest, Reflections
from tests.integration.knowledge.keeping.lattice_state import Dump, differing, dump

QUESTION = "Who runs along the water, and when does the tide turn?"
HISTORY = ("measurement", "reflection", "reflection_evidence", "reflection_attempt")
STAYING = ("operation", "operation_document")  # what was done to gems, which stays done
ASTRAY = {
    "log": "SELECT FROM measurement m JOIN passage p USING (passage_id) WHERE m.gem_id <> p.gem_id",
    "evidence": "SELECT FROM reflection_evidence e JOIN document d USING (document_id) WHERE e.gem_id <> d.gem_id",
}


@dataclass
class Tools:
    """What everything is done with."""

    tenant: UUID
    url: str
    database: Database
    gems: Gems
    ingestion: Ingestion
    recall: Recall
    reflections: Reflections
    moves: Moves
    snapshots: Snapshots
    made: int = 0

    def name(self) -> str:
        """Return a name that nothing has."""
        self.made += 1
        return f"made {self.made}"

    async def rows(self, query: str) -> list[Any]:
        async with self.database.transaction(self.tenant, read_only=True) as conn:
            return await (await conn.execute(query.encode())).fetchall()

    async def pick(self, table: str, number: int) -> UUID:
        """Return the id of some row that there is.

        Raises:
            GemNotFoundError: there is none.
        """
        found = await self.rows(f"SELECT {table}_id FROM {table} ORDER BY {table}_id")
        if not found:
            raise GemNotFoundError(f"no {table} is left")
        return UUID(str(found[number % len(found)][0]))


@dataclass
class Doing:
    """Does things to gems that numbers choose, each some hours after the one before."""

    tools: Tools
    at: Moment

    def later(self) -> Moment:
        self.at = Moment(self.at.now + timedelta(hours=7), self.at.time_unit)
        return self.at

    async def use(self, one: int, other: int) -> None:
        passage_ids = {await self.tools.pick("passage", one): 0.3, await self.tools.pick("passage", other): 0.1}
        async with self.tools.database.transaction(self.tools.tenant) as conn:
            await measure_passages(conn, passage_ids, self.later(), cause="manual")

    async def reflect(self, one: int, other: int) -> None:
        request = ReflectionRequest(await self.tools.pick("gem", one), QUESTION, reach="entangled")
        found = await self.tools.reflections.reflect(self.tools.tenant, request, self.later())
        await self.tools.reflections.rate(self.tools.tenant, found.reflection_id, 0.5, self.later())

    async def merge(self, one: int, other: int) -> None:
        gem_id, source = await self.tools.pick("gem", one), await self.tools.pick("gem", other)
        await self.tools.moves.merge(self.tools.tenant, gem_id, [source], self.later())

    async def split(self, one: int, other: int) -> None:
        """Split a document off, with the other one where that is of the same gem."""
        document_ids = {await self.tools.pick("document", number) for number in (one, other)}
        gem_id = await self.gem_of(await self.tools.pick("document", one))
        own = [each for each in document_ids if await self.gem_of(each) == gem_id]
        await self.tools.moves.split(self.tools.tenant, gem_id, SplitWish(self.tools.name(), tuple(own)), self.later())

    async def undo(self, one: int, other: int) -> None:
        operation_id = await self.tools.pick("operation", one)
        await self.tools.moves.undo(self.tools.tenant, operation_id, self.later())

    async def archive(self, one: int, other: int) -> None:
        await self.tools.gems.archive(self.tools.tenant, await self.tools.pick("gem", one), self.later())

    async def unarchive(self, one: int, other: int) -> None:
        await self.tools.gems.restore(self.tools.tenant, await self.tools.pick("gem", one), self.later())

    async def rename(self, one: int, other: int) -> None:
        change = GemChange(name=self.tools.name(), description="renamed")
        await self.tools.gems.update(self.tools.tenant, await self.tools.pick("gem", one), change, self.later())

    async def delete(self, one: int, other: int) -> None:
        await self.tools.gems.delete(self.tools.tenant, await self.tools.pick("gem", one))

    async def delete_document(self, one: int, other: int) -> None:
        document_id = await self.tools.pick("document", one)
        gem_id = await self.gem_of(document_id)
        await self.tools.ingestion.delete(self.tools.tenant, gem_id, [document_id], self.later())

    async def ingest(self, one: int, other: int) -> None:
        row = {
            "id": ["fares", "t2", "tide", self.tools.name()][other % 4],
            "text": f"Clara sold the ferry to Biscuit, who runs it {one} times.",
            "relations": [["Biscuit", "owns", "ferry"]],
            "supersedes": ["crane"],
        }
        gem_id = await self.tools.pick("gem", one)
        await self.tools.ingestion.ingest(self.tools.tenant, gem_id, [parse_document(row)], self.later())

    async def entangle(self, one: int, other: int) -> None:
        gem_ids = await self.tools.pick("gem", one), await self.tools.pick("gem", other)
        async with self.tools.database.transaction(self.tools.tenant) as conn:
            await set_entanglement(conn, *gem_ids, 0.25, self.later().now)

    async def disentangle(self, one: int, other: int) -> None:
        async with self.tools.database.transaction(self.tools.tenant) as conn:
            await delete_entanglement(conn, await self.tools.pick("gem", one), await self.tools.pick("gem", other))

    async def gem_of(self, document_id: UUID) -> UUID:
        (row,) = await self.tools.rows(f"SELECT gem_id FROM document WHERE document_id = '{document_id}'")
        return UUID(str(row[0]))


ACTIONS = (
    *("use", "reflect", "merge", "split", "undo", "archive", "unarchive", "rename", "delete", "delete_document"),
    *("ingest", "entangle", "disentangle"),
)


@dataclass
class Kept:
    """A snapshot of the lattice, and what the lattice was."""

    tools: Tools
    at: Moment
    snapshot: Snapshot
    before: Dump
    found: Any

    @property
    def gem_ids(self) -> list[UUID]:
        return [gem.gem_id for gem in self.snapshot.gems]

    async def restore(self, at: Moment) -> Restored:
        """Restore it, and check that all is as it was, and that what happened since is told as before."""
        tenant, key = self.tools.tenant, self.snapshot.snapshot_id
        since = read_history(self.tools)
        restored = await self.tools.snapshots.restore(tenant, key, RestoreWish(), at)
        await self.check(at)
        then, now = read_history(self.tools, self.before), read_history(self.tools)
        documents = {str(row[0]) for row in await self.tools.rows("SELECT document_id FROM document")}
        for table, rows in since.items():
            lost = [json.loads(row) for row in rows - now[table]]  # only what was cited and came after the snapshot
            assert [row for row in lost if row.get("document_id", "") in {"", *documents}] == []
            came = now[table] - rows - then[table]
            assert [row for row in came if '"cause": "restore"' not in row] == []
        return restored

    async def check(self, at: Moment) -> None:
        """Check that all is as it was."""
        found = differing(self.before, look(self.tools, self.gem_ids))
        assert {table: rows for table, rows in found.items() if table not in HISTORY or rows[0]} == {}
        assert await find(self.tools, self.gem_ids, self.at) == self.found
        assert {name: len(await self.tools.rows(query)) for name, query in ASTRAY.items()} == {"log": 0, "evidence": 0}
        gem_ids = [row[0] for row in await self.tools.rows("SELECT gem_id FROM gem")]
        async with self.tools.database.transaction(self.tools.tenant, read_only=True) as conn:
            assert (await replay(conn, at)).shown == ()
            assert await find_wrong_sums(conn, gem_ids) == []


async def keep(tools: Tools, at: Moment) -> Kept:
    """Take a snapshot of the lattice."""
    taken = await tools.snapshots.create(tools.tenant, None, at)
    gem_ids = [gem.gem_id for gem in taken.gems]
    return Kept(tools, at, taken, look(tools, gem_ids), await find(tools, gem_ids, at))


def look(tools: Tools, gem_ids: list[UUID]) -> Dump:
    """All that some gems hold."""
    return {table: rows for table, rows in dump(tools.url, tools.tenant, gem_ids).items() if table not in STAYING}


async def find(tools: Tools, gem_ids: list[UUID], at: Moment) -> Any:
    """What is recalled from these gems, archived or not."""
    return await tools.recall.recall(tools.tenant, RecallQuery(QUESTION, gem_ids=tuple(gem_ids)), at)


def read_history(tools: Tools, rows: Dump | None = None) -> Dump:
    """The log and the answers; but not the gems that they are in, which what is of a document follows it into."""
    rows = rows or dump(tools.url, tools.tenant)
    return {table: frozenset(_without_gem(row) for row in rows[table]) for table in HISTORY}


def _without_gem(row: str) -> str:
    told = json.loads(row)
    if told.get("passage_id") is not None:
        del told["gem_id"]
    return json.dumps(told)
