import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.cli.exit_codes import EXIT_CODES, FAULT, exit_code_of
from core.errors import InternalError, LatticeError

PAGE = (Path(__file__).resolve().parents[4] / "docs/cli.md").read_text("utf-8")


def leaves(error: type[LatticeError] = LatticeError) -> Iterator[type[LatticeError]]:
    children = error.__subclasses__()
    yield from (leaf for child in children for leaf in leaves(child)) if children else (error,)


@pytest.mark.parametrize("error", [*leaves()], ids=lambda error: error.__name__)
def test_every_error_has_the_exit_code_of_its_kind(error: type[LatticeError]) -> None:
    assert (exit_code_of(error) == FAULT) == issubclass(error, InternalError)


@pytest.mark.parametrize("code", sorted({*EXIT_CODES.values(), 0, 1, 2, FAULT, 130, 143}))
def test_every_exit_code_is_documented(code: int) -> None:
    assert re.search(rf"^\| {code} \|", PAGE, re.MULTILINE)
