"""A local HTTP server that fails on command; plain asyncio, so that it can break every rule."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

JSON = {"content-type": "application/json"}
EVENTS = {"content-type": "text/event-stream"}

Headers = Mapping[str, str | Callable[[], str]]
"""By name; a value that depends on the moment is made when it is sent."""

TLS_GREETING = b"\x16"


@dataclass(frozen=True, slots=True)
class Whole:
    """A response of known length, after a pause; one that falls short of its `declared` length is cut off."""

    body: bytes
    status: int = 200
    headers: Headers = field(default_factory=lambda: JSON)
    after_s: float = 0.0
    declared: int | None = None


@dataclass(frozen=True, slots=True)
class Streamed:
    """A chunked response.

    `clean` ends it as HTTP asks, `drop` cuts the connection, `drop_in_chunk` does so in the middle of the last chunk,
    `stall` says nothing more, or the `heartbeat` again and again, until the client leaves.
    """

    chunks: Sequence[bytes]
    ending: Literal["clean", "drop", "drop_in_chunk", "stall"] = "clean"
    status: int = 200
    headers: Headers = field(default_factory=lambda: EVENTS)
    pause_s: float = 0.0
    heartbeat: bytes = b""
    heartbeat_s: float = 0.02


@dataclass(frozen=True, slots=True)
class Hangup:
    """The connection closes without a word."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing is said until the client leaves."""


Response = Whole | Streamed | Hangup | Silence


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came in; header names in small letters, the time by the loop's clock."""

    path: str
    headers: Mapping[str, str]
    body: Mapping[str, object]
    at_s: float


class Stub:
    """Gives its responses in order, the last one again and again, and remembers what it was asked.

    Args:
        responses: in order.
        by_model: what requests for these models get instead, each time.
    """

    def __init__(self, responses: Iterable[Response], by_model: Mapping[str, Response] | None = None) -> None:
        self.asked: list[Asked] = []
        self.was_asked = asyncio.Event()
        self.is_idle = asyncio.Event()
        self.address = ""
        self._responses = list(responses)
        self._by_model = by_model or {}
        self._open: set[asyncio.Task[None]] = set()
        self._answering = 0
        self.is_idle.set()

    async def serve_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            while await self._serve_request(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client went away, or the test is over
        finally:
            self._open.discard(task)
            writer.transport.abort()

    async def close(self) -> None:
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _serve_request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        first = await reader.readexactly(1)
        if first == TLS_GREETING:
            _send_head(writer, 400, {})  # as a plain server answers whoever greets it in TLS
            return False
        head = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(_header(line) for line in head[1:] if line)
        body = json.loads(await reader.readexactly(int(headers.get("content-length", "0"))) or b"{}")
        in_turn = self._responses[min(len(self.asked), len(self._responses) - 1)]
        response = self._by_model.get(body.get("model"), in_turn)
        self.asked.append(Asked(head[0].split(" ")[1], headers, body, asyncio.get_running_loop().time()))
        self.was_asked.set()
        with self._count_answer():
            return await _send(reader, writer, response)

    @contextmanager
    def _count_answer(self) -> Iterator[None]:
        self._answering += 1
        self.is_idle.clear()
        try:
            yield
        finally:
            self._answering -= 1
            if not self._answering:
                self.is_idle.set()


@asynccontextmanager
async def serving(*responses: Response, by_model: Mapping[str, Response] | None = None) -> AsyncIterator[Stub]:
    """Serve on a free port of the loopback."""
    stub = Stub(responses, by_model)
    server = await asyncio.start_server(stub.serve_connection, "127.0.0.1", 0)
    stub.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield stub
    finally:
        server.close()
        await stub.close()


@contextmanager
def refusing() -> Iterator[str]:
    """Give an address at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@contextmanager
def overrun() -> Iterator[str]:
    """Give an address that takes no further connection and does not say so: its queue is full, and nobody accepts."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        try:
            for each in waiting:
                each.setblocking(False)
                each.connect_ex(listener.getsockname())
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            for each in waiting:
                each.close()


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip().lower(), value.strip()


async def _send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, response: Response) -> bool:
    """Send a response and return whether the connection stays good for another one."""
    if isinstance(response, Whole):
        await _send_whole(writer, response)
        return response.declared is None
    if isinstance(response, Streamed):
        await _send_stream(reader, writer, response)
        return response.ending == "clean"
    if isinstance(response, Silence):
        await reader.read()
    return False


async def _send_whole(writer: asyncio.StreamWriter, response: Whole) -> None:
    await asyncio.sleep(response.after_s)
    length = len(response.body) if response.declared is None else response.declared
    _send_head(writer, response.status, {**response.headers, "content-length": str(length)})
    writer.write(response.body)
    await writer.drain()
    if response.declared is not None:
        await asyncio.sleep(0.05)  # an abort at once may overtake what was just sent


async def _send_stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, response: Streamed) -> None:
    _send_head(writer, response.status, {**response.headers, "transfer-encoding": "chunked"})
    is_cut = response.ending == "drop_in_chunk"
    for chunk in response.chunks[:-1] if is_cut else response.chunks:
        _send_chunk(writer, chunk)
        await writer.drain()
        await asyncio.sleep(response.pause_s)
    if response.ending == "clean":
        writer.write(b"0\r\n\r\n")
        await writer.drain()
    elif response.ending == "stall":
        await _stall(reader, writer, response)
    else:
        if is_cut:
            last = response.chunks[-1]
            writer.write(b"%x\r\n%s" % (len(last), last[: len(last) // 2]))
            await writer.drain()
        await asyncio.sleep(0.05)  # an abort at once may overtake what was just sent


async def _stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, response: Streamed) -> None:
    if not response.heartbeat:
        await reader.read()
    while not reader.at_eof():
        _send_chunk(writer, response.heartbeat)
        await writer.drain()
        with suppress(TimeoutError):
            async with asyncio.timeout(response.heartbeat_s):
                await reader.read()


def _send_chunk(writer: asyncio.StreamWriter, chunk: bytes) -> None:
    writer.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))


def _send_head(writer: asyncio.StreamWriter, status: int, headers: Headers) -> None:
    told = {name: value() if callable(value) else value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status} Stub", *(f"{name}: {value}" for name, value in told.items()), "", ""]
    writer.write("\r\n".join(lines).encode("latin-1"))
