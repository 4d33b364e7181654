"""A command that fails says why in one line or one JSON object, and its exit code says of what kind it is."""

from dataclasses import replace

import pytest

from tests.integration.cli.process import Lattice

NOWHERE = Lattice({"LATTICE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"})


@pytest.mark.parametrize(
    ("arguments", "exit_code", "code"),
    [
        (("recall",), 2, "usage"),
        (("recall", "x", "--since", "yesterday"), 2, "usage"),
        (("reflect", "x", "--gem", "y", "--stream"), 2, "usage"),
        (("gems", "create", " "), 3, "invalid_input"),
        (("recall", "x", "--k", "0"), 3, "invalid_input"),
        (("gems", "show", "nothing"), 4, "gem_not_found"),
        (("documents", "list", "--gem", "y\udcff"), 4, "gem_not_found"),  # bytes that are no UTF-8
        (("ingest", ""), 2, "usage"),
    ],
)
def test_error_in_json(lattice: Lattice, arguments: tuple[str, ...], exit_code: int, code: str) -> None:
    done = lattice(*arguments, "--json")
    assert (done.code, done.out, done.error["code"]) == (exit_code, "", code)


def test_a_process_takes_bytes_that_are_no_text_and_ends_with_its_code(lattice: Lattice) -> None:
    done = lattice.run_apart("reflect", "x\udcff", "--gem", "y\udcff", "--json")
    assert (done.code, done.out, done.error["code"]) == (4, "", "gem_not_found")


def test_error_for_people_is_one_line_without_a_traceback(lattice: Lattice) -> None:
    lattice("gems", "create", "taken")
    done = lattice("gems", "create", "taken")
    assert done.code == 5
    assert done.err == "error: a gem named 'taken' exists already\n"


def test_wrong_settings_are_all_named() -> None:
    done = replace(NOWHERE, settings={"LATTICE_PORT": "x", "LATTICE_COLOUR": "red"})("gems", "list", "--json")
    assert done.code == 6
    assert all(name in done.error["message"] for name in ("LATTICE_PORT", "LATTICE_COLOUR"))


def test_postgres_that_does_not_answer() -> None:
    done = NOWHERE("gems", "list")
    assert done.code == 7
    assert "LATTICE_DATABASE_URL" in done.err
    assert "Traceback" not in done.err


def test_old_schema_is_refused_with_what_mends_it(empty_database_url: str) -> None:
    done = Lattice({"LATTICE_DATABASE_URL": empty_database_url})("gems", "list")
    assert done.code == 6
    assert "lattice db upgrade" in done.err
