import io
import json
import sys
from pathlib import Path

import pytest

from api.cli.program import run_program

ROWS = [
    {"score": 0.1, "cheap_quality": 1, "strong_quality": 1},
    {"score": 0.3, "cheap_quality": 1, "strong_quality": 1},
    {"score": 0.6, "cheap_quality": 0, "strong_quality": 1},
    {"score": 0.9, "cheap_quality": 0, "strong_quality": 1},
]


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "outcomes.jsonl"
    path.write_text("\n".join(map(json.dumps, ROWS)), "utf-8")
    return str(path)


def test_a_threshold_is_picked_and_shown_as_the_file_wants_it(
    file: str, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run_program(["llm", "calibrate", file, "--quality", "1", "--json"]) == 0
    found = json.loads(capsysbinary.readouterr().out)
    assert 0.3 < found["threshold"] <= 0.6
    assert found["chosen"] in found["curve"]
    assert (found["outcomes"], found["chosen"]["strong_share"]) == (4, 0.5)
    assert run_program(["llm", "calibrate", file, "--cost-share", "0.25"]) == 0
    assert b"threshold = 0.75\n" in capsysbinary.readouterr().out


def test_a_long_curve_is_thinned_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "many.jsonl"
    rows = ({**ROWS[i % 4], "score": i / 200} for i in range(200))
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    assert run_program(["llm", "calibrate", str(path), "--cost-share", "0.37"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert len(shown) <= 16
    assert shown[1].split()[1] == "0.0%"


def test_outcomes_come_from_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    given = io.TextIOWrapper(io.BytesIO("\n".join(map(json.dumps, ROWS)).encode()))
    monkeypatch.setattr(sys, "stdin", given)
    assert run_program(["llm", "calibrate", "-", "--quality", "0.5"]) == 0
    assert "from 4 outcomes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "arguments", "code", "told"),
    [
        (b'{"score": 2}', ("--quality", "0.5"), 3, "line 1"),
        (b"\xff\xfe", ("--quality", "0.5"), 3, "is not UTF-8"),
        (b"", ("--quality", "0.5"), 3, "at least one"),
        (None, ("--quality", "0.5"), 3, "No such file"),
        (b"", (), 2, "--cost-share"),
        (b"", ("--quality", "0.5", "--cost-share", "0.5"), 2, "--cost-share"),
    ],
)
def test_what_cannot_be_calibrated_is_told(
    tmp_path: Path,
    content: bytes | None,
    arguments: tuple[str, ...],
    code: int,
    told: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "outcomes.jsonl"
    if content is not None:
        path.write_bytes(content)
    assert run_program(["llm", "calibrate", str(path), *arguments]) == code
    assert told in capsys.readouterr().err
