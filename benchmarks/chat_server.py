"""`python -m benchmarks.chat_server`: a provider that answers Chat Completions at once, until its standard input ends.

It does as little as it can, so that what is measured is its caller.
"""

import asyncio
import json
import re
import sys
from typing import cast

from benchmarks.contenders.conversation import MODEL, PIECES, TEXT

USAGE = {"prompt_tokens": 60, "completion_tokens": len(PIECES), "total_tokens": 60 + len(PIECES)}
COMMON = {"id": "chatcmpl-bench", "created": 1, "model": MODEL}

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_STREAMED = re.compile(rb'"stream": *true')


def write_whole() -> bytes:
    """Return the whole answer, as it goes over the wire."""
    message = {"role": "assistant", "content": TEXT}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    body = json.dumps({**COMMON, "object": "chat.completion", "choices": [choice], "usage": USAGE}).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def write_stream() -> list[bytes]:
    """Return the streamed answer, as it goes over the wire: one event a piece."""
    deltas: list[dict[str, str]] = [{"role": "assistant", "content": ""}, *({"content": each} for each in PIECES), {}]
    bodies: list[dict[str, object]] = [
        {"choices": [{"index": 0, "delta": delta, "finish_reason": None if delta else "stop"}]} for delta in deltas
    ]
    bodies.append({"choices": [], "usage": USAGE})
    told = [json.dumps({**COMMON, "object": "chat.completion.chunk", **body}) for body in bodies]
    events = [f"data: {each}\n\n".encode() for each in (*told, "[DONE]")]
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    return [head, *(b"%x\r\n%s\r\n" % (len(event), event) for event in events), b"0\r\n\r\n"]


class Answering(asyncio.Protocol):
    """One connection: a request in, an answer out."""

    whole = write_whole()
    stream = write_stream()

    def __init__(self) -> None:
        self._came = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where answers go."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer the request once all of it is there; nobody sends a second one before."""
        self._came += data
        head, end, body = self._came.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not end or length is None or len(body) < int(length[1]) or self._transport is None:
            return
        self._came = b""
        for part in self.stream if _STREAMED.search(body) else [self.whole]:
            self._transport.write(part)


async def serve() -> None:
    """Tell the port, and serve until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Answering, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve())
