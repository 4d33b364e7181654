"""What a row of the fault table says: what a target does, and what the router must make of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Literal

from llm_router import Clocks, FaultKind
from tests.wire import anthropic_messages, openai_chat
from tests.wire.stub import Response

Wire = Literal["openai", "anthropic"]
Mode = Literal["whole", "stream"]
SetUp = Literal["alone", "other_key", "same_key", "same_model", "other_wire"]
"""What stands behind the target that fails: nothing, or a second one with another key and another model, with the same
key and another model, with another key and the same model, or with another wire and key."""

Door = Literal["open", "refusing", "overrun", "no_tls"]
"""How the failing target's address takes a connection; `no_tls` is greeted in TLS and knows none."""

Clock = Literal["connect_s", "first_token_s", "gap_s", "total_s"]

WIRES: dict[Wire, ModuleType] = {"openai": openai_chat, "anthropic": anthropic_messages}
MODES: tuple[Mode, ...] = ("whole", "stream")

PATIENT = Clocks(connect_s=5.0, first_token_s=5.0, gap_s=5.0, total_s=10.0)
HASTE_S = 0.25


@dataclass(frozen=True, slots=True)
class Course:
    """How a call goes on, by set-up: how often the failing target is asked and how often the second one.

    Attributes:
        error: what the caller gets when the second one is not asked.
    """

    calls: Mapping[SetUp, tuple[int, int]]
    error: Literal["all_targets_failed", "stream_broken"] = "all_targets_failed"


ANSWERS = Course({"alone": (1, 0), "other_key": (1, 0)})
PERSISTS = Course({"alone": (3, 0), "other_key": (3, 1)})
MOVES_ON = Course({"alone": (1, 0), "other_key": (1, 1)})
BREAKS_OFF = Course({"alone": (1, 0), "other_key": (1, 0)}, "stream_broken")
SPARES = Course({"alone": (3, 0), "other_key": (1, 1)})
"""Another quota is asked at once; without one, the wait is worth it."""
SPARES_KEY = Course({**SPARES.calls, "same_key": (3, 1), "same_model": (1, 1), "other_wire": (1, 1)})
DROPS_TARGET = Course({**MOVES_ON.calls, "same_key": (1, 1), "same_model": (1, 1)})
DROPS_KEY = Course({**MOVES_ON.calls, "same_key": (1, 0), "same_model": (1, 1), "other_wire": (1, 1)})
DROPS_MODEL = Course({**MOVES_ON.calls, "same_key": (1, 1), "same_model": (1, 0), "other_wire": (1, 1)})
DROPS_WIRE = Course(
    {"alone": (1, 0), "other_key": (1, 0), "same_key": (1, 0), "same_model": (1, 0), "other_wire": (1, 1)}
)


@dataclass(frozen=True, slots=True)
class Case:
    """What the failing target does on one wire in one mode, and what is recorded of it.

    Attributes:
        kind: of each attempt at it; None if it answers after all.
        status: of HTTP, where it tells of the fault.
    """

    response: Response
    kind: FaultKind | None
    course: Course
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the table.

    Attributes:
        clock: the one that must fire, and is short; of a whole answer only the total is kept, beside the connection's.
        floor_s: between two requests to the failing target; as it asked with Retry-After.
    """

    what: str
    cases: Mapping[tuple[Wire, Mode], Case]
    door: Door = "open"
    clock: Clock | None = None
    floor_s: float = 0.0

    def clocks(self, mode: Mode) -> Clocks:
        """Return the clocks of the failing target."""
        if self.clock is None:
            return PATIENT
        fires = self.clock if mode == "stream" or self.clock == "connect_s" else "total_s"
        return replace(PATIENT, **{fires: HASTE_S})


Make = Callable[[Wire], Case]
"""The case of one wire."""


def fault(
    what: str,
    *,
    both: Make | None = None,
    whole: Make | None = None,
    stream: Make | None = None,
    door: Door = "open",
    clock: Clock | None = None,
    floor_s: float = 0.0,
) -> Fault:
    """Return a row with a case for each wire, and for both modes or one."""
    makes: dict[Mode, Make | None] = {"whole": whole or both, "stream": stream or both}
    cases = {(wire, mode): make(wire) for wire in WIRES for mode, make in makes.items() if make is not None}
    return Fault(what, cases, door, clock, floor_s)
