from dataclasses import replace

import pytest

from llm_router import AssistantTurn, Image, OutputSchema, Parameters, Prompt, Tool, ToolCall, ToolResult, UserTurn
from llm_router.providers.messages_request import build_messages_request

SEARCH = Tool("search", "Finds things.", {"type": "object", "properties": {"q": {"type": "string"}}})
SHORT = Prompt("Be brief.", "Where is Ada?", (), 100)
CALLS = (ToolCall("a", "search", {"q": "Ada"}), ToolCall("b", "search", {}))
USES = [
    {"type": "tool_use", "id": "a", "name": "search", "input": {"q": "Ada"}},
    {"type": "tool_use", "id": "b", "name": "search", "input": {}},
]
QUESTION = {"role": "user", "content": "Where is Ada?"}


def test_a_plain_question() -> None:
    body = {"model": "m", "system": "Be brief.", "messages": [QUESTION], "max_tokens": 100}
    assert build_messages_request(SHORT, "m") == body
    del body["system"]
    assert build_messages_request(replace(SHORT, system=""), "m") == body


def test_images_stand_beside_the_question() -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw=="}}
    prompt = replace(SHORT, images=(Image("image/png", b"\x89PNG"),), turns=(UserTurn("Well?"),))
    assert build_messages_request(prompt, "m")["messages"] == [
        {
            "role": "user",
            "content": [{"type": "text", "text": "Where is Ada?"}, image, {"type": "text", "text": "Well?"}],
        }
    ]


def test_all_results_of_a_turn_are_in_one_message_and_first_in_it() -> None:
    turns = (
        AssistantTurn("I look.", CALLS),
        ToolResult("a", "Turin"),
        UserTurn("Quick!"),
        ToolResult("b", "no", is_error=True),
        AssistantTurn("In Turin."),
        UserTurn("Since when?"),
    )
    assert build_messages_request(replace(SHORT, turns=turns), "m")["messages"] == [
        QUESTION,
        {"role": "assistant", "content": [{"type": "text", "text": "I look."}, *USES]},
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "a", "content": "Turin"},
                {"type": "tool_result", "tool_use_id": "b", "content": "no", "is_error": True},
                {"type": "text", "text": "Quick!"},
            ],
        },
        {"role": "assistant", "content": "In Turin."},
        {"role": "user", "content": "Since when?"},
    ]


def test_no_text_is_no_block() -> None:
    turns = (AssistantTurn(""), AssistantTurn("", CALLS), ToolResult("a", ""), ToolResult("b", ""))
    messages = build_messages_request(replace(SHORT, turns=turns), "m")["messages"]
    assert isinstance(messages, list)
    assert messages[:2] == [QUESTION, {"role": "assistant", "content": USES}]


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ("none", {"type": "none"}),
        ("required", {"type": "any"}),
        ("search", {"type": "tool", "name": "search"}),
        ("auto", None),
    ],
)
def test_tools_and_their_choice(choice: str, told: object) -> None:
    body = build_messages_request(replace(SHORT, tools=(SEARCH,), tool_choice=choice), "m")
    assert body["tools"] == [
        {"name": "search", "description": "Finds things.", "input_schema": SEARCH.parameters},
    ]
    assert body.get("tool_choice") == told


def test_form_and_parameters() -> None:
    prompt = replace(
        SHORT,
        output=OutputSchema("place", {"type": "object", "properties": {"city": {"type": "string"}}}),
        parameters=Parameters(temperature=1.5, top_p=0.9, stop=("END",), seed=1, effort="minimal"),
    )
    body = build_messages_request(prompt, "m")
    assert {name: body[name] for name in body if name not in {"model", "messages", "system", "max_tokens"}} == {
        "output_config": {
            "effort": "low",
            "format": {
                "type": "json_schema",
                "schema": {
                    "type": "object",
                    "properties": {"city": {"type": "string"}},
                    "additionalProperties": False,
                },
            },
        },
        "temperature": 1.0,
        "top_p": 0.9,
        "stop_sequences": ["END"],
    }
    high = build_messages_request(replace(SHORT, parameters=Parameters(temperature=0.2, effort="high")), "m")
    assert (high["output_config"], high["temperature"]) == ({"effort": "high"}, 0.2)
