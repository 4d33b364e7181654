"""The lattice live: one stream of snapshots and alerts, as server-sent events and over WebSocket."""

from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Annotated, Any, cast

from anyio import create_task_group
from litestar import Litestar, Request, Response, Router, WebSocket, get, websocket
from litestar.exceptions import WebSocketDisconnect
from litestar.params import HeaderParameter, QueryParameter
from litestar.response import Stream
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

from api.auth import Role, from_own_page, needs
from api.events import PING, PING_S
from api.live.broadcast import Viewer
from api.live.live import Live
from api.request import ApiRequest
from api.routes.problems import problems

AGAIN = b"retry: 2000\n\n"  # milliseconds after which a browser comes back
GOING_AWAY = 1001

LastEventId = Annotated[
    str | None,
    HeaderParameter(
        name="Last-Event-ID", description="The id of what was seen last; alerts since then are told first."
    ),
]
LastSeen = Annotated[
    str | None,
    QueryParameter(name="last_event_id", description="The same, for those who can send no headers."),
]


@get("/stream", guards=[needs(Role.VIEWER)], responses=problems(), summary="Watch the lattice")
async def watch_lattice(
    request: ApiRequest, last_event_id: LastEventId = None, last_seen: LastSeen = None
) -> Response[None]:
    """Tell what the lattice is like, by server-sent events, until the caller leaves.

    `snapshot` every LATTICE_STREAM__INTERVAL_S seconds, the newest one at once; a caller who is slow is told fewer, and
    never old ones. `alert` (as in GET /alerts/{alert_id}) whenever one fires, is acknowledged or ends.
    """
    live: Live = request.app.state.live
    viewer = await live.watch(last_event_id or last_seen)
    return cast("Response[None]", LiveStream(viewer))


@websocket("/stream/socket", guards=[needs(Role.VIEWER), from_own_page])
async def watch_lattice_over_websocket(socket: WebSocket[Any, Any, Any], last_seen: LastSeen = None) -> None:
    """Tell the same over WebSocket: each message is {"id", "event", "data"}."""
    live: Live = socket.app.state.live
    viewer = await live.watch(last_seen)
    await socket.accept()
    async with create_task_group() as tasks:

        async def listen() -> None:
            with suppress(WebSocketDisconnect):
                while True:  # nothing that is sent to us means anything
                    await socket.receive_data(mode="text")
            tasks.cancel_scope.cancel()

        tasks.start_soon(listen)
        await _send_all(socket, viewer)
        tasks.cancel_scope.cancel()


class LiveStream(Stream):
    """A response that lasts as long as its viewer watches; there is no queue between the two."""

    def __init__(self, viewer: Viewer) -> None:
        self._pieces = _tell(viewer)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(self._pieces, status_code=200, media_type="text/event-stream", headers=headers)

    def to_asgi_response(
        self,
        app: Litestar | None,
        request: Request[Any, Any, Any],
        **parts: Any,  # noqa: ANN401 - handed on as they came
    ) -> ASGIResponse:
        """Return the response, wrapped so that the viewer leaves whichever way it ends."""
        response = super().to_asgi_response(app, request, **parts)

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            async with aclosing(self._pieces):
                await response(scope, receive, send)

        return cast("ASGIResponse", answer)


async def _tell(viewer: Viewer) -> AsyncGenerator[bytes]:
    yield AGAIN
    async with aclosing(viewer.follow(PING_S)) as told:
        async for telling in told:
            yield PING if telling is None else telling.event


async def _send_all(socket: WebSocket[Any, Any, Any], viewer: Viewer) -> None:
    """Send what is told until one of the two sides ends; the server itself sends pings."""
    with suppress(WebSocketDisconnect):
        async with aclosing(viewer.follow(PING_S)) as told:
            async for telling in told:
                if telling is not None:
                    await socket.send_text(telling.message.decode())
        await socket.close(GOING_AWAY, "the service ends")


router = Router(path="/lattice", tags=["lattice"], route_handlers=[watch_lattice, watch_lattice_over_websocket])
