"""The faults of a wire, as data.

The expectations are written by hand, from the rules: what passes is tried again, three times at most; what does not is
left to another target at once; what would fail there as well is not asked there; what had begun to answer is not asked
again.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime

from llm_router import FaultKind
from tests.wire import anthropic_messages, openai_chat
from tests.wire.fault_case import (
    ANSWERS,
    BREAKS_OFF,
    DROPS_KEY,
    DROPS_MODEL,
    DROPS_TARGET,
    DROPS_WIRE,
    MOVES_ON,
    PERSISTS,
    SPARES,
    SPARES_KEY,
    WIRES,
    Case,
    Course,
    Fault,
    Wire,
    fault,
)
from tests.wire.stub import EVENTS, JSON, Hangup, Headers, Silence, Streamed, Whole

FIRST_TEXT = "In 2019."
BEGUN = "In 20"

HEAD: dict[Wire, list[bytes]] = {
    "openai": [openai_chat.piece("")],
    "anthropic": [anthropic_messages.START, anthropic_messages.event("ping")],
}
PIECES: dict[Wire, list[bytes]] = {wire: [words.piece("In "), words.piece("20")] for wire, words in WIRES.items()}
LAST: dict[Wire, bytes] = {wire: words.piece("19.") for wire, words in WIRES.items()}
FINISH: dict[Wire, bytes] = {"openai": openai_chat.piece(None, "stop"), "anthropic": anthropic_messages.FINISH}
BUSY: dict[Wire, bytes] = {"openai": b": PROCESSING\n\n", "anthropic": anthropic_messages.event("ping")}
OOPS = b"event: message_delta\ndata: {oops\n\n"
HTML = b"<html><body>Bad gateway</body></html>"
HTML_TYPE = {"content-type": "text/html"}
TOLD: dict[Wire, FaultKind] = {"openai": "server_error", "anthropic": "overloaded"}
"""What each wire's error event, and each one's error body of a 200, tells of."""
ERROR_BODY: dict[Wire, Whole] = {
    "openai": openai_chat.error(200, code=502),
    "anthropic": anthropic_messages.error(200, "overloaded_error"),
}
LIMIT_BODY: dict[Wire, Whole] = {
    "openai": openai_chat.error(200, code=429),
    "anthropic": anthropic_messages.error(200, "rate_limit_error"),
}


def cut(wire: Wire, *more: bytes, begun: bool = True, **how: object) -> Streamed:
    """Return a stream that stops somewhere: before its first word, or within its text."""
    return Streamed([*HEAD[wire], *(PIECES[wire] if begun else []), *more], **how)  # type: ignore[arg-type]


def whole(wire: Wire) -> Whole:
    """Return a whole answer."""
    said = WIRES[wire].whole(FIRST_TEXT)
    assert isinstance(said, Whole)
    return said


def half(wire: Wire, **how: object) -> Streamed:
    """Return a whole answer of which a part comes, in chunks."""
    body = whole(wire).body
    third = len(body) // 3
    return Streamed([body[:third], body[third : 2 * third]], headers=JSON, **how)  # type: ignore[arg-type]


def refused(
    what: str, status: int, openai: dict[str, object], anthropic: dict[str, object], kind: FaultKind, course: Course
) -> Fault:
    """Return a row for an error answer, given the fields of either wire's error."""
    bodies: dict[Wire, Whole] = {
        "openai": openai_chat.error(status, **openai),  # type: ignore[arg-type]
        "anthropic": anthropic_messages.error(status, **anthropic),  # type: ignore[arg-type]
    }
    return fault(f"{status} {what}".strip(), both=lambda wire: Case(bodies[wire], kind, course, status))


def limited(what: str, headers: Headers, course: Course, floor_s: float = 0.0) -> Fault:
    """Return a row for a rate limit."""
    bodies: dict[Wire, Whole] = {
        "openai": openai_chat.error(429, code="rate_limit_exceeded", type="requests"),
        "anthropic": anthropic_messages.error(429, "rate_limit_error"),
    }
    return fault(
        f"429 rate, {what}",
        both=lambda wire: Case(Whole(bodies[wire].body, 429, {**JSON, **headers}), "rate_limited", course, 429),
        floor_s=floor_s,
    )


def page(
    what: str, status: int, headers: Mapping[str, str], kind: FaultKind, course: Course, floor_s: float = 0.0
) -> Fault:
    """Return a row for an answer that is none of the wire's, but a page of whoever stands before it."""
    return fault(
        f"{status} {what}",
        both=lambda wire: Case(Whole(HTML, status, {**HTML_TYPE, **headers}), kind, course, status),
        floor_s=floor_s,
    )


def soon() -> str:
    """Return a moment 1 to 2 s from now, as HTTP writes it: in whole seconds; it may be read a good while later."""
    moment = math.ceil(datetime.now(UTC).timestamp() + 1.0)
    return format_datetime(datetime.fromtimestamp(moment, UTC), usegmt=True)


CONNECTING = [
    fault("connect refused", door="refusing", both=lambda _: Case(Hangup(), "connection", PERSISTS)),
    fault("connect timeout", door="overrun", clock="connect_s", both=lambda _: Case(Hangup(), "timeout", PERSISTS)),
    fault("TLS failure", door="no_tls", both=lambda _: Case(Hangup(), "connection", PERSISTS)),
    fault("hangup without a word", both=lambda _: Case(Hangup(), "connection", PERSISTS)),
]

WAITING = [
    fault("headers never come", clock="first_token_s", both=lambda _: Case(Silence(), "timeout", PERSISTS)),
    fault(
        "slow first token",
        clock="first_token_s",
        whole=lambda _: Case(Streamed([], "stall", headers=JSON), "timeout", PERSISTS),
        stream=lambda w: Case(cut(w, begun=False, ending="stall"), "timeout", PERSISTS),
    ),
    fault(
        "slow first token, kept busy",
        clock="first_token_s",
        whole=lambda _: Case(Streamed([], "stall", headers=JSON, heartbeat=b"\n"), "timeout", PERSISTS),
        stream=lambda w: Case(cut(w, begun=False, ending="stall", heartbeat=BUSY[w]), "timeout", PERSISTS),
    ),
    fault(
        "stall mid-stream",
        clock="gap_s",
        whole=lambda w: Case(half(w, ending="stall"), "timeout", PERSISTS),
        stream=lambda w: Case(cut(w, ending="stall"), "timeout", BREAKS_OFF),
    ),
    fault(
        "stall mid-stream, kept busy",
        clock="gap_s",
        whole=lambda w: Case(half(w, ending="stall", heartbeat=b" "), "timeout", PERSISTS),
        stream=lambda w: Case(cut(w, ending="stall", heartbeat=BUSY[w]), "timeout", BREAKS_OFF),
    ),
    fault(
        "answer without end",
        clock="total_s",
        stream=lambda w: Case(cut(w, ending="stall", heartbeat=WIRES[w].piece("x ")), "timeout", BREAKS_OFF),
    ),
]

CUT_OFF = [
    fault(
        "drop before the first word",
        stream=lambda w: Case(cut(w, begun=False, ending="drop"), "connection", PERSISTS),
    ),
    fault(
        "drop mid-chunk",
        whole=lambda w: Case(half(w, ending="drop_in_chunk"), "connection", PERSISTS),
        stream=lambda w: Case(cut(w, LAST[w], ending="drop_in_chunk"), "connection", BREAKS_OFF),
    ),
    fault(
        "drop after the finish marker",
        stream=lambda w: Case(cut(w, FINISH[w], ending="drop"), "connection", BREAKS_OFF),
    ),
    fault(
        "body short of its content-length",
        whole=lambda w: Case(Whole(whole(w).body[:-9], declared=len(whole(w).body)), "connection", PERSISTS),
        stream=lambda w: Case(Whole(b"".join(cut(w).chunks), headers=EVENTS, declared=9_999), "connection", BREAKS_OFF),
    ),
    fault("clean end before the first word", stream=lambda w: Case(cut(w, begun=False), "truncated", PERSISTS)),
    fault(
        "clean end without finish marker",
        whole=lambda w: Case(WIRES[w].whole(FIRST_TEXT, None), "truncated", PERSISTS),
        stream=lambda w: Case(cut(w), "truncated", BREAKS_OFF),
    ),
    fault(
        "clean end after the finish marker",  # the wires' last events: [DONE] is decoration, message_stop is not
        stream=lambda w: (
            Case(cut(w, LAST[w], FINISH[w], openai_chat.USAGE_CHUNK), None, ANSWERS)
            if w == "openai"
            else Case(cut(w, FINISH[w]), "truncated", BREAKS_OFF)
        ),
    ),
]

INSIDE_200 = [
    fault(
        "error event before the first word",
        stream=lambda w: Case(cut(w, WIRES[w].ERROR_EVENT, begun=False), TOLD[w], PERSISTS),
    ),
    fault("error event mid-stream", stream=lambda w: Case(cut(w, WIRES[w].ERROR_EVENT), TOLD[w], BREAKS_OFF)),
    fault(
        "malformed event before the first word",
        stream=lambda w: Case(cut(w, OOPS, begun=False), "malformed", MOVES_ON),
    ),
    fault("malformed event mid-stream", stream=lambda w: Case(cut(w, OOPS), "malformed", BREAKS_OFF)),
    fault("200 with broken JSON", whole=lambda _: Case(Whole(b'{"choices": ['), "malformed", MOVES_ON)),
    fault("200 with other JSON", both=lambda _: Case(Whole(b'{"detail": "hello"}'), "malformed", MOVES_ON)),
    fault("200 with an error body", both=lambda w: Case(ERROR_BODY[w], TOLD[w], PERSISTS)),
    fault("200 with a rate limit body", both=lambda w: Case(LIMIT_BODY[w], "rate_limited", SPARES)),
    fault("200 with an HTML page", both=lambda _: Case(Whole(HTML, headers=HTML_TYPE), "malformed", MOVES_ON)),
    fault(
        "200 with an HTML page under a false name",
        whole=lambda _: Case(Whole(HTML), "malformed", MOVES_ON),
        stream=lambda _: Case(Whole(HTML, headers=EVENTS), "truncated", PERSISTS),
    ),
]

_LONG = "prompt is too long: 200001 tokens > 200000 maximum"
_BLOCKED = "Output blocked by content filtering policy"
_ASKED_WRONGLY: dict[str, object] = {"kind": "invalid_request_error"}
_SPENT: dict[str, object] = {"details": {"error_code": "enforced_spend_limit_reached"}}

REFUSED = [
    refused("", 400, {"code": "invalid_value"}, _ASKED_WRONGLY, "invalid_request", DROPS_WIRE),
    refused(
        "context length",
        400,
        {"code": "context_length_exceeded"},
        {**_ASKED_WRONGLY, "message": _LONG},
        "context_length",
        DROPS_MODEL,
    ),
    refused(
        "content policy",
        400,
        {"code": "content_policy_violation"},
        {**_ASKED_WRONGLY, "message": _BLOCKED},
        "content_policy",
        DROPS_MODEL,
    ),
    refused("", 401, {"code": "invalid_api_key"}, {"kind": "authentication_error"}, "unauthenticated", DROPS_KEY),
    refused("", 402, {"code": 402}, {"kind": "billing_error"}, "quota_exceeded", DROPS_KEY),
    refused("", 403, {"type": "permission_error"}, {"kind": "permission_error"}, "forbidden", DROPS_KEY),
    refused("model", 404, {"code": "model_not_found"}, {"kind": "not_found_error"}, "not_found", DROPS_TARGET),
    refused("", 408, {}, {"kind": "timeout_error"}, "timeout", PERSISTS),
    refused("", 409, {}, {"kind": "conflict_error"}, "server_error", PERSISTS),
    refused("", 413, {}, {"kind": "request_too_large"}, "context_length", DROPS_MODEL),
    refused("", 422, {"type": "invalid_request_error"}, _ASKED_WRONGLY, "invalid_request", DROPS_WIRE),
    limited("no Retry-After", {}, SPARES_KEY),
    limited("Retry-After in seconds", {"retry-after": "1"}, SPARES, floor_s=1.0),
    limited("Retry-After as a float", {"retry-after": "0.2"}, SPARES, floor_s=0.2),
    limited("Retry-After in ms", {"retry-after-ms": "200", "retry-after": "86400"}, SPARES, floor_s=0.2),
    limited("Retry-After as a date", {"retry-after": soon}, SPARES, floor_s=0.25),
    limited("Retry-After negative", {"retry-after": "-5"}, SPARES),
    limited("Retry-After huge", {"retry-after": "86400"}, MOVES_ON),
    limited("Retry-After nonsense", {"retry-after": "soon"}, SPARES),
    refused(
        "quota",
        429,
        {"code": "insufficient_quota"},
        {"kind": "rate_limit_error", **_SPENT},
        "quota_exceeded",
        DROPS_KEY,
    ),
    refused("", 500, {"type": "server_error"}, {"kind": "api_error"}, "server_error", PERSISTS),
    refused("", 502, {}, {"kind": "api_error"}, "server_error", PERSISTS),
    refused("", 503, {}, {"kind": "api_error"}, "overloaded", PERSISTS),
    refused("", 529, {}, {"kind": "overloaded_error"}, "overloaded", PERSISTS),
    page("HTML page", 502, {}, "server_error", PERSISTS),
    page("with Retry-After", 503, {"retry-after": "0.2"}, "overloaded", PERSISTS, floor_s=0.2),
    page("with a huge Retry-After", 503, {"retry-after": "86400"}, "overloaded", MOVES_ON),
    page("told not to retry", 503, {"x-should-retry": "false"}, "overloaded", MOVES_ON),
    page("redirect", 307, {"location": "/elsewhere"}, "malformed", MOVES_ON),
]

NO_FAULTS = [
    fault(
        "none",
        whole=lambda w: Case(whole(w), None, ANSWERS),
        stream=lambda w: Case(WIRES[w].streamed(FIRST_TEXT), None, ANSWERS),
    ),
    fault("usage chunk with empty choices", stream=lambda w: Case(WIRES[w].streamed(*FIRST_TEXT), None, ANSWERS)),
    fault(
        "200 with Retry-After",
        whole=lambda w: Case(Whole(whole(w).body, headers={**JSON, "retry-after": "86400"}), None, ANSWERS),
        stream=lambda w: Case(
            Streamed(WIRES[w].streamed(FIRST_TEXT).chunks, headers={**EVENTS, "retry-after": "86400"}), None, ANSWERS
        ),
    ),
]

FAULTS: list[Fault] = [*CONNECTING, *WAITING, *CUT_OFF, *INSIDE_200, *REFUSED, *NO_FAULTS]
