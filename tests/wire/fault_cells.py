"""One cell of the fault table: a fault on a wire, in a mode, in a set-up; what was expected of it and what was seen."""

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import get_args
from unittest.mock import patch

from llm_router import ModelConfig, Prompt, Router, RouterConfig, TargetConfig, build_router
from tests.wire.fault_case import MODES, PATIENT, WIRES, Case, Fault, Mode, SetUp, Wire
from tests.wire.faults import BEGUN, FIRST_TEXT
from tests.wire.hearing import Hearing, Recorded
from tests.wire.stub import Response, Stub, overrun, refusing, serving

FIRST, SECOND = "first", "second"
SECOND_TEXT = "In 2020."
TEXTS = {FIRST: FIRST_TEXT, SECOND: SECOND_TEXT}
KEY = "sk-first-0123456789"
OTHER_KEY = "sk-second-0123456789"
PROMPT = Prompt("Answer.", "When did Ada move to Turin?", (), 64)
CELLS_AT_ONCE = 32  # more would keep one another from the processor, and fire clocks that should not
HANGING_S = 30.0
NO_AUTHORITIES = {"SSL_CERT_FILE": "", "SSL_CERT_DIR": os.curdir}
"""Nobody here speaks TLS, and reading all certificate authorities for each client takes longer than all else."""
PATHS: dict[Wire, str] = {"openai": "/v1", "anthropic": ""}
SET_UPS: tuple[SetUp, ...] = get_args(SetUp)


@dataclass(frozen=True, slots=True)
class Cell:
    """A fault on a wire, in a mode, in a set-up."""

    fault: Fault
    wire: Wire
    mode: Mode
    set_up: SetUp

    @property
    def column(self) -> tuple[Wire, Mode]:
        """Where it stands in the table."""
        return self.wire, self.mode

    @property
    def case(self) -> Case:
        """What the data say of it."""
        return self.fault.cases[self.column]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended.

    Attributes:
        end: the name of the target that answered, or the code of the error.
        calls: requests that came to the failing target and to the second one.
    """

    end: str
    calls: tuple[int, int]
    attempts: tuple[Recorded, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """A cell, run.

    Attributes:
        flaws: what else was wrong, each in one phrase.
    """

    cell: Cell
    expected: Outcome
    seen: Outcome
    flaws: tuple[str, ...]

    @property
    def is_as_expected(self) -> bool:
        """Whether nothing differs."""
        return self.seen == self.expected and not self.flaws


def list_cells(faults: Iterable[Fault], set_ups: Sequence[SetUp] = SET_UPS) -> list[Cell]:
    """Return the cells of these faults, by set-up."""
    return [
        Cell(fault, wire, mode, set_up)
        for set_up in set_ups
        for fault in faults
        for wire in WIRES
        for mode in MODES
        if (case := fault.cases.get((wire, mode))) is not None and set_up in case.course.calls
    ]


async def run_cells(cells: Iterable[Cell]) -> list[Result]:
    """Run cells, a bounded number at once.

    Cells with a short clock come last: by then, what the SDKs load at their first call is there.
    """
    in_order = sorted(cells, key=lambda cell: cell.fault.clock is not None)
    results: list[Result] = []
    for start in range(0, len(in_order), CELLS_AT_ONCE):
        async with AsyncExitStack() as stack:
            some = in_order[start : start + CELLS_AT_ONCE]
            trials = [await stack.enter_async_context(preparing(cell)) for cell in some]
            with _holding_garbage():
                results += await asyncio.gather(*(trial.run() for trial in trials))
    return results


@contextmanager
def _holding_garbage() -> Iterator[None]:
    """Collect no garbage: to go through all that the SDKs have loaded takes as long as a short clock."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def expect(cell: Cell) -> Outcome:
    """Return what the data say of a cell."""
    case = cell.case
    first, second = case.course.calls[cell.set_up]
    attempts = [Recorded(FIRST, case.kind, case.status)] * first + [Recorded(SECOND, None, None)] * second
    end = FIRST if case.kind is None else SECOND if second else case.course.error
    is_reached = cell.fault.door == "open"
    return Outcome(end, (first if is_reached else 0, second), tuple(attempts))


@dataclass(frozen=True, slots=True)
class Trial:
    """A cell, ready to run.

    Attributes:
        failing: None where its address leads nowhere.
    """

    cell: Cell
    router: Router
    config: RouterConfig
    failing: Stub | None
    second: Stub | None

    async def run(self) -> Result:
        """Make the call and return what came of it."""
        hearing = Hearing()
        try:
            async with asyncio.timeout(HANGING_S):
                await hearing.listen(self.router, PROMPT, streamed=self.cell.mode == "stream")
                flaws = [flaw async for flaw in self._find_leftovers()]
        except TimeoutError:
            flaws = ["it hung"]
        flaws += hearing.find_flaws(TEXTS, BEGUN)
        flaws += self._find_charges(hearing)
        flaws += self._find_hurry()
        seen = Outcome(hearing.end, (self._count(FIRST), self._count(SECOND)), hearing.recorded())
        return Result(self.cell, expect(self.cell), seen, tuple(flaws))

    async def _find_leftovers(self) -> AsyncIterator[str]:
        """Yield the targets whose answer is still under way though the call is over."""
        for name, stub in ((FIRST, self.failing), (SECOND, self.second)):
            try:
                async with asyncio.timeout(20.0):
                    await (stub.is_idle.wait() if stub else asyncio.sleep(0))
            except TimeoutError:
                yield f"the connection to {name} was left open"

        if any(route.health.busy for route in self.router.routes):
            yield "a target still counts as busy"

    def _find_charges(self, hearing: Hearing) -> Iterator[str]:
        """Yield whether an attempt is charged that never reached the target."""
        charges = [each["usage"] for each in hearing.attempts() if each["target"] == FIRST]
        if self.cell.fault.door != "open" and any(isinstance(each, dict) and any(each.values()) for each in charges):
            yield "what was never sent was charged"

    def _find_hurry(self) -> Iterator[str]:
        asked = [each.at_s for each in self.failing.asked] if self.failing and self.cell.set_up == "alone" else []
        gaps = [after - before for before, after in pairwise(asked)]
        if any(gap < self.cell.fault.floor_s - 0.001 for gap in gaps):
            yield f"asked again after {min(gaps):.2f} s"

    def _count(self, name: str) -> int:
        stub = self.failing if name == FIRST else self.second
        model = next((target.model for target in self.config.targets if target.name == name), None)
        return sum(each.body.get("model") == model for each in stub.asked) if stub else 0


@asynccontextmanager
async def preparing(cell: Cell) -> AsyncIterator[Trial]:
    """Open the servers and the router of a cell."""
    second_wire = _other(cell.wire) if cell.set_up == "other_wire" else cell.wire
    healthy = _healthy(second_wire, cell.mode)
    shared = {"model-2": healthy} if cell.set_up == "same_key" else {}
    async with AsyncExitStack() as stack:
        failing, address = await _open_failing(stack, cell, shared)
        first = TargetConfig(
            FIRST, cell.wire, "model-1", address + PATHS[cell.wire], KEY, clocks=cell.fault.clocks(cell.mode)
        )
        targets, second = [first], None
        if cell.set_up == "same_key":
            second = failing
            targets.append(TargetConfig(SECOND, cell.wire, "model-2", first.base_url, KEY, clocks=PATIENT))
        elif cell.set_up != "alone":
            second = await stack.enter_async_context(serving(healthy))
            model = "model-1" if cell.set_up == "same_model" else "model-2"
            path = second.address + PATHS[second_wire]
            targets.append(TargetConfig(SECOND, second_wire, model, path, OTHER_KEY, clocks=PATIENT))
        names = tuple(target.name for target in targets)
        config = RouterConfig(
            tuple(targets), (ModelConfig("default", names, extractive=False),), deadline_s=20.0, backoff_initial_s=0.0
        )
        with patch.dict(os.environ, NO_AUTHORITIES):
            router = build_router(config, None)
        stack.push_async_callback(router.aclose)
        yield Trial(cell, router, config, failing, second)


async def _open_failing(stack: AsyncExitStack, cell: Cell, by_model: dict[str, Response]) -> tuple[Stub | None, str]:
    if cell.fault.door == "refusing":
        return None, stack.enter_context(refusing())
    if cell.fault.door == "overrun":
        return None, stack.enter_context(overrun())
    stub = await stack.enter_async_context(serving(cell.case.response, by_model=by_model))
    return stub, stub.address.replace("http:", "https:") if cell.fault.door == "no_tls" else stub.address


def _other(wire: Wire) -> Wire:
    return "anthropic" if wire == "openai" else "openai"


def _healthy(wire: Wire, mode: Mode) -> Response:
    words = WIRES[wire]
    answer: Response = words.whole(SECOND_TEXT) if mode == "whole" else words.streamed("In ", "2020", ".")
    return answer
