"""Streams of server-sent events, whatever the wire that they carry."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Protocol, cast

import httpx2

from llm_router.faults import TargetFault
from llm_router.providers.bodies import EVENT_STREAM, LARGEST_BODY
from llm_router.providers.wire import as_body
from llm_router.reply import Usage

DRAIN_S = 0.1
"""What the end of a body may take after the answer's own end, so that the connection can be used again."""

_Events = AsyncGenerator[httpx2.ServerSentEvent]


class Reading(Protocol):
    """One answer being read."""

    @property
    def target(self) -> str:
        """The target's name, for faults."""

    @property
    def is_over(self) -> bool:
        """Whether the wire has said that nothing more comes."""

    def read_whole(self, body: object) -> str:
        """Take in a whole body and return its text.

        Raises:
            TargetFault: it tells of an error, or is not what the wire promises.
        """

    def read_event(self, event: Mapping[str, object]) -> str | None:
        """Take in one event of a stream.

        Returns:
            Its text; an empty one for work that no reader sees, None for what is neither.

        Raises:
            TargetFault: it tells of an error.
        """

    def spent(self) -> Usage | None:
        """Return the tokens spent so far, None for nothing."""


async def read_stream(response: httpx2.Response, reading: Reading) -> AsyncGenerator[str]:
    """Yield the pieces of a streamed answer.

    A server that does not stream, or tells of an error in that way, sends its whole body.

    Raises:
        TargetFault: as the reading does, and for an event that is no JSON object.
    """
    if response.headers.get("content-type", "").partition(";")[0].strip().lower() != EVENT_STREAM:
        body = (await response.aread()).decode(errors="replace")
        yield reading.read_whole(as_body(body))
        return
    async with aclosing(cast("_Events", aiter(httpx2.EventSource(response, max_event_size=LARGEST_BODY)))) as events:
        async for event in events:
            if event.data.startswith("[DONE]"):
                break
            piece = reading.read_event(_read_event(event, reading)) if event.data else None
            if piece is not None:
                yield piece
            if reading.is_over:
                break
        await _drain(events)


def _read_event(event: httpx2.ServerSentEvent, reading: Reading) -> Mapping[str, object]:
    try:
        fields = json.loads(event.data)
    except (ValueError, RecursionError):
        fields = None
    if event.event == "error":
        told = fields if isinstance(fields, Mapping) else {"message": event.data}
        return told if "error" in told else {"type": "error", "error": told}
    if not isinstance(fields, Mapping):
        raise TargetFault(reading.target, "malformed", usage=reading.spent())
    return fields


async def _drain(events: _Events) -> None:
    """Read what is left; nothing that happens to it can make a whole answer any less whole."""
    try:
        async with asyncio.timeout(DRAIN_S):
            async for _ in events:
                pass
    except (httpx2.HTTPError, httpx2.StreamError, TimeoutError):
        return
