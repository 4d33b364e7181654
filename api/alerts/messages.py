"""Messages to webhooks, as Standard Webhooks asks for: signed, small, the same at every attempt."""

import asyncio
import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit
from uuid import UUID

from httpcore2 import AsyncConnectionPool, ConnectError, NetworkError, ProtocolError, TimeoutException
from standardwebhooks import Webhook as Signer

from api.alerts.addresses import PublicOnly, Resolve, is_address, is_public, resolve
from api.alerts.store import Alert
from api.version import read_version
from core.errors import InvalidInputError

SECRET_BYTES = 32
ANSWER_S = 15.0  # for connecting, sending and the head of the answer, all together
GONE = 410


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt to deliver ended.

    Attributes:
        status: of the answer; None without one.
        error: what went wrong, for people; never what the other side says.
    """

    status: int | None
    error: str | None

    @property
    def delivered(self) -> bool:
        """Whether it was taken."""
        return self.error is None


def make_secret() -> str:
    """Return a new secret, in the form that libraries of Standard Webhooks take."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


def check_url(url: str, *, allow_private: bool) -> None:
    """Check that a webhook may be sent there; what its name resolves to is checked when it is.

    Raises:
        InvalidInputError: it may not.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if host is None or not url.isascii() or not url.isprintable() or " " in url:
        raise InvalidInputError("url", "must be a whole address such as https://example.org/alerts")
    if parts.username is not None or parts.password is not None:
        raise InvalidInputError("url", "must not hold a user or password: messages are signed instead")
    if is_address(host) and not (allow_private or is_public(host)):
        raise InvalidInputError("url", f"{host} is no public address; see LATTICE_ALERTS__ALLOW_PRIVATE_WEBHOOKS")
    schemes = ("https", "http") if allow_private else ("https",)
    if parts.scheme not in schemes:
        raise InvalidInputError("url", f"must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}")


def write_message(kind: str, at: datetime, data: Mapping[str, object]) -> str:
    """Return the body of a message."""
    return json.dumps({"type": kind, "timestamp": at.isoformat(), "data": data}, ensure_ascii=False)


def write_alert(alert: Alert, at: datetime) -> str:
    """Return the body of the message that an alert fired, was acknowledged or ended."""
    data = {
        "id": str(alert.alert_id),
        "rule": alert.rule,
        "severity": alert.severity,
        "description": alert.description,
        "metric": alert.metric,
        "op": alert.op,
        "threshold": alert.threshold,
        "value": alert.value,
        "subject": alert.subject,
        "subject_name": alert.subject_name,
        "fired_at": alert.fired_at.isoformat(),
        "acknowledged_at": _iso(alert.acknowledged_at),
        "acknowledgement": alert.acknowledgement,
        "resolved_at": _iso(alert.resolved_at),
    }
    return write_message(f"alert.{alert.change}", at, data)


class Sender:
    """Sends messages: to public addresses only unless told otherwise, without following redirects. A context manager.

    Args:
        allow_private: send to any address.
        resolve: from a name to its addresses.
        answer_s: how long to wait for the other side, in seconds.
    """

    def __init__(self, *, allow_private: bool, resolve: Resolve = resolve, answer_s: float = ANSWER_S) -> None:
        self.allow_private = allow_private
        self._answer_s = answer_s
        # not httpx2: that would take a proxy from the environment, behind which addresses are not ours to check
        self._pool = AsyncConnectionPool(
            network_backend=PublicOnly(allow_private=allow_private, resolve=resolve), max_keepalive_connections=0
        )

    async def send(self, message_id: UUID, url: str, secret: str, body: str, now: datetime) -> Outcome:
        """Send a message once; whatever goes wrong is told in the outcome."""
        name = f"msg_{message_id.hex}"
        headers: dict[str | bytes, str | bytes] = {
            "host": urlsplit(url).netloc,
            "content-type": "application/json",
            "user-agent": f"crystal-lattice/{read_version()}",
            "webhook-id": name,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Signer(secret).sign(name, now, body),
        }
        try:
            async with (
                asyncio.timeout(self._answer_s),
                self._pool.stream("POST", url, headers=headers, content=body.encode()) as response,
            ):
                status = response.status
        except (TimeoutException, TimeoutError):
            return Outcome(None, "no answer in time")
        except ConnectError as e:
            return Outcome(None, f"cannot connect: {e}"[:300])
        except (NetworkError, ProtocolError):
            return Outcome(None, "the connection broke")
        return Outcome(status, None if 200 <= status < 300 else f"answered {status}")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._pool.aclose()


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
