"""The outermost layer of every request: its id, its line in the log, and headers that keep browsers careful."""

import re
import time
from collections.abc import Callable, Iterable
from typing import cast
from uuid import uuid4

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from api.telemetry import RequestMetrics
from core.log import request_context

REQUEST_ID = b"x-request-id"
SANE_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
# asked every few seconds by whoever watches the service
QUIET_PATHS = ("/api/v1/health", "/api/v1/health/ready", "/metrics")

SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)

_log = structlog.get_logger(__name__)


class AccessLog:
    """Wraps the whole application, so that also what no route answers has an id, a log line and the headers.

    Args:
        app: what answers.
        metrics: returns where requests are counted, once the application has started.
    """

    def __init__(self, app: ASGIApp, metrics: Callable[[], RequestMetrics]) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        request_id = choose_request_id(scope["headers"])
        scope["state"]["request_id"] = request_id
        # the server leaves the body of an answer to HEAD out by itself
        asked = cast("HTTPScope", {**scope, "method": "GET"}) if scope["method"] == "HEAD" else scope
        is_quiet = scope["path"] in QUIET_PATHS
        status: int | None = None

        async def send_on(message: Message) -> None:
            nonlocal status
            seen.answer(message)
            if message["type"] == "http.response.start":
                status = message["status"]
                given = {name.lower() for name, _ in message["headers"]}
                ours = [header for header in SECURITY_HEADERS if header[0] not in given]
                message["headers"] = [*message["headers"], *ours, (REQUEST_ID, request_id.encode())]
            await send(message)

        started = time.perf_counter()
        watch = self._metrics().watch(asked, scope["method"], quiet=is_quiet)
        with request_context(request_id), watch as seen:
            try:
                await self._app(asked, receive, send_on)
            finally:
                took_ms = round((time.perf_counter() - started) * 1000, 1)
                write = _log.debug if is_quiet else _log.info
                write("request_answered", method=scope["method"], path=scope["path"], status=status, took_ms=took_ms)


def choose_request_id(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return the id that the client gave, if it is one that is safe to log, else a new one."""
    given = next((value for name, value in headers if name == REQUEST_ID), b"")
    return given.decode() if SANE_ID.fullmatch(given) else uuid4().hex
