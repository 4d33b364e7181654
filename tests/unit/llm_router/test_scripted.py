import pytest

from llm_router import PROVIDERS, Answer, Clocks, Materials, Prompt, ScriptedTarget, TargetConfig, TargetFault

PROMPT = Prompt("Be brief.", "Where is Ada?", (), 100)


async def test_a_script_of_one_text_is_a_whole_answer() -> None:
    target = ScriptedTarget(["In Turin."])
    answer = await target.ask(PROMPT, Clocks())
    assert (answer.text, answer.model, answer.finish) == ("In Turin.", "scripted", "stop")
    assert [item async for item in target.stream(PROMPT, Clocks())] == ["In Turin.", answer]
    assert target.asked == [PROMPT, PROMPT]


async def test_scripts_play_in_order_and_the_last_again() -> None:
    target = ScriptedTarget([[TargetFault("scripted", "overloaded")], ["In ", 0.0, "Turin."], "Yes."], "main")
    with pytest.raises(TargetFault, match="overloaded"):
        await target.ask(PROMPT, Clocks())
    with pytest.raises(TargetFault, match="truncated"):
        await target.ask(PROMPT, Clocks())
    assert [(await target.ask(PROMPT, Clocks())).text for _ in range(2)] == ["Yes.", "Yes."]
    await target.aclose()
    assert target.name == "main"


async def test_a_configured_one_answers_its_models_name() -> None:
    target = PROVIDERS.get("scripted").build(TargetConfig("fake", "scripted", "In Turin."), Materials())
    answer = await target.ask(PROMPT, Clocks())
    assert isinstance(answer, Answer)
    assert (target.name, target.provider, answer.text) == ("fake", "scripted", "In Turin.")
