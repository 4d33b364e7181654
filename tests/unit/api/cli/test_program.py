import subprocess
import sys

import pytest

from api.cli.program import run_program

PAGES = [
    *("demo", "serve", "ingest", "recall", "reflect", "feedback", "doctor", "version"),
    *(f"gems {verb}" for verb in ("create", "list", "show", "update", "archive", "restore", "delete", "log")),
    *("documents list", "documents delete", "db upgrade", "db status", "db downgrade", "eval recall"),
    *("axiom score", "axiom subjectivity", "axiom gem"),
    *(
        f"llm {verb}"
        for verb in ("targets", "try", "cost", "enable", "disable", "experiments", "difficulty", "calibrate")
    ),
]


@pytest.mark.parametrize("page", PAGES)
def test_help_of_every_command_has_examples(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_program([*page.split(), "--help"]) == 0
    shown = capsys.readouterr().out
    assert "Examples" in shown
    assert f"lattice {page}" in shown


def test_mistyped_command_is_a_usage_error_with_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_program(["recal"]) == 2
    assert "Did you mean 'recall'" in capsys.readouterr().err


def test_help_loads_nothing_that_is_slow() -> None:
    listing = "import sys; sys.argv = ['lattice', '--help']\nimport api.cli\ntry:\n    api.cli.main()\nfinally:\n    "
    slow = "print(*{'litestar', 'numpy', 'onnxruntime', 'pydantic', 'psycopg', 'uvicorn'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", listing + slow], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == ""


def test_a_service_loads_neither_models_nor_migrations() -> None:
    slow = "print(*{'alembic', 'anthropic', 'onnxruntime', 'openai', 'sqlalchemy', 'sqlmodel'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, api.app, api.cli.serve; {slow}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "\n"
