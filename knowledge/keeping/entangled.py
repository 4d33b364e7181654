"""Entanglements in the file of an export: each is a row of the later of its two gems, and names the other one."""

import asyncio
import sys
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from core.errors import ConflictError, GemNotFoundError, UnreadableSourceError
from core.pg import Connection
from gems import Entanglement, add_entanglements, list_entanglements
from knowledge.keeping.lines import LineReader

ROWS = 500  # stored at a time

Time = Annotated[datetime, msgspec.Meta(tz=True)]


class EntanglementLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row that entangles a gem of an export with one before it in the file."""

    table: Literal["entanglement"]
    created_at: Time
    other_id: UUID
    strength: Annotated[float, msgspec.Meta(ge=0, le=1)]
    updated_at: Time


class EntanglementProof:
    """Looks at the entanglements of a file as it is read: each must join a gem with one before it, and only once.

    Attributes:
        problem: what is wrong with the first one that does not; None while all do.
    """

    def __init__(self, reader: LineReader) -> None:
        self.problem: UnreadableSourceError | None = None
        self._reader = reader
        self._gem_id: UUID | None = None
        self._first = sys.maxsize
        self._before = set[UUID]()
        self._partners = set[UUID]()

    def enter(self, gem_id: UUID, first: int) -> None:
        """Go on with the next gem, whose entanglements begin at the line `first`."""
        if self._gem_id is not None:
            self._before.add(self._gem_id)
        self._gem_id, self._first = gem_id, first
        self._partners.clear()

    def look_at(self, line: bytes) -> None:
        """Take note of the line that was read last, if it is among the entanglements of its gem."""
        if self.problem is not None or self._reader.number < self._first:
            return
        try:
            self._take(read_entanglement(line, self._reader).other_id)
        except UnreadableSourceError as e:
            self.problem = e

    def _take(self, other_id: UUID) -> None:
        if other_id == self._gem_id:
            raise self._reader.problem(f"entangles a gem with itself: other_id {other_id}")
        if other_id not in self._before:
            raise self._reader.problem(
                f"entangles a gem with one that is not before it in the file: other_id {other_id}"
            )
        if other_id in self._partners:
            raise self._reader.problem(f"entangles two gems that are entangled already: other_id {other_id}")
        self._partners.add(other_id)


def read_entanglement(line: bytes, reader: LineReader) -> EntanglementLine:
    """Return the entanglement that the line read last tells of.

    Raises:
        UnreadableSourceError: it tells of none.
    """
    try:
        found = msgspec.json.decode(line, type=EntanglementLine)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as e:
        raise reader.problem(f"is no entanglement: {e}") from e
    for name, moment in (("created_at", found.created_at), ("updated_at", found.updated_at)):
        try:
            moment.astimezone(UTC)
        except OverflowError as e:  # the year 9999 has an end in UTC
            raise reader.problem(f"is no entanglement: a time that is none in UTC - at `$.{name}`") from e
    return found


async def list_entangled(conn: Connection, gem_id: UUID, before: Collection[UUID]) -> list[EntanglementLine]:
    """Return the rows that entangle a gem with those before it in the file, in one order in every lattice."""
    pairs = await list_entanglements(conn, [gem_id], limit=None)
    lines = [
        EntanglementLine("entanglement", pair.created_at, pair.partner_of(gem_id), pair.strength, pair.updated_at)
        for pair in pairs
        if pair.partner_of(gem_id) in before
    ]
    return sorted(lines, key=lambda line: line.other_id)  # as gems are locked, too


async def store_entangled(conn: Connection, reader: LineReader, gem_id: UUID, count: int) -> None:
    """Store the next rows of a file, all of which entangle a gem with those before it.

    Raises:
        ConflictError: one of these is gone.
    """
    for first in range(0, count, ROWS):
        lines = await asyncio.to_thread(_read_some, reader, min(ROWS, count - first))
        try:
            await add_entanglements(conn, [_to_pair(gem_id, line) for line in lines])
        except GemNotFoundError as e:
            raise ConflictError(
                f"line {reader.number:,} or one of the {len(lines)} before it entangles a gem that was deleted by now: "
                "delete those of the file that are stored, and import it again",
            ) from e


def _to_pair(gem_id: UUID, line: EntanglementLine) -> Entanglement:
    one, other = min(gem_id, line.other_id), max(gem_id, line.other_id)
    return Entanglement(one, other, line.strength, line.created_at, line.updated_at)


def _read_some(reader: LineReader, count: int) -> list[EntanglementLine]:
    return [read_entanglement(reader.read_line(), reader) for _ in range(count)]
