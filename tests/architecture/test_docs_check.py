"""The docs check finds what the docs lack and what they have too much."""

import pytest
from pydantic import BaseModel, Field

from core.errors import GemNotFoundError, LatticeError, NotFoundError
from scripts.check_docs import (
    error_problems,
    error_types,
    is_documented,
    key_problems,
    route_problems,
    setting_names,
    setting_problems,
)


class Pool(BaseModel):
    size: int = 4


class Knobs(BaseModel):
    api_token: str | None = None
    pool: Pool = Pool()
    spare: Pool | None = None
    openai_key: str | None = Field(default=None, validation_alias="OPENAI_API_KEY")


def test_settings_are_named_as_the_environment_names_them() -> None:
    assert list(setting_names(Knobs)) == [
        "LATTICE_API_TOKEN",
        "LATTICE_POOL__SIZE",
        "LATTICE_SPARE__SIZE",
        "OPENAI_API_KEY",
    ]


def test_missing_and_stale_settings_are_found() -> None:
    page = "`LATTICE_POOL__SIZE`, `LATTICE_GONE` and `LATTICE_DB_PASSWORD`"
    problems = setting_problems(["LATTICE_POOL", "LATTICE_POOL__SIZE"], page, elsewhere="${LATTICE_DB_PASSWORD}")
    assert problems == ["docs/settings.md: no word of LATTICE_POOL", "docs/settings.md: LATTICE_GONE is no setting"]


def test_missing_and_stale_keys_of_the_router_s_file_are_found() -> None:
    page = (
        "## Models\n| `name` | … |\n## The router's file\n### The whole\n| key | … |\n|---|---|\n| `deadline_s` | 9 |\n"
        "### `[targets.NAME]`\n| `model`, `gone` | `x` |\n### `[[budgets]]`\n| `name` | … |\n## Next\n| `ttl_s` | … |\n"
    )
    assert key_problems(["deadline_s", "targets.NAME.model", "budgets.name", "cache.size"], page) == [
        "docs/settings.md: no row for cache.size",
        "docs/settings.md: targets.NAME.gone is no key",
    ]


def test_missing_and_stale_errors_are_found() -> None:
    page = "| `gem_not_found` | 404 | … |\n| `gone` | 410 | … |\n`store_busy` in passing"
    assert error_problems(["gem_not_found", "store_busy"], page) == [
        "docs/errors.md: no row for `store_busy`",
        "docs/errors.md: `gone` is no error code",
    ]


def test_errors_without_a_code_are_not_asked_for() -> None:
    assert GemNotFoundError in error_types()
    assert not {LatticeError, NotFoundError} & set(error_types())


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("`GET /gems/{gem_id}`", True),
        ("| POST, GET | `/gems/{gem_id}` |", True),
        ("`DELETE /gems/{gem_id}`", False),
        ("`GET /gems/{gem_id}/documents`", False),
        ("`GET /v1/gems/{gem_id}`", False),
        ("GET\n/gems/{gem_id}", False),
    ],
)
def test_a_route_is_documented_by_a_line_with_method_and_whole_path(line: str, expected: bool) -> None:
    assert is_documented("GET", "/gems/{gem_id}", line) is expected


def test_missing_routes_are_found() -> None:
    paths = {"/gems": {"get": {"summary": "List"}, "post": {"summary": "Make"}, "parameters": []}}
    assert route_problems(paths, "`GET /gems` lists them") == ["docs/api.md: no line with POST /gems"]
