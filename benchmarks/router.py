"""Our router against the bare SDK and, where it is installed, `litellm.Router`: CPU, latency, first token, memory.

All of them make the same call of the same local provider, each in a process of its own that measures itself. Blocks of
calls take turns. Drained blocks count also what is left to the background; interleaved ones change hands every few
calls, so that what else the machine does meets all alike.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import numpy as np

from benchmarks.blocks import divide, median_difference, slope, spread, take_turns
from benchmarks.contenders.__main__ import Took
from benchmarks.contest import Block, Process, contending, find_litellm, install_litellm, serving
from benchmarks.figures import Figure

BARE, BARE_JSON = "bare", "bare_json"
OURS = ("ours", "ours_watched")
LITELLM = "litellm_router"
TITLES = {
    BARE: "AsyncOpenAI",
    BARE_JSON: "AsyncOpenAI, plain JSON",
    "ours": "router",
    "ours_watched": "router with metrics",
    LITELLM: "litellm.Router",
}

ROUNDS = 7
WARMUP_CALLS = 320
DRAINED_CALLS = 192
INTERLEAVED_TURNS = {1: 48, 32: 6}
DRAIN_S = 0.5

MEMORY_CALLS = 100_000
MEMORY_SAMPLE = 5_000
MEMORY_WARMUP = 20_000

CPU_AIM = "≤ 1.25"
FIRST_PIECE_AIM = "≤ 1"


@dataclass(slots=True)
class Rounds:
    """What one contender took, round by round.

    Attributes:
        cpu_s: a call.
        p50_s: of the calls of a round.
        first_s: of every call of a round, until the first piece of text.
    """

    cpu_s: list[float] = field(default_factory=list)
    p50_s: list[float] = field(default_factory=list)
    p95_s: list[float] = field(default_factory=list)
    first_s: list[list[float]] = field(default_factory=list)

    def add(self, blocks: list[Took]) -> None:
        """Take in the blocks of a round."""
        seconds = [each for block in blocks for each in block.seconds]
        self.cpu_s.append(sum(block.cpu_s for block in blocks) / len(seconds))
        self.p50_s.append(float(np.median(seconds)))
        self.p95_s.append(float(np.percentile(seconds, 95)))
        self.first_s.append([each for block in blocks for each in block.first_s])


@dataclass(frozen=True, slots=True)
class Shape:
    """How calls are made."""

    streamed: bool
    at_once: int

    @property
    def name(self) -> str:
        """As the figures name it."""
        return f"{'stream' if self.streamed else 'ask'}, {self.at_once} at once"


SHAPES = tuple(Shape(streamed, at_once) for streamed in (False, True) for at_once in (1, 32))


async def measure(*, litellm: bool = False, memory: bool = False) -> AsyncIterator[Figure]:
    """Compare.

    Args:
        litellm: install it into an environment of its own, unless that is there already.
        memory: make 100,000 calls more, and watch how much memory our router holds; takes minutes.
    """
    python = await install_litellm() if litellm else find_litellm()
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(serving())
        names = (BARE, BARE_JSON, *OURS)
        contenders = {name: await stack.enter_async_context(contending(name, address)) for name in names}
        if python is not None:
            contenders[LITELLM] = await stack.enter_async_context(contending(LITELLM, address, python))
        for shape in SHAPES:
            for process in contenders.values():
                await process.run(Block(WARMUP_CALLS, shape.at_once, shape.streamed))
            for figure in _tell_drained(shape, await _run_drained(contenders, shape)):
                yield figure
            for figure in _tell_interleaved(shape, await _run_interleaved(contenders, shape)):
                yield figure
    if memory:
        async for figure in measure_memory():
            yield figure


async def measure_memory() -> AsyncIterator[Figure]:
    """Make many calls, whole and streamed, and tell how the memory of their process grew."""
    calls: list[float] = []
    held_mib: list[float] = []
    async with serving() as address, contending(OURS[-1], address) as process:
        for made in range(0, MEMORY_CALLS, MEMORY_SAMPLE):
            for streamed in (False, True):
                await process.run(Block(MEMORY_SAMPLE // 2, 10, streamed))
            calls.append(made + MEMORY_SAMPLE)
            held_mib.append(process.resident_bytes() / 2**20)
    warm = calls.index(MEMORY_WARMUP)
    yield Figure(f"memory after {MEMORY_WARMUP:,} calls", held_mib[warm], "MiB")
    yield Figure(f"memory after {MEMORY_CALLS:,} calls", held_mib[-1], "MiB")
    yield Figure("its growth between them", held_mib[-1] - held_mib[warm], "MiB", "about 0")
    yield Figure("its slope between them", slope(calls[warm:], held_mib[warm:]) * 2**20, "bytes a call", "about 0")


async def _run_drained(contenders: Mapping[str, Process], shape: Shape) -> dict[str, Rounds]:
    block = Block(DRAINED_CALLS, shape.at_once, shape.streamed, DRAIN_S)
    return await _run_rounds(contenders, block, turns=1)


async def _run_interleaved(contenders: Mapping[str, Process], shape: Shape) -> dict[str, Rounds]:
    block = Block(shape.at_once, shape.at_once, shape.streamed)
    return await _run_rounds(contenders, block, turns=INTERLEAVED_TURNS[shape.at_once])


async def _run_rounds(contenders: Mapping[str, Process], block: Block, turns: int) -> dict[str, Rounds]:
    """Let all run the block so many times a round, one after another and each time in another order."""
    rounds = {name: Rounds() for name in contenders}
    for number in range(ROUNDS):
        took: dict[str, list[Took]] = {name: [] for name in contenders}
        for turn in range(turns):
            for name in take_turns([*contenders], number * turns + turn):
                took[name].append(await contenders[name].run(block))
        for name, blocks in took.items():
            rounds[name].add(blocks)
    return rounds


def _tell_drained(shape: Shape, rounds: Mapping[str, Rounds]) -> Iterator[Figure]:
    bare = rounds[BARE]
    for name, each in rounds.items():
        title = f"{shape.name}: {TITLES[name]}"
        yield spread(f"{title}, CPU a call", _scale(each.cpu_s, 1e6), "µs")
        yield spread(f"{title}, p50", _scale(each.p50_s, 1e3), "ms")
        yield spread(f"{title}, p95", _scale(each.p95_s, 1e3), "ms")
        if name != BARE:
            aim = CPU_AIM if name in OURS else ""
            yield spread(f"{title}, CPU to bare", divide(each.cpu_s, bare.cpu_s), "×", aim)
            yield spread(f"{title}, p50 to bare", divide(each.p50_s, bare.p50_s), "×")


def _tell_interleaved(shape: Shape, rounds: Mapping[str, Rounds]) -> Iterator[Figure]:
    bare = rounds[BARE]
    for name, each in rounds.items():
        if name == BARE:
            continue
        title = f"{shape.name}, interleaved: {TITLES[name]}"
        yield spread(f"{title}, CPU to bare", divide(each.cpu_s, bare.cpu_s), "×", CPU_AIM if name in OURS else "")
        yield spread(f"{title}, p50 to bare", divide(each.p50_s, bare.p50_s), "×")
        if shape.streamed:
            later = map(median_difference, each.first_s, bare.first_s)
            aim = FIRST_PIECE_AIM if name in OURS else ""
            yield spread(f"{title}, first token later by", _scale([*later], 1e3), "ms", aim)


def _scale(values: list[float], factor: float) -> list[float]:
    return [value * factor for value in values]
