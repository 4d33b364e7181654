"""The index over embeddings around a bulk load: weighed, dropped, made again, whatever a crash left behind."""

from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.exc import OperationalError

from core.pg import DEFAULT_TENANT
from migrations import EmbeddingIndexes, embedding_index, ensure_embedding_index

NAME = "passage_embedding_384_idx"
ROWS = 3_000


def fill(url: str, tenant: UUID = DEFAULT_TENANT) -> None:
    with psycopg.connect(url) as conn:
        conn.execute(sql.SQL("SET lattice.tenant = {}").format(sql.Literal(str(tenant))))
        gem, document = uuid4(), uuid4()
        conn.execute("INSERT INTO gem (gem_id, name, measured_at) VALUES (%s, 'g', now())", (gem,))
        conn.execute(
            "INSERT INTO document (document_id, gem_id, meta, body, content_hash, passages) "
            "VALUES (%s, %s, '{}', 'x', 'x', 1)",
            (document, gem),
        )
        conn.execute(
            "INSERT INTO passage (passage_id, gem_id, document_id, ordinal, slot, body, start_char, end_char, tokens, "
            "embedding) SELECT gen_random_uuid(), %s, %s, n, n, 'x', 0, 1, 1, "
            "ARRAY(SELECT random() + 0 * n FROM generate_series(1, 384))::real[]::halfvec "
            "FROM generate_series(1, %s) AS n",
            (gem, document, ROWS),
        )


def is_valid(url: str) -> bool | None:
    with psycopg.connect(url) as conn:
        query = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)"
        row = conn.execute(query, (NAME,)).fetchone()
        return None if row is None else row[0]


def spoil(url: str) -> None:
    """Leave the index as a crash in its making would."""
    with psycopg.connect(url) as conn:
        conn.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass(%s)", (NAME,))


async def test_the_index_is_weighed_dropped_and_made_again(database_url: str) -> None:
    indexes = EmbeddingIndexes(database_url)
    await indexes.drop("embedding", 384)
    assert is_valid(database_url) is None
    assert await indexes.count("embedding", 384) == 0
    fill(database_url)
    await indexes.ensure("embedding", 384)
    assert is_valid(database_url)
    assert await indexes.count("embedding", 384) == pytest.approx(ROWS, rel=0.15)


async def test_dropping_what_is_not_there_does_nothing(database_url: str) -> None:
    indexes = EmbeddingIndexes(database_url)
    await indexes.drop("embedding", 384)
    await indexes.drop("embedding", 384)
    assert is_valid(database_url) is None


async def test_a_half_made_index_is_made_anew(database_url: str) -> None:
    spoil(database_url)
    await EmbeddingIndexes(database_url).ensure("embedding", 384)
    assert is_valid(database_url)
    spoil(database_url)
    await ensure_embedding_index(database_url, 384)
    assert is_valid(database_url)


async def test_where_workers_find_no_shared_memory_the_index_is_made_without_them(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []
    make = embedding_index._statement

    def refuse(verb: str, column: str, dimension: int, *, online: bool = False) -> object:
        if verb == "CREATE":
            tried.append(verb)
            if len(tried) == 1:
                raise OperationalError("CREATE INDEX", {}, psycopg.errors.DiskFull("no space left on device"))
        return make(verb, column, dimension, online=online)

    indexes = EmbeddingIndexes(database_url)
    await indexes.drop("embedding", 384)
    monkeypatch.setattr(embedding_index, "_statement", refuse)
    await indexes.ensure("embedding", 384)
    assert len(tried) == 2
    assert is_valid(database_url)
