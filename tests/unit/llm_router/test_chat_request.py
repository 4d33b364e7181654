import json
from dataclasses import replace

from llm_router import AssistantTurn, Image, OutputSchema, Parameters, Prompt, Tool, ToolCall, ToolResult, UserTurn
from llm_router.providers.chat_request import build_chat_request

SEARCH = Tool("search", "Finds things.", {"type": "object", "properties": {"q": {"type": "string"}}})
SHORT = Prompt("Be brief.", "Where is Ada?", (), 100)


def test_a_plain_question_is_two_messages() -> None:
    assert build_chat_request(SHORT, "m") == {
        "model": "m",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Where is Ada?"}],
        "max_completion_tokens": 100,
    }
    legacy = build_chat_request(replace(SHORT, system=""), "m", legacy_max_tokens=True)
    assert legacy == {"model": "m", "messages": [{"role": "user", "content": "Where is Ada?"}], "max_tokens": 100}


def test_images_stand_beside_the_question() -> None:
    prompt = replace(SHORT, system="", images=(Image("image/png", b"\x89PNG"),))
    assert build_chat_request(prompt, "m")["messages"] == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Where is Ada?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}},
            ],
        }
    ]


def test_turns_follow_the_question() -> None:
    calls = (ToolCall("a", "search", {"q": "Ada"}), ToolCall("b", "search", {}))
    results = (ToolResult("a", "Turin"), ToolResult("b", "no", is_error=True))
    turns = (AssistantTurn("", calls), *results, AssistantTurn("In Turin."), UserTurn("Since when?"))
    assert build_chat_request(replace(SHORT, system="", turns=turns), "m")["messages"] == [
        {"role": "user", "content": "Where is Ada?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "search", "arguments": '{"q": "Ada"}'}},
                {"id": "b", "type": "function", "function": {"name": "search", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": "a", "content": "Turin"},
        {"role": "tool", "tool_call_id": "b", "content": "no"},
        {"role": "assistant", "content": "In Turin."},
        {"role": "user", "content": "Since when?"},
    ]


def test_tools_and_their_choice() -> None:
    function = {"name": "search", "description": "Finds things.", "parameters": SEARCH.parameters}
    prompt = replace(SHORT, tools=(SEARCH,))
    body = build_chat_request(prompt, "m")
    assert body["tools"] == [{"type": "function", "function": function}]
    assert "tool_choice" not in body
    assert build_chat_request(replace(prompt, tool_choice="none"), "m")["tool_choice"] == "none"
    assert build_chat_request(replace(prompt, tool_choice="required"), "m")["tool_choice"] == "required"
    assert build_chat_request(replace(prompt, tool_choice="search"), "m")["tool_choice"] == {
        "type": "function",
        "function": {"name": "search"},
    }
    assert "tool_choice" not in build_chat_request(replace(SHORT, tool_choice="required"), "m")


def test_the_form_of_the_answer_is_strict_where_it_can_be() -> None:
    closed = {"type": "object", "properties": {"city": {"type": "string"}}}
    strict = build_chat_request(replace(SHORT, output=OutputSchema("place", closed)), "m")["response_format"]
    assert strict == {
        "type": "json_schema",
        "json_schema": {
            "name": "place",
            "schema": {**closed, "required": ["city"], "additionalProperties": False},
            "strict": True,
        },
    }
    open_ = {"type": "object", "additionalProperties": {"type": "string"}}
    loose = build_chat_request(replace(SHORT, output=OutputSchema("place", open_)), "m")["response_format"]
    assert loose == {"type": "json_schema", "json_schema": {"name": "place", "schema": open_, "strict": False}}


def test_parameters_are_sent_where_given() -> None:
    given = Parameters(temperature=0.0, top_p=0.5, stop=("END",), seed=0, effort="minimal")
    body = build_chat_request(replace(SHORT, parameters=given), "m")
    assert {name: body[name] for name in body if name not in {"model", "messages", "max_completion_tokens"}} == {
        "temperature": 0.0,
        "top_p": 0.5,
        "stop": ["END"],
        "seed": 0,
        "reasoning_effort": "minimal",
    }


def test_each_request_is_built_anew_and_the_prompt_stays_as_it_was() -> None:
    prompt = replace(SHORT, tools=(SEARCH,), output=OutputSchema("place", {"type": "object", "properties": {}}))
    first = build_chat_request(prompt, "m")
    told, before = json.dumps(first), repr(prompt)
    first["messages"].clear()  # type: ignore[attr-defined]
    assert json.dumps(build_chat_request(prompt, "m")) == told
    assert repr(prompt) == before
