"""Servers that send without bounds, or numbers that no usage can be."""

import gzip

import pytest

from llm_router import Prompt
from llm_router.providers import bodies, events
from tests.wire.speaking import WIRES, Wire, ask, begun, fail, read
from tests.wire.stub import EVENTS, JSON, Streamed, Whole

LIMIT = 20_000
LONG = b"x" * (5 * LIMIT)


@pytest.fixture(params=WIRES, ids=lambda wire: wire.provider)
def wire(request: pytest.FixtureRequest) -> Wire:
    found: Wire = request.param
    return found


@pytest.fixture
def _bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "LARGEST_BODY", LIMIT)
    monkeypatch.setattr(bodies, "LARGEST_STREAM", 2 * LIMIT)
    monkeypatch.setattr(events, "LARGEST_BODY", LIMIT)


@pytest.mark.usefixtures("_bounded")
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("packed", [False, True])
async def test_a_body_beyond_all_measure_is_given_up(
    wire: Wire, status: int, prompt: Prompt, *, streamed: bool, packed: bool
) -> None:
    headers = {**JSON, "content-encoding": "gzip"} if packed else JSON
    body = b'{"id": "%s"}' % LONG
    fault = await fail(wire, prompt, Whole(gzip.compress(body) if packed else body, status, headers), streamed=streamed)
    assert (fault.kind, fault.retryable) == ("malformed", False)


@pytest.mark.usefixtures("_bounded")
@pytest.mark.parametrize("packed", [False, True])
async def test_a_stream_beyond_all_measure_is_given_up(wire: Wire, prompt: Prompt, *, packed: bool) -> None:
    comments = b": a heartbeat\n\n" * (LIMIT // 4)
    if packed:
        response = Streamed([gzip.compress(comments)], headers={**EVENTS, "content-encoding": "gzip"})
    else:
        response = Streamed([*begun(wire), comments])
    fault = await fail(wire, prompt, response, streamed=True)
    assert (fault.kind, fault.retryable) == ("malformed", False)


@pytest.mark.usefixtures("_bounded")
async def test_an_event_beyond_all_measure_is_given_up(wire: Wire, prompt: Prompt) -> None:
    fault = await fail(wire, prompt, Streamed([b"data: " + LONG[: LIMIT + 10_000]]), streamed=True)
    assert (fault.kind, fault.retryable) == ("malformed", False)


async def test_a_packed_answer_is_unpacked(wire: Wire, prompt: Prompt) -> None:
    whole = wire.words.whole("In 2019 [1].")
    answer = await ask(wire, prompt, Whole(gzip.compress(whole.body), headers={**JSON, "content-encoding": "gzip"}))
    assert answer.text == "In 2019 [1]."


@pytest.mark.parametrize("charset", ["zlib", "undefined", "no-such"])
@pytest.mark.parametrize("status", [200, 400])
async def test_a_charset_that_is_none_breaks_nothing(wire: Wire, charset: str, status: int, prompt: Prompt) -> None:
    headers = {"content-type": f"application/json; charset={charset}"}
    whole = wire.words.whole("In 2019 [1].")
    if status == 200:
        answer = await ask(wire, prompt, Whole(whole.body, headers=headers))
        assert answer.text == "In 2019 [1]."
    else:
        assert (await fail(wire, prompt, Whole(b"{}", status, headers), streamed=False)).kind == "invalid_request"


@pytest.mark.parametrize("charset", ["zlib", "undefined", "no-such"])
async def test_events_are_utf_8_whatever_the_server_calls_them(wire: Wire, charset: str, prompt: Prompt) -> None:
    streamed = wire.words.streamed("é ", "[1].")
    headers = {"content-type": f"text/event-stream; charset={charset}"}
    _, answer = await read(wire, prompt, Streamed(streamed.chunks, headers=headers))
    assert answer.text == "é [1]."


async def test_a_number_longer_than_python_reads_is_malformed(wire: Wire, prompt: Prompt) -> None:
    fault = await fail(wire, prompt, Whole(b'{"usage": 1%s}' % (b"0" * 5000)), streamed=False)
    assert (fault.kind, fault.retryable) == ("malformed", False)


async def test_what_no_database_holds_is_in_no_answer(wire: Wire, prompt: Prompt) -> None:
    whole = wire.words.whole("at\x00 seven \ud800")
    pieces, streamed = await read(wire, prompt, wire.words.streamed("at\x00 ", "seven ", "\ud800"))
    assert (await ask(wire, prompt, whole)).text == streamed.text == "".join(pieces) == "at seven \ufffd"
