"""The SDK alone."""

import time
from typing import TYPE_CHECKING

import openai

from benchmarks.contenders.conversation import KEY, MAX_TOKENS, MODEL, QUESTION, SYSTEM, Heard

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionMessageParam

MESSAGES: "list[ChatCompletionMessageParam]" = [
    {"role": "system", "content": SYSTEM},
    {"role": "user", "content": QUESTION},
]


class Bare:
    """`openai.AsyncOpenAI` with its defaults."""

    def __init__(self, address: str) -> None:
        self._sdk = openai.AsyncOpenAI(base_url=f"{address}/v1", api_key=KEY)

    async def ask(self) -> str:
        """Return the answer."""
        completion = await self._sdk.chat.completions.create(
            model=MODEL, messages=MESSAGES, max_completion_tokens=MAX_TOKENS
        )
        return completion.choices[0].message.content or ""

    async def stream(self) -> Heard:
        """Read a streamed answer to its end."""
        pieces: list[str] = []
        first_at_s = 0.0
        chunks = await self._sdk.chat.completions.create(
            model=MODEL,
            messages=MESSAGES,
            max_completion_tokens=MAX_TOKENS,
            stream=True,
            stream_options={"include_usage": True},
        )
        async for chunk in chunks:
            if chunk.choices and (piece := chunk.choices[0].delta.content):
                first_at_s = first_at_s or time.perf_counter()
                pieces.append(piece)
        return Heard("".join(pieces), first_at_s)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._sdk.close()


build = Bare
