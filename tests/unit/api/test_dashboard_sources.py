"""The page's modules parse, find each other, and keep to the rules that its policy rests on."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.dashboard.bundle import FOLDER

MODULES = sorted((FOLDER / "js").rglob("*.js"))
STYLES = sorted((FOLDER / "css").glob("*.css"))
LINES = 300
IMPORT = re.compile(
    r"""^(?:import|export)\b[^;"']*?from\s+["']([^"']+)["']|\bimport\(\s*["'`]([^"'`$]+)["'`]\)""", re.MULTILINE
)
NAMES = re.compile(r"""^import\s+\{([^}]*)\}\s+from\s+["']([^"']+)["']""", re.MULTILINE)
# text would become code or markup
FORBIDDEN = re.compile(
    r"\b(?:innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval|Function)\b\s*[=(]|setAttribute\(\"style\""
)


def named(path: Path) -> str:
    return path.relative_to(FOLDER).as_posix()


def imports(path: Path) -> Iterator[Path]:
    for static, dynamic in IMPORT.findall(path.read_text("utf-8")):
        yield (path.parent / (static or dynamic)).resolve()


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not here to parse the modules")
def test_every_module_parses(tmp_path: Path) -> None:
    # --check takes a file for a module by its name
    for path in MODULES:
        copy = tmp_path / named(path).replace("/", "__").replace(".js", ".mjs")
        shutil.copyfile(path, copy)
    command = ["node", "--input-type=module", "--eval", CHECK, *map(str, sorted(tmp_path.iterdir()))]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


CHECK = """
import { spawnSync } from "node:child_process";
for (const path of process.argv.slice(1)) {
  const { status, stderr } = spawnSync(process.execPath, ["--check", path], { encoding: "utf8" });
  if (status !== 0) { console.error(stderr); process.exitCode = 1; }
}
"""


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_a_module_keeps_to_the_rules(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not FORBIDDEN.findall(text)
    assert len(text.splitlines()) <= LINES
    assert text.startswith(("//", "/*")), "a module begins by saying what it is"
    missing = [str(found) for found in imports(path) if not found.is_file() and "assets" not in found.parts]
    assert missing == []


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_a_module_imports_what_the_other_one_exports_and_uses_it(path: Path) -> None:
    text = path.read_text("utf-8")
    body = NAMES.sub("", text)
    for names, source in NAMES.findall(text):
        other = (path.parent / source).read_text("utf-8")
        for name in (each.strip() for each in names.strip().rstrip(",").split(",")):
            theirs, _, ours = name.partition(" as ")
            made = rf"export (?:async )?(?:function|const|class|let) {theirs}\b"
            assert re.search(rf"{made}|export \{{[^}}]*\b{theirs}\b", other), f"{source} exports no {theirs}"
            assert re.search(rf"\b{ours or theirs}\b", body), f"{ours or theirs} is not used"


def test_styles_use_colours_that_are_defined() -> None:
    text = "\n".join(path.read_text("utf-8") for path in STYLES)
    used = set(re.findall(r"var\((--[\w-]+)", text))
    defined = set(re.findall(r"(--[\w-]+)\s*:", text))
    assert {name for name in used - defined if not name.startswith("--pico-")} == set()
    modules = "\n".join(path.read_text("utf-8") for path in MODULES)
    colours = set(re.findall(r"colour: \"(\w+)\"", modules))
    assert {name for name in colours if f"--c-{name}" not in defined and f"--{name}" not in defined} == set()


def test_numbers_only_in_variables_are_colours() -> None:
    """Colours stand in base.css, so that both themes have them."""
    for path in STYLES:
        if path.name in {"base.css", "missing.css"}:
            continue
        plain = re.sub(r"light-dark\([^;]*;|rgb\([^)]*\)", "", path.read_text("utf-8"))
        assert not re.findall(r"#[0-9a-fA-F]{3,8}\b(?=\s*[;,)])", plain), path.name
