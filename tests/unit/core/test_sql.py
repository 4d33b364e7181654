import pytest

from core.sql import load_queries, parse_queries


def test_queries_come_by_name_without_their_heading() -> None:
    text = """
-- name: first
-- why it is there,
-- in two lines
SELECT 1;

-- name: second
-- another
SELECT 2 -- its own comment stays
  + 3;
"""
    assert parse_queries(text, "x.sql") == {"first": "SELECT 1;", "second": "SELECT 2 -- its own comment stays\n  + 3;"}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("SELECT 1;", "text before"),
        ("-- name: a\n-- x\nSELECT 1;\n-- name: a\n-- x\nSELECT 2;", "a is repeated"),
        ("-- name: a\nSELECT 1;", "no comment"),
        ("-- name: a\n--\nSELECT 1;", "no comment"),
        ("-- name: a\n-- only a comment\n", "is empty"),
        ("-- name: \n-- x\nSELECT 1;", "no name"),
        ("-- name: not-a-word\n-- x\nSELECT 1;", "no name"),
    ],
)
def test_a_faulty_file_is_refused(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=rf"^x\.sql: .*{fault}"):
        parse_queries(text, "x.sql")


def test_queries_cannot_be_changed() -> None:
    queries = parse_queries("-- name: a\n-- x\nSELECT 1;", "x.sql")
    with pytest.raises(TypeError):
        queries["a"] = "SELECT 2;"  # type: ignore[index]


def test_a_file_of_a_package_is_found() -> None:
    assert "set_config('role'" in load_queries("core", "session.sql")["configure_session"]
