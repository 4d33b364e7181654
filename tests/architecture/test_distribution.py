"""The page on scale distributes every table of ours, and each of them can be."""

import psycopg
from sqlalchemy import UniqueConstraint

from migrations.models import METADATA
from scripts.check_docs import ROOT
from scripts.distribute_citus import KEY, list_statements, list_tables

FOREIGN = ("alembic_version", "procrastinate_")  # of our tools: they stay where they are made


def test_every_stored_table_is_distributed(database_url: str) -> None:
    with psycopg.connect(database_url) as conn:
        stored = {row[0] for row in conn.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
    ours = {name for name in stored if not name.startswith(FOREIGN)}
    assert {table.name for table in list_tables()} == ours
    assert len(list_statements()) == len(ours)


def test_every_key_holds_the_tenant() -> None:
    for table in list_tables():
        keys = [table.primary_key, *table.foreign_key_constraints]
        keys += [each for each in table.constraints if isinstance(each, UniqueConstraint)]
        assert all(KEY in key.columns for key in keys), table.name
        unique = [index for index in table.indexes if index.unique]
        assert all(KEY in index.columns for index in unique), table.name


def test_a_table_comes_after_those_that_it_refers_to() -> None:
    names = [table.name for table in list_tables()]
    assert sorted(names) == sorted(METADATA.tables)
    for table in list_tables():
        for key in table.foreign_key_constraints:
            assert names.index(key.referred_table.name) <= names.index(table.name)


def test_the_page_shows_the_statements() -> None:
    page = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
    for statement in list_statements():
        assert statement in page, "python -m scripts.distribute_citus prints what belongs there"
