"""The command line as its users have it: arguments and settings in, two streams and an exit code out."""

import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import structlog
from typer.main import get_command

from api.cli.program import run_program
from core.log import CHATTY, TELLING

ROOT = Path(__file__).resolve().parents[3]
COMMAND = (sys.executable, "-m", "api.cli")
MADE_ONCE = cache(get_command)  # the tree of all commands, which is half of what a call takes


@dataclass(frozen=True, slots=True)
class Finished:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        return json.loads(self.err.splitlines()[-1])


@dataclass(frozen=True, slots=True)
class Lattice:
    """Runs `lattice` with its own settings and none of whoever runs the tests.

    A call runs a command within this process, which spares it the second that its imports take; `start` and `run_apart`
    give it a process of its own, where that is what is tested: signals, pipes, a start from nothing.
    """

    settings: Mapping[str, str]

    @property
    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("LATTICE_")}
        return {**inherited, **self.settings, "COLUMNS": "80"}

    def __call__(self, *arguments: str, given: str = "") -> Finished:
        out, err = _open_stream(), _open_stream()
        with (
            patch.dict(os.environ, self.environment, clear=True),
            patch("api.cli.program.get_command", MADE_ONCE),
            patch.object(sys, "stdin", _open_stream(given)),
            redirect_stdout(out),
            redirect_stderr(err),
            _logs_kept(),
        ):
            code = run_program(arguments)
        return Finished(code, _read(out), _read(err))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run_apart(self, *arguments: str, given: str = "") -> Finished:
        done = subprocess.run(
            [*COMMAND, *arguments],
            cwd=ROOT,
            env=self.environment,
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        return Finished(done.returncode, done.stdout, done.stderr)


def _open_stream(text: str = "") -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(text.encode()), "utf-8", errors="replace", write_through=True)


def _read(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


@contextmanager
def _logs_kept() -> Iterator[None]:
    """Put the logs of the tests back as they were: a command sets those of its process."""
    root = logging.getLogger()
    handlers, configuration = root.handlers[:], structlog.get_config()
    levels = {each: each.level for each in (root, *map(logging.getLogger, (*CHATTY, *TELLING)))}
    try:
        yield
    finally:
        root.handlers[:] = handlers
        structlog.configure(**configuration)
        for logger, level in levels.items():
            logger.setLevel(level)
