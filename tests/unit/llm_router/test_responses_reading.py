from typing import Any

import pytest

from llm_router import Prompt, TargetFault, ToolCall, Usage
from llm_router.providers.responses_reading import ResponseReading

PROMPT = Prompt("Be brief.", "Where is Ada?", (), 100)
USAGE = {
    "input_tokens": 10,
    "input_tokens_details": {"cached_tokens": 6, "cache_write_tokens": 3},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 15,
}
BUCKETS = Usage(1, 3, 6, 3, 2)
CALL = {"type": "function_call", "id": "fc", "call_id": "a", "name": "find", "arguments": '{"q": "Ada"}'}


def begin() -> ResponseReading:
    return ResponseReading("main", "configured", PROMPT)


def message(*texts: str) -> dict[str, Any]:
    return {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": t} for t in texts]}


def body(*output: dict[str, Any], status: str = "completed", **fields: Any) -> dict[str, Any]:
    told = {"id": "r1", "object": "response", "model": "told", "service_tier": "default", "error": None}
    return {**told, "status": status, "output": [*output], "usage": USAGE, **fields}


def event(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}", "sequence_number": 0, **fields}


def test_a_whole_answer_has_all_its_facts() -> None:
    reading = begin()
    assert (
        reading.read_whole(body({"type": "reasoning", "summary": []}, message("Tu", "rin"), message("."))) == "Turin."
    )
    answer = reading.answer()
    assert (answer.text, answer.model, answer.finish, answer.usage) == ("Turin.", "told", "stop", BUCKETS)
    assert (answer.raw_usage, answer.tier, answer.response_id) == (USAGE, "default", "r1")


def test_tool_calls_and_refusals() -> None:
    reading = begin()
    reading.read_whole(body(CALL, {**CALL, "call_id": "b", "arguments": ""}))
    answer = reading.answer()
    assert answer.tool_calls == (ToolCall("a", "find", {"q": "Ada"}), ToolCall("b", "find", {}))
    assert answer.finish == "tool_use"
    reading = begin()
    reading.read_whole(body({"type": "message", "content": [{"type": "refusal", "refusal": "No."}]}))
    assert (reading.answer().text, reading.answer().finish) == ("", "content_filter")


@pytest.mark.parametrize(
    ("reason", "finish"),
    [("max_output_tokens", "length"), ("content_filter", "content_filter"), ("max_messages", "other"), (None, "other")],
)
def test_an_incomplete_answer_says_why(reason: str | None, finish: str) -> None:
    reading = begin()
    reading.read_whole(body(message("half"), status="incomplete", incomplete_details={"reason": reason}))
    assert (reading.answer().text, reading.answer().finish) == ("half", finish)


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"status": "failed", "error": {"code": "server_error", "message": "sk-1"}}, "server_error"),
        ({"status": "failed", "error": {"code": "rate_limit_exceeded", "message": ""}}, "rate_limited"),
        ({"status": "failed", "error": {"code": "invalid_prompt", "message": ""}}, "content_policy"),
        ({"status": "failed"}, "server_error"),
        ({"status": "cancelled"}, "cancelled"),
    ],
)
def test_a_failed_answer_is_a_fault(fields: dict[str, Any], kind: str) -> None:
    def read_whole() -> None:
        reading = begin()
        reading.read_whole(body(**fields))
        reading.answer()

    def read_stream() -> None:
        reading = begin()
        reading.read_event(event("failed", response=body(**fields)))
        reading.answer()

    for read in (read_whole, read_stream):
        with pytest.raises(TargetFault, match=kind) as caught:
            read()
        assert caught.value.usage == BUCKETS
        assert "sk-1" not in str(caught.value)


@pytest.mark.parametrize("told", [{}, "<html>", None, {"output": []}, {"status": "completed"}, {"choices": []}])
def test_what_is_no_response_is_malformed(told: object) -> None:
    with pytest.raises(TargetFault, match="malformed"):
        begin().read_whole(told)


@pytest.mark.parametrize("status", ["queued", "in_progress"])
def test_an_answer_in_the_making_is_no_answer_yet(status: str) -> None:
    reading = begin()
    reading.read_whole(body(status=status, usage=None))
    assert (reading.is_pending, reading.is_over, reading.response_id) == (True, False, "r1")
    with pytest.raises(TargetFault, match="truncated"):
        reading.answer()
    reading.read_whole(body(message("Turin.")))
    assert (reading.is_pending, reading.answer().text) == (False, "Turin.")


def test_a_stream_is_read() -> None:
    reading = begin()
    events = [
        event("created", response=body(status="in_progress", usage=None)),
        event("in_progress", response=body(status="in_progress", usage=None)),
        event("output_item.added", output_index=0, item={"type": "reasoning", "summary": []}),
        event("reasoning_summary_text.delta", delta="hm"),
        event("output_item.added", output_index=1, item={"type": "message", "content": []}),
        event("content_part.added", output_index=1, part={"type": "output_text", "text": ""}),
        event("output_text.delta", output_index=1, delta="Tu"),
        event("output_text.delta", output_index=1, delta="rin"),
        event("output_text.done", output_index=1, text="Turin"),
        event("output_item.done", output_index=1, item=message("Turin")),
        event("completed", response=body(message("Turin"))),
    ]
    pieces = [reading.read_event(each) for each in events]
    assert pieces == [None, None, None, "", None, None, "Tu", "rin", None, None, None]
    assert reading.is_over
    assert (reading.answer().text, reading.answer().usage) == ("Turin", BUCKETS)


def test_streamed_tool_calls_are_put_together() -> None:
    reading = begin()
    started = {**CALL, "arguments": ""}
    events = [
        event("output_item.added", output_index=1, item=started),
        event("output_item.added", output_index=2, item={**started, "call_id": "b"}),
        event("function_call_arguments.delta", output_index=1, delta='{"q": '),
        event("function_call_arguments.delta", output_index=2, delta="{}"),
        event("function_call_arguments.delta", output_index=1, delta='"Ad'),
        event("output_item.done", output_index=1, item=CALL),
        event("completed", response=body(CALL, {**CALL, "call_id": "b", "arguments": "{}"})),
    ]
    assert [reading.read_event(each) for each in events] == ["", "", "", "", "", "", None]
    answer = reading.answer()
    assert answer.tool_calls == (ToolCall("a", "find", {"q": "Ada"}), ToolCall("b", "find", {}))
    assert answer.finish == "tool_use"


def test_a_server_that_streams_the_end_alone_is_understood() -> None:
    reading = begin()
    assert reading.read_event(event("completed", response=body(message("Turin"), CALL))) == "Turin"
    assert (reading.answer().text, len(reading.answer().tool_calls)) == ("Turin", 1)


def test_a_streamed_refusal() -> None:
    reading = begin()
    assert reading.read_event(event("refusal.delta", delta="No")) == ""
    reading.read_event(event("completed", response=body()))
    assert reading.answer().finish == "content_filter"


@pytest.mark.parametrize(
    "told",
    [
        {"type": "error", "code": "server_error", "message": "sk-1", "param": None},
        {"type": "error", "error": {"type": "server_error", "code": None, "message": "sk-1"}},
        {"error": {"code": 500, "message": "sk-1"}},
    ],
)
def test_an_error_event_is_a_fault(told: dict[str, Any]) -> None:
    reading = begin()
    reading.read_event(event("output_text.delta", delta="half"))
    with pytest.raises(TargetFault, match="server_error") as caught:
        reading.read_event(told)
    assert caught.value.usage is not None
    assert caught.value.usage.estimated


def test_a_stream_without_its_end_is_truncated() -> None:
    reading = begin()
    reading.read_event(event("created", response=body(status="in_progress")))
    reading.read_event(event("output_text.delta", delta="half"))
    assert not reading.is_over
    with pytest.raises(TargetFault, match="truncated"):
        reading.answer()
