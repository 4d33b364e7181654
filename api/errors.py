"""From our errors to HTTP: the one table, and the body (RFC 9457, application/problem+json)."""

from typing import Any

from core.errors import (
    BodyTooLargeError,
    ConfigurationError,
    ConflictError,
    ForbiddenError,
    InvalidCursorError,
    InvalidInputError,
    LatticeError,
    NotFoundError,
    ProviderError,
    UnauthenticatedError,
    UnavailableError,
    UnreadableSourceError,
)

STATUS: dict[type[LatticeError], int] = {
    BodyTooLargeError: 413,
    InvalidCursorError: 400,
    InvalidInputError: 422,
    UnreadableSourceError: 422,
    NotFoundError: 404,
    ConflictError: 409,
    UnauthenticatedError: 401,
    ForbiddenError: 403,
    ConfigurationError: 500,
    UnavailableError: 503,
    ProviderError: 502,
}


def status_of(error: type[LatticeError]) -> int:
    """Return the status of the nearest class in the table; 500 for what is not in it."""
    return next((STATUS[each] for each in error.__mro__ if each in STATUS), 500)


def to_problem(error: LatticeError, request_id: str) -> dict[str, Any]:
    """Return the body of an error response. Of a fault of ours it shows the code, never the text."""
    status = status_of(type(error))
    ours = status == 500
    return {
        "type": f"urn:crystal-lattice:error:{error.code}",
        "title": (type(error).__doc__ or error.code).strip().splitlines()[0].rstrip("."),
        "status": status,
        "code": error.code,
        "detail": "see the server's log" if ours else error.message,
        "request_id": request_id,
        **({} if ours else {"errors": error.details} if error.details else {}),
    }
