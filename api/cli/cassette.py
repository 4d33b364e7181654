"""`lattice serve --cassette`: record what providers say, or run the whole service on such a recording, offline."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

from api.cli.output import counted, note

if TYPE_CHECKING:
    from api.settings import Settings

SAVE_EVERY_S = 1.0

NO_KEY = "no-key-is-needed"
"""What stands for a key in a service that plays: the configuration wants one, the cassette never sees it."""


@dataclass(frozen=True, slots=True)
class CassetteChoice:
    """Which cassette a service uses, and what for."""

    file: Path
    mode: Literal["record", "replay"]


class KeylessEnvironment(Mapping[str, str]):
    """An environment that has a word for whatever it lacks, so that a service that plays needs no keys."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def __getitem__(self, name: str) -> str:
        return self._environment.get(name) or NO_KEY

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str)

    def __iter__(self) -> Iterator[str]:
        return iter(self._environment)

    def __len__(self) -> int:
        return len(self._environment)


def read_choice(file: Path | None, *, record: bool, replay: bool) -> CassetteChoice | None:
    """Return what the options ask for; None without a cassette.

    Raises:
        typer.BadParameter: they do not fit together.
    """
    if file is None:
        if record or replay:
            raise typer.BadParameter("needs --cassette FILE", param_hint="--record" if record else "--replay")
        return None
    if record == replay:
        raise typer.BadParameter("needs one of --record and --replay", param_hint="--cassette")
    return CassetteChoice(file, "record" if record else "replay")


@contextmanager
def insert_cassette(
    choice: CassetteChoice | None, settings: "Settings", environment: Mapping[str, str] = os.environ
) -> Iterator[Mapping[str, str]]:
    """Put the cassette between the service and its providers, and yield the environment that has the service's keys.

    Raises:
        ConfigurationError: the file cannot be read or written, or holds nothing to play.
    """
    if choice is None:
        yield environment
        return
    from llm_router import use_cassette

    if choice.mode == "replay":
        with use_cassette(choice.file, "replay") as cassette:
            note(f"plays {counted(cassette.held, 'exchange')} of {choice.file}; no LLM is asked, no key is needed")
            yield KeylessEnvironment(environment)
        return
    keys = {target.api_key for target in settings.router_config(environment).targets}
    secrets = {*keys, settings.embedding.api_key.get_secret_value()}
    with use_cassette(choice.file, "record", secrets=secrets, save_every_s=SAVE_EVERY_S) as cassette:
        note(f"records what LLMs are asked and answer into {choice.file}, prompts and evidence included")
        yield environment
    note(f"recorded {counted(cassette.recorded, 'exchange')}; {choice.file} holds {cassette.held:,}")
