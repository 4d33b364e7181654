"""The command line as its users have it: a process, its two streams and its exit code."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
COMMAND = (sys.executable, "-m", "api.cli")


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
    """Runs `lattice` with its own settings and none of whoever runs the tests."""

    settings: Mapping[str, str]

    @property
    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("LATTICE_")}
        return {**inherited, **self.settings, "COLUMNS": "80"}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments: str, given: str = "") -> Finished:
        done = subprocess.run(
            [*COMMAND, *arguments],
            cwd=ROOT,
            env=self.environment,
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return Finished(done.returncode, done.stdout, done.stderr)
