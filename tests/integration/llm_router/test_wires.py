"""Each wire by itself, without the router: what is sent, and how answers and faults are read."""

import json

import pytest

from llm_router import FaultKind, Prompt, TargetFault
from tests.wire import openai_chat, openai_responses
from tests.wire.speaking import CALLS, CLOCKS, KEY, TOOLS, WIRES, Ending, Wire, ask, begun, connected, fail, read
from tests.wire.stub import EVENTS, Response, Silence, Streamed, Whole, serving


@pytest.fixture(params=WIRES, ids=lambda wire: wire.provider)
def wire(request: pytest.FixtureRequest) -> Wire:
    found: Wire = request.param
    return found


async def test_a_whole_answer(wire: Wire, prompt: Prompt) -> None:
    answer = await ask(wire, prompt, wire.words.whole("In 2019 [1]."))
    assert (answer.text, answer.finish, answer.model) == ("In 2019 [1].", "stop", wire.words.MODEL)
    assert (answer.usage, answer.raw_usage) == (wire.usage, wire.words.USAGE)


async def test_a_streamed_answer(wire: Wire, prompt: Prompt) -> None:
    pieces, answer = await read(wire, prompt, wire.words.streamed("In ", "2019", " [1]."))
    assert pieces == ["In ", "2019", " [1]."]
    assert (answer.finish, answer.model, answer.usage) == ("stop", wire.words.MODEL, wire.usage)


async def test_tool_calls(wire: Wire, prompt: Prompt) -> None:
    whole = await ask(wire, prompt, wire.whole_calls(*TOOLS))
    pieces, streamed = await read(wire, prompt, wire.words.streamed_calls(*TOOLS))
    assert whole.tool_calls == streamed.tool_calls == CALLS
    assert (whole.finish, streamed.finish, set(pieces)) == ("tool_use", "tool_use", {""})


async def test_what_is_sent(wire: Wire, prompt: Prompt) -> None:
    async with (
        serving(wire.words.whole("x"), wire.words.streamed("x")) as stub,
        connected(wire, stub.address, headers={"x-team": "blue"}, query={"api-version": "3"}) as target,
    ):
        await target.ask(prompt, CLOCKS)
        assert [item async for item in target.stream(prompt, CLOCKS)]
    whole, streamed = stub.asked
    assert whole.path == streamed.path == f"{wire.path}?api-version=3"
    assert (whole.headers["authorization"], whole.headers["x-team"]) == (f"Bearer {KEY}", "blue")
    assert whole.body["model"] == "stub-latest"
    more = {"stream": True} | ({"stream_options": {"include_usage": True}} if wire.provider == "openai" else {})
    assert streamed.body == {**whole.body, **more}


async def test_a_key_may_go_under_another_name_or_not_at_all(wire: Wire, prompt: Prompt) -> None:
    async with serving(wire.words.whole("x")) as stub:
        for settings in ({"api_key_header": "api-key"}, {"api_key": ""}):
            async with connected(wire, stub.address, **settings) as target:
                await target.ask(prompt, CLOCKS)
    named, keyless = stub.asked
    assert named.headers["api-key"] == KEY
    assert KEY not in json.dumps(dict(keyless.headers))
    assert "authorization" not in {*named.headers, *keyless.headers}


async def test_the_accounts_of_the_environment_stay_there(
    wire: Wire, prompt: Prompt, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.setenv(name, "of-the-environment")
    async with serving(wire.words.whole("x")) as stub, connected(wire, stub.address, api_key="") as target:
        await target.ask(prompt, CLOCKS)
    assert "of-the-environment" not in json.dumps(dict(stub.asked[0].headers))


async def test_a_prompt_is_sent_to_no_other_address(wire: Wire, prompt: Prompt) -> None:
    async with serving(wire.words.whole("x")) as other:
        moved = Whole(b"{}", 308, {"location": f"{other.address}{wire.path}"})
        assert (await fail(wire, prompt, moved, streamed=False)).kind == "malformed"
    assert not other.asked


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (Whole(b"<html>Bad gateway</html>", 502, {"content-type": "text/html"}), "server_error"),
        (Whole(b"<html>hello</html>", 200, {"content-type": "text/html"}), "malformed"),
        (Whole(b'{"choices": ['), "malformed"),
        (Whole(b'{"detail": "hello"}'), "malformed"),
        (Whole(b"[" * 100_000), "malformed"),
        (Whole(b'{"error": {"code": 502, "message": "no"}}'), "server_error"),
        (Whole(b"{}", 429, {"retry-after": "7"}), "rate_limited"),
        (Whole(b"{}", 307, {"location": "/elsewhere"}), "malformed"),
        (Silence(), "timeout"),
    ],
)
async def test_a_fault_is_named(
    wire: Wire, streamed: bool, response: Response, kind: FaultKind, prompt: Prompt
) -> None:
    fault = await fail(wire, prompt, response, streamed=streamed)
    assert fault.kind == kind
    assert fault.retry_after_s == (7.0 if kind == "rate_limited" else None)


async def test_a_server_that_does_not_stream_is_read_all_the_same(wire: Wire, prompt: Prompt) -> None:
    pieces, answer = await read(wire, prompt, wire.words.whole("In 2019."))
    assert (pieces, answer.finish, answer.usage) == (["In 2019."], "stop", wire.usage)


async def test_an_error_instead_of_a_stream_is_named_by_its_body(wire: Wire, prompt: Prompt) -> None:
    body = {"type": "error", "error": {"type": "overloaded_error", "message": "no"}}
    fault = await fail(wire, prompt, Whole(json.dumps(body).encode()), streamed=True)
    assert fault.kind == "overloaded"


@pytest.mark.parametrize(
    ("ending", "kind"),
    [("clean", "truncated"), ("drop", "connection"), ("drop_in_chunk", "connection"), ("stall", "timeout")],
)
async def test_a_stream_without_its_end_is_no_answer(
    wire: Wire, ending: Ending, kind: FaultKind, prompt: Prompt
) -> None:
    cut = Streamed(begun(wire), ending)
    fault = await fail(wire, prompt, cut, streamed=True)
    assert fault.kind == kind
    assert fault.usage is not None


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (b"event: message\ndata: {oops\n\n", "malformed"),
        (b"event: message\ndata: [1]\n\n", "malformed"),
        (b"event: message\ndata: null\n\n", "malformed"),
        (b'event: error\ndata: {"message": "no", "code": "503"}\n\n', "overloaded"),
        (b"event: error\ndata: Internal server error\n\n", "unknown"),
        (b'data: {"error": "no"}\n\n', "unknown"),
    ],
)
async def test_an_event_that_is_no_part_of_an_answer(wire: Wire, event: bytes, kind: FaultKind, prompt: Prompt) -> None:
    fault = await fail(wire, prompt, Streamed(begun(wire, event)), streamed=True)
    assert fault.kind == kind
    assert fault.usage is not None


async def test_an_error_event_of_the_wire(wire: Wire, prompt: Prompt) -> None:
    fault = await fail(wire, prompt, Streamed(begun(wire, wire.words.ERROR_EVENT)), streamed=True)
    assert fault.kind == ("overloaded" if wire.provider == "anthropic" else "server_error")


async def test_what_says_nothing_changes_nothing(wire: Wire, prompt: Prompt) -> None:
    said = wire.words.streamed("In ", "2019.").chunks
    noise = [b": a comment\n\n", b"\n\n", b"retry: 100\n\n", b"id: 7\n\n", b"event: ping\ndata: {}\n\n"]
    pieces, _ = await read(wire, prompt, Streamed([part for chunk in said for part in (*noise, chunk)]))
    assert pieces == ["In ", "2019."]


@pytest.mark.parametrize("end_of_line", [b"\n", b"\r\n", b"\r"])
async def test_a_stream_may_be_split_anywhere(wire: Wire, end_of_line: bytes, prompt: Prompt) -> None:
    whole = b"".join(wire.words.streamed("Zürich ", "\u2028 né", "e 你").chunks)
    whole = whole.replace(b"\\u2028", "\u2028".encode()).replace(b"\\u4f60", "你".encode())
    bytewise = Streamed([bytes([byte]) for byte in whole.replace(b"\n", end_of_line)])
    _, answer = await read(wire, prompt, bytewise)
    assert answer.text == "Zürich \u2028 née 你"


async def test_after_the_end_of_the_answer_nothing_can_break_it(wire: Wire, prompt: Prompt) -> None:
    chunks = wire.words.streamed("In 2019.").chunks
    endings: tuple[Ending, ...] = ("drop", "stall")
    for ending in endings:
        _, answer = await read(wire, prompt, Streamed(chunks, ending))
        assert answer.text == "In 2019."


async def test_a_connection_is_used_again_after_a_stream(wire: Wire, prompt: Prompt) -> None:
    async with serving(wire.words.streamed("x")) as stub, connected(wire, stub.address) as target:
        for _ in range(3):
            assert [item async for item in target.stream(prompt, CLOCKS)]
        assert len(stub._open) == 1


async def test_leaving_a_stream_closes_its_connection(wire: Wire, prompt: Prompt) -> None:
    async with (
        serving(Streamed(begun(wire), "stall")) as stub,
        connected(wire, stub.address) as target,
    ):
        items = target.stream(prompt, CLOCKS)
        assert await anext(items) == "In "
        await items.aclose()  # type: ignore[attr-defined]
        await stub.is_idle.wait()


async def test_a_stream_without_usage_is_estimated(prompt: Prompt) -> None:
    chunks = [openai_chat.piece("In 2019"), openai_chat.piece(None, "length"), openai_chat.DONE]
    _, answer = await read(WIRES[0], prompt, Streamed(chunks))
    assert (answer.finish, answer.usage.estimated, answer.usage.output_tokens) == ("length", True, 2)


async def test_a_stream_of_events_that_holds_none_is_truncated(wire: Wire, prompt: Prompt) -> None:
    fault = await fail(wire, prompt, Whole(b"<html>", 200, EVENTS), streamed=True)
    assert (fault.kind, fault.usage) == ("truncated", None)


async def test_an_answer_made_in_the_background_is_waited_for(prompt: Prompt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llm_router.providers.openai_responses._POLL_FIRST_S", 0.01)
    words, [_, wire, _] = openai_responses, WIRES
    queued, working = words.whole("", "queued", usage=None), words.whole("", "in_progress", usage=None)
    async with (
        serving(queued, working, working, words.whole("In 2019.")) as stub,
        connected(wire, stub.address) as target,
    ):
        answer = await target.ask(prompt, CLOCKS)
    assert (answer.text, answer.usage) == ("In 2019.", wire.usage)
    assert [asked.path for asked in stub.asked] == ["/v1/responses", *["/v1/responses/resp_1"] * 3]
    assert (await fail(wire, prompt, working, streamed=False)).kind == "timeout"
    failed = words.whole("", "failed", error={"code": "server_error", "message": "no"})
    with pytest.raises(TargetFault, match="server_error"):
        await ask(wire, prompt, queued, failed)
    with pytest.raises(TargetFault, match="malformed"):
        await ask(wire, prompt, words.whole("", "queued", id=None))
