"""The sums of gems' embeddings are those of their open passages, to the last bit, whatever is done to passages."""

import random
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import psycopg
import pytest
from pgvector.psycopg import register_vector
from psycopg import sql

import migrations
from core.pg import DEFAULT_TENANT
from gems import GemChange, Gems, Moment
from knowledge import Ingestion, Recall, RecallQuery, parse_document

DIMENSION = 5
TRUE_TOTALS = """
SELECT p.gem_id, e.source, vector_dims(e.vector) AS dimension, lattice_total(e.vector) AS total
FROM passage p
CROSS JOIN LATERAL (VALUES ('embedding', p.embedding), ('embedding_b', p.embedding_b)) AS e (source, vector)
WHERE p.closed_at IS NULL AND e.vector IS NOT NULL GROUP BY 1, 2, 3
"""
KEPT_TOTALS = "SELECT gem_id, source, dimension, total FROM gem_embedding WHERE total <> '{0}'"
Totals = dict[tuple[UUID, str, int], tuple[float, ...]]


def read_totals(conn: psycopg.Connection, query: str) -> Totals:
    return {(row[0], row[1], row[2]): tuple(row[3]) for row in conn.execute(query.encode())}


def sum_in_python(conn: psycopg.Connection) -> Totals:
    """The same sums from the numbers themselves, in an order of their own."""
    rows = conn.execute("SELECT gem_id, embedding, embedding_b FROM passage WHERE closed_at IS NULL").fetchall()
    random.Random(1).shuffle(rows)
    totals: dict[tuple[UUID, str, int], list[float]] = {}
    for gem_id, *vectors in rows:
        for source, vector in zip(("embedding", "embedding_b"), vectors, strict=True):
            if vector is not None:
                numbers = [1.0, *vector.to_list()]
                total = totals.setdefault((gem_id, source, len(numbers) - 1), [0.0] * len(numbers))
                totals[gem_id, source, len(numbers) - 1] = [a + b for a, b in zip(total, numbers, strict=True)]
    return {key: tuple(total) for key, total in totals.items()}


class Damage:
    """Random writes of passages, in SQL as any part of the program may write it."""

    def __init__(self, conn: psycopg.Connection, seed: int) -> None:
        self.conn, self.random = conn, random.Random(seed)
        self.gem_ids = [self.add_gem() for _ in range(3)]
        self.slot = 0

    def add_gem(self) -> UUID:
        gem_id = uuid4()
        self.conn.execute("INSERT INTO gem (gem_id, name) VALUES (%s, %s)", (gem_id, str(gem_id)))
        return gem_id

    def vector(self) -> str:
        numbers = np.array([self.random.uniform(-1, 1) for _ in range(self.random.choice([DIMENSION, 3]))], np.float16)
        return str(numbers.tolist())

    def choose_gem(self) -> UUID:
        return self.random.choice(self.gem_ids)

    def insert(self, most: int = 1) -> None:
        gem_id = self.choose_gem()
        for _ in range(self.random.randint(1, most)):
            document_id, count = uuid4(), self.random.randint(1, 3)
            self.conn.execute(
                "INSERT INTO document (document_id, gem_id, body, content_hash, passages) VALUES (%s, %s, '', '', %s)",
                (document_id, gem_id, count),
            )
            self.conn.execute(
                "INSERT INTO passage (passage_id, gem_id, document_id, ordinal, slot, body, start_char, end_char, "
                "  tokens, embedding, embedding_b, closed_at) "
                "SELECT gen_random_uuid(), %s, %s, i, %s + i, '', 0, 0, 0, %s::halfvec, "
                "  CASE WHEN %s THEN %s::halfvec END, CASE WHEN %s THEN now() END FROM generate_series(1, %s) AS i",
                (
                    gem_id,
                    document_id,
                    self.slot,
                    self.vector(),
                    self.random.random() < 0.5,
                    self.vector(),
                    False,
                    count,
                ),
            )
            self.slot += count

    def insert_many(self) -> None:
        self.insert(20)

    def some(self, share: float) -> list[UUID]:
        rows = self.conn.execute("SELECT passage_id FROM passage ORDER BY passage_id").fetchall()
        return [row[0] for row in rows if self.random.random() < share]

    def delete(self) -> None:
        self.conn.execute("DELETE FROM passage WHERE passage_id = ANY(%s)", (self.some(0.2),))

    def delete_documents(self) -> None:
        self.conn.execute(
            "DELETE FROM document WHERE document_id IN (SELECT document_id FROM passage WHERE passage_id = ANY(%s))",
            (self.some(0.1),),
        )

    def close(self) -> None:
        self.conn.execute("UPDATE passage SET closed_at = now() WHERE passage_id = ANY(%s)", (self.some(0.3),))

    def reopen(self) -> None:
        self.conn.execute("UPDATE passage SET closed_at = NULL WHERE passage_id = ANY(%s)", (self.some(0.5),))

    def embed_again(self) -> None:
        self.conn.execute(
            "UPDATE passage SET embedding = %s::halfvec WHERE passage_id = ANY(%s)", (self.vector(), self.some(0.3))
        )

    def embed_other(self) -> None:
        other = self.random.choice([None, self.vector()])
        self.conn.execute(
            "UPDATE passage SET embedding_b = %s::halfvec WHERE passage_id = ANY(%s) AND embedding IS NOT NULL",
            (other, self.some(0.5)),
        )

    def switch(self) -> None:
        self.conn.execute(
            "UPDATE passage SET embedding = NULL WHERE passage_id = ANY(%s) AND embedding_b IS NOT NULL",
            (self.some(0.2),),
        )

    def move(self) -> None:
        gem_id, chosen = self.choose_gem(), self.some(0.3)
        documents = "SELECT document_id FROM passage WHERE passage_id = ANY(%s)"
        for table in ("document", "passage"):
            self.conn.execute(
                f"UPDATE {table} SET gem_id = %s WHERE document_id IN ({documents})".encode(), (gem_id, chosen)
            )

    def measure(self) -> None:
        self.conn.execute(
            "UPDATE passage SET coherence = coherence / 2, measured_at = now() WHERE passage_id = ANY(%s)",
            (self.some(0.4),),
        )

    def undo(self) -> None:
        with self.conn.transaction(force_rollback=True):
            self.move()
            self.delete()

    def delete_gem(self) -> None:
        gem_id = self.choose_gem()
        self.conn.execute("DELETE FROM gem WHERE gem_id = %s", (gem_id,))
        self.gem_ids[self.gem_ids.index(gem_id)] = self.add_gem()

    def steps(self) -> list[Callable[[], None]]:
        often = [self.insert, self.insert, self.insert_many, self.delete, self.close, self.reopen, self.embed_again]
        return [*often, self.embed_other, self.switch, self.move, self.measure, self.undo, self.delete_documents]


@pytest.fixture
def conn(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url) as conn:
        register_vector(conn)
        conn.execute("SET ROLE lattice_app")
        be(conn, DEFAULT_TENANT)
        conn.commit()
        yield conn


def be(conn: psycopg.Connection, tenant: UUID) -> None:
    conn.execute("SELECT set_config('lattice.tenant', %s, false)", (str(tenant),))


@pytest.mark.parametrize("seed", range(6))
def test_sums_stay_exact_under_random_writes(conn: psycopg.Connection, seed: int) -> None:
    with conn.transaction():
        damage = Damage(conn, seed)
        for step in range(40):
            if step % 20 == 19:
                damage.delete_gem()
            damage.random.choice(damage.steps())()
            kept = read_totals(conn, KEPT_TOTALS)
            assert kept == read_totals(conn, TRUE_TOTALS)
        damage.insert_many()  # the last of them may have deleted all there was
        kept = read_totals(conn, KEPT_TOTALS)
        assert kept
        assert kept == read_totals(conn, TRUE_TOTALS) == sum_in_python(conn)


def test_a_gem_that_is_emptied_keeps_nothing(conn: psycopg.Connection) -> None:
    with conn.transaction():
        Damage(conn, 1).insert_many()
        conn.execute("UPDATE passage SET closed_at = now()")
        assert read_totals(conn, KEPT_TOTALS) == {}
        conn.execute("UPDATE passage SET closed_at = NULL")
        assert read_totals(conn, KEPT_TOTALS) == read_totals(conn, TRUE_TOTALS) != {}
        conn.execute("DELETE FROM gem")
        assert conn.execute("SELECT count(*) FROM gem_embedding").fetchone() == (0,)


def test_another_tenant_sees_and_changes_nothing(conn: psycopg.Connection) -> None:
    with conn.transaction():
        Damage(conn, 2).insert_many()
        mine = read_totals(conn, KEPT_TOTALS)
        be(conn, uuid4())
        assert read_totals(conn, KEPT_TOTALS) == {}
        Damage(conn, 3).insert_many()
        theirs = read_totals(conn, KEPT_TOTALS)
        assert theirs
        assert not theirs.keys() & mine.keys()
        for table in ("gem_embedding", "passage"):
            conn.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
        with pytest.raises(psycopg.errors.InsufficientPrivilege), conn.transaction():
            conn.execute(
                "INSERT INTO gem_embedding VALUES (%s, %s, 'embedding', 1, '{1,1}')",
                (DEFAULT_TENANT, next(iter(mine))[0]),
            )
        be(conn, DEFAULT_TENANT)
        assert read_totals(conn, KEPT_TOTALS) == mine


def test_a_write_of_states_writes_no_sums(conn: psycopg.Connection) -> None:
    rows = "SELECT ctid::text, xmin::text FROM gem_embedding"
    with conn.transaction():
        damage = Damage(conn, 4)
        damage.insert_many()
        before = conn.execute(rows).fetchall()
    with conn.transaction():
        damage.measure()
        conn.execute("UPDATE passage SET around = '{1}', heading = 'h', context_hash = 'x'")
        assert conn.execute(rows).fetchall() == before != []


async def test_what_was_stored_before_the_migration_is_summed_for_every_tenant(database_url: str) -> None:
    await migrations.downgrade(database_url, "0011")
    tenants = (DEFAULT_TENANT, uuid4())
    with psycopg.connect(database_url) as conn:
        for seed, tenant in enumerate(tenants):
            be(conn, tenant)
            Damage(conn, seed).insert_many()
    await migrations.upgrade(database_url)
    with psycopg.connect(database_url) as conn:
        register_vector(conn)
        conn.execute("SET ROLE lattice_app")
        for tenant in tenants:
            be(conn, tenant)
            assert read_totals(conn, KEPT_TOTALS) == sum_in_python(conn) != {}


async def test_what_is_ingested_replaced_and_deleted_is_summed(
    conn: psycopg.Connection, gems: Gems, ingestion: Ingestion, recall: Recall, tenant: UUID, at: Moment
) -> None:
    gem = await gems.create(tenant, GemChange("port"), at)
    texts = ["The gantry crane lifts forty tonnes.", "The ferry leaves at noon.", "Gulls nest on the roof."]
    talk: list[dict[str, Any]] = [
        {"id": f"t{i}", "text": text, "thread": "1", "speaker": "Ann"} for i, text in enumerate(texts)
    ]
    for rows in (
        talk,
        [talk[1] | {"text": "The ferry leaves at seven."}, {"id": "n", "text": "A note.", "supersedes": ["t2"]}],
    ):
        await ingestion.ingest(tenant, gem.gem_id, map(parse_document, rows), at)
        with conn.transaction():
            assert read_totals(conn, KEPT_TOTALS) == sum_in_python(conn) != {}
    found = await recall.recall(tenant, RecallQuery("When does the ferry leave?", (gem.gem_id,)), at)
    await ingestion.delete(tenant, gem.gem_id, [found[0].document_id], at)
    with conn.transaction():
        kept = read_totals(conn, KEPT_TOTALS)
        assert kept == sum_in_python(conn)
    assert [total[0] for total in kept.values()] == [2.0]
