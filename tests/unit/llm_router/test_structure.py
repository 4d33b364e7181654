"""A Pydantic model in, an instance out."""

from collections.abc import Callable

import pytest
from pydantic import BaseModel, Field

from core.errors import PromptUnsupportedError, StructureInvalidError
from llm_router import (
    Answer,
    AssistantTurn,
    Capabilities,
    Prompt,
    Router,
    ScriptedTarget,
    ToolCall,
    Usage,
    UserTurn,
    ask_for,
)
from tests.unit.llm_router.conftest import Setup

Build = Callable[..., Router]


class City(BaseModel):
    name: str
    people: int = Field(ge=0)


async def test_an_answer_becomes_an_instance(build: Build, prompt: Prompt) -> None:
    target = ScriptedTarget(['{"name": "Turin", "people": 850000}'])
    answer = await ask_for(build(target), prompt, City)
    assert answer.value == City(name="Turin", people=850_000)
    assert len(answer.replies) == 1
    [asked] = target.asked
    assert asked.output is not None
    assert (asked.output.name, asked.output.schema) == ("City", City.model_json_schema())
    assert prompt.output is None


@pytest.mark.parametrize("fence", ["```json\n{}\n```", "```\n{}\n```\n", "  \n{}\n"])
async def test_a_fence_around_the_answer_does_not_matter(build: Build, prompt: Prompt, fence: str) -> None:
    text = fence.replace("{}", '{"name": "Turin", "people": 1}')
    assert (await ask_for(build(ScriptedTarget([text])), prompt, City)).value.name == "Turin"


@pytest.mark.parametrize("wrong", ["Turin, of course.", '{"name": "Turin"}', '{"name": "Turin", "people": -5}'])
async def test_what_does_not_fit_is_mended_once(build: Build, prompt: Prompt, wrong: str) -> None:
    target = ScriptedTarget([wrong, '{"name": "Turin", "people": 1}'])
    answer = await ask_for(build(target), prompt, City)
    assert answer.value.people == 1
    assert len(answer.replies) == 2
    said, told = target.asked[1].turns
    assert said == AssistantTurn(wrong)
    assert isinstance(told, UserTurn)
    assert ("people" in told.text) is (wrong != "Turin, of course.")


async def test_what_cannot_be_mended_is_an_error_without_the_answer(build: Build, prompt: Prompt) -> None:
    target = ScriptedTarget(['{"name": "a secret", "people": "a secret"}'])
    with pytest.raises(StructureInvalidError, match=r"people: int_parsing") as caught:
        await ask_for(build(target), prompt, City)
    assert len(target.asked) == 2
    assert "secret" not in f"{caught.value.message}{caught.value.details}"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer('{"name": "Tu', "m", "length", Usage(1, 1)), "max_output_tokens"),
        (Answer("I will not.", "m", "content_filter", Usage(1, 1)), "refused"),
        (Answer("", "m", "tool_use", Usage(1, 1), tool_calls=(ToolCall("1", "look", {}),)), "called a tool"),
    ],
)
async def test_what_asking_again_does_not_mend_is_not_asked_again(
    build: Build, prompt: Prompt, answer: Answer, why: str
) -> None:
    target = ScriptedTarget([[answer]])
    with pytest.raises(StructureInvalidError, match=why):
        await ask_for(build(target), prompt, City)
    assert len(target.asked) == 1


async def test_only_targets_that_keep_to_a_schema_are_asked(build: Build, prompt: Prompt) -> None:
    plain = Setup(ScriptedTarget(["Turin."], "a"), capabilities=Capabilities(schema=False))
    with pytest.raises(PromptUnsupportedError, match="a lacks schema"):
        await ask_for(build(plain), prompt, City)
