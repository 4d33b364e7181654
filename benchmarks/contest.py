"""The processes of a comparison: a provider that answers at once, and one process for each contender."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import platformdirs
import psutil

from benchmarks.contenders.__main__ import Took

ROOT = Path(__file__).resolve().parents[1]
LITELLM = "1.106.2"
LONGEST_LINE = 2**24  # of a block's figures, in bytes


@dataclass(frozen=True, slots=True)
class Block:
    """So many calls, so many of them at once.

    Attributes:
        drain_s: waited after the last one, so that what was left to the background counts too.
    """

    calls: int
    at_once: int
    streamed: bool
    drain_s: float = 0.0


class Process:
    """A contender in a process of its own, which measures itself."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def run(self, block: Block) -> Took:
        """Return what a block of calls took.

        Raises:
            RuntimeError: the contender gave up; why stands on standard error.
        """
        if self._process.stdin is None:
            raise RuntimeError("a contender must be spoken to")
        asked = {name: getattr(block, name) for name in Block.__slots__}
        self._process.stdin.write(json.dumps(asked).encode() + b"\n")
        return Took(**json.loads(await read_line(self._process)))

    def resident_bytes(self) -> int:
        """Return how much memory the process holds."""
        return int(psutil.Process(self._process.pid).memory_info().rss)


@asynccontextmanager
async def serving() -> AsyncIterator[str]:
    """Yield the address of a provider that answers at once."""
    async with _running(sys.executable, "benchmarks.chat_server") as process:
        port = int(await read_line(process))
        yield f"http://127.0.0.1:{port}"


@asynccontextmanager
async def contending(name: str, address: str, python: str = sys.executable) -> AsyncIterator[Process]:
    """Yield a contender that is ready.

    Args:
        name: of its module.
        address: of the provider.
        python: the interpreter of its environment.
    """
    async with _running(python, "benchmarks.contenders", name, address) as process:
        await read_line(process)
        yield Process(process)


async def read_line(process: asyncio.subprocess.Process) -> str:
    """Return the next line that a process prints.

    Raises:
        RuntimeError: it has ended.
    """
    line = b"" if process.stdout is None else await process.stdout.readline()
    if not line:
        raise RuntimeError(f"a process of the comparison ended with code {await process.wait()}")
    return line.decode()


def litellm_folder() -> Path:
    """Return where litellm's environment is kept."""
    return platformdirs.user_cache_path("crystal-lattice") / f"litellm-{LITELLM}"


def find_litellm() -> str | None:
    """Return the interpreter of litellm's environment; None if there is none."""
    folder = litellm_folder()
    return str(_python_of(folder)) if _mark_of(folder).exists() else None


async def install_litellm() -> str:
    """Make litellm's environment unless it is there, and return its interpreter.

    Raises:
        RuntimeError: it could not be installed; why stands on standard error.
    """
    if found := find_litellm():
        return found
    folder = litellm_folder()
    python = str(_python_of(folder))
    print(f"installing litellm {LITELLM} into {folder} …", file=sys.stderr)
    pip = (python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--only-binary", ":all:")
    for command in ((sys.executable, "-m", "venv", "--clear", str(folder)), (*pip, f"litellm=={LITELLM}")):
        await _run_to_end(command)
    _mark_of(folder).touch()
    return python


async def _run_to_end(command: Sequence[str]) -> None:
    process = await asyncio.create_subprocess_exec(*command, stdout=sys.stderr)
    if code := await process.wait():
        raise RuntimeError(f"{' '.join(command)} ended with code {code}")


def _python_of(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _mark_of(folder: Path) -> Path:
    return folder / ".installed"  # the last thing that is made, so that half an environment is none


@asynccontextmanager
async def _running(python: str, module: str, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a module until its standard input ends."""
    process = await asyncio.create_subprocess_exec(
        python,
        *("-m", module, *arguments),
        cwd=ROOT,
        env={**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},  # else it asks the network for prices
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=LONGEST_LINE,
    )
    try:
        yield process
    finally:
        process.terminate()
        await process.wait()
