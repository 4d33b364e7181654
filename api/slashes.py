"""Slashes within one part of a path, as names of targets have them."""

import re
from urllib.parse import unquote

from litestar.types import ASGIApp, Receive, Scope, Send

_ENCODED = re.compile(rb"%2f", re.IGNORECASE)
KEPT = "%2F"


class KeepSlashes:
    """Wraps the application so that `%2F` does not part a path: servers decode it before anybody can tell.

    It reaches routes as it was sent; `read_slashes` makes it a slash.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        raw = scope.get("raw_path")
        if raw and _ENCODED.search(raw):
            scope["path"] = unquote(_ENCODED.sub(b"%252F", raw).decode("latin-1"))
        await self._app(scope, receive, send)


def read_slashes(part: str) -> str:
    """Return a part of a path with its slashes."""
    return part.replace(KEPT, "/")
