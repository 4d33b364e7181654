"""Reading what others send: JSON that may lack anything, and the errors of the two SDKs.

Both SDKs give their errors the same attributes (`status_code`, `response`, `body`), so one reader serves both.
"""

import json
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal

import httpx2

from core.clock import utc_now
from core.errors import CassetteMissError
from core.text import make_storable
from llm_router.faults import Phase, Signal, Wire, fault_of
from llm_router.providers.waits import read_retry_after
from llm_router.reply import NO_USAGE, Usage

Phases = Mapping[type[BaseException], Phase]
"""Which phase an exception class tells of; the nearest ancestor counts."""

TRANSPORT_PHASES: Phases = {
    httpx2.TimeoutException: "clock",
    httpx2.HTTPError: "connection",
    httpx2.DecodingError: "decode",
    httpx2.SSEError: "decode",
    httpx2.InvalidURL: "connection",
    httpx2.StreamError: "connection",
    OSError: "connection",
    TimeoutError: "clock",
    json.JSONDecodeError: "decode",
    UnicodeDecodeError: "decode",
    RecursionError: "decode",  # JSON nested beyond all measure
}
"""Exceptions that reach a caller of the SDKs as they are, mostly in mid-stream."""

MOST_TOKENS = 1_000_000_000
"""More than any model takes in or gives: one wrong number must not spend a budget for ever."""

MOST_USD = 1_000_000
"""The same for what one call costs."""

_NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)

_MISS = "CannotOverwriteExistingCassetteException"  # vcrpy's; the product does not import it to know it by name


def as_object(value: object) -> Mapping[str, object]:
    """Return a JSON object, an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def as_body(value: object) -> Mapping[str, object]:
    """Return a whole body's object, read from its bytes or text; an empty one for what is no JSON object."""
    if not isinstance(value, str | bytes):
        return as_object(value)
    try:
        return as_object(json.loads(value))
    except (ValueError, RecursionError):
        return {}


def as_list(value: object) -> list[object]:
    """Return a JSON array, an empty one for anything else."""
    return value if isinstance(value, list) else []


def as_text(value: object) -> str:
    """Return a JSON string as it can be stored and sent, an empty one for anything else."""
    return make_storable(value) if isinstance(value, str) else ""


def as_count(value: object) -> int:
    """Return a JSON number of tokens, 0 for anything that cannot be one."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST_TOKENS:
        return 0
    return int(value) if value == int(value) else 0  # some servers write whole numbers as 12.0


def as_money(value: object) -> Decimal | None:
    """Return a JSON number of dollars; None for anything that cannot be one."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST_USD:
        return None
    return Decimal(str(value))


def read_error_body(wire: Wire, phase: Phase, body: object, status: int | None = None) -> Signal:
    """Return the signal of an error body in any of the shapes that servers use."""
    outer = as_object(body)
    told = outer.get("error") or outer
    inner = as_object(told)
    code = inner.get("code")
    precise = as_object(inner.get("details")).get("error_code")
    return Signal(
        wire=wire,
        phase=phase,
        status=status,
        type=as_text(inner.get("type")) or None,
        code=as_text(precise) or (str(code) if isinstance(code, str | int) else None),
        message=as_text(inner.get("message")) or as_text(told) or as_text(body),
    )


def read_sdk_error(error: BaseException, wire: Wire, phases: Phases) -> Signal | None:
    """Return the signal of an SDK's exception; None if it does not tell of the other side at all."""
    phase = phase_of(error, phases)
    if phase == "connection" and error.__cause__ is not None and phase_of(error.__cause__, {}) == "decode":
        phase = "decode"  # one dresses also a body that cannot be unpacked as a lost connection
    if phase == "connection" and not (_is_transport(error) or _is_transport(error.__cause__)):
        return None  # one SDK dresses whatever its transport raises, even a bug of ours, as a lost connection
    if phase not in ("answer", "stream"):
        return Signal(wire, phase) if phase else None
    status = getattr(error, "status_code", None)
    response = getattr(error, "response", None)
    headers: Mapping[str, str] = getattr(response, "headers", {})
    told = read_error_body(wire, phase, getattr(error, "body", None), status)
    return Signal(
        wire=wire,
        phase=phase,
        status=status,
        type=told.type,
        code=told.code,
        message=told.message,
        should_retry={"true": True, "false": False}.get(headers.get("x-should-retry", "")),
        retry_after_s=read_retry_after(headers, utc_now(), status),
    )


def phase_of(error: BaseException, phases: Phases) -> Phase | None:
    """Return the phase that an exception's class or nearest known ancestor stands for."""
    known = {**TRANSPORT_PHASES, **phases}
    return next((known[each] for each in type(error).__mro__ if each in known), None)


def find_miss(error: BaseException, target: str) -> CassetteMissError | None:
    """Return the miss of a recording that an exception tells of, itself or by what led to it; None if there is none."""
    for each in _list_causes(error):
        if isinstance(each, CassetteMissError):
            return CassetteMissError(each.message, **{**each.details, "target": target})
        if type(each).__name__ == _MISS:  # its own words quote the request
            return CassetteMissError("the recording has no answer to this request", target=target)
    return None


def _list_causes(error: BaseException) -> Iterator[BaseException]:
    open_, seen = [error], set[int]()
    while open_:
        each = open_.pop()
        if id(each) not in seen:
            seen.add(id(each))
            yield each
            open_ += [cause for cause in (each.__cause__, each.__context__) if cause is not None]


def _was_never_sent(error: BaseException) -> bool:
    return any(isinstance(each, _NEVER_SENT) for each in _list_causes(error))


def _is_transport(error: BaseException | None) -> bool:
    return isinstance(error, tuple(TRANSPORT_PHASES))


@contextmanager
def faults_of(
    target: str, wire: Wire, phases: Phases, usage: Callable[[], Usage | None] = lambda: None
) -> Generator[None]:
    """Turn what the SDK raises into `TargetFault`, without the SDK's text: it may quote the key or the prompt.

    Raises:
        CassetteMissError: the answer should have come from a recording that lacks it; no other target may hide that.
    """
    problem: Exception
    try:
        yield
    except Exception as error:
        signal = read_sdk_error(error, wire, phases)
        if (miss := find_miss(error, target)) is not None:
            problem = miss
        elif signal is None:
            raise
        else:
            problem = fault_of(signal, target, NO_USAGE if _was_never_sent(error) else usage())
    else:
        return
    raise problem from None  # what led to it may quote what must not be shown
