"""Statements are known by the names of their queries, whatever was filled in."""

from pathlib import Path

import pytest
from psycopg import sql

import knowledge.search
from api.telemetry.statements import describe
from core.sql import load_queries

ROOT = Path(__file__).resolve().parents[3]
GEMS = load_queries("gems.sql", "gems.sql")
REEMBED = load_queries("knowledge.sql", "reembed.sql")


def test_a_query_of_a_file_has_the_name_of_both() -> None:
    assert describe(GEMS["get_gems"]) == "gems.get_gems"
    assert describe(sql.SQL(GEMS["get_gems"])) == "gems.get_gems"


def test_what_was_filled_in_does_not_matter() -> None:
    template = sql.SQL(knowledge.search.SQL["nearest_exact"])
    filled = template.format(dimension=sql.Literal(384), embedding=sql.Identifier("embedding"))
    assert describe(filled) == "recall.nearest_exact"
    braced = [name for name, query in REEMBED.items() if "{{}}" in query]
    assert braced
    for name in braced:
        assert describe(sql.SQL(REEMBED[name]).format(embedding=sql.Identifier("e"), dimension=1)) == f"reembed.{name}"


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("COMMIT", "COMMIT"),
        ("rollback;", "ROLLBACK"),
        (b"SELECT 1", "SELECT"),
        (sql.SQL("BEGIN ISOLATION LEVEL {}").format(sql.SQL("READ COMMITTED")), "BEGIN"),
        ("SELECT 'a secret of the caller'", "SELECT"),
        ("", ""),
        (None, ""),
    ],
)
def test_any_other_statement_is_known_by_its_first_word(statement: object, name: str) -> None:
    assert describe(statement) == name


def test_no_two_files_of_queries_have_one_name() -> None:
    packages = ("api", "core", "gems", "knowledge", "llm_router", "reflection")
    files = [path.name for package in packages for path in (ROOT / package).rglob("*.sql")]
    assert len(files) > 20
    assert len(files) == len(set(files))
