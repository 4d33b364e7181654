import io
import json
from typing import Any

import pytest

from api.cli.program import run_program


class Capture:
    """What commands print; JSON goes through the buffer beneath."""

    def __init__(self, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
        self._captured = capsysbinary

    def run(self, *arguments: str) -> tuple[int, str, str]:
        code = run_program(["axiom", *arguments])
        out, err = self._captured.readouterr()
        return code, out.decode(), err.decode()


@pytest.fixture
def cli(capsysbinary: pytest.CaptureFixture[bytes]) -> Capture:
    return Capture(capsysbinary)


def test_a_score_is_shown_with_what_holds_it_back(cli: Capture) -> None:
    # 0.5·0.4·(1 + 0.5) = 0.3; C raised from 0.4 to 1 makes it 0.5·1.5 = 0.75
    code, out, _ = cli.run("score", "A=0.5", "C=0.4", "F_n=0.5")
    assert code == 0
    lines = [line.split() for line in out.splitlines()]
    assert lines[0][:2] == ["Score", "0.3"]
    assert lines[2] == ["C", "0.4", "-0.916", "0.75", "1", "+0.45", "pressure"]
    assert out.splitlines()[-1] == "C holds the score back most."


def test_a_score_as_json(cli: Capture) -> None:
    code, out, _ = cli.run("score", "a=0.5", "f=0.5", "e_n=2", "--json")
    told: dict[str, Any] = json.loads(out)
    assert (code, told["score"], told["limiting_term"]) == (0, 1.5, "A")
    assert (told["components"]["E_n"], told["components"]["F_n"]) == (2.0, 0.5)
    assert told["sensitivity"][0]["term"] == "A"


def test_terms_that_hold_nothing_back(cli: Capture) -> None:
    _, out, _ = cli.run("score", "E_n=2")
    assert "No term holds the score back" in out


def test_a_term_that_is_moved_into_its_bounds_is_told(cli: Capture) -> None:
    _, out, _ = cli.run("score", "A=2", "B=0.5")
    assert out.splitlines()[1] == "A = 2 is out of its bounds: 1 is used"
    assert "B =" not in out


def test_terms_as_they_are(cli: Capture) -> None:
    code, out, _ = cli.run("score", "C=-2", "--no-clamp")
    assert code == 0
    assert out.startswith("Score -2 ")
    assert "no shares" in out


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["D=1"], "one of A, B, C, X, Y, Z, E_n, F_n"),
        (["A"], "must look like NAME=VALUE"),
        (["A=high"], "A: must be a number, not 'high'"),
        (["E=1", "E_n=2"], "E_n is given twice"),
        ([], "Missing argument"),
    ],
)
def test_a_mistyped_term_is_a_usage_error(cli: Capture, arguments: list[str], problem: str) -> None:
    code, _, err = cli.run("score", *arguments, "--json")
    assert code == 2
    assert problem in json.loads(err)["message"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["A=2", "--strict"], "A: must be in [0, 1], not 2.0"),
        (["E_n=nan"], "E_n: must be a finite number, not nan"),
        (["Z=1e200", "E_n=1e300"], "E_n: too large: the score exceeds what a float can hold"),
    ],
)
def test_a_term_that_cannot_be_is_named(cli: Capture, arguments: list[str], message: str) -> None:
    code, _, err = cli.run("score", *arguments, "--json")
    assert code == 3
    assert json.loads(err) == {
        "code": "invalid_term",
        "message": message,
        "details": {"field": message.partition(":")[0]},
    }


def test_a_text_is_placed_on_the_scale(cli: Capture) -> None:
    # no noise; all emotion and bias that count: 0.35·1 + 0.25·1 = 0.6
    code, out, _ = cli.run("subjectivity", "Obviously the worst garbage ever!")
    assert code == 0
    assert out.splitlines()[0] == "Subjectivity 0.600  mid-dynamic"
    assert [line.split()[0] for line in out.splitlines()[2:5]] == ["noise", "emotional", "cognitive"]


def test_a_text_comes_from_standard_input(cli: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("\ufeffThe crane was built in 1962.".encode())))
    code, out, _ = cli.run("subjectivity", "-", "--json")
    assert code == 0
    assert json.loads(out) == {
        "value": 0.0,
        "tier": "apex-objective",
        "objectivity": 1.0,
        "signals": {"noise_level": 0.0, "emotional_bias": 0.0, "cognitive_bias": 0.0},
    }


def test_standard_input_that_is_no_text_is_told(cli: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"caf\xe9")))
    code, _, err = cli.run("subjectivity", "-")
    assert code == 3
    assert "standard input: is not UTF-8" in err
