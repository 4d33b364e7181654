import pytest
from litestar.exceptions import HTTPException

from api.access import choose_request_id
from api.errors import headers_of, to_problem, translate
from core.errors import (
    IdempotencyConflictError,
    InvalidInputError,
    LatticeError,
    MethodNotAllowedError,
    StoreUnavailableError,
    UnauthenticatedError,
)


def test_a_problem_says_what_mends_it() -> None:
    assert to_problem(InvalidInputError("k", "must be at least 1"), "r1") == {
        "type": "urn:crystal-lattice:error:invalid_input",
        "title": "A value that the caller can mend; `field` names it",
        "status": 422,
        "code": "invalid_input",
        "detail": "k: must be at least 1",
        "request_id": "r1",
        "details": {"field": "k"},
    }


def test_from_500_on_only_the_code_is_told() -> None:
    problem = to_problem(StoreUnavailableError("at 10.0.0.7", host="10.0.0.7"), "r1")
    assert problem["code"] == "store_unavailable"
    assert "10.0.0.7" not in str(problem)


@pytest.mark.parametrize(
    ("error", "headers"),
    [
        (UnauthenticatedError("x"), {"WWW-Authenticate": "Bearer"}),
        (MethodNotAllowedError("x", allow="GET"), {"Allow": "GET"}),
        (IdempotencyConflictError("x", retry_after_s=1), {"Retry-After": "1"}),
        (IdempotencyConflictError("x"), {}),
        (StoreUnavailableError("x"), {"Retry-After": "5"}),
        (LatticeError("x"), {}),
    ],
)
def test_errors_bring_the_headers_that_http_asks_for(error: LatticeError, headers: dict[str, str]) -> None:
    assert headers_of(error) == headers


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "invalid_input"),
        (404, "route_not_found"),
        (405, "method_not_allowed"),
        (413, "body_too_large"),
        (429, "invalid_input"),
        (500, "internal_error"),
        (503, "internal_error"),
    ],
)
def test_every_error_of_the_framework_has_one_of_ours(status: int, code: str) -> None:
    assert translate(HTTPException(status_code=status, detail="x"), 10).code == code


def test_request_ids_are_safe_to_log() -> None:
    assert choose_request_id([(b"x-request-id", b"job-7")]) == "job-7"
    for given in (b"", b"a b", b"a\nb", b"x" * 129, "é".encode()):
        assert len(choose_request_id([(b"x-request-id", given)])) == 32
    assert choose_request_id([]) != choose_request_id([])
