"""Our router as a user has it: one target, the last resort, and the default patience, breaker and retry budget."""

import time

from benchmarks.contenders.conversation import KEY, MAX_TOKENS, MODEL, QUESTION, SYSTEM, Heard
from llm_router import Parts, Prompt, RouterConfig, TargetConfig, TokenEvent, build_router

PROMPT = Prompt(SYSTEM, QUESTION, (), MAX_TOKENS)


class Ours:
    """`llm_router.Router`."""

    def __init__(self, address: str, parts: Parts | None = None) -> None:
        target = TargetConfig("main", "openai", MODEL, f"{address}/v1", KEY)
        self._router = build_router(RouterConfig((target,)), None, parts)

    async def ask(self) -> str:
        """Return the answer."""
        reply = await self._router.ask(PROMPT)
        return reply.text

    async def stream(self) -> Heard:
        """Read a streamed answer to its end."""
        pieces: list[str] = []
        first_at_s = 0.0
        async for event in self._router.stream(PROMPT):
            if isinstance(event, TokenEvent):
                first_at_s = first_at_s or time.perf_counter()
                pieces.append(event.text)
        return Heard("".join(pieces), first_at_s)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._router.aclose()


build = Ours
