"""The size gate: no long file, no long function, and most functions short.

Run as `python -m scripts.check_size`. A file over 300 lines or a function over 60 passes only with its reason on its
first line, `# size: reason`, and no file passes over 400. Schema migrations are history and are not measured.
"""

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILE_LINES = 300
FILE_LINES_WITH_REASON = 400
FUNCTION_LINES = 60
FUNCTION_LINES_P90 = 30
REASON = re.compile(r"#\s*size:\s*\S")


@dataclass(frozen=True, slots=True)
class Function:
    """Where a function stands and how many lines it takes, from `def` to its last one."""

    path: Path
    line: int
    name: str
    lines: int
    is_excused: bool


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file's length in lines, and its functions."""

    path: Path
    lines: int
    is_excused: bool
    functions: tuple[Function, ...]


def list_sources(root: Path) -> Iterator[Path]:
    """List the Python files under a folder, without hidden folders and schema migrations."""
    for entry in sorted(root.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from (path for path in sorted(entry.rglob("*.py")) if path.parent != root / "migrations/versions")
        elif entry.suffix == ".py":
            yield entry


def measure(path: Path) -> SourceFile:
    """Measure one file and every function in it, nested ones too."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    functions = tuple(
        Function(path, node.lineno, node.name, _last_line(node) - node.lineno + 1, _is_excused(lines[node.lineno - 1]))
        for node in ast.walk(ast.parse(text, str(path)))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return SourceFile(path, len(lines), bool(lines) and _is_excused(lines[0]), functions)


def find_problems(files: Iterable[SourceFile]) -> list[str]:
    """Say what is too long, one line a finding; none if all is well."""
    files = list(files)
    problems: list[str] = []
    for file in files:
        limit = FILE_LINES_WITH_REASON if file.is_excused else FILE_LINES
        if file.lines > limit:
            problems.append(f"{file.path}:1: {file.lines} lines, at most {limit}")
    functions = [function for file in files for function in file.functions]
    problems += [
        f"{f.path}:{f.line}: {f.name} has {f.lines} lines, at most {FUNCTION_LINES}"
        for f in functions
        if f.lines > FUNCTION_LINES and not f.is_excused
    ]
    if (p90 := ninetieth_percentile([function.lines for function in functions])) > FUNCTION_LINES_P90:
        problems.append(f"one function in ten has {p90} lines or more, at most {FUNCTION_LINES_P90}")
    return problems


def ninetieth_percentile(lengths: list[int]) -> int:
    """Return the smallest length that nine in ten do not exceed; 0 of none."""
    return sorted(lengths)[-(-len(lengths) * 9 // 10) - 1] if lengths else 0


def _last_line(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return node.end_lineno or node.lineno


def _is_excused(line: str) -> bool:
    return REASON.search(line) is not None


def main(root: Path = ROOT) -> int:
    """Print the findings, or the sizes if there are none; return the exit code."""
    files = [measure(path) for path in list_sources(root)]
    problems = find_problems(files)
    print(*problems, sep="\n", end="\n" if problems else "")
    lengths = [function.lines for file in files for function in file.functions]
    longest = max((file.lines for file in files), default=0)
    print(
        f"size gate: {len(files)} files, the longest {longest} lines; {len(lengths)} functions, "
        f"90% within {ninetieth_percentile(lengths)} lines, the longest {max(lengths, default=0)}"
    )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
