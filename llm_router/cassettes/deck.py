"""What plays a cassette's answers and records new ones, between an HTTP client and its transport."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, cast

import httpx2
from vcr.cassette import Cassette
from vcr.errors import UnhandledHTTPRequestError
from vcr.filters import decode_response
from vcr.request import Request

from core.errors import CassetteMissError
from llm_router.cassettes.filtering import Filter
from llm_router.cassettes.matching import describe_miss

Send = Callable[[httpx2.Request], Awaitable[httpx2.Response]]

REST_S = 1.0
"""How long is waited for the rest of a stream that its reader closes early: after an end marker it is a few bytes."""


class Deck:
    """Answers requests from a cassette, or sends them and keeps what comes back.

    Answers to one request are played in the order in which they came.

    Args:
        cassette: that is in it.
        plays: whether recorded answers are given.
        records: whether what is not played is sent, and its answer kept; without it, it is a miss.
        repeats: whether the last answer to a request is given again when all were played.
        filtering: takes the secrets out of what is kept.
    """

    def __init__(self, cassette: Cassette, *, plays: bool, records: bool, repeats: bool, filtering: Filter) -> None:
        self._cassette = cassette
        self._plays = plays
        self._records = records
        self._repeats = repeats
        self._filter = filtering
        self._loaded = len(cassette)
        self.misses: list[CassetteMissError] = []

    @property
    def held(self) -> int:
        """How many exchanges the cassette holds."""
        return len(self._cassette)

    @property
    def recorded(self) -> int:
        """How many of them are new."""
        return self.held - self._loaded

    def list_unplayed(self) -> list[str]:
        """Return method and address of what was recorded before and has not been played."""
        counts = self._cassette.play_counts
        return [
            f"{request.method} {request.uri}"
            for index, request in enumerate(self._cassette.requests[: self._loaded])
            if self._plays and not counts[index]
        ]

    async def answer(self, request: httpx2.Request, send: Send) -> httpx2.Response:
        """Return the answer to a request, recorded or fresh.

        Raises:
            CassetteMissError: there is none, and nothing may be sent.
        """
        asked = Request(request.method, str(request.url), await request.aread(), request.headers)
        told = self._find(asked)
        if told is not None:
            return _play(told)
        if not self._records:
            miss = describe_miss(self._cassette, self._cassette.filter_request(asked))
            self.misses.append(miss)
            raise miss
        request.headers["accept-encoding"] = "identity"  # so that secrets can be found, and people can read it
        response = await send(request)
        stream = cast("httpx2.AsyncByteStream", response.stream)
        response.stream = _Tape(stream, lambda body: self._keep(asked, response, body))
        return response

    def _find(self, asked: Request) -> Mapping[str, Any] | None:
        if not self._plays:
            return None
        if asked in self._cassette:
            return self._cassette.play_response(asked)  # type: ignore[no-any-return]
        if not self._repeats:
            return None
        try:
            return self._cassette.responses_of(asked)[-1]  # type: ignore[no-any-return]
        except UnhandledHTTPRequestError:
            return None

    def _keep(self, asked: Request, response: httpx2.Response, body: bytes) -> None:
        headers = {name: response.headers.get_list(name) for name in response.headers}
        told = {
            "status": {"code": response.status_code, "message": response.reason_phrase},
            "headers": headers,
            "body": {"string": body},
        }
        self._cassette.append(asked, self._filter.clean_response(asked, decode_response(told)))
        self._cassette.play_counts[self.held - 1] += 1  # it has been given to whoever asked


class DeckTransport(httpx2.AsyncBaseTransport):
    """A transport without a network: all it says comes from a deck that plays."""

    def __init__(self, deck: Deck) -> None:
        self._deck = deck

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Return the recorded answer.

        Raises:
            CassetteMissError: there is none.
        """
        return await self._deck.answer(request, _refuse)


async def _refuse(request: httpx2.Request) -> httpx2.Response:
    raise httpx2.UnsupportedProtocol(f"nothing may be sent to {request.url.host}")


def _play(told: Mapping[str, Any]) -> httpx2.Response:
    headers = [(name, value) for name, values in told["headers"].items() for value in _as_list(values)]
    return httpx2.Response(told["status"]["code"], headers=headers, stream=httpx2.ByteStream(told["body"]["string"]))


def _as_list(values: object) -> list[str]:
    return [str(value) for value in values] if isinstance(values, list) else [str(values)]


class _Tape(httpx2.AsyncByteStream):
    """Hands a response's bytes on as they come, and keeps them when all have come."""

    def __init__(self, stream: httpx2.AsyncByteStream, keep: Callable[[bytes], None]) -> None:
        self._stream = stream
        self._source = aiter(stream)
        self._keep = keep
        self._pieces: list[bytes] = []
        self._is_over = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (piece := await self._next()) is not None:
            yield piece

    async def aclose(self) -> None:
        try:
            with suppress(TimeoutError, httpx2.HTTPError):
                async with asyncio.timeout(REST_S):
                    while await self._next() is not None:
                        pass
        finally:
            await self._stream.aclose()

    async def _next(self) -> bytes | None:
        if self._is_over:
            return None
        try:
            piece = await anext(self._source, None)
        except BaseException:
            self._is_over = True  # broken or cancelled: what is not whole is not kept
            raise
        if piece is None:
            self._is_over = True
            self._keep(b"".join(self._pieces))
        else:
            self._pieces.append(piece)
        return piece
