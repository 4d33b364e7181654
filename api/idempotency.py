"""Requests that may be sent again: the same key and body get the first answer, and the work is done once.

A key is claimed in one statement before the work and holds its answer afterwards. A process that dies in between leaves
the claim; after STALE it may be taken over. The moment of the claim tells a late first owner from the new one.
"""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Generic, TypeVar, cast

import msgspec
import structlog
from litestar import Response
from litestar.enums import MediaType
from litestar.params import HeaderParameter
from psycopg.rows import dict_row

from api.request import ApiRequest
from core.errors import IdempotencyConflictError, InvalidInputError, LatticeError
from core.pg import Connection
from core.sql import load_queries

V = TypeVar("V")

KEPT = timedelta(hours=24)
STALE = timedelta(minutes=15)  # longer than any request can take
LONGEST_KEY = 255
RUNNING_RETRY_S = 1

IdempotencyKey = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        description="Any text unique to this request; sent again with the same body, the first answer comes again.",
    ),
]

_SQL = load_queries("api.sql", "idempotency.sql")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Created(Generic[V]):
    """What a request made.

    Attributes:
        view: the body of the answer.
        location: where it is found from now on.
        status: of the answer.
    """

    view: V
    location: str | None = None
    status: int = 201


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer as it was sent."""

    status: int
    body: bytes
    location: str | None


@dataclass(frozen=True, slots=True)
class Claim:
    """A key that this request owns."""

    key: str
    claimed_at: datetime


async def answer_once(
    request: ApiRequest, key: str | None, make: Callable[[], Awaitable[Created[V]]], *, body: bytes | None = None
) -> Response[V]:
    """Do the work and answer 201, or what it says; of two requests with one key only the first one works.

    Args:
        request: its method, path and body are what must not change under one key.
        key: None does the work each time.
        make: the work.
        body: stands for the body where that is not read whole: a digest of it.

    Raises:
        IdempotencyConflictError: the key was used for another request, or its first request is still running.
        LatticeError: of the work; the key may then be used again.
    """
    if key is None:
        return _respond(_to_answer(await make()))
    check_key(key)
    found = await _claim(request, key, hash_request(request.method, request.url.path, body or await request.body()))
    if isinstance(found, StoredAnswer):
        return _respond(found, replayed=True)
    try:
        answer = _to_answer(await make())
    except BaseException:
        await _settle(request, "free_key", found, {})
        raise
    values = {"status": answer.status, "body": answer.body, "location": answer.location}
    await _settle(request, "store_answer", found, values)
    return _respond(answer)


def check_key(key: str) -> None:
    """Check that a key can be one.

    Raises:
        InvalidInputError: it is empty, too long, or holds what is not visible.
    """
    if not (key and len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise InvalidInputError("Idempotency-Key", f"must have 1 to {LONGEST_KEY} printable ASCII characters")


def hash_request(method: str, path: str, body: bytes) -> bytes:
    """Return the SHA-256 of what makes two requests the same."""
    return hashlib.sha256(b"\0".join([method.encode(), path.encode(), body])).digest()


async def _claim(request: ApiRequest, key: str, request_hash: bytes) -> Claim | StoredAnswer:
    values = {"key": key, "request_hash": request_hash, "kept": KEPT, "stale": STALE}

    async def carry_out(conn: Connection) -> Claim | StoredAnswer:
        async with conn.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(_SQL["forget_expired"], values)
            await cursor.execute(_SQL["claim_key"], values)
            if row := await cursor.fetchone():
                return Claim(key, row["created_at"])
            await cursor.execute(_SQL["find_key"], values)
            row = await cursor.fetchone()
        if row is not None and bytes(row["request_hash"]) != request_hash:
            raise IdempotencyConflictError(f"the key {key!r} was used for another request; take a new one")
        if row is None or row["status"] is None:
            raise IdempotencyConflictError(
                f"the first request with the key {key!r} is still running; repeat in a moment",
                retry_after_s=RUNNING_RETRY_S,
            )
        return StoredAnswer(row["status"], bytes(row["body"]), row["location"])

    return await request.service.database.retrying(request.tenant, carry_out)


async def _settle(request: ApiRequest, query: str, claim: Claim, values: dict[str, Any]) -> None:
    """Write what became of a claim. The work is done or failed by now, so an error here changes no answer."""
    values = values | {"key": claim.key, "claimed_at": claim.claimed_at}

    async def carry_out(conn: Connection) -> None:
        await conn.execute(_SQL[query], values)

    try:
        await request.service.database.retrying(request.tenant, carry_out)
    except LatticeError as e:
        _log.warning("idempotency_key_left_running", code=e.code, reason=e.message)


def _to_answer(created: Created[V]) -> StoredAnswer:
    return StoredAnswer(created.status, msgspec.json.encode(created.view), created.location)


def _respond(answer: StoredAnswer, *, replayed: bool = False) -> Response[Any]:
    headers = {"Location": answer.location} if answer.location else {}
    if replayed:
        headers["Idempotency-Replayed"] = "true"
    content = cast("Any", answer.body)
    return Response(content, status_code=answer.status, media_type=MediaType.JSON, headers=headers)
