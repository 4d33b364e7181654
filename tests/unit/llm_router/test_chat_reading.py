from decimal import Decimal
from typing import Any

import pytest

from llm_router import Prompt, TargetFault, ToolCall, Usage
from llm_router.providers.chat_reading import ChatReading, read_usage

PROMPT = Prompt("Be brief.", "Where is Ada?", (), 100)
USAGE = {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13}
CALL = {"id": "a", "type": "function", "function": {"name": "find", "arguments": '{"q": "Ada"}'}}


def begin() -> ChatReading:
    return ChatReading("main", "configured", PROMPT)


def whole(finish: str | None = "stop", **message: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"role": "assistant", **message}, "finish_reason": finish}], "usage": USAGE}


def chunk(finish: str | None = None, index: int = 0, **delta: Any) -> dict[str, Any]:
    return {"choices": [{"index": index, "delta": delta, "finish_reason": finish}]}


def test_a_whole_answer_has_all_its_facts() -> None:
    reading = begin()
    body = {**whole(content="Turin."), "id": "c1", "model": "told", "service_tier": "flex"}
    assert reading.read_whole(body) == "Turin."
    answer = reading.answer()
    assert (answer.text, answer.model, answer.finish, answer.usage) == ("Turin.", "told", "stop", Usage(10, 3))
    assert (answer.raw_usage, answer.tier, answer.response_id, answer.cost_usd) == (USAGE, "flex", "c1", None)


@pytest.mark.parametrize("count", [None, "10", -1, float("nan"), 10**40])
def test_a_usage_that_tells_nothing_is_estimated(count: object) -> None:
    reading = begin()
    usage = {"prompt_tokens": count, "completion_tokens": count}
    reading.read_whole({"choices": [{"message": {"content": "Turin."}, "finish_reason": "stop"}], "usage": usage})
    answer = reading.answer()
    assert (answer.usage.estimated, answer.usage.output_tokens, answer.raw_usage) == (True, 2, usage)


def test_a_usage_that_tells_nothing_takes_nothing_back() -> None:
    reading = begin()
    for event in ({**chunk(content="Turin."), "usage": USAGE}, chunk("stop"), {"usage": {"prompt_tokens": 0}}):
        reading.read_event(event)
    assert reading.answer().usage == Usage(10, 3)


def test_a_server_that_leaves_out_what_it_can_is_still_understood() -> None:
    reading = begin()
    reading.read_whole({"choices": [{"message": {"content": "Turin."}, "finish_reason": "stop"}]})
    answer = reading.answer()
    assert (answer.model, answer.tool_calls, answer.raw_usage) == ("configured", (), None)
    assert (answer.usage.estimated, answer.usage.output_tokens) == (True, 2)


def test_the_first_of_several_choices_is_the_answer() -> None:
    reading = begin()
    reading.read_whole({"choices": [*whole(content="one")["choices"], *whole("length", content="two")["choices"]]})
    assert (reading.answer().text, reading.answer().finish) == ("one", "stop")
    reading = begin()
    chunks = [chunk(content="o"), chunk(index=1, content="tw"), chunk(content="ne"), chunk("length", index=1)]
    assert [reading.read_event(each) for each in chunks] == ["o", None, "ne", None]
    with pytest.raises(TargetFault, match="truncated"):
        reading.answer()


@pytest.mark.parametrize(
    ("finish", "message", "expected"),
    [
        ("stop", {"content": "x"}, "stop"),
        ("length", {"content": "x"}, "length"),
        ("content_filter", {"content": "x"}, "content_filter"),
        ("stop", {"content": "", "refusal": "No."}, "content_filter"),
        ("tool_calls", {"tool_calls": [CALL]}, "tool_use"),
        ("stop", {"tool_calls": [CALL]}, "tool_use"),
        ("length", {"tool_calls": [CALL]}, "length"),
        ("function_call", {"function_call": CALL["function"]}, "tool_use"),
        ("surprise", {"content": "x"}, "other"),
    ],
)
def test_how_an_answer_ended(finish: str, message: dict[str, Any], expected: str) -> None:
    reading = begin()
    reading.read_whole(whole(finish, **message))
    assert reading.answer().finish == expected


@pytest.mark.parametrize(
    ("finish", "kind"),
    [
        (None, "truncated"),
        ("error", "server_error"),
        ("insufficient_system_resource", "overloaded"),
        ("abort", "cancelled"),
    ],
)
def test_what_has_no_end_of_its_own_is_no_answer(finish: str | None, kind: str) -> None:
    reading = begin()
    reading.read_whole(whole(finish, content="half"))
    with pytest.raises(TargetFault, match=kind) as caught:
        reading.answer()
    assert caught.value.usage == Usage(10, 3)


def test_tool_calls_of_a_whole_answer_are_parsed() -> None:
    reading = begin()
    numbered = [{**CALL, "index": 0}, {**CALL, "index": 0, "id": ""}, {"function": {"name": "now", "arguments": ""}}]
    reading.read_whole(whole("tool_calls", content=None, tool_calls=numbered))
    first, second, third = reading.answer().tool_calls
    assert first == ToolCall("a", "find", {"q": "Ada"})
    assert (second.name, second.arguments, third.name, third.arguments) == ("find", {"q": "Ada"}, "now", {})
    assert len({first.call_id, second.call_id, third.call_id}) == 3


def test_a_malformed_tool_call_carries_what_was_spent() -> None:
    reading = begin()
    reading.read_whole(whole("tool_calls", tool_calls=[{"id": "a", "function": {"name": "f", "arguments": "{"}}]))
    with pytest.raises(TargetFault, match="malformed") as caught:
        reading.answer()
    assert caught.value.usage == Usage(10, 3)


def test_work_that_no_reader_sees_is_an_empty_piece() -> None:
    reading = begin()
    seen = [
        chunk(role="assistant", content=""),
        chunk(reasoning_content="hm"),
        chunk(reasoning="hm"),
        chunk(tool_calls=[{"index": 0, **CALL}]),
        chunk(refusal="No"),
        chunk(content="Tu"),
        chunk(content=[{"type": "text", "text": "rin"}]),
        chunk("stop"),
        {"choices": [], "usage": USAGE},
        {"choices": []},
        {},
    ]
    assert [reading.read_event(each) for each in seen] == [None, "", "", "", "", "Tu", "rin", None, None, None, None]
    answer = reading.answer()
    assert (answer.text, answer.finish, answer.usage) == ("Turin", "content_filter", Usage(10, 3))


@pytest.mark.parametrize(
    "last",
    [
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": USAGE}]},
        {**chunk("stop"), "x_groq": {"id": "r", "usage": USAGE}},
        {**chunk("stop"), "usage": USAGE},
    ],
)
def test_usage_stands_in_several_places(last: dict[str, Any]) -> None:
    reading = begin()
    reading.read_event({**chunk(content="x"), "usage": None})
    reading.read_event(last)
    assert reading.answer().usage == Usage(10, 3)


def test_an_error_in_a_chunk_counts_what_the_chunk_says_was_spent() -> None:
    reading = begin()
    reading.read_event(chunk(content="half"))
    with pytest.raises(TargetFault, match="server_error") as caught:
        reading.read_event({**chunk(content=""), "error": {"code": 502, "message": "sk-1"}, "usage": USAGE})
    assert caught.value.usage == Usage(10, 3)
    assert "sk-1" not in str(caught.value)


@pytest.mark.parametrize("body", [{}, [], None, "<html>", {"choices": []}, {"detail": "hello"}])
def test_what_is_no_answer_is_malformed(body: object) -> None:
    with pytest.raises(TargetFault, match="malformed"):
        begin().read_whole(body)


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        ({"cost": 0.000103}, Decimal("0.000103")),
        ({"cost": 0, "is_byok": False}, Decimal(0)),
        ({"cost": 0.01, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.5}}, Decimal("0.51")),
        ({"cost": 0.01, "is_byok": True, "cost_details": None}, Decimal("0.01")),
        ({"cost": "free"}, None),
        ({}, None),
    ],
)
def test_the_cost_that_a_broker_tells(usage: dict[str, Any], cost: Decimal | None) -> None:
    reading = begin()
    reading.read_whole({**whole(content="x"), "usage": {**USAGE, **usage}})
    assert reading.answer().cost_usd == cost


@pytest.mark.parametrize(
    ("fields", "usage"),
    [
        ({}, Usage(10, 3)),
        ({"prompt_tokens_details": {"cached_tokens": 6, "cache_write_tokens": 3}}, Usage(1, 3, 6, 3)),
        ({"prompt_tokens_details": {"cached_tokens": 99}}, Usage(0, 3, 10)),
        ({"prompt_cache_hit_tokens": 4, "prompt_cache_miss_tokens": 6}, Usage(6, 3, 4)),
        ({"completion_tokens_details": {"reasoning_tokens": 2}}, Usage(10, 1, reasoning_tokens=2)),
        ({"completion_tokens_details": {"reasoning_tokens": 4}}, Usage(10, 0, reasoning_tokens=3)),
        (
            {"completion_tokens_details": {"reasoning_tokens": 40}, "total_tokens": 53},
            Usage(10, 3, reasoning_tokens=40),
        ),
        ({"prompt_tokens_details": None, "completion_tokens_details": None}, Usage(10, 3)),
    ],
)
def test_usage_falls_into_disjoint_buckets(fields: dict[str, Any], usage: Usage) -> None:
    assert read_usage({**USAGE, **fields}) == usage
