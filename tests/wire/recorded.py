"""Responses that others recorded, read so that the stub can say them again."""

import json
from collections.abc import Mapping
from pathlib import Path

import yaml

from tests.wire.stub import Whole

SKIPPED_HEADERS = {"connection", "content-length", "transfer-encoding", "set-cookie", "date"}


def read_responses(file: Path) -> list[Whole]:
    """Return a cassette's responses, from vcrpy's own format or the `parsed_body` one."""
    recording = yaml.safe_load(file.read_text(encoding="utf-8"))
    return [_response(each["response"]) for each in recording["interactions"]]


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
    body = recorded["body"]
    said = body["string"] if isinstance(body, dict) else body
    return said if isinstance(said, bytes) else str(said).encode()
