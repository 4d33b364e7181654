"""Importing what was exported: each gem whole or not at all, its lexical index made anew.

The file is read twice: first to its end, so that nothing is stored of one that is broken, then row by row.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO
from uuid import UUID, uuid4

import psycopg
from psycopg import sql

from core.errors import ConflictError, EmbeddingMismatchError, GemNameTakenError, InvalidInputError
from core.pg import Connection, Database
from core.sql import load_queries
from gems import GemChange
from knowledge.embedding import Embedder, TokenEmbedder
from knowledge.keeping.entangled import store_entangled
from knowledge.keeping.lines import LineReader
from knowledge.keeping.passages import index_placed, read_placed
from knowledge.keeping.proof import ExportContents, ExportedGem, prove_whole
from knowledge.keeping.rows import RowDecoder, StoredRows
from knowledge.keeping.tables import GEM, KNOWLEDGE_TABLES, TravellingTable, read_layouts
from knowledge.keeping.vectors import fetch, read_contexts, write_readings
from knowledge.lexical import Segment, seal
from knowledge.passages import COLUMNS
from knowledge.store import check_model

ROWS = 500  # stored at a time
TEXTS = 128  # embedded at a time
AS_A_COPY = "import it as a copy under another name, with `--rename` (over REST `?rename=`)"
VECTOR_BYTES = 2  # of one number, half a float
PASSAGES = 2_048  # indexed at a time, as one segment of the lexical index

_SQL = load_queries("knowledge.sql", "transfer.sql")


@dataclass(frozen=True, slots=True)
class ImportWish:
    """How an export is taken in.

    Attributes:
        rename: a name for the one gem of the file, which becomes a copy with ids of its own; None keeps all as it was.
        reembed: whether to embed the texts anew where the file's vectors are of another model.
        most_bytes: how many the file may unpack to; None is as many as there are.
    """

    rename: str | None = None
    reembed: bool = False
    most_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class ImportedGem:
    """A gem that was stored.

    Attributes:
        entanglements: with gems before it in the file, so that each pair is counted once.
        reembedded: whether its vectors were made anew.
    """

    gem_id: UUID
    name: str
    documents: int
    passages: int
    entanglements: int
    reembedded: bool


@dataclass(frozen=True, slots=True)
class ImportAim:
    """What a gem becomes.

    Attributes:
        gem: as it is in the file.
        is_copy: whether all its ids are new.
        current: the column of the lattice's vectors.
        dimension: of the file's vectors; 0 if the lattice that it was exported from had none.
        is_foreign: whether these are of another model, and only stand in for the lattice's own.
    """

    gem: ExportedGem
    gem_id: UUID
    name: str
    is_copy: bool
    current: str
    dimension: int
    is_foreign: bool

    @property
    def column(self) -> str:
        """Where the vectors of the file go."""
        return COLUMNS[1 - COLUMNS.index(self.current)] if self.is_foreign else self.current


@dataclass(frozen=True, slots=True)
class Imports:
    """Takes in what `Exports` wrote.

    Attributes:
        tables: that travel beside those of knowledge.
    """

    database: Database
    embedder: Embedder
    tables: Sequence[TravellingTable] = ()

    async def carry_out(
        self,
        tenant: UUID,
        stream: BinaryIO,
        name: str,
        wish: ImportWish,
        notify: Callable[[ImportedGem], None] = lambda gem: None,
    ) -> list[ImportedGem]:
        """Store the gems of an export, one transaction each, in the order of the file.

        Args:
            tenant: into whose lattice.
            stream: the file, which can seek.
            name: what errors call it.
            wish: how.
            notify: called after each gem.

        Raises:
            UnreadableSourceError: it is no export, broken, cut off, or its rows do not fit together.
            BodyTooLargeError: it unpacks to more than the wish allows.
            GemNameTakenError, ConflictError: a gem of this name, or with these ids, is there already.
            EmbeddingMismatchError: its vectors are of another model, and `reembed` is not asked for.
        """
        contents = await asyncio.to_thread(prove_whole, stream, name, wish.most_bytes)
        self._check_model(contents, wish)
        aims = await self._aim(tenant, contents, wish)
        reader = LineReader(stream, name)
        await asyncio.to_thread(reader.read_line)
        done = []
        for aim in aims:
            done.append(await self._store(tenant, reader, aim))
            notify(done[-1])
        return done

    def _check_model(self, contents: ExportContents, wish: ImportWish) -> None:
        header = contents.header
        if self._is_foreign(contents) and not wish.reembed:
            raise EmbeddingMismatchError(
                f"the file was exported from a lattice of the embedding model {header.model} ({header.dimension} "
                f"dimensions), but the service runs with {self.embedder.model} ({self.embedder.dimension}): vectors of "
                "two models cannot be compared. To embed its texts anew, import with `--reembed` (over REST "
                "`?reembed=true`)",
                stored=header.model,
                configured=self.embedder.model,
            )

    def _is_foreign(self, contents: ExportContents) -> bool:
        header = contents.header
        ours = (self.embedder.model, self.embedder.dimension)
        return header.model is not None and (header.model, header.dimension) != ours

    async def _aim(self, tenant: UUID, contents: ExportContents, wish: ImportWish) -> list[ImportAim]:
        """Decide what each gem becomes, and check that nothing stands there.

        Raises:
            GemNameTakenError, ConflictError, InvalidInputError: it cannot become that.
        """
        rename = None if wish.rename is None else GemChange(name=wish.rename).checked().name
        for gem in contents.gems:
            GemChange(name=gem.name).checked()
        if rename is not None and len(contents.gems) != 1:
            raise InvalidInputError(
                "rename", f"is for a file that holds one gem, not {len(contents.gems):,}: export that gem alone"
            )
        async with self.database.transaction(tenant, read_only=True) as conn:
            column = await check_model(conn, self.embedder.model, self.embedder.dimension)
        aims = [
            ImportAim(
                gem=gem,
                gem_id=gem.gem_id if rename is None else uuid4(),
                name=rename or gem.name,
                is_copy=rename is not None,
                current=column,
                dimension=contents.header.dimension or 0,
                is_foreign=self._is_foreign(contents),
            )
            for gem in contents.gems
        ]
        values = {"gem_ids": [aim.gem_id for aim in aims], "names": [aim.name for aim in aims]}
        async with self.database.transaction(tenant, read_only=True) as conn:
            taken = await fetch(conn, _SQL["find_taken"], values)
        for row in taken:
            _refuse(row, [aim.name for aim in aims])
        return aims

    async def _store(self, tenant: UUID, reader: LineReader, aim: ImportAim) -> ImportedGem:
        async with self.database.transaction(tenant) as conn:
            await conn.execute(_SQL["be_patient"])
            await check_model(conn, self.embedder.model, self.embedder.dimension, record=aim.dimension > 0)
            found = await check_model(conn, self.embedder.model, self.embedder.dimension, hold=True)
            if found != aim.current:
                raise ConflictError("the lattice moved to another embedding model meanwhile; import again")
            decoder = RowDecoder(
                reader=reader,
                layouts=await read_layouts(conn, (GEM, *KNOWLEDGE_TABLES, *self.tables)),
                gem_id=aim.gem_id,
                is_copy=aim.is_copy,
                vector_bytes=aim.dimension * VECTOR_BYTES,
                left_out=self._left_out(aim),
                drops_entity_vectors=aim.is_foreign,
            )
            try:
                await _write_gem(conn, reader, aim, decoder)
            except psycopg.errors.UniqueViolation as e:
                raise ConflictError(
                    f"parts of the gem {aim.gem.name!r} are stored already, in another gem: {AS_A_COPY}",
                    gem=aim.gem.name,
                ) from e
            except (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError) as e:
                raise reader.problem(
                    f"or one of the {ROWS} before it cannot be stored: {e.diag.message_primary or e}"
                ) from e
            if aim.is_foreign:
                await self._embed(conn, aim)
            await _index(conn, aim)
            # last, since it holds gems that others may be waiting for
            await store_entangled(conn, reader, aim.gem_id, aim.gem.entanglements)
        gem = aim.gem
        documents, passages = (gem.counts.get(name, 0) for name in ("document", "passage"))
        return ImportedGem(aim.gem_id, aim.name, documents, passages, gem.entanglements, reembedded=aim.is_foreign)

    def _left_out(self, aim: ImportAim) -> frozenset[str]:
        uncopied = {table.name for table in (*KNOWLEDGE_TABLES, *self.tables) if aim.is_copy and not table.copied}
        useless = aim.is_foreign or not isinstance(self.embedder, TokenEmbedder)
        return frozenset(uncopied | ({"passage_tokens"} if useless else set()))

    async def _embed(self, conn: Connection, aim: ImportAim) -> None:
        """Make the vectors of the lattice's model, and take those away that stood in for them."""
        for first in range(0, aim.gem.counts.get("passage", 0), TEXTS):
            placed = await read_placed(conn, await _list_passages(conn, aim.gem_id, first, TEXTS))
            readings = await read_contexts(self.embedder, [each.context for each in placed])
            await write_readings(conn, placed, readings, aim.current)
        drop = sql.SQL(_SQL["drop_foreign_vectors"]).format(other=sql.Identifier(aim.column))
        await conn.execute(drop, {"gem_id": aim.gem_id})


async def _write_gem(conn: Connection, reader: LineReader, aim: ImportAim, decoder: RowDecoder) -> None:
    """Store the rows of one gem as they stand in the file: its own, then those of its tables."""
    gem = decoder.decode(await asyncio.to_thread(reader.read_row), decoder.layouts[GEM.name])
    passages = aim.gem.counts.get("passage", 0)
    gem |= {"gem_id": aim.gem_id, "name": aim.name, "next_slot": passages, "version": -(-passages // PASSAGES)}
    await _insert(conn, StoredRows(GEM.name, tuple(gem), [gem]), aim, decoder)
    left, slots = aim.gem.rows - aim.gem.entanglements, 0
    while left:
        batch = min(left, ROWS)
        for part in await asyncio.to_thread(decoder.read, batch):
            if part.table == "passage":
                if [row["slot"] for row in part.rows] != [*range(slots, slots + len(part.rows))]:
                    raise reader.problem("or one before it is not the passage that comes next")
                slots += len(part.rows)
            await _insert(conn, part, aim, decoder)
        left -= batch
    if slots != passages:
        raise reader.problem("is the last one of a gem that has more or fewer passages than it says")
    (row,) = await fetch(conn, _SQL["find_strays"], {"gem_id": aim.gem_id})
    if row["strays"]:
        raise reader.problem("is the last one of a gem whose passages or relations lead into another gem")


async def _insert(conn: Connection, part: StoredRows, aim: ImportAim, decoder: RowDecoder) -> None:
    statement = decoder.layouts[part.table].insert(part.names, aim.column)
    async with conn.cursor() as cursor:
        await cursor.executemany(statement, part.rows)


async def _index(conn: Connection, aim: ImportAim) -> None:
    """Make the lexical index of a gem, a segment for every PASSAGES of its slots."""
    for number, first in enumerate(range(0, aim.gem.counts.get("passage", 0), PASSAGES), start=1):
        placed = await read_placed(conn, await _list_passages(conn, aim.gem_id, first, PASSAGES))
        entries = await asyncio.to_thread(index_placed, placed)
        await seal(conn, Segment(aim.gem_id, number, first, 0, 0, 0), entries, ())


async def _list_passages(conn: Connection, gem_id: UUID, first: int, count: int) -> list[UUID]:
    rows = await fetch(conn, _SQL["list_passages"], {"gem_id": gem_id, "first": first, "count": count})
    return [row["passage_id"] for row in rows]


def _refuse(row: Mapping[str, Any], names: Sequence[str]) -> None:
    """Raise the error that tells what stands where a gem shall come."""
    name = row["name"]
    if name in names:
        raise GemNameTakenError(f"a gem named {name!r} exists already: {AS_A_COPY}", name=name)
    raise ConflictError(
        f"the gem {name!r} of this lattice is one of those in the file: delete it first, or {AS_A_COPY}",
        gem=name,
    )
