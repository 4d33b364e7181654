from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import create_engine

import migrations
from core.errors import DatabaseUnfitError
from core.pg import DEFAULT_TENANT
from migrations.models import METADATA

OURS = "c.relnamespace = 'public'::regnamespace AND c.relname <> 'alembic_version'"
CATALOGUE = {
    "columns": f"""
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
               pg_get_expr(d.adbin, d.adrelid), coll.collname
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        LEFT JOIN pg_collation coll ON coll.oid = a.attcollation
        WHERE {OURS} AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped""",
    "constraints": f"""
        SELECT c.relname, k.conname, pg_get_constraintdef(k.oid)
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE {OURS} AND k.contype <> 'n'""",
    "indexes": f"""
        SELECT c.relname, pg_get_indexdef(i.indexrelid)
        FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE {OURS}""",
}


def read_catalogue(url: str) -> dict[str, set[tuple[object, ...]]]:
    with psycopg.connect(url) as conn:
        return {name: set(conn.execute(query.encode()).fetchall()) for name, query in CATALOGUE.items()}


def test_migrations_and_models_make_the_same_schema(database_url: str, empty_database_url: str) -> None:
    engine = create_engine(empty_database_url.replace("postgresql://", "postgresql+psycopg://"))
    with psycopg.connect(empty_database_url, autocommit=True) as conn:
        conn.execute("CREATE EXTENSION vector")
    METADATA.create_all(engine)
    engine.dispose()
    migrated, declared = read_catalogue(database_url), read_catalogue(empty_database_url)
    for name in CATALOGUE:
        assert migrated[name] ^ declared[name] == set(), name
    assert len(migrated["columns"]) > 100


async def test_every_migration_goes_down_and_up_again(empty_database_url: str) -> None:
    first = await migrations.read_status(empty_database_url)
    assert first.current is None
    assert first.pending
    for revision in first.pending:
        assert (await migrations.upgrade(empty_database_url, revision)).current == revision
        before = read_catalogue(empty_database_url)
        await migrations.downgrade(empty_database_url, "-1")
        assert (await migrations.upgrade(empty_database_url, revision)).current == revision
        assert read_catalogue(empty_database_url) == before
    down = await migrations.downgrade(empty_database_url, "base")
    assert down.current is None
    assert read_catalogue(empty_database_url) == {"columns": set(), "constraints": set(), "indexes": set()}


async def test_upgrading_twice_changes_nothing(database_url: str) -> None:
    status = await migrations.upgrade(database_url)
    assert status.is_current
    assert status.pending == ()


async def test_a_schema_of_a_newer_version_is_refused(database_url: str) -> None:
    with psycopg.connect(database_url) as conn:
        conn.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseUnfitError, match="newer"):
        await migrations.read_status(database_url)


def test_every_table_begins_its_key_with_the_tenant_and_is_closed_to_others(database_url: str) -> None:
    with psycopg.connect(database_url) as conn:
        tables = conn.execute(
            "SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity, "
            "  (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = k.conkey[1]), "
            "  (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid) "
            f"FROM pg_class c JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p' WHERE {OURS}".encode()
        ).fetchall()
    assert len(tables) >= 11
    assert {row[1:] for row in tables} == {(True, True, "tenant_id", 1)}


@pytest.mark.parametrize("table", ["gem", "document", "passage", "measurement", "reflection"])
def test_a_tenant_neither_sees_nor_writes_rows_of_another(database_url: str, table: str) -> None:
    gem = "INSERT INTO gem (gem_id, name) VALUES (%s, 'mine')"
    other = str(uuid4())
    with psycopg.connect(database_url) as conn:
        conn.execute("SET ROLE lattice_app")
        conn.execute("SELECT set_config('lattice.tenant', %s, false)", (str(DEFAULT_TENANT),))
        conn.execute(gem, (uuid4(),))
        conn.commit()
        conn.execute("SELECT set_config('lattice.tenant', %s, false)", (other,))
        assert conn.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() == (0,)
        conn.commit()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("INSERT INTO gem (tenant_id, gem_id, name) VALUES (%s, %s, 'x')", (DEFAULT_TENANT, uuid4()))
        conn.rollback()
        conn.execute("SELECT set_config('lattice.tenant', '', false)")
        assert conn.execute("SELECT count(*) FROM gem").fetchone() == (0,)


def test_the_log_of_measurements_only_grows(database_url: str) -> None:
    with psycopg.connect(database_url) as conn:
        conn.execute("SET ROLE lattice_app")
        conn.commit()
        for statement in (b"UPDATE measurement SET gain = 1", b"DELETE FROM measurement", b"TRUNCATE measurement"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(statement)
            conn.rollback()
