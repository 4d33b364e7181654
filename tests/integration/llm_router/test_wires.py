import asyncio
import json
import socket

import pytest

from core.errors import StreamBrokenError
from llm_router import FaultKind, Prompt, Reply, ReplyEvent, Router, TokenEvent, Usage
from tests.integration.llm_router.conftest import KEY, SPEAKERS, Connect, Speaker
from tests.wire import anthropic_messages, openai_chat
from tests.wire.stub import EVENTS, Hangup, Response, Streamed, Whole, serving

QUOTED = "Ada moved to Turin in 2019. [1]"
HTML = Whole(b"<html>Bad gateway</html>", 502, {"content-type": "text/html"})
USAGES = {"openai": Usage(36, 15, 64, 0, 5), "anthropic": Usage(36, 15, 64, 7, 5)}


async def read(router: Router, prompt: Prompt) -> tuple[list[str], Reply]:
    events = [event async for event in router.stream(prompt)]
    assert isinstance(events[-1], ReplyEvent)
    return [event.text for event in events if isinstance(event, TokenEvent)], events[-1].reply


def errors(reply: Reply) -> list[FaultKind | None]:
    return [attempt.error for attempt in reply.attempts]


async def test_a_whole_answer(speaker: Speaker, connect: Connect, prompt: Prompt) -> None:
    async with serving(speaker.words.whole("In 2019 [1].")) as stub, connect(speaker.config(stub.address)) as router:
        reply = await router.ask(prompt)
    assert (reply.text, reply.finish, reply.target) == ("In 2019 [1].", "stop", "main")
    assert (reply.provider, reply.model, reply.usage) == (
        speaker.provider,
        speaker.words.MODEL,
        USAGES[speaker.provider],
    )
    assert reply.cost_usd is None


async def test_a_streamed_answer(speaker: Speaker, connect: Connect, prompt: Prompt) -> None:
    async with (
        serving(speaker.words.streamed("In ", "2019", " [1].")) as stub,
        connect(speaker.config(stub.address)) as router,
    ):
        pieces, reply = await read(router, prompt)
    assert pieces == ["In ", "2019", " [1]."]
    assert (reply.text, reply.finish, reply.model) == ("In 2019 [1].", "stop", speaker.words.MODEL)
    assert reply.usage == USAGES[speaker.provider]


async def test_what_is_sent_to_chat_completions(connect: Connect, prompt: Prompt) -> None:
    speaker = SPEAKERS["openai"]
    async with (
        serving(openai_chat.whole("x"), openai_chat.streamed("x")) as stub,
        connect(speaker.config(stub.address)) as router,
    ):
        await router.ask(prompt)
        await read(router, prompt)
        async with connect(speaker.config(stub.address, legacy_max_tokens=True)) as old_router:
            await read(old_router, prompt)
    whole, streamed, legacy = stub.asked
    assert (whole.path, whole.headers["authorization"]) == ("/v1/chat/completions", f"Bearer {KEY}")
    assert whole.body == {
        "model": "gpt-stub-latest",
        "messages": [
            {"role": "system", "content": "Answer from the evidence."},
            {"role": "user", "content": prompt.user_text()},
        ],
        "max_completion_tokens": 256,
    }
    assert streamed.body == {**whole.body, "stream": True, "stream_options": {"include_usage": True}}
    assert legacy.body["max_tokens"] == 256
    assert "max_completion_tokens" not in legacy.body


async def test_what_is_sent_to_messages(connect: Connect, prompt: Prompt) -> None:
    async with (
        serving(anthropic_messages.whole("x"), anthropic_messages.streamed("x")) as stub,
        connect(SPEAKERS["anthropic"].config(stub.address)) as router,
    ):
        await router.ask(prompt)
        await read(router, prompt)
    whole, streamed = stub.asked
    assert (whole.path, whole.headers["authorization"]) == ("/v1/messages", f"Bearer {KEY}")
    assert whole.body == {
        "model": "claude-stub-latest",
        "system": "Answer from the evidence.",
        "messages": [{"role": "user", "content": prompt.user_text()}],
        "max_tokens": 256,
    }
    assert streamed.body == {**whole.body, "stream": True}


FAULTS: dict[str, list[tuple[str, Response, FaultKind, int]]] = {
    # what, response, kind, calls of three possible
    "openai": [
        ("quota", openai_chat.error(429, code="insufficient_quota"), "quota_exceeded", 1),
        ("overload", openai_chat.error(503), "overloaded", 3),
        ("context", openai_chat.error(400, code="context_length_exceeded"), "context_length", 1),
        ("key", openai_chat.error(401, code="invalid_api_key"), "unauthenticated", 1),
        ("error in a 200", Whole(b'{"error": {"code": 502, "message": "no"}}'), "server_error", 3),
        ("no finish", openai_chat.whole("half", None), "truncated", 3),
        ("finish error", openai_chat.whole("half", "error"), "server_error", 3),
        ("refusal", openai_chat.whole(None, "stop", refusal="I will not."), "content_policy", 1),
    ],
    "anthropic": [
        (
            "spend limit",
            anthropic_messages.error(429, "rate_limit_error", details={"error_code": "enforced_spend_limit_reached"}),
            "quota_exceeded",
            1,
        ),
        ("overload", anthropic_messages.error(529, "overloaded_error"), "overloaded", 3),
        ("billing", anthropic_messages.error(402, "billing_error"), "quota_exceeded", 1),
        ("key", anthropic_messages.error(401, "authentication_error"), "unauthenticated", 1),
        ("error in a 200", anthropic_messages.error(200, "overloaded_error"), "overloaded", 3),
        ("no finish", anthropic_messages.whole("half", None), "truncated", 3),
        ("refusal", anthropic_messages.whole("", "refusal"), "content_policy", 1),
    ],
}
ON_BOTH: list[tuple[str, Response, FaultKind, int]] = [
    ("html page", HTML, "server_error", 3),
    ("not json", Whole(b"<html>hello</html>", 200, {"content-type": "text/html"}), "malformed", 1),
    ("broken json", Whole(b'{"choices": ['), "malformed", 1),
    ("other json", Whole(b'{"detail": "hello"}'), "malformed", 1),
    ("hangup", Hangup(), "connection", 3),
    ("told not to retry", Whole(b"{}", 503, {"x-should-retry": "false"}), "overloaded", 1),
    ("retry later than the deadline", Whole(b"{}", 429, {"retry-after": "600"}), "rate_limited", 1),
    ("slow", Whole(b"{}", after_s=5.0), "timeout", 3),
]
CASES = [
    pytest.param(provider, response, [kind] * calls, id=f"{provider} {what}")
    for provider, own in FAULTS.items()
    for what, response, kind, calls in own + ON_BOTH
]
"""Every fault on every wire."""


@pytest.mark.parametrize(("provider", "response", "faults"), CASES)
async def test_a_fault_is_named_counted_and_followed_by_the_last_resort(
    provider: str, response: Response, faults: list[FaultKind], connect: Connect, prompt: Prompt
) -> None:
    async with serving(response) as stub, connect(SPEAKERS[provider].config(stub.address, timeout_s=0.3)) as router:
        reply = await router.ask(prompt)
    assert errors(reply) == [*faults, None]
    assert (len(stub.asked), reply.text, reply.target) == (len(faults), QUOTED, "extractive")


async def test_nobody_listens(speaker: Speaker, connect: Connect, prompt: Prompt) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        async with connect(speaker.config(address), attempts_per_target=2) as router:
            whole = await router.ask(prompt)
            _, streamed = await read(router, prompt)
    assert errors(whole) == errors(streamed) == ["connection", "connection", None]


async def test_the_second_target_answers_on_the_other_wire(connect: Connect, prompt: Prompt) -> None:
    async with (
        serving(openai_chat.error(401)) as first,
        serving(anthropic_messages.whole("In 2019.")) as second,
        connect(
            SPEAKERS["openai"].config(first.address, "a"), SPEAKERS["anthropic"].config(second.address, "b")
        ) as router,
    ):
        reply = await router.ask(prompt)
    assert (reply.target, errors(reply)) == ("b", ["unauthenticated", None])


def stream_of(speaker: Speaker, *more: bytes, ending: str = "clean", started: bool = True) -> Streamed:
    words = speaker.words
    head = [words.START] if speaker.provider == "anthropic" else [words.piece("")]
    pieces = [words.piece("In "), words.piece("20")] if started else []
    return Streamed([*head, *pieces, *more], ending=ending)  # type: ignore[arg-type]


@pytest.mark.parametrize(("ending", "kind"), [("clean", "truncated"), ("drop", "connection"), ("stall", "timeout")])
async def test_a_stream_cut_before_its_first_word_is_tried_again(
    ending: str, kind: FaultKind, speaker: Speaker, connect: Connect, prompt: Prompt
) -> None:
    cut = stream_of(speaker, ending=ending, started=False)
    async with (
        serving(cut, speaker.words.streamed("In 2019.")) as stub,
        connect(speaker.config(stub.address, timeout_s=0.3)) as router,
    ):
        pieces, reply = await read(router, prompt)
    assert (pieces, errors(reply), len(stub.asked)) == (["In 2019."], [kind, None], 2)


@pytest.mark.parametrize(("ending", "kind"), [("clean", "truncated"), ("drop", "connection"), ("stall", "timeout")])
async def test_a_stream_cut_after_its_first_word_is_never_taken_for_whole(
    ending: str, kind: FaultKind, speaker: Speaker, connect: Connect, prompt: Prompt
) -> None:
    async with (
        serving(stream_of(speaker, ending=ending)) as stub,
        connect(speaker.config(stub.address, timeout_s=0.3)) as router,
    ):
        with pytest.raises(StreamBrokenError) as caught:
            await read(router, prompt)
    assert caught.value.partial_text == "In 20"
    attempts = caught.value.details["attempts"]
    assert isinstance(attempts, list)
    assert [attempt["error"] for attempt in attempts] == [kind]
    if kind != "timeout":
        assert attempts[0]["usage"]["input_tokens"] > 0
    assert KEY not in json.dumps(caught.value.details)
    assert len(stub.asked) == 1


async def test_an_error_event_inside_a_stream(speaker: Speaker, connect: Connect, prompt: Prompt) -> None:
    kind = "overloaded" if speaker.provider == "anthropic" else "server_error"
    early = stream_of(speaker, speaker.words.ERROR_EVENT, started=False)
    late = stream_of(speaker, speaker.words.ERROR_EVENT)
    async with serving(early, late) as stub, connect(speaker.config(stub.address)) as router:
        with pytest.raises(StreamBrokenError, match=f"main: {kind}, main: {kind}") as caught:
            await read(router, prompt)
    assert caught.value.partial_text == "In 20"


async def test_an_event_that_is_no_json(speaker: Speaker, connect: Connect, prompt: Prompt) -> None:
    broken = stream_of(speaker, b"event: message_delta\ndata: {oops\n\n", started=False)
    async with serving(broken) as stub, connect(speaker.config(stub.address)) as router:
        _, reply = await read(router, prompt)
    assert errors(reply) == ["malformed", None]


async def test_an_html_page_instead_of_a_stream(speaker: Speaker, connect: Connect, prompt: Prompt) -> None:
    async with serving(HTML, Whole(b"<html>", 200, EVENTS)) as stub, connect(speaker.config(stub.address)) as router:
        _, reply = await read(router, prompt)
    assert errors(reply) == ["server_error", "truncated", "truncated", None]


async def test_a_stream_without_usage_is_estimated(connect: Connect, prompt: Prompt) -> None:
    chunks = [openai_chat.piece("In 2019"), openai_chat.piece(None, "length"), openai_chat.DONE]
    async with serving(Streamed(chunks)) as stub, connect(SPEAKERS["openai"].config(stub.address)) as router:
        _, reply = await read(router, prompt)
    assert reply.finish == "length"
    assert reply.usage.estimated
    assert reply.usage.output_tokens == 2


async def test_split_and_odd_event_streams_are_read(speaker: Speaker, connect: Connect, prompt: Prompt) -> None:
    whole = b"".join(speaker.words.streamed("Zürich ", "\u2028 né", "e 你").chunks).replace(b"\n", b"\r\n")
    bytewise = Streamed([bytes([byte]) for byte in whole])
    async with serving(bytewise) as stub, connect(speaker.config(stub.address)) as router:
        _, reply = await read(router, prompt)
    assert reply.text == "Zürich \u2028 née 你"


async def test_cancelling_closes_the_connection_and_is_nobodys_fault(
    speaker: Speaker, connect: Connect, prompt: Prompt
) -> None:
    async with serving(Whole(b"{}", after_s=5.0)) as stub, connect(speaker.config(stub.address)) as router:
        task = asyncio.ensure_future(router.ask(prompt))
        await stub.was_asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert len(stub.asked) == 1


async def test_many_calls_at_once_keep_apart(speaker: Speaker, connect: Connect, prompt: Prompt) -> None:
    async with serving(speaker.words.streamed("In ", "2019.")) as stub, connect(speaker.config(stub.address)) as router:
        replies = await asyncio.gather(*(read(router, prompt) for _ in range(40)))
    assert {reply.text for _, reply in replies} == {"In 2019."}
    assert len(stub.asked) == 40
