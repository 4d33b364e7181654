from pathlib import Path

import pytest
import typer

from api.cli.cassette import NO_KEY, CassetteChoice, KeylessEnvironment, insert_cassette, read_choice
from api.settings import Settings

FILE = Path("monday.yaml")


def test_a_cassette_is_recorded_or_played() -> None:
    assert read_choice(FILE, record=True, replay=False) == CassetteChoice(FILE, "record")
    assert read_choice(FILE, record=False, replay=True) == CassetteChoice(FILE, "replay")
    assert read_choice(None, record=False, replay=False) is None


@pytest.mark.parametrize(
    ("file", "record", "replay"), [(FILE, False, False), (FILE, True, True), (None, True, False), (None, False, True)]
)
def test_options_that_do_not_fit_together_are_refused(file: Path | None, record: bool, replay: bool) -> None:
    with pytest.raises(typer.BadParameter):
        read_choice(file, record=record, replay=replay)


def test_a_service_that_plays_lacks_no_key() -> None:
    environment = KeylessEnvironment({"SET": "value", "EMPTY": ""})
    assert environment["SET"] == environment.get("SET") == "value"
    assert environment["EMPTY"] == environment.get("UNSET", "") == NO_KEY
    assert "UNSET" in environment
    assert [*environment] == ["SET", "EMPTY"]
    assert len(environment) == 2


def test_without_a_cassette_the_environment_is_as_it_is() -> None:
    environment = {"SET": "value"}
    with insert_cassette(None, Settings(), environment) as given:
        assert given is environment
