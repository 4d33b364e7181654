"""How an operation is carried out: its gems held, its moves made, and what must be embedded embedded without a lock."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from core.errors import GemArchivedError, StoreBusyError
from core.pg import Connection, Database
from gems import Gem, HeldGem, Moment, Operation, record_operation
from knowledge.context import Context
from knowledge.embedding import Embedder, TokenEmbedder
from knowledge.moving.choosing import Choice
from knowledge.moving.moving import NotAtHandError, move
from knowledge.moving.way import SQL, TRACES, TakenDocument, Trace, Way
from knowledge.passages import find_readings
from knowledge.readings import Readings, embed_missing
from knowledge.sealing import seal_rest, seal_within
from knowledge.store import check_model

T = TypeVar("T")
TRIES = 8  # beside one a gem: each embeds what the one before it found to be missing


@dataclass(slots=True)
class Haul:
    """The moves of one operation, in its transaction.

    Attributes:
        column: of the lattice's vectors.
        tables: beside those of knowledge, that name the gem of a document and follow it.
        traces: of the moves so far.
        chosen: what each of them moved.
    """

    conn: Connection
    at: Moment
    column: str
    tables: tuple[str, ...]
    readings: Readings
    traces: list[Trace]
    chosen: list[Choice]

    async def move(self, source: UUID, target: UUID, choice: Choice) -> None:
        """Move what was chosen."""
        documents = [TakenDocument(each.document_id) for each in choice.documents]
        self.traces.append(await move(self.conn, self._way(source, target), documents, self.readings))
        self.chosen.append(choice)

    async def move_back(self, trace: Trace, documents: Sequence[TakenDocument]) -> None:
        """Move back what an earlier move brought."""
        await move(self.conn, self._way(trace.target, trace.source), documents, self.readings, trace)

    async def record(self, operation: Operation) -> None:
        """Log the operation with what undoes it."""
        undo = {"moves": TRACES.dump_python(tuple(self.traces), mode="json")}
        await record_operation(self.conn, operation, undo)
        moved = [
            (document, trace.source)
            for choice, trace in zip(self.chosen, self.traces, strict=True)
            for document in choice.documents
        ]
        values = {
            "operation_id": operation.operation_id,
            "document_ids": [document.document_id for document, _ in moved],
            "source_ids": [source for _, source in moved],
            "positions": [document.position for document, _ in moved],
        }
        await self.conn.execute(SQL["log_documents"], values)

    def _way(self, source: UUID, target: UUID) -> Way:
        return Way(source, target, self.column, self.at, self.tables)


Work = Callable[[Connection, Readings], Awaitable[T]]


@dataclass(frozen=True, slots=True)
class Carrier:
    """Runs operations.

    Attributes:
        tables: as in `Haul`.
    """

    database: Database
    embedder: Embedder
    tables: tuple[str, ...] = ()

    async def run(self, tenant: UUID, gem_ids: Sequence[UUID], work: Work[T]) -> T:
        """Run a unit of work in one transaction; again with what it lacked, if it lacks readings of new contexts.

        Raises:
            StoreBusyError: others wrote into the gems again and again meanwhile.
        """
        readings = Readings()
        for gem_id in gem_ids:
            await seal_rest(self.database, tenant, gem_id)
        for _ in range(TRIES + len(gem_ids)):
            try:
                return await self.database.retrying(tenant, lambda conn: work(conn, readings))
            except NotAtHandError as e:
                missing = e.contexts
            await self._read(tenant, missing, readings)
        raise StoreBusyError("others keep writing into these gems; try again when they are done")

    async def begin(self, conn: Connection, gem_ids: Sequence[UUID], at: Moment, readings: Readings) -> Haul:
        """Make gems that are held ready: their indexes sealed, the lattice's model held."""
        await conn.execute(SQL["be_patient"])
        for gem_id in gem_ids:
            await seal_within(conn, gem_id)
        column = await check_model(conn, self.embedder.model, self.embedder.dimension, hold=True)
        return Haul(conn, at, column, self.tables, readings, [], [])

    async def _read(self, tenant: UUID, contexts: Sequence[Context], readings: Readings) -> None:
        """Find or make the readings of contexts."""

        async def find(conn: Connection) -> None:
            column = await check_model(conn, self.embedder.model, self.embedder.dimension)
            keys = sorted({context.key for context in contexts})
            with_states = isinstance(self.embedder, TokenEmbedder)
            readings.found |= await find_readings(conn, keys, column, with_states=with_states)

        await self.database.retrying(tenant, find, read_only=True)
        await embed_missing(self.embedder, contexts, readings)


def refuse_archived(gems: Mapping[UUID, HeldGem] | Sequence[Gem]) -> None:
    """Check that gems can be written.

    Raises:
        GemArchivedError: one of them is archived.
    """
    for gem in gems.values() if isinstance(gems, Mapping) else gems:
        if gem.archived_at is not None:
            raise GemArchivedError(
                f"gem {gem.name!r} is archived and read only; restore it first", gem_id=str(gem.gem_id)
            )
