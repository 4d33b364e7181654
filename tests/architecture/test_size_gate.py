"""The size gate finds what it is there to find."""

from pathlib import Path

import pytest

from scripts.check_size import find_problems, list_sources, main, measure, ninetieth_percentile


def function(name: str, lines: int, comment: str = "") -> str:
    return f"def {name}():{comment}\n" + "    pass\n" * (lines - 1)


def problems_of(tmp_path: Path, text: str) -> list[str]:
    (tmp_path / "planted.py").write_text(text)
    short = "".join(function(f"short_{n}", 2) for n in range(20))
    (tmp_path / "short.py").write_text(short)
    return [line.removeprefix(f"{tmp_path}/") for line in find_problems(map(measure, list_sources(tmp_path)))]


def test_at_the_limits_all_is_well(tmp_path: Path) -> None:
    assert problems_of(tmp_path, function("f", 60) + "x = 1\n" * 240) == []


def test_long_file_is_found(tmp_path: Path) -> None:
    assert problems_of(tmp_path, "x = 1\n" * 301) == ["planted.py:1: 301 lines, at most 300"]


def test_long_function_is_found(tmp_path: Path) -> None:
    assert problems_of(tmp_path, "x = 1\n" + function("f", 61)) == ["planted.py:2: f has 61 lines, at most 60"]


def test_long_method_and_nested_function_are_found(tmp_path: Path) -> None:
    method = "".join(f"    {line}\n" for line in ("async " + function("f", 61)).splitlines())
    assert problems_of(tmp_path, f"class C:\n{method}") == ["planted.py:2: f has 61 lines, at most 60"]


def test_a_reason_excuses_a_function_and_a_file_to_400_lines(tmp_path: Path) -> None:
    assert problems_of(tmp_path, function("f", 61, "  # size: one table, read in order")) == []
    assert problems_of(tmp_path, "# size: one table, read in order\n" + "x = 1\n" * 399) == []
    assert problems_of(tmp_path, "# size: one table\n" + "x = 1\n" * 400) == ["planted.py:1: 401 lines, at most 400"]


def test_an_excuse_without_a_reason_is_none(tmp_path: Path) -> None:
    assert problems_of(tmp_path, function("f", 61, "  # size:")) == ["planted.py:1: f has 61 lines, at most 60"]


def test_many_middling_functions_are_found(tmp_path: Path) -> None:
    (tmp_path / "many.py").write_text("".join(function(f"f{n}", 31) for n in range(9)))
    assert find_problems(map(measure, list_sources(tmp_path))) == [
        "one function in ten has 31 lines or more, at most 30"
    ]


@pytest.mark.parametrize(
    ("lengths", "expected"), [([], 0), ([7], 7), (list(range(1, 11)), 9), (list(range(1, 21)), 18)]
)
def test_ninetieth_percentile(lengths: list[int], expected: int) -> None:
    assert ninetieth_percentile(lengths) == expected


def test_hidden_folders_and_migrations_are_not_measured(tmp_path: Path) -> None:
    for folder in (".venv", "migrations/versions", "migrations", "core"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / "m.py").write_text("")
    assert [str(path.relative_to(tmp_path)) for path in list_sources(tmp_path)] == ["core/m.py", "migrations/m.py"]


def test_the_exit_code_tells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(tmp_path) == 0
    (tmp_path / "long.py").write_text("x = 1\n" * 301)
    assert main(tmp_path) == 1
    assert "long.py:1: 301 lines" in capsys.readouterr().out
