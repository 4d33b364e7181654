"""Every error that psycopg can raise is ours on purpose, or passes as the bug that it tells of."""

import inspect

import psycopg
import psycopg_pool
import pytest
from psycopg import errors
from psycopg_pool import PoolTimeout

from core.errors import (
    ConflictError,
    DatabaseUnfitError,
    InvalidInputError,
    StoreBusyError,
    StoreUnavailableError,
)
from core.pg_errors import is_lost, is_repeatable, store_errors, translate

ALL = {e for _, e in inspect.getmembers(errors, inspect.isclass) if issubclass(e, psycopg.Error)}
WITH_STATE = sorted((e for e in ALL if e.sqlstate is not None), key=lambda e: e.sqlstate or "")
POOL = [e for _, e in inspect.getmembers(psycopg_pool, inspect.isclass) if issubclass(e, psycopg.Error)]

BUSY = {"25P03", "25P04", "40001", "40P01", "53300", "55006", "55P03", "57014"}
CONFLICT = {"23001", "23503", "23505", "23P01"}
UNFIT = {"42501", "42703", "42704", "42883", "42P01"}


def expected(error: type[psycopg.Error]) -> type[Exception] | None:
    state = error.sqlstate or ""
    if state in BUSY:
        return StoreBusyError
    if state in CONFLICT:
        return ConflictError
    if state in UNFIT:
        return DatabaseUnfitError
    if state.startswith("54"):
        return InvalidInputError
    if state.startswith("3D") or issubclass(error, psycopg.OperationalError):
        return StoreUnavailableError
    return None  # wrong SQL, wrong types, a constraint that our own checks should have kept: a bug, told as it is


@pytest.mark.parametrize("error", WITH_STATE, ids=lambda e: e.__name__)
def test_each_state_is_mapped_on_purpose(error: type[psycopg.Error]) -> None:
    ours = translate(error("x"))
    assert (None if ours is None else type(ours)) == expected(error)


@pytest.mark.parametrize("error", POOL, ids=lambda e: e.__name__)
def test_each_error_of_the_pool_is_mapped(error: type[psycopg.Error]) -> None:
    wanted = {"PoolClosed": StoreUnavailableError, "PoolTimeout": StoreBusyError, "TooManyRequests": StoreBusyError}
    assert type(translate(error("x"))) is wanted[error.__name__]


@pytest.mark.parametrize(
    "error", sorted(e.__name__ for e in ALL - set(WITH_STATE) if issubclass(e, psycopg.OperationalError))
)
def test_an_error_without_state_is_a_connection_that_broke(error: str) -> None:
    made = getattr(errors, error)("x")
    assert isinstance(translate(made), StoreUnavailableError)
    assert is_lost(made)


def test_a_bug_passes_as_it_is() -> None:
    with pytest.raises(errors.SyntaxError), store_errors():
        raise errors.SyntaxError("x")


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        (errors.AdminShutdown, True),
        (errors.CrashShutdown, True),
        (errors.ConnectionFailure, True),
        (errors.IdleInTransactionSessionTimeout, True),
        (psycopg.OperationalError, True),
        (errors.QueryCanceled, False),
        (errors.SerializationFailure, False),
        (errors.UniqueViolation, False),
    ],
)
def test_is_lost_means_the_connection_is_gone(error: type[psycopg.Error], lost: bool) -> None:
    assert is_lost(error("x")) is lost


def test_what_the_pool_waited_for_in_vain_is_not_waited_for_again() -> None:
    gone, broken = StoreUnavailableError("Postgres did not answer"), StoreUnavailableError("Postgres did not answer")
    gone.__cause__, broken.__cause__ = PoolTimeout("15 s are over"), psycopg.OperationalError("x")
    assert (is_repeatable(gone), is_repeatable(broken)) == (False, True)
