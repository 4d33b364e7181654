import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
READ = "import asyncio, knowledge; asyncio.run(knowledge.load_local().embed(['a harbour']))"


def test_reading_leaves_no_reports_behind(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CI", "ORT_", "XDG_"))}
    subprocess.run([sys.executable, "-c", READ], cwd=ROOT, env={**kept, "HOME": str(tmp_path)}, check=True)
    assert not list(tmp_path.rglob("*"))
