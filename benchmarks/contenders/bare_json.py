"""The SDK alone, told to leave JSON as it is: what our router builds on, so that what it adds can be told apart."""

import time
from typing import Any

import openai

from benchmarks.contenders.bare import MESSAGES
from benchmarks.contenders.conversation import KEY, MAX_TOKENS, MODEL, Heard

PATH = "/chat/completions"
BODY = {"model": MODEL, "messages": MESSAGES, "max_completion_tokens": MAX_TOKENS}


class BareJson:
    """`openai.AsyncOpenAI` without its typed models."""

    def __init__(self, address: str) -> None:
        self._sdk = openai.AsyncOpenAI(base_url=f"{address}/v1", api_key=KEY)

    async def ask(self) -> str:
        """Return the answer."""
        completion: Any = await self._sdk.post(PATH, body=BODY, cast_to=object)
        return str(completion["choices"][0]["message"]["content"])

    async def stream(self) -> Heard:
        """Read a streamed answer to its end."""
        pieces: list[str] = []
        first_at_s = 0.0
        body = {**BODY, "stream": True, "stream_options": {"include_usage": True}}
        stream_cls = openai.AsyncStream[Any]
        async for chunk in await self._sdk.post(PATH, body=body, cast_to=object, stream=True, stream_cls=stream_cls):
            if chunk["choices"] and (piece := chunk["choices"][0]["delta"].get("content")):
                first_at_s = first_at_s or time.perf_counter()
                pieces.append(piece)
        return Heard("".join(pieces), first_at_s)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._sdk.close()


build = BareJson
