"""Pages of passages by coherence: a cursor holds the moment of the first page, so that all have one order."""

import base64
import binascii
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from api.schemas.gem_field import PassageStatePage, to_passage_state
from core.errors import InvalidCursorError, InvalidInputError
from knowledge import PassageOrder, PassagePlace, PassageState

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FORMAT = struct.Struct(">Bqd16s")
_ORDERS: tuple[PassageOrder, ...] = ("coherence", "-coherence", "position")


@dataclass(frozen=True, slots=True)
class PassagePage:
    """Which page is asked for.

    Attributes:
        at: the moment of all pages.
        after: where the page before ended; None for the first.
    """

    order: PassageOrder
    at: datetime
    after: PassagePlace | None = None


def open_page(order: PassageOrder, at: datetime | None, cursor: str | None, now: datetime) -> PassagePage:
    """Return which page is asked for.

    Raises:
        InvalidCursorError: this server gave no such cursor for this order.
        InvalidInputError: the moment has passed: the past of passages stands in their log only.
    """
    if cursor is not None:
        return _decode(cursor, order)
    if at is not None and at < now:
        raise InvalidInputError("at", f"must not be before now, {now:%Y-%m-%dT%H:%M:%SZ}: states evolve forwards only")
    return PassagePage(order, at or now)


def cut_passages(found: Sequence[PassageState], limit: int, page: PassagePage) -> PassageStatePage:
    """Return a page as it is shown; one more than `limit` was asked for, so that the last page is known as such."""
    shown = [to_passage_state(each) for each in found[:limit]]
    cursor = _encode(page, found[limit - 1].place) if len(found) > limit else None
    return PassageStatePage(at=page.at, passages=shown, next_cursor=cursor)


def _encode(page: PassagePage, place: PassagePlace) -> str:
    moment = (page.at - _EPOCH) // _MICROSECOND
    packed = _FORMAT.pack(_ORDERS.index(page.order), moment, place.key, place.passage_id.bytes)
    return base64.urlsafe_b64encode(packed).decode()


def _decode(cursor: str, order: PassageOrder) -> PassagePage:
    try:
        number, moment, key, passage_id = _FORMAT.unpack(base64.b64decode(cursor, altchars=b"-_", validate=True))
        at = _EPOCH + moment * _MICROSECOND
    except (binascii.Error, struct.error, ValueError, OverflowError) as e:
        raise _invalid() from e
    if number != _ORDERS.index(order) or not math.isfinite(key):
        raise _invalid()
    return PassagePage(order, at, PassagePlace(key, UUID(bytes=passage_id)))


def _invalid() -> InvalidCursorError:
    problem = "is none of this list's; send next_cursor as it came with the same order, or leave it out to start again"
    return InvalidCursorError("cursor", problem)
