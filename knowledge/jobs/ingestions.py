"""Ingestions as users see them: begun, listed, cancelled, resumed, retried; and what keeps them from being stuck."""

import hashlib
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

from core.errors import BodyTooLargeError, ConflictError, InvalidInputError, LatticeError
from core.pg import Connection, Database
from core.text import make_storable
from gems import Moment, get_gems, lock_gem
from knowledge.jobs import store
from knowledge.jobs.queue import defer
from knowledge.jobs.store import IngestionProblem, IngestionRecord

INGEST = "ingest"
CHUNK_BYTES = 1_000_000
KEPT_DAYS = 30  # that the input of what did not go well is kept, to be resumed or retried
MAX_SOURCES = 1_000


@dataclass(slots=True)
class Receiving:
    """The input of an ingestion while it comes in; a body is stored piece by piece and never held whole.

    Attributes:
        most_bytes: that all bodies together may have.
        digest: of all that came, in order.
        is_empty: whether there is neither a path nor any byte.
    """

    database: Database
    tenant: UUID
    ingestion_id: UUID
    gem_id: UUID
    most_bytes: int | None
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    size: int = 0
    is_empty: bool = True
    names: list[str] = field(default_factory=list)
    _buffer: bytearray = field(default_factory=bytearray)
    _chunk: int = 0

    async def open_body(self, name: str, input_format: str) -> None:
        """Begin a body of one of FORMATS; the one before it is whole."""
        await self.close()
        await self._add_source(name, input_format, None)

    async def add_path(self, path: Path) -> None:
        """Add a file or folder that whoever carries it out can read by this absolute path."""
        await self.close()
        await self._add_source(make_storable(str(path)), None, os.fsencode(path))
        self.is_empty = False

    async def write(self, data: bytes) -> None:
        """Take the next piece of the body.

        Raises:
            BodyTooLargeError: all pieces together are more than may come.
        """
        self.size += len(data)
        self.is_empty = self.is_empty and not data
        if self.most_bytes is not None and self.size > self.most_bytes:
            raise BodyTooLargeError("body", f"may have at most {self.most_bytes:,} bytes; send it in parts")
        self.digest.update(data)
        self._buffer += data
        while len(self._buffer) >= CHUNK_BYTES:
            await self._add_chunk(bytes(self._buffer[:CHUNK_BYTES]))
            del self._buffer[:CHUNK_BYTES]

    async def close(self) -> None:
        """End the body that is open."""
        if self._buffer:
            await self._add_chunk(bytes(self._buffer))
        self._buffer.clear()
        self._chunk = 0

    async def _add_source(self, name: str, input_format: str | None, path: bytes | None) -> None:
        if len(self.names) >= MAX_SOURCES:
            raise InvalidInputError("body", f"may have at most {MAX_SOURCES:,} files")
        self.digest.update(f"\0{name}\0{input_format}\0{path!r}\0".encode())
        values = {"source": len(self.names), "name": name, "format": input_format, "path": path}
        self.names.append(name)
        await self._run("add_source", values)

    async def _add_chunk(self, data: bytes) -> None:
        await self._run("add_chunk", {"source": len(self.names) - 1, "chunk": self._chunk, "data": data})
        self._chunk += 1

    async def _run(self, query: str, values: dict[str, object]) -> None:
        # not repeated after a broken connection: it may have been stored, and then its key is taken
        async with self.database.transaction(self.tenant) as conn:
            await store.fetch_all(conn, query, {"ingestion_id": self.ingestion_id, **values})


@dataclass(frozen=True, slots=True)
class Ingestions:
    """The ingestions of a lattice."""

    database: Database

    @asynccontextmanager
    async def receive(
        self,
        tenant: UUID,
        gem_id: UUID,
        at: Moment,
        *,
        by_row: bool = False,
        host: str | None = None,
        most_bytes: int | None = None,
    ) -> AsyncIterator[Receiving]:
        """Yield what takes the input of a new ingestion; unless it is then enqueued, nothing is left of it.

        Args:
            tenant: whose lattice.
            gem_id: where documents go; with `by_row`, those that name no gem.
            at: the moment at which the gem is looked at.
            by_row: whether rows choose their gem by the field `gem`.
            host: of the process that will carry it out; None leaves it to workers.
            most_bytes: that all bodies together may have.

        Raises:
            GemNotFoundError, GemArchivedError: nothing can go there, or no longer.
        """
        receiving = Receiving(self.database, tenant, uuid4(), gem_id, most_bytes)
        values = {"gem_id": gem_id, "by_row": by_row, "host": host, "input": ""}
        async with self.database.transaction(tenant) as conn:
            await lock_gem(conn, gem_id, at)
            await store.fetch_all(conn, "begin", {"ingestion_id": receiving.ingestion_id, **values})
        try:
            yield receiving
        except ConflictError:
            async with self.database.transaction(tenant, read_only=True) as conn:
                await get_gems(conn, [gem_id], at)  # deleted meanwhile, it took the ingestion with it
            raise
        finally:
            with suppress(LatticeError):  # else it is forgotten later
                async with self.database.transaction(tenant) as conn:
                    await store.fetch_all(conn, "discard", {"ingestion_id": receiving.ingestion_id})

    async def enqueue(self, receiving: Receiving) -> IngestionRecord:
        """Queue what was received, with the job that carries it out, both or none.

        Raises:
            ConflictError: it took so long that it was given up.
        """
        await receiving.close()
        values = {
            "ingestion_id": receiving.ingestion_id,
            "input_bytes": receiving.size,
            "input": _describe(receiving.names),
        }
        async with self.database.transaction(receiving.tenant) as conn:
            record = await store.change(conn, "enqueue", values)
            if record is None:
                raise ConflictError("the input took too long to come in; send it again")
            await _defer(conn, receiving.tenant, record)
        return record

    async def get(self, tenant: UUID, ingestion_id: UUID) -> IngestionRecord:
        """Return an ingestion.

        Raises:
            IngestionNotFoundError: it is not in the lattice.
        """
        async with self.database.transaction(tenant, read_only=True) as conn:
            return await store.get(conn, ingestion_id)

    async def list_page(
        self, tenant: UUID, *, state: str | None, before: tuple[datetime, UUID] | None, limit: int
    ) -> list[IngestionRecord]:
        """Return a page of ingestions, newest first, of one state if it is given."""
        before_at, before_id = before or (None, None)
        values = {"state": state, "before_at": before_at, "before_id": before_id, "limit": limit}
        async with self.database.transaction(tenant, read_only=True) as conn:
            return [store.to_record(row) for row in await store.fetch_all(conn, "list_page", values)]

    async def list_problems(
        self, tenant: UUID, ingestion_id: UUID, *, after: int = -1, limit: int
    ) -> list[IngestionProblem]:
        """Return what could not be stored, in the order of reading, from after a row on.

        Raises:
            IngestionNotFoundError: it is not in the lattice.
        """
        async with self.database.transaction(tenant, read_only=True) as conn:
            await store.get(conn, ingestion_id)
            return await store.list_problems(conn, ingestion_id, after=after, limit=limit)

    async def cancel(self, tenant: UUID, ingestion_id: UUID) -> IngestionRecord:
        """Cancel an ingestion; one that is running ends after the batch it stores. What was stored stays.

        Raises:
            IngestionNotFoundError: it is not in the lattice.
            ConflictError: it has ended.
        """

        async def carry_out(conn: Connection) -> IngestionRecord:
            found = await store.change(conn, "cancel", {"ingestion_id": ingestion_id})
            return found or _refuse(await store.get(conn, ingestion_id), "cancelled")

        return await self.database.retrying(tenant, carry_out)

    async def resume(self, tenant: UUID, ingestion_id: UUID, *, host: str | None = None) -> IngestionRecord:
        """Queue an ingestion that failed or was cancelled, to be gone on with where it stands.

        Raises:
            IngestionNotFoundError: it is not in the lattice.
            ConflictError: it has not failed nor been cancelled, its input is gone, or it belongs to another host.
        """
        return await self._requeue(tenant, ingestion_id, ("failed", "cancelled"), host, retrying=False)

    async def retry(self, tenant: UUID, ingestion_id: UUID, *, host: str | None = None) -> IngestionRecord:
        """Queue an ingestion that has ended, to take up the rows that failed, and those that it did not come to.

        Raises:
            IngestionNotFoundError: it is not in the lattice.
            ConflictError: it has not ended, none of its rows failed, its input is gone, or it belongs to another host.
        """
        return await self._requeue(tenant, ingestion_id, store.ENDED, host, retrying=True)

    async def settle_abandoned(self, tenant: UUID) -> None:
        """Let those fail whose process, which was not a worker, has ended without a word."""
        async with self.database.transaction(tenant) as conn:
            await store.fetch_all(conn, "settle_abandoned", {})

    async def keep_up(self, tenant: UUID) -> None:
        """Leave nothing stuck: abandoned ones fail, those without a job get one, what is too old is forgotten."""
        await self.settle_abandoned(tenant)
        async with self.database.transaction(tenant) as conn:
            left = await store.fetch_all(conn, "list_without_job", {})
            for row in left:
                await _defer_ingestion(conn, tenant, row["ingestion_id"], row["gem_id"])
            await store.fetch_all(conn, "touch", {"ingestion_ids": [row["ingestion_id"] for row in left]})
            await store.fetch_all(conn, "forget_received", {})
            await store.fetch_all(conn, "forget_sources", {"kept_days": KEPT_DAYS})

    async def _requeue(
        self, tenant: UUID, ingestion_id: UUID, states: Sequence[str], host: str | None, *, retrying: bool
    ) -> IngestionRecord:
        values = {"ingestion_id": ingestion_id, "from": list(states), "retrying": retrying}

        async def carry_out(conn: Connection) -> IngestionRecord:
            found = await store.get(conn, ingestion_id)
            if found.host not in {None, host}:
                raise ConflictError(
                    f"it reads files of {found.host}: run `lattice ingestions resume {ingestion_id}` there"
                )
            if retrying and not found.counts.failed:
                raise ConflictError("none of its rows failed", state=found.state)
            record = await store.change(conn, "requeue", values)
            if record is None:
                return _refuse(found, "retried" if retrying else "resumed")
            await _defer(conn, tenant, record)
            return record

        return await self.database.retrying(tenant, carry_out)


async def _defer(conn: Connection, tenant: UUID, record: IngestionRecord) -> None:
    if record.host is None:
        await _defer_ingestion(conn, tenant, record.ingestion_id, record.gem_id)


async def _defer_ingestion(conn: Connection, tenant: UUID, ingestion_id: UUID, gem_id: UUID) -> None:
    # one at a time for each gem, in the order they came: two would only wait for each other's batches
    await defer(conn, tenant, INGEST, {"ingestion": str(ingestion_id)}, lock=f"ingest {gem_id}")


def _refuse(found: IngestionRecord, participle: str) -> IngestionRecord:
    """Say why nothing was changed.

    Raises:
        ConflictError: always.
    """
    is_gone = participle != "cancelled" and found.has_ended and not (participle == "resumed" and found.state == "done")
    reason = "its input is no longer kept; send it again" if is_gone else f"it is {found.state}"
    raise ConflictError(f"the ingestion cannot be {participle}: {reason}", state=found.state)


def _describe(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3:,} more"
