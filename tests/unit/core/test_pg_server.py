from dataclasses import replace

import pytest

from core.errors import ConfigurationError
from core.pg_server import ServerFacts, find_problems, normalise_url

FIT = ServerFacts(
    major=18,
    username="app",
    database="lattice",
    vector_installed="0.8.5",
    vector_available="0.8.5",
    may_create_vector=False,
    may_create_role=False,
    role_exists=True,
    may_take_role=True,
    has_schema=True,
    may_create_table=False,
)
EMPTY = replace(
    FIT,
    vector_installed=None,
    may_create_vector=True,
    may_create_role=True,
    role_exists=False,
    may_take_role=None,
    has_schema=False,
    may_create_table=True,
)


@pytest.mark.parametrize("facts", [FIT, EMPTY], ids=["migrated", "brand new"])
def test_a_fit_server_has_no_problems(facts: ServerFacts) -> None:
    assert find_problems(facts) == []


@pytest.mark.parametrize(
    ("facts", "remedy"),
    [
        (replace(FIT, vector_installed=None, vector_available=None), "install pgvector 0.8 or newer"),
        (replace(FIT, vector_installed=None), 'in the database "lattice": CREATE EXTENSION vector;'),
        (replace(FIT, vector_installed="0.7.4"), 'in the database "lattice": ALTER EXTENSION vector UPDATE;'),
        (replace(FIT, vector_installed="0.6.2", vector_available="0.6.2"), "upgrade it there"),
        (replace(EMPTY, vector_available="0.6.2"), "upgrade it there"),
        (replace(EMPTY, may_create_role=False), "CREATE ROLE lattice_app NOLOGIN; GRANT lattice_app TO"),
        (replace(FIT, may_take_role=False), 'GRANT lattice_app TO "app";'),
        (replace(FIT, may_take_role=False, may_create_role=True), 'GRANT lattice_app TO "app";'),
        (replace(EMPTY, may_create_table=False), 'GRANT USAGE, CREATE ON SCHEMA public TO "app";'),
    ],
)
def test_a_problem_says_what_to_run(facts: ServerFacts, remedy: str) -> None:
    [problem] = find_problems(facts)
    assert remedy in problem


def test_all_problems_are_told_at_once() -> None:
    assert len(find_problems(replace(EMPTY, vector_available=None, may_create_role=False, may_create_table=False))) == 3


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("postgres://u:p@h:5432/d", "postgresql://u:p@h:5432/d"),
        ("postgresql://u:p@h/d?sslmode=require", "postgresql://u:p@h/d?sslmode=require"),
        ("postgresql+psycopg://u@h/d", "postgresql://u@h/d"),
        (" postgresql://h/d\n", "postgresql://h/d"),
        ("postgresql://u@/d?host=%2Frun%2Fpostgresql", "postgresql://u@/d?host=%2Frun%2Fpostgresql"),
        ("postgresql:///d", "postgresql:///d"),
        ("postgresql://u:p@h1:5432,h2:5433/d", "postgresql://u:p@h1:5432,h2:5433/d"),
        ("postgresql://u:p%40ss@[::1]:5432/d", "postgresql://u:p%40ss@[::1]:5432/d"),
    ],
)
def test_addresses_of_every_usual_form_are_taken(url: str, normal: str) -> None:
    assert normalise_url(url) == normal


@pytest.mark.parametrize(
    "url",
    [
        "",
        "lattice",
        "mysql://u:hunter2@h/d",
        "postgresql:u:hunter2@h/d",
        "postgresql://u:hunter2@h:port/d",
        "postgresql://u:hunter2@h:99999/d",
        "postgresql://u:hunter2@h/d?nonsense=1",
        "postgresql://u:hunter2@[::1/d",
        "host=h password=hunter2",
        "postgresql://u:hunter2%zz@h/d",
    ],
)
def test_nonsense_is_refused_without_telling_the_password(url: str) -> None:
    with pytest.raises(ConfigurationError, match="LATTICE_DATABASE_URL") as caught:
        normalise_url(url)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
