"""What a server advises beside a good answer is not obeyed."""

import asyncio
from dataclasses import replace

import pytest

from llm_router import Prompt, ReplyEvent
from tests.integration.llm_router.conftest import Connect, Speaker
from tests.wire.stub import serving


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_wait_that_comes_with_an_answer_holds_nobody_back(
    connect: Connect, speaker: Speaker, prompt: Prompt, streamed: bool
) -> None:
    words = speaker.words
    answer = words.streamed("In 2019.") if streamed else words.whole("In 2019.")
    answer = replace(answer, headers={**answer.headers, "retry-after": "600", "x-should-retry": "true"})
    async with serving(answer) as stub, connect(speaker.config(stub.address)) as router, asyncio.timeout(60):
        for asked in (1, 2):
            if streamed:
                *_, last = [event async for event in router.stream(prompt)]
                assert isinstance(last, ReplyEvent)
                reply = last.reply
            else:
                reply = await router.ask(prompt)
            assert (reply.target, len(reply.attempts), len(stub.asked)) == ("main", 1, asked)
