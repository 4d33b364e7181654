"""Turns what psycopg raises into our errors, at the one seam where they meet; a test walks psycopg's whole list."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

import psycopg
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests

from core.errors import (
    ConflictError,
    DatabaseUnfitError,
    ForbiddenError,
    InvalidInputError,
    LatticeError,
    StoreBusyError,
    StoreUnavailableError,
)

SERIALIZATION_FAILURE, DEADLOCK = "40001", "40P01"
POLICY_CHECK = "ExecWithCheckOptions"  # the server's function that refuses a row against row-level security


@contextmanager
def store_errors() -> Generator[None]:
    """Raise our error for every error of psycopg that is not a bug of ours; those pass as they are.

    Raises:
        ConflictError: a row of the same key exists, or the row referred to does not; `details["constraint"]` names it.
        StoreBusyError: a statement or lock took too long, another transaction was in the way, no connection was free.
        StoreUnavailableError: Postgres did not answer, shut down, or has no room left.
        DatabaseUnfitError: the schema is old, or the service's role lacks a right.
        ForbiddenError: the row belongs to another tenant.
        InvalidInputError: a value is larger than Postgres can hold.
    """
    try:
        yield
    except psycopg.Error as e:
        ours = translate(e)
        if ours is None:
            raise
        raise ours from e


def translate(error: psycopg.Error) -> LatticeError | None:
    """Return our error for one of psycopg's; None if it tells of a bug of ours (wrong SQL, wrong types)."""
    state = error.sqlstate
    if isinstance(error, PoolTimeout | TooManyRequests):
        return StoreBusyError("no connection to Postgres became free in time; repeat later")
    if state is not None:
        make = _BY_STATE.get(state) or _BY_CLASS.get(state[:2])
        if make is not None:
            return make(error)
    if isinstance(error, psycopg.OperationalError | PoolClosed | psycopg.InterfaceError):
        return StoreUnavailableError("Postgres did not answer")
    return None


def is_lost(error: psycopg.Error) -> bool:
    """Tell whether the connection itself is gone, so that what was sent last may or may not have been carried out."""
    state = error.sqlstate
    if state is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return state.startswith(("08", "57P")) or state in _ENDED_BY_SERVER


def is_repeatable(error: BaseException) -> bool:
    """Tell whether the same transaction can be run again without harm and with hope."""
    cause = error.__cause__ if isinstance(error, LatticeError) else None
    if isinstance(error, StoreBusyError):
        return error.details.get("sqlstate") in {SERIALIZATION_FAILURE, DEADLOCK}
    if isinstance(cause, PoolTimeout):  # the pool has tried to connect all the while
        return False
    if isinstance(error, StoreUnavailableError) and isinstance(cause, psycopg.Error):
        return is_lost(cause) and error.details.get("outcome") != "unknown"
    return False


_ENDED_BY_SERVER = {"25P03", "25P04"}  # idle in transaction too long, transaction too long


def _conflict(error: psycopg.Error) -> LatticeError:
    diag = error.diag
    kind = "refers to what does not exist" if error.sqlstate == "23503" else "is stored already"
    return ConflictError(f"{diag.table_name or 'the row'} {kind}", constraint=diag.constraint_name)


def _denied(error: psycopg.Error) -> LatticeError:
    if error.diag.source_function == POLICY_CHECK:
        return ForbiddenError("the row belongs to another tenant")
    return DatabaseUnfitError(
        f"the service's role lacks a right ({error.diag.message_primary}); as the owner of the database run "
        "`lattice db upgrade`"
    )


def _unfit(error: psycopg.Error) -> LatticeError:
    return DatabaseUnfitError(
        f"the schema is not the one needed ({error.diag.message_primary}): run `lattice db upgrade`"
    )


def _busy(message: str) -> Callable[[psycopg.Error], LatticeError]:
    return lambda error: StoreBusyError(message, sqlstate=error.sqlstate)


def _unavailable(message: str) -> Callable[[psycopg.Error], LatticeError]:
    return lambda error: StoreUnavailableError(message, sqlstate=error.sqlstate)


_BY_STATE: dict[str, Callable[[psycopg.Error], LatticeError]] = {
    "23001": _conflict,  # restrict violation
    "23503": _conflict,  # foreign key
    "23505": _conflict,  # unique
    "23P01": _conflict,  # exclusion
    "25P03": _busy("the transaction stood idle for too long and was ended"),
    "25P04": _busy("the transaction took too long and was ended"),
    SERIALIZATION_FAILURE: _busy("another transaction changed the same rows; repeat"),
    DEADLOCK: _busy("two transactions waited for each other; repeat"),
    "42501": _denied,
    "42703": _unfit,  # no such column
    "42704": _unfit,  # no such type or role
    "42883": _unfit,  # no such function
    "42P01": _unfit,  # no such table
    "53100": _unavailable("the disk of Postgres is full: make room there"),
    "53200": _unavailable("Postgres is out of memory"),
    "53300": _busy("Postgres has no connection left: lower the pool's size or raise max_connections"),
    "55006": _busy("what is asked for is in use by another session"),
    "55P03": _busy("a lock was not free in time; repeat later"),
    "57014": _busy("the statement took longer than allowed"),
}
_BY_CLASS: dict[str, Callable[[psycopg.Error], LatticeError]] = {
    "08": _unavailable("the connection to Postgres broke"),
    "28": _unavailable("Postgres refused the user or password of LATTICE_DATABASE_URL"),
    "3D": _unavailable("the database named by LATTICE_DATABASE_URL does not exist"),
    "53": _unavailable("Postgres lacks resources"),
    "54": lambda error: InvalidInputError("value", f"is larger than Postgres can hold ({error.diag.message_primary})"),
    "57": _unavailable("Postgres is starting or shutting down"),
    "58": _unavailable("Postgres met an error of its machine; its log says more"),
}
