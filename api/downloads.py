"""Files that are sent while they are made."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, cast

from anyio import CancelScope
from litestar import Litestar, Request
from litestar.response import Stream
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

WAITING = 8  # pieces that a slow client may leave unread before the making is held up


class Download(Stream):
    """A response that is a file; when it cannot be made to its end, the connection breaks off before its end."""

    def __init__(self, pieces: AsyncGenerator[bytes], first: bytes, name: str, media_type: str) -> None:
        self._making = pieces
        self._sending = carry(pieces, first)
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        super().__init__(self._sending, status_code=200, media_type=media_type, headers=headers)

    def to_asgi_response(
        self,
        app: Litestar | None,
        request: Request[Any, Any, Any],
        **parts: Any,  # noqa: ANN401 - handed on as they came
    ) -> ASGIResponse:
        """Return the response, wrapped so that what makes the file is closed whichever way it ends."""
        response = super().to_asgi_response(app, request, **parts)

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            async with aclosing(self._making), aclosing(self._sending):
                await response(scope, receive, send)

        return cast("ASGIResponse", answer)


async def open_download(pieces: AsyncGenerator[bytes], name: str, media_type: str) -> Download:
    """Wait for the first piece, so that what cannot be begun is an ordinary error, and return the response.

    Raises:
        LatticeError: nothing could be made.
    """
    return Download(pieces, await anext(pieces), name, media_type)


async def carry(pieces: AsyncGenerator[bytes], first: bytes) -> AsyncGenerator[bytes]:
    """Yield pieces that a task of its own makes: it is cancelled once, when the client leaves, and ends in peace."""
    queue: asyncio.Queue[bytes | None] = asyncio.Queue(WAITING)
    making = asyncio.create_task(_make(pieces, first, queue))
    try:
        while (piece := await queue.get()) is not None:
            yield piece
        await making
    finally:
        making.cancel()
        with CancelScope(shield=True):
            await asyncio.wait([making])


async def _make(pieces: AsyncGenerator[bytes], first: bytes, queue: asyncio.Queue[bytes | None]) -> None:
    try:
        await queue.put(first)
        async for piece in pieces:
            await queue.put(piece)
    finally:
        await queue.put(None)
