from datetime import UTC, datetime

import pytest
import typer

from api.cli.options import parse_metadata, parse_moment


def test_metadata_values_that_are_json_are_read_so() -> None:
    pairs = ["year=2024", "name=Ann", "open=true", "tags=[1]", "empty=", "sum=a=b", 'quoted="7"']
    assert parse_metadata(pairs) == {
        "year": 2024,
        "name": "Ann",
        "open": True,
        "tags": [1],
        "empty": "",
        "sum": "a=b",
        "quoted": "7",
    }


def test_metadata_that_cannot_be_read_or_stored_as_it_is_stays_text() -> None:
    deep = "[" * 100_000
    assert parse_metadata([f"deep={deep}", "torn\udcff=[", "latin=zo\udceb"]) == {
        "deep": deep,
        "torn\ufffd": "[",
        "latin": "zo\ufffd",
    }


@pytest.mark.parametrize("pair", ["year", "=2024", ""])
def test_metadata_without_a_key_is_refused(pair: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_metadata([pair])


def test_moments_are_in_utc() -> None:
    assert parse_moment("2024-05-08", "--since") == datetime(2024, 5, 8, tzinfo=UTC)
    assert parse_moment("2024-05-08T12:00:00+02:00", "--since") == datetime(2024, 5, 8, 10, tzinfo=UTC)
    assert parse_moment(None, "--since") is None


@pytest.mark.parametrize(
    "text", ["yesterday", "", "2024-13-01", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"]
)
def test_a_moment_that_is_none_is_told_with_an_example(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="such as 2024-05-08 or"):
        parse_moment(text, "--since")
