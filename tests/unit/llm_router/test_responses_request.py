from dataclasses import replace

from llm_router import AssistantTurn, Image, OutputSchema, Parameters, Prompt, Tool, ToolCall, ToolResult, UserTurn
from llm_router.providers.responses_request import build_responses_request

SEARCH = Tool("search", "Finds things.", {"type": "object", "properties": {"q": {"type": "string"}}})
SHORT = Prompt("Be brief.", "Where is Ada?", (), 100)


def test_a_plain_question() -> None:
    body = {
        "model": "m",
        "instructions": "Be brief.",
        "input": [{"role": "user", "content": "Where is Ada?"}],
        "max_output_tokens": 100,
        "store": False,
    }
    assert build_responses_request(SHORT, "m") == body
    del body["instructions"]
    assert build_responses_request(replace(SHORT, system=""), "m") == body


def test_images_stand_beside_the_question() -> None:
    prompt = replace(SHORT, images=(Image("image/png", b"\x89PNG"),))
    assert build_responses_request(prompt, "m")["input"] == [
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "Where is Ada?"},
                {"type": "input_image", "image_url": "data:image/png;base64,iVBORw==", "detail": "auto"},
            ],
        }
    ]


def test_calls_and_results_are_items_of_their_own() -> None:
    calls = (ToolCall("a", "search", {"q": "Ada"}), ToolCall("b", "search", {}))
    results = (ToolResult("a", "Turin"), ToolResult("b", "no", is_error=True))
    turns = (AssistantTurn("I look.", calls), *results, AssistantTurn("In Turin."), UserTurn("Since when?"))
    assert build_responses_request(replace(SHORT, turns=turns), "m")["input"] == [
        {"role": "user", "content": "Where is Ada?"},
        {"role": "assistant", "content": "I look."},
        {"type": "function_call", "call_id": "a", "name": "search", "arguments": '{"q": "Ada"}'},
        {"type": "function_call", "call_id": "b", "name": "search", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "a", "output": "Turin"},
        {"type": "function_call_output", "call_id": "b", "output": "no"},
        {"role": "assistant", "content": "In Turin."},
        {"role": "user", "content": "Since when?"},
    ]


def test_tools_choice_form_and_parameters() -> None:
    prompt = replace(
        SHORT,
        tools=(SEARCH,),
        tool_choice="search",
        output=OutputSchema("place", {"type": "object", "properties": {"city": {"type": "string"}}}),
        parameters=Parameters(temperature=0.5, top_p=0.9, stop=("no word for it",), seed=1, effort="high"),
    )
    body = build_responses_request(prompt, "m")
    assert {name: body[name] for name in body if name not in {"model", "input", "instructions", "store"}} == {
        "max_output_tokens": 100,
        "tools": [
            {
                "type": "function",
                "name": "search",
                "description": "Finds things.",
                "parameters": SEARCH.parameters,
                "strict": False,
            }
        ],
        "tool_choice": {"type": "function", "name": "search"},
        "text": {
            "format": {
                "type": "json_schema",
                "name": "place",
                "schema": {
                    "type": "object",
                    "properties": {"city": {"type": "string"}},
                    "required": ["city"],
                    "additionalProperties": False,
                },
                "strict": True,
            }
        },
        "reasoning": {"effort": "high"},
        "temperature": 0.5,
        "top_p": 0.9,
    }
    assert build_responses_request(replace(prompt, tool_choice="required"), "m")["tool_choice"] == "required"
    assert "tool_choice" not in build_responses_request(replace(prompt, tool_choice="auto"), "m")
