import subprocess
import sys
from pathlib import Path

import llm_router

ROOT = Path(__file__).resolve().parents[3]


def test_the_door_is_sorted_and_whole() -> None:
    assert all(hasattr(llm_router, name) for name in llm_router.__all__)


def test_the_door_loads_no_sdk() -> None:
    script = "import sys, llm_router; print(*{'openai', 'anthropic', 'httpx2', 'vcr'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not done.stdout.strip()
