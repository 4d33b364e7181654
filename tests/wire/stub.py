"""A local HTTP server that fails on command; plain asyncio, so that it can break every rule."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

JSON = {"content-type": "application/json"}
EVENTS = {"content-type": "text/event-stream"}


@dataclass(frozen=True, slots=True)
class Whole:
    """A response of known length, after a pause."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)
    after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Streamed:
    """A chunked response: `clean` ends it as HTTP asks, `drop` cuts the connection, `stall` says nothing more."""

    chunks: Sequence[bytes]
    ending: Literal["clean", "drop", "stall"] = "clean"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: EVENTS)
    pause_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Hangup:
    """The connection closes without a word."""


Response = Whole | Streamed | Hangup


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came in; header names in small letters."""

    path: str
    headers: Mapping[str, str]
    body: Mapping[str, object]


class Stub:
    """Gives its responses in order, the last one again and again, and remembers what it was asked."""

    def __init__(self, responses: Iterable[Response]) -> None:
        self.asked: list[Asked] = []
        self.was_asked = asyncio.Event()
        self.address = ""
        self._responses = list(responses)
        self._open: set[asyncio.Task[None]] = set()

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
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(_header(line) for line in head[1:] if line)
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        response = self._responses[min(len(self.asked), len(self._responses) - 1)]
        self.asked.append(Asked(head[0].split(" ")[1], headers, json.loads(body or b"{}")))
        self.was_asked.set()
        if isinstance(response, Whole):
            await _send_whole(writer, response)
            return True
        if isinstance(response, Streamed):
            await _send_stream(writer, response)
            return response.ending == "clean"
        return False


@asynccontextmanager
async def serving(*responses: Response) -> AsyncIterator[Stub]:
    """Serve on a free port of the loopback."""
    stub = Stub(responses)
    server = await asyncio.start_server(stub.serve_connection, "127.0.0.1", 0)
    stub.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield stub
    finally:
        server.close()
        await stub.close()


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip().lower(), value.strip()


async def _send_whole(writer: asyncio.StreamWriter, response: Whole) -> None:
    await asyncio.sleep(response.after_s)
    _send_head(writer, response.status, {**response.headers, "content-length": str(len(response.body))})
    writer.write(response.body)
    await writer.drain()


async def _send_stream(writer: asyncio.StreamWriter, response: Streamed) -> None:
    _send_head(writer, response.status, {**response.headers, "transfer-encoding": "chunked"})
    for chunk in response.chunks:
        writer.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        await writer.drain()
        await asyncio.sleep(response.pause_s)
    if response.ending == "clean":
        writer.write(b"0\r\n\r\n")
        await writer.drain()
    elif response.ending == "drop":
        await asyncio.sleep(0.05)  # an abort at once may overtake what was just sent
    else:
        await asyncio.Event().wait()


def _send_head(writer: asyncio.StreamWriter, status: int, headers: Mapping[str, str]) -> None:
    lines = [f"HTTP/1.1 {status} Stub", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    writer.write("\r\n".join(lines).encode("latin-1"))
