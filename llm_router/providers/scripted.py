"""A target for tests, shipped beside the real ones."""

import asyncio
from collections.abc import AsyncIterator, Iterable

from llm_router.config import TargetConfig
from llm_router.config.targets import SCRIPTED
from llm_router.faults import TargetFault
from llm_router.prompt import Prompt
from llm_router.providers.provider import Materials, Provider
from llm_router.reply import Answer, estimate_usage
from llm_router.target import Clocks

Step = str | Answer | TargetFault | float
"""What happens next: text is a piece, a number a pause in seconds, a fault is raised, an answer ends it."""


class ScriptedTarget:
    """Plays one script a call and remembers what it was asked.

    A script is a list of steps; one of text alone is a whole answer. The last script is played again and again.
    """

    provider = SCRIPTED
    model = SCRIPTED

    def __init__(self, scripts: Iterable[Iterable[Step] | str], name: str = SCRIPTED) -> None:
        self.name = name
        self.asked: list[Prompt] = []
        self._scripts: list[list[Step]] = [[one] if isinstance(one, str) else [*one] for one in scripts]

    async def ask(self, prompt: Prompt, clocks: Clocks) -> Answer:
        """Return the script's answer."""
        last: str | Answer = ""
        async for item in self.stream(prompt, clocks):
            last = item
        if isinstance(last, str):
            raise TargetFault(self.name, "truncated")
        return last

    async def stream(self, prompt: Prompt, clocks: Clocks) -> AsyncIterator[str | Answer]:
        """Yield the script's steps; a script of more than one text must bring its own answer."""
        script = self._scripts[min(len(self.asked), len(self._scripts) - 1)]
        self.asked.append(prompt)
        if len(script) == 1 and isinstance(script[0], str):
            script = [script[0], self.answer(script[0], prompt)]
        for step in script:
            if isinstance(step, TargetFault):
                raise step
            if isinstance(step, int | float):
                await asyncio.sleep(step)
            else:
                yield step

    async def aclose(self) -> None:
        """Do nothing: there is no connection."""

    def answer(self, text: str, prompt: Prompt) -> Answer:
        """Return a whole answer of this text."""
        return Answer(text, self.model, "stop", estimate_usage(prompt.system + prompt.user_text(), text))


def _build(config: TargetConfig, _: Materials) -> ScriptedTarget:
    """Return a target that answers its model's name: a model of this provider is the text of the answer."""
    return ScriptedTarget([config.model], config.name)


PROVIDER = Provider(build=_build)
