"""Who may call what. Each route names the least role it needs; what names none is refused by a test."""

import hmac
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from api.settings import Settings
from core.errors import ForbiddenError, UnauthenticatedError
from core.pg import DEFAULT_TENANT


class Role(IntEnum):
    """What a caller may do; each includes those before it."""

    VIEWER = 1
    EDITOR = 2
    ADMIN = 3


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever calls, and whose lattice they see."""

    tenant_id: UUID
    role: Role


def authenticate(settings: Settings, authorization: str | None, host: str | None) -> Principal:
    """Return the caller of a request.

    With no token in the settings every caller is the administrator of the one lattice; such a service listens on
    loopback only, and answers only those who call it by a loopback name: else a web page whose own name is made to
    point at this machine could read the lattice through its visitor's browser.

    Raises:
        UnauthenticatedError: a token is set, and the header does not carry it.
        ForbiddenError: none is set, and the request came under a foreign name.
    """
    if settings.api_token is None:
        if not is_loopback(host or ""):
            raise ForbiddenError(
                "without LATTICE_API_TOKEN the service answers to localhost only, not to this host name"
            )
    else:
        scheme, _, token = (authorization or "").partition(" ")
        expected = settings.api_token.get_secret_value()
        given = token.strip() if scheme.lower() == "bearer" else ""
        if not hmac.compare_digest(given.encode(), expected.encode()):
            raise UnauthenticatedError("send the header `Authorization: Bearer <LATTICE_API_TOKEN>`")
    return Principal(DEFAULT_TENANT, Role.ADMIN)


def is_loopback(host: str) -> bool:
    """Say whether a Host header names this machine by a name that nobody else can give out."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def needs(role: Role) -> Guard:
    """Return a guard that lets callers of this role or a higher one pass."""

    def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        settings: Settings = connection.app.state.settings
        headers = connection.headers
        principal = authenticate(settings, headers.get("authorization"), headers.get("host"))
        if principal.role < role:
            raise ForbiddenError(f"this needs the role {role.name.lower()}")
        connection.scope["user"] = principal

    return guard


def from_own_page(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Let a browser pass only from a page of this very service: of WebSockets it does not see to that by itself."""
    origin = connection.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc.lower() != (connection.headers.get("host") or "").lower():
        raise ForbiddenError("pages of other origins may not open a WebSocket here")


def public(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Let everyone pass: for routes that tell nothing of what is stored."""
