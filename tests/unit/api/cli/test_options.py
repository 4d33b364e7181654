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


@pytest.mark.parametrize("pair", ["year", "=2024", ""])
def test_metadata_without_a_key_is_refused(pair: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_metadata([pair])


def test_moments_are_in_utc() -> None:
    assert parse_moment("2024-05-08", "--since") == datetime(2024, 5, 8, tzinfo=UTC)
    assert parse_moment("2024-05-08T12:00:00+02:00", "--since") == datetime(2024, 5, 8, 10, tzinfo=UTC)
    assert parse_moment(None, "--since") is None
    with pytest.raises(typer.BadParameter):
        parse_moment("yesterday", "--since")
