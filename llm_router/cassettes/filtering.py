"""What of an exchange may stand in a cassette: no key, no cookie, nothing that names an account or this machine."""

import base64
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from vcr.request import Request

FILTERED = "[filtered]"

SECRET_NAME = re.compile(r"auth|key|token|secret|signature|\bsig\b|password|credential|cookie", re.IGNORECASE)
"""How headers and query parameters are named that hold secrets."""

SHORTEST_SECRET = 8
"""A shorter value, such as the `none` of a server that asks for no key, is looked for nowhere: words look like it."""

REQUEST_HEADERS = frozenset({"accept", "content-type", "anthropic-version", "anthropic-beta"})
RESPONSE_HEADERS = frozenset(
    {"content-type", "content-encoding", "location", "request-id", "x-request-id", "x-should-retry"}
    | {"retry-after", "retry-after-ms"}
)
"""The headers that are kept: a provider may give a secret any name, so the harmless ones are listed."""

LIMIT_HEADERS = ("x-ratelimit-", "anthropic-ratelimit-")


class Filter:
    """Takes secrets out of requests and responses.

    Args:
        secrets: values to look for beside the ones that a request itself carries, such as the keys of all targets.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = frozenset(secrets)

    def clean_request(self, request: Request) -> Request:
        """Return the request without its secrets, changed in place; a second time changes nothing."""
        spellings = self._spell_secrets_of(request)
        request.headers = {name: value for name, value in request.headers.items() if name.lower() in REQUEST_HEADERS}
        request.uri = _replace(_clean_uri(request.uri), spellings)
        if isinstance(request.body, bytes):
            request.body = _replace_bytes(request.body, spellings)
        return request

    def clean_response(self, request: Request, response: Mapping[str, Any]) -> dict[str, Any]:
        """Return the response without its secrets, those of its request included."""
        spellings = self._spell_secrets_of(request)
        headers = {
            name: [_replace(_clean_uri(value) if name.lower() == "location" else value, spellings) for value in values]
            for name, values in response["headers"].items()
            if name.lower() in RESPONSE_HEADERS or name.lower().startswith(LIMIT_HEADERS)
        }
        body = {"string": _replace_bytes(response["body"]["string"], spellings)}
        return {"status": response["status"], "headers": headers, "body": body}

    def _spell_secrets_of(self, request: Request) -> list[str]:
        """Return all ways in which the secrets may be written, the longest first."""
        url = urlsplit(request.uri)
        named = [*request.headers.items(), *parse_qsl(url.query)]
        values = [value for name, value in named if SECRET_NAME.search(name)]
        words = [word for value in [*values, url.password or ""] for word in (value, value.split(" ")[-1])]
        found = {word for word in [*self._secrets, *words] if len(word) >= SHORTEST_SECRET}
        return sorted({spelling for secret in found for spelling in _spell(secret)}, key=len, reverse=True)


def _spell(secret: str) -> tuple[str, ...]:
    return (
        secret,
        quote(secret, safe=""),
        json.dumps(secret)[1:-1],
        base64.b64encode(secret.encode()).decode(),
    )


def _replace(text: str, spellings: Iterable[str]) -> str:
    for spelling in spellings:
        text = text.replace(spelling, FILTERED)
    return text


def _replace_bytes(body: bytes, spellings: Iterable[str]) -> bytes:
    for spelling in spellings:
        body = body.replace(spelling.encode(), FILTERED.encode())
    return body


def _clean_uri(uri: str) -> str:
    """Return an address without user, password and the parameters that hold secrets."""
    url = urlsplit(uri)
    pairs = parse_qsl(url.query, keep_blank_values=True)
    kept = [(name, value) for name, value in pairs if not SECRET_NAME.search(name)]
    query = url.query if kept == pairs else urlencode(kept)
    return urlunsplit(url._replace(netloc=url.netloc.rpartition("@")[2], query=query))
