"""The way to a cassette; vcrpy is loaded only when one is used."""

import pkgutil
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from core.errors import CassetteMissError

CassetteMode = Literal["record", "replay", "none", "once", "new", "all"]


class Cassette(Protocol):
    """A cassette in use."""

    @property
    def misses(self) -> list[CassetteMissError]:
        """What it was asked for and had no answer to."""

    @property
    def held(self) -> int:
        """How many exchanges it holds."""

    @property
    def recorded(self) -> int:
        """How many of them are new."""

    def list_unplayed(self) -> list[str]:
        """Return method and address of what was recorded before and has not been played."""


@dataclass(frozen=True, slots=True)
class Way:
    """What a mode means.

    Attributes:
        plays: recorded answers are given.
        records: what is not played is sent, and its answer kept; without it, it is a miss.
        repeats: the last answer to a request is given again when all were played.
        drops: what was recorded before goes when something new is kept.
        needs_content: a cassette without an exchange is an error from the start.
    """

    plays: bool = False
    records: bool = False
    repeats: bool = False
    drops: bool = False
    needs_content: bool = False


WAYS: dict[CassetteMode, Way] = {
    "record": Way(records=True),
    "replay": Way(plays=True, repeats=True, needs_content=True),
    "none": Way(plays=True),
    "once": Way(records=True),  # "none" as soon as there is a cassette
    "new": Way(plays=True, records=True),
    "all": Way(records=True, drops=True),
}


def use_cassette(
    file: Path, mode: CassetteMode, *, secrets: Iterable[str] = (), save_every_s: float | None = None
) -> AbstractContextManager[Cassette]:
    """Put a cassette between every HTTP client of this process that speaks httpx2, as both SDKs do, and the network.

    Args:
        file: the cassette, YAML as vcrpy writes it.
        mode: "record" sends everything and adds the answers to the file. "replay" gives recorded answers, in their
            order, the last of them again and again. For tests: "none" gives each answer once; "once" records if there
            is no cassette yet and is else like "none"; "new" records what is not there; "all" records everything anew.
        secrets: values that must not stand in the file, beside those that the requests' own headers hold.
        save_every_s: write what is new so often while recording; None writes it at the end alone.

    Raises:
        ConfigurationError: the file cannot be read or written, or is no cassette.
        CassetteMissError: not here, but by the HTTP client: what was asked for is not recorded, and nothing is sent.
    """
    run: Callable[..., AbstractContextManager[Cassette]] = pkgutil.resolve_name(
        "llm_router.cassettes.session:run_cassette"
    )
    return run(file, mode, secrets=secrets, save_every_s=save_every_s)
