"""Server-sent events: an answer told while it is made."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast

import msgspec
import structlog
from anyio import CancelScope
from litestar import Litestar, Request
from litestar.response import Stream
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

from api.errors import ERROR_CODE, to_problem
from api.schemas.recall import to_passage
from api.schemas.reflections import EvidenceView, TokenView, to_reflection
from core.errors import InternalError, LatticeError
from llm_router import TokenEvent
from reflection import DoneEvent, EvidenceEvent

PING_S = 15.0  # of silence, after which proxies begin to think that nobody is there
WAITING = 64  # events that a slow reader may leave unread before the model is held up


@dataclass(frozen=True, slots=True)
class ViewEvent:
    """An event whose data are a view already; whoever comes back names the `mark` of the last one that they saw."""

    name: str
    view: object
    mark: str = ""


Told = EvidenceEvent | TokenEvent | DoneEvent | ViewEvent
Happenings = AsyncGenerator[Told]

PING = b": ping\n\n"
_log = structlog.get_logger(__name__)


class EventStream(Stream):
    """A response of server-sent events.

    The first event is asked for before the response begins, so that what is wrong with the question is an ordinary
    error response. When the client leaves, all that was begun for it has ended before the request has.
    """

    def __init__(self, events: Happenings, first: Told, request_id: str) -> None:
        self._events = events
        self._failures: list[str] = []
        self._pieces = tell(events, first, request_id, self._failures.append)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(self._pieces, status_code=200, media_type="text/event-stream", headers=headers)

    def to_asgi_response(
        self,
        app: Litestar | None,
        request: Request[Any, Any, Any],
        **parts: Any,  # noqa: ANN401 - handed on as they came
    ) -> ASGIResponse:
        """Return the response, wrapped so that its generators are closed whichever way it ends."""
        response = super().to_asgi_response(app, request, **parts)

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            async with aclosing(self._events), aclosing(self._pieces):
                await response(scope, receive, send)
            if self._failures:
                scope["state"][ERROR_CODE] = self._failures[-1]

        return cast("ASGIResponse", answer)


async def open_event_stream(events: Happenings, request_id: str) -> EventStream:
    """Wait for the first event and return the response.

    Raises:
        LatticeError: nothing could be told.
    """
    return EventStream(events, await anext(events), request_id)


async def tell(
    events: Happenings, first: Told, request_id: str, failed: Callable[[str], None] = lambda code: None
) -> AsyncGenerator[bytes]:
    """Yield the bytes of each event, and of pings in silence; an error is the last event, its code told to `failed`.

    The events are made in a task of their own: when the client leaves, this generator is cancelled at whatever it
    awaits, again and again, which is no state in which to give back a connection. The task is cancelled once and ends
    in peace.
    """
    queue: asyncio.Queue[bytes | None] = asyncio.Queue(WAITING)
    making = asyncio.create_task(_make(events, first, request_id, failed, queue))
    try:
        while (piece := await _next(queue)) is not None:
            yield piece
    finally:
        making.cancel()
        with CancelScope(shield=True):
            await asyncio.wait([making])


async def _make(
    events: Happenings,
    first: Told,
    request_id: str,
    failed: Callable[[str], None],
    queue: asyncio.Queue[bytes | None],
) -> None:
    try:
        await queue.put(encode_told(first))
        async for event in events:
            await queue.put(encode_told(event))
    except LatticeError as e:
        _log.warning("stream_failed", code=e.code, reason=e.message)
        failed(e.code)
        await queue.put(encode_event("error", to_problem(e, request_id)))
    except Exception as e:  # noqa: BLE001 - the response has begun, so nobody else can tell the client
        _log.exception("stream_failed", code=InternalError.code)
        failed(InternalError.code)
        await queue.put(encode_event("error", to_problem(InternalError(str(e)), request_id)))
    await queue.put(None)


async def _next(queue: asyncio.Queue[bytes | None]) -> bytes | None:
    try:
        async with asyncio.timeout(PING_S):
            return await queue.get()
    except TimeoutError:
        return PING


def encode_told(event: Told) -> bytes:
    """Return the bytes of what is told."""
    match event:
        case EvidenceEvent():
            return encode_event("evidence", EvidenceView(passages=[to_passage(each) for each in event.passages]))
        case TokenEvent():
            return encode_event("token", TokenView(text=event.text))
        case DoneEvent():
            return encode_event("done", to_reflection(event.reflection))
        case ViewEvent():
            mark = f"id: {event.mark}\n".encode() if event.mark else b""
            return mark + encode_event(event.name, event.view)


def encode_event(name: str, data: object) -> bytes:
    """Return the bytes of one event; JSON has no line breaks of its own, so one data line holds it."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), msgspec.json.encode(data))
