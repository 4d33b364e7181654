"""What is told to the outside never quotes what was asked or answered."""

import pytest

from core.errors import StreamBrokenError
from llm_router import (
    Answer,
    AssistantTurn,
    Evidence,
    OutputSchema,
    Parameters,
    Prompt,
    ScriptedTarget,
    TargetFault,
    UserTurn,
)
from tests.unit.llm_router.conftest import Setup
from tests.unit.llm_router.telemetry.conftest import Build, Seen, read, told

MARK = "MARKER"


class Faulty(ScriptedTarget):
    """A target with a fault of ours, whose text quotes what it was given."""

    async def ask(self, prompt: Prompt, clocks: object) -> Answer:
        raise ValueError(prompt.question)


async def test_no_text_and_no_key_is_told_anywhere(watched: Build, seen: Seen) -> None:
    prompt = Prompt(
        f"{MARK} system",
        f"{MARK} question",
        (Evidence(1, f"{MARK} text", f"{MARK} title", f"{MARK} source", 0.9),),
        100,
        turns=(AssistantTurn(f"{MARK} said"), UserTurn(f"{MARK} next")),
        output=OutputSchema(MARK, {"title": MARK}),
        parameters=Parameters(stop=(MARK,)),
        version=MARK,
    )
    failing = ScriptedTarget([[TargetFault("a", "server_error", cause=MARK, retryable=False)]], "a")
    router = watched(Setup(failing, api_key=MARK), Setup(ScriptedTarget([f"{MARK} answer"], "b"), api_key=MARK))
    assert MARK in (await router.ask(prompt)).text
    await read(router, prompt)
    broken = ScriptedTarget([[f"{MARK} answ", TargetFault("a", "truncated")]], "a")
    with pytest.raises(StreamBrokenError):
        await read(watched(Setup(broken, api_key=MARK)), prompt)
    with pytest.raises(ValueError, match=MARK):
        await watched(Setup(Faulty([], "a"), api_key=MARK)).ask(prompt)
    assert told(seen.spans[-1])["error.type"] == "ValueError"
    assert "lattice_llm_tokens_total" in seen.text
    assert MARK not in seen.text
