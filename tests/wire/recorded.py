"""Exchanges that others recorded, read so that the stub can say the responses again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.wire.stub import Whole

SKIPPED_HEADERS = {"connection", "content-length", "transfer-encoding", "set-cookie", "date"}


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request's body, empty if it had none, and its response."""

    asked: Mapping[str, object]
    response: Whole

    @property
    def is_streamed(self) -> bool:
        return str(self.response.headers.get("content-type", "")).startswith("text/event-stream")


def read_exchanges(file: Path) -> list[Exchange]:
    """Return a cassette's exchanges, from vcrpy's own format or the `parsed_body` one."""
    recording = yaml.safe_load(file.read_text(encoding="utf-8"))
    return [_exchange(each["request"], each["response"]) for each in recording["interactions"]]


def read_responses(file: Path) -> list[Whole]:
    """Return a cassette's responses."""
    return [exchange.response for exchange in read_exchanges(file)]


def _exchange(request: Mapping[str, object], response: Mapping[str, object]) -> Exchange:
    return Exchange(json.loads(_body(request) or b"{}"), _response(response))


def _response(recorded: Mapping[str, object]) -> Whole:
    status, headers = recorded["status"], recorded["headers"]
    assert isinstance(status, dict)
    assert isinstance(headers, dict)
    kept = {name.lower(): value if isinstance(value, str) else value[0] for name, value in headers.items()}
    body = _body(recorded)
    if not body.startswith(b"\x1f\x8b"):
        kept.pop("content-encoding", None)  # the recorder has already unpacked it
    return Whole(body, status["code"], {name: value for name, value in kept.items() if name not in SKIPPED_HEADERS})


def _body(recorded: Mapping[str, object]) -> bytes:
    if "parsed_body" in recorded:
        return json.dumps(recorded["parsed_body"]).encode()
    body = recorded.get("body")
    said = body["string"] if isinstance(body, dict) else body
    return said if isinstance(said, bytes) else str(said or "").encode()
