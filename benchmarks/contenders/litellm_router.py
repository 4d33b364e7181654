"""`litellm.Router`; it is installed in an environment of its own, since it cannot live with our version of the SDK."""

import importlib
import time

from benchmarks.contenders.conversation import KEY, MAX_TOKENS, MODEL, QUESTION, SYSTEM, Heard

MESSAGES = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}]
NAME = "main"


class LiteLLM:
    """`litellm.Router` of one deployment with its defaults."""

    def __init__(self, address: str) -> None:
        params = {"model": f"openai/{MODEL}", "api_base": f"{address}/v1", "api_key": KEY}
        litellm = importlib.import_module("litellm")
        self._router = litellm.Router(model_list=[{"model_name": NAME, "litellm_params": params}])

    async def ask(self) -> str:
        """Return the answer."""
        completion = await self._router.acompletion(model=NAME, messages=MESSAGES, max_completion_tokens=MAX_TOKENS)
        return str(completion.choices[0].message.content)

    async def stream(self) -> Heard:
        """Read a streamed answer to its end."""
        pieces: list[str] = []
        first_at_s = 0.0
        chunks = await self._router.acompletion(
            model=NAME,
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
        """Leave the connections to the end of the process."""


build = LiteLLM
