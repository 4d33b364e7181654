"""Which recorded request a request is, and how it differs from the nearest; headers never count."""

import hashlib
import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from vcr.cassette import Cassette
from vcr.matchers import host, method, path, port, query, scheme
from vcr.request import Request

from core.errors import CassetteMissError


def body(one: Request, other: Request) -> bool:
    """Say whether two bodies mean the same: as JSON where they are JSON, whatever the order of their keys."""
    return digest_of(one.body) == digest_of(other.body)


Matchers = tuple[Callable[[Request, Request], object], ...]

EVERYWHERE: Matchers = (method, scheme, host, port, path, query, body)
"""The same request to the same server."""

ANY_SERVER: Matchers = (method, path, body)
"""The same request, whichever server it goes to."""

DIGITS = 12


@lru_cache(maxsize=4096)
def digest_of(content: bytes | None) -> str:
    """Return a short digest of a body; JSON that means the same has the same."""
    if not content:
        return "none"
    try:
        canonical = json.dumps(json.loads(content), sort_keys=True).encode()
    except ValueError:
        canonical = content
    return hashlib.sha256(canonical).hexdigest()[:DIGITS]


def describe_miss(cassette: Cassette, asked: Request) -> CassetteMissError:
    """Return the error for a request that a cassette has no answer to; it quotes neither prompt nor key.

    Args:
        cassette: that was asked.
        asked: the request, its secrets taken out.
    """
    digest = digest_of(asked.body)
    nearest = cassette.find_requests_with_most_matches(asked)
    differs = _name_differences(asked, nearest[0]) if nearest else []
    if not len(cassette):
        why = "it holds nothing"
    elif not nearest:
        why = "it holds nothing like it"
    elif not differs:
        why = f"it was asked for more often than it was recorded ({len(nearest)} times)"
    else:
        why = f"the nearest recorded request differs in {', '.join(differs)}"
    return CassetteMissError(
        f"the cassette {cassette.path} has no answer to {asked.method} {asked.host}{asked.path} (body {digest}): {why}",
        method=asked.method,
        host=asked.host,
        path=asked.path,
        body=digest,
        differs=differs,
    )


def _name_differences(asked: Request, nearest: tuple[Request, list[str], list[tuple[str, object]]]) -> list[str]:
    recorded, _, failed = nearest
    names = [name for name, _ in failed]
    fields = _name_fields(asked.body, recorded.body) if "body" in names else []
    return [f"body ({', '.join(fields)})" if name == "body" and fields else name for name in names]


def _name_fields(one: bytes | None, other: bytes | None) -> list[str]:
    """Return the names of the outermost fields in which two JSON bodies differ."""
    left, right = _read_object(one), _read_object(other)
    return sorted(name for name in left.keys() | right.keys() if left.get(name) != right.get(name))


def _read_object(content: bytes | None) -> dict[str, Any]:
    try:
        read = json.loads(content or b"{}")
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}
