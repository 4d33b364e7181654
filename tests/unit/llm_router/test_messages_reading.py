from typing import Any

import pytest

from llm_router import Prompt, TargetFault, ToolCall, Usage
from llm_router.providers.messages_reading import MessageReading, read_usage

PROMPT = Prompt("Be brief.", "Where is Ada?", (), 100)
USAGE = {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 7, "service_tier": "priority"}
TEXT = {"type": "text", "text": "Turin."}
USE = {"type": "tool_use", "id": "a", "name": "find", "input": {"q": "Ada"}}


def begin() -> MessageReading:
    return MessageReading("main", "configured", PROMPT)


def body(*blocks: dict[str, Any], finish: str | None = "end_turn") -> dict[str, Any]:
    told = {"id": "m1", "type": "message", "role": "assistant", "model": "told", "usage": USAGE}
    return {**told, "content": [*blocks], "stop_reason": finish}


def start(index: int, **block: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: int, kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


BEGIN = {"type": "message_start", "message": body(finish=None)}
STOP = {"type": "message_stop"}


def end(finish: str, **usage: Any) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": finish}, "usage": {"output_tokens": 9, **usage}}


def test_a_whole_answer_has_all_its_facts() -> None:
    reading = begin()
    thinking = {"type": "thinking", "thinking": "hm", "signature": ""}
    assert reading.read_whole(body(thinking, TEXT, {"type": "redacted_thinking", "data": "x"})) == "Turin."
    answer = reading.answer()
    assert (answer.text, answer.model, answer.finish, answer.usage) == ("Turin.", "told", "stop", Usage(10, 5, 7))
    assert (answer.raw_usage, answer.tier, answer.response_id) == (USAGE, "priority", "m1")


@pytest.mark.parametrize(
    ("told", "blocks", "finish"),
    [
        ("end_turn", [TEXT], "stop"),
        ("stop_sequence", [TEXT], "stop"),
        ("max_tokens", [TEXT], "length"),
        ("model_context_window_exceeded", [TEXT], "length"),
        ("refusal", [], "content_filter"),
        ("pause_turn", [TEXT], "other"),
        ("tool_use", [USE], "tool_use"),
        ("end_turn", [USE], "tool_use"),
        ("surprise", [TEXT], "other"),
    ],
)
def test_how_an_answer_ended(told: str, blocks: list[dict[str, Any]], finish: str) -> None:
    reading = begin()
    reading.read_whole(body(*blocks, finish=told))
    assert reading.answer().finish == finish


def test_tool_calls_of_a_whole_answer() -> None:
    reading = begin()
    searched = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"q": "x"}}
    reading.read_whole(body(TEXT, searched, USE, {**USE, "id": "b", "input": {}}, finish="tool_use"))
    answer = reading.answer()
    assert answer.tool_calls == (ToolCall("a", "find", {"q": "Ada"}), ToolCall("b", "find", {}))
    assert answer.text == "Turin."


@pytest.mark.parametrize("told", [[1], "text", 3])
def test_a_tool_call_whose_input_is_no_object_is_malformed(told: object) -> None:
    reading = begin()
    reading.read_whole(body({**USE, "input": told}, finish="tool_use"))
    with pytest.raises(TargetFault, match="malformed") as caught:
        reading.answer()
    assert caught.value.usage == Usage(10, 5, 7)


@pytest.mark.parametrize("told", [{}, "<html>", None, {"content": None}, {"input_tokens": 19}])
def test_what_is_no_message_is_malformed(told: object) -> None:
    with pytest.raises(TargetFault, match="malformed"):
        begin().read_whole(told)


def test_a_stream_is_read() -> None:
    reading = begin()
    events = [
        BEGIN,
        start(0, type="thinking", thinking=""),
        delta(0, "thinking_delta", thinking="hm"),
        delta(0, "signature_delta", signature="x"),
        {"type": "content_block_stop", "index": 0},
        {"type": "ping"},
        start(1, type="text", text=""),
        delta(1, "text_delta", text="Tu"),
        delta(1, "text_delta", text="rin"),
        delta(1, "citations_delta", citation={}),
        end("end_turn", input_tokens=None, output_tokens_details={"thinking_tokens": 4}),
        STOP,
    ]
    pieces = [reading.read_event(each) for each in events]
    assert pieces == [None, "", "", "", None, None, None, "Tu", "rin", "", None, None]
    answer = reading.answer()
    assert (answer.text, answer.finish, answer.tier) == ("Turin", "stop", "priority")
    assert answer.usage == Usage(10, 5, 7, reasoning_tokens=4)


def test_streamed_tool_calls_are_put_together() -> None:
    reading = begin()
    events = [
        BEGIN,
        start(0, type="server_tool_use", id="s", name="web_search", input={}),
        delta(0, "input_json_delta", partial_json='{"q": 1}'),
        start(1, type="tool_use", id="a", name="find", input={}),
        delta(1, "input_json_delta", partial_json=""),
        delta(1, "input_json_delta", partial_json='{"q": "A'),
        delta(1, "input_json_delta", partial_json='da"}'),
        start(2, type="tool_use", id="b", name="find", input={}),
        start(3, type="tool_use", id="c", name="find", input={"q": "all at once"}),
        end("tool_use"),
        STOP,
    ]
    assert [reading.read_event(each) for each in events] == [None, *[""] * 8, None, None]
    answer = reading.answer()
    assert [(call.call_id, call.arguments) for call in answer.tool_calls] == [
        ("a", {"q": "Ada"}),
        ("b", {}),
        ("c", {"q": "all at once"}),
    ]
    assert answer.finish == "tool_use"


@pytest.mark.parametrize("events", [[BEGIN], [BEGIN, end("end_turn")], [BEGIN, STOP]])
def test_success_needs_a_reason_to_stop_and_the_stop(events: list[dict[str, Any]]) -> None:
    reading = begin()
    for each in [*events[:1], delta(0, "text_delta", text="half"), *events[1:]]:
        reading.read_event(each)
    with pytest.raises(TargetFault, match="truncated") as caught:
        reading.answer()
    assert caught.value.usage is not None
    assert caught.value.usage.input_tokens == 10


def test_an_error_is_a_fault_with_what_was_spent() -> None:
    reading = begin()
    reading.read_event(BEGIN)
    with pytest.raises(TargetFault, match="overloaded") as caught:
        reading.read_event({"type": "error", "error": {"type": "overloaded_error", "message": "sk-1"}})
    assert caught.value.usage == Usage(10, 5, 7)
    with pytest.raises(TargetFault, match="overloaded"):
        begin().read_whole({"type": "error", "error": {"type": "overloaded_error"}})


def test_later_counts_are_cumulative_and_never_added() -> None:
    reading = begin()
    for each in (BEGIN, end("end_turn", output_tokens=3), end("end_turn", output_tokens=8, input_tokens=12), STOP):
        reading.read_event(each)
    answer = reading.answer()
    assert answer.usage == Usage(12, 8, 7)
    assert answer.raw_usage == {**USAGE, "input_tokens": 12, "output_tokens": 8}


@pytest.mark.parametrize(
    ("fields", "usage"),
    [
        ({"cache_creation_input_tokens": 9}, Usage(10, 5, 0, 9)),
        (
            {
                "cache_creation_input_tokens": 9,
                "cache_creation": {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 6},
            },
            Usage(10, 5, 0, 3, cache_write_1h_tokens=6),
        ),
        ({"cache_creation": {"ephemeral_5m_input_tokens": 3}}, Usage(10, 5, 0, 3)),
        ({"output_tokens_details": {"thinking_tokens": 99}}, Usage(10, 0, reasoning_tokens=5)),
        ({"cache_creation": None, "cache_read_input_tokens": None, "output_tokens_details": None}, Usage(10, 5)),
    ],
)
def test_usage_falls_into_disjoint_buckets(fields: dict[str, Any], usage: Usage) -> None:
    assert read_usage({"input_tokens": 10, "output_tokens": 5, **fields}) == usage
