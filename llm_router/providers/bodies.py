"""How much of a body is read at all: no server without bounds, and no bomb of compressed bytes, fills the memory."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import httpx2

LARGEST_BODY = 64_000_000
"""Bytes of a body or of one event, as they are after decompression: several times the largest batch of vectors."""

LARGEST_STREAM = 4 * LARGEST_BODY
"""Bytes of a stream, which is not kept: hundreds of bytes for each token of the longest answers."""

EVENT_STREAM = "text/event-stream"


class MeasuredResponse(httpx2.Response):
    """A response that gives up where its body passes all measure."""

    @property
    def streams_events(self) -> bool:
        """Whether the body is a stream of events."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower() == EVENT_STREAM

    async def aiter_bytes(self, chunk_size: int | None = None) -> AsyncGenerator[bytes]:
        """Yield the decompressed body.

        Raises:
            DecodingError: there is too much of it.
        """
        left = LARGEST_STREAM if self.streams_events else LARGEST_BODY
        async with aclosing(super().aiter_bytes(chunk_size)) as pieces:
            async for piece in pieces:
                left -= len(piece)
                if left < 0:
                    raise httpx2.DecodingError("the body is too large", request=self.request)
                yield piece


async def measure(response: httpx2.Response) -> None:
    """Bound a response that has just begun; a client's event hook, so that the body of an error is bounded too."""
    response.encoding = "utf-8"  # as JSON and events are, whatever the server calls them; some names break the reader
    response.__class__ = MeasuredResponse  # the transport makes it, and its state is all that a measured one needs
