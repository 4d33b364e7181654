"""From our errors to HTTP: the one table, and the body (RFC 9457, application/problem+json)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from api.choices import tell_choices
from core.errors import (
    BodyTooLargeError,
    BudgetExceededError,
    ConfigurationError,
    ConflictError,
    ForbiddenError,
    InternalError,
    InvalidCursorError,
    InvalidInputError,
    LatticeError,
    MalformedBodyError,
    MethodNotAllowedError,
    NotFoundError,
    ProviderError,
    RouteNotFoundError,
    UnauthenticatedError,
    UnavailableError,
    UnreadableSourceError,
    UnsupportedMediaTypeError,
)

PROBLEM_JSON = "application/problem+json"
ERROR_CODE = "error_code"  # where a request's state has the code of the error that it was answered with
RETRY_AFTER_S = 5  # what a client is told to wait where the error itself does not say

STATUS: dict[type[LatticeError], int] = {
    BodyTooLargeError: 413,
    InvalidCursorError: 400,
    InvalidInputError: 422,
    MalformedBodyError: 400,
    MethodNotAllowedError: 405,
    UnsupportedMediaTypeError: 415,
    UnreadableSourceError: 422,
    NotFoundError: 404,
    ConflictError: 409,
    UnauthenticatedError: 401,
    ForbiddenError: 403,
    BudgetExceededError: 402,
    ConfigurationError: 500,
    UnavailableError: 503,
    ProviderError: 502,
    InternalError: 500,
}

_log = structlog.get_logger(__name__)


def status_of(error: type[LatticeError]) -> int:
    """Return the status of the nearest class in the table; 500 for what is not in it."""
    return next((STATUS[each] for each in error.__mro__ if each in STATUS), 500)


def to_problem(error: LatticeError, request_id: str) -> dict[str, Any]:
    """Return the body of an error response. From status 500 on it shows the code, never the text."""
    status = status_of(type(error))
    inside = status >= 500
    problem = {
        "type": f"urn:crystal-lattice:error:{error.code}",
        "title": (type(error).__doc__ or error.code).strip().splitlines()[0].rstrip("."),
        "status": status,
        "code": error.code,
        "detail": f"see the server's log for request {request_id}" if inside else error.message,
        "request_id": request_id,
    }
    return problem if inside or not error.details else problem | {"details": error.details}


def headers_of(error: LatticeError) -> dict[str, str]:
    """Return the headers that HTTP asks for beside such an error."""
    if isinstance(error, UnauthenticatedError):
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(error, MethodNotAllowedError):
        return {"Allow": str(error.details.get("allow", ""))}
    wait_s = error.details.get("retry_after_s", RETRY_AFTER_S if isinstance(error, UnavailableError) else None)
    return {} if wait_s is None else {"Retry-After": str(wait_s)}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter as callers write it, and its type."""

    name: str
    type_: object = object


def translate(
    error: HTTPException, most_bytes: int | None, find_parameter: Callable[[str], Parameter] = Parameter
) -> LatticeError:
    """Return our error for one of the framework's.

    Args:
        error: what the framework raised.
        most_bytes: how large a body may be.
        find_parameter: what callers know a parameter of the handler by.
    """
    if isinstance(error, ValidationException):
        return _to_invalid_input(error, find_parameter)
    match error.status_code:
        case HTTPStatus.NOT_FOUND:
            return RouteNotFoundError("no such path; /schema lists those there are")
        case HTTPStatus.METHOD_NOT_ALLOWED:
            allow = (error.headers or {}).get("allow", "")
            return MethodNotAllowedError(f"this path takes {allow}", allow=allow)
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return BodyTooLargeError("body", f"may have at most {most_bytes or 0:,} bytes; send it in parts")
        case status if status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return InvalidInputError("request", error.detail)
    return InternalError(error.detail)


def answer_error(request: Request[Any, Any, Any], error: LatticeError) -> Response[dict[str, Any]]:
    """Answer with a problem; what is not the caller's doing goes to the log with its cause."""
    status = status_of(type(error))
    if status >= 500:
        _log.error("request_failed", code=error.code, reason=error.message, exc_info=error)
    request.scope["state"][ERROR_CODE] = error.code
    problem = to_problem(error, request.scope["state"].get("request_id", ""))
    return Response(problem, status_code=status, media_type=PROBLEM_JSON, headers=headers_of(error))


def answer_framework_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[dict[str, Any]]:
    """Answer with a problem where the framework refused the request before a route of ours saw it."""
    ours = translate(error, request.app.state.settings.max_body_bytes, partial(_find_parameter, request))
    ours.__cause__ = error
    return answer_error(request, ours)


def answer_fault(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, Any]]:
    """Answer with a problem where our own code is at fault."""
    ours = InternalError(f"{type(error).__name__}: {error}")
    ours.__cause__ = error
    return answer_error(request, ours)


def _to_invalid_input(error: ValidationException, find_parameter: Callable[[str], Parameter]) -> LatticeError:
    found = error.extra if isinstance(error.extra, list) and error.extra else [{}]
    field, problem = found[0].get("key", "request"), found[0].get("message", error.detail)
    if field == "data":
        return MalformedBodyError("the request needs a JSON body")
    parameter = find_parameter(field)
    problem = tell_choices(problem[:1].lower() + problem[1:], parameter.type_)
    return InvalidInputError(parameter.name, problem)


def _find_parameter(request: Request[Any, Any, Any], field: str) -> Parameter:
    """Return the parameter as callers write it; Python may not have allowed its name in the handler."""
    handler = request.scope.get("route_handler")
    known = {} if handler is None else handler.parsed_fn_signature.parameters
    if field not in known:
        return Parameter(field)
    return Parameter(getattr(known[field].kwarg_definition, "name", None) or field, known[field].raw)
