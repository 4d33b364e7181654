"""`python -m benchmarks.contenders NAME ADDRESS`: makes blocks of calls and measures itself.

A line of standard input describes a block, a line of standard output tells what it took; the end of the input ends it.
"""

import asyncio
import importlib
import json
import os
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import TextIO

from benchmarks.contenders.conversation import TEXT, Contender


@dataclass(frozen=True, slots=True)
class Took:
    """What a block took, in seconds.

    Attributes:
        cpu_s: of this process, all threads, the drain included.
        seconds: of each call.
        first_s: of each streamed call, until the first piece of text.
    """

    cpu_s: float = 0.0
    seconds: list[float] = field(default_factory=list)
    first_s: list[float] = field(default_factory=list)


async def run_block(contender: Contender, *, calls: int, at_once: int, streamed: bool, drain_s: float) -> Took:
    """Make so many calls, so many of them at once; then wait for what they left to be done.

    Raises:
        ValueError: an answer was not the one that was sent.
    """
    seconds: list[float] = []
    first_s: list[float] = []

    async def call(count: int) -> None:
        for _ in range(count):
            started = time.perf_counter()
            if streamed:
                heard = await contender.stream()
                text = heard.text
                first_s.append(heard.first_at_s - started)
            else:
                text = await contender.ask()
            seconds.append(time.perf_counter() - started)
            if text != TEXT:
                raise ValueError(f"the answer was {text!r}")

    cpu_s = time.process_time()
    await asyncio.gather(*(call(calls // at_once) for _ in range(at_once)))
    if drain_s:
        await asyncio.sleep(drain_s)
    return Took(time.process_time() - cpu_s, seconds, first_s)


async def contend(name: str, address: str, out: TextIO) -> None:
    """Do one block after another until there are no more."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    contender: Contender = importlib.import_module(f"benchmarks.contenders.{name}").build(address)
    print("{}", file=out, flush=True)
    while line := await reader.readline():
        took = await run_block(contender, **json.loads(line))
        print(json.dumps(asdict(took)), file=out, flush=True)
    await contender.aclose()


def main() -> None:
    """Keep standard output for the figures: what a contender prints goes to standard error."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    asyncio.run(contend(sys.argv[1], sys.argv[2], out))


if __name__ == "__main__":
    main()
