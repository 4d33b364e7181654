"""Proving that the file of an export is whole, before anything of it is stored."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, BinaryIO
from uuid import UUID

import msgspec

from core.errors import UnreadableSourceError
from knowledge.keeping.entangled import EntanglementProof
from knowledge.keeping.lines import FORMAT, READABLE, ExportHeader, LineReader, Row


@dataclass(frozen=True, slots=True)
class ExportedGem:
    """A gem of an export.

    Attributes:
        counts: rows of each of its tables.
        line: where its own line is, the header being line 1.
    """

    gem_id: UUID
    name: str
    counts: Mapping[str, Annotated[int, msgspec.Meta(ge=0)]]
    line: int

    @property
    def rows(self) -> int:
        """How many lines follow its own one."""
        return sum(self.counts.values())

    @property
    def entanglements(self) -> int:
        """How many of them, the last ones, entangle it with gems before it in the file."""
        return self.counts.get("entanglement", 0)


@dataclass(frozen=True, slots=True)
class ExportContents:
    """What an export holds, once it is proved to be whole."""

    header: ExportHeader
    gems: tuple[ExportedGem, ...]


def prove_whole(stream: BinaryIO, name: str, most_bytes: int | None = None) -> ExportContents:
    """Read an export to its end, and return what it holds.

    Raises:
        UnreadableSourceError: it is no export, of another version, broken or cut off.
        BodyTooLargeError: it unpacks to more than `most_bytes`.
    """
    reader = LineReader(stream, name, most_bytes)
    header, digest = _read_header(reader, name)
    gems, entangled = [], EntanglementProof(reader)
    while not (line := reader.read_line()).startswith(b'{"end":'):
        digest.update(line)
        if line.startswith(b'{"table":"gem",'):
            gem = _to_gem(line, reader)
            gems.append(gem)
            entangled.enter(gem.gem_id, gem.line + 1 + gem.rows - gem.entanglements)
        else:
            entangled.look_at(line)
    end = reader.decode(line)
    if _value(end, "lines", reader) != reader.number - 2 or _value(end, "sha256", reader) != digest.hexdigest():
        raise UnreadableSourceError(name, "is broken: its lines are not those that were written")
    if [*_find_places(gems)] != [*(gem.line for gem in gems), reader.number]:
        raise UnreadableSourceError(name, "is broken: a gem has more or fewer rows than it says")
    if entangled.problem is not None:  # told last: where the file is broken, that is what is wrong
        raise entangled.problem
    return ExportContents(header, tuple(gems))


def _read_header(reader: LineReader, name: str) -> tuple[ExportHeader, Any]:
    row = reader.read_row()
    if _value(row, "format", reader) != FORMAT:
        raise UnreadableSourceError(name, "is no export of a lattice")
    version = _value(row, "version", reader)
    if version not in READABLE:
        raise UnreadableSourceError(name, "was exported by another version: upgrade crystal-lattice")
    try:
        header = msgspec.convert({key: _value(row, key, reader) for key in row}, ExportHeader, strict=False)
    except msgspec.MsgspecError as e:
        raise reader.problem(f"is no header: {e}") from e
    stated = {"format": FORMAT, "version": version, "model": header.model, "dimension": header.dimension}
    return header, hashlib.sha256(msgspec.json.encode(stated) + b"\n")


def _to_gem(line: bytes, reader: LineReader) -> ExportedGem:
    row = reader.decode(line)
    told: dict[str, Any] = {key: _value(row, key, reader) for key in ("gem_id", "name", "counts") if key in row}
    try:
        return msgspec.convert(told | {"line": reader.number}, ExportedGem, strict=False)
    except msgspec.MsgspecError as e:
        raise reader.problem(f"is no gem: {e}") from e


def _find_places(gems: Iterable[ExportedGem]) -> Iterator[int]:
    """Say where each gem's own line must be by the rows of those before it, and at last the end."""
    place = 2
    for gem in gems:
        yield place
        place += 1 + gem.rows
    yield place


def _value(row: Row, key: str, reader: LineReader) -> Any:  # noqa: ANN401 - JSON
    try:
        return msgspec.json.decode(row[key]) if key in row else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as e:
        raise reader.problem(f"holds a value that is no JSON: {key}") from e
