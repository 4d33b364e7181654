"""Pages: a cursor is where the page before ended, so that nothing is seen twice or missed while others write."""

import base64
import binascii
import struct
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from litestar.params import Parameter
from msgspec import Meta, Struct

from core.errors import InvalidCursorError

T = TypeVar("T")
V = TypeVar("V")
Position = tuple[datetime, UUID]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FORMAT = struct.Struct(">q16s")

Limit = Annotated[int, Parameter(ge=1, le=200, description="How many items at the most.")]
Cursor = Annotated[
    str | None, Parameter(max_length=100, description="`next_cursor` of the page before; none for the first.")
]


class Page(Struct, Generic[V], frozen=True, kw_only=True):
    """A page of a list, newest first."""

    items: Annotated[list[V], Meta(description="What is on the page.")]
    next_cursor: Annotated[str | None, Meta(description="Send it as `cursor` for the next page; null on the last.")]


def encode_cursor(position: Position) -> str:
    """Return an opaque text for the place after an item."""
    moment, item_id = position
    packed = _FORMAT.pack((moment - _EPOCH) // _MICROSECOND, item_id.bytes)
    return base64.urlsafe_b64encode(packed).decode()


def decode_cursor(cursor: str | None) -> Position | None:
    """Return the place that a cursor stands for; None for none.

    Raises:
        InvalidCursorError: this server gave no such cursor.
    """
    if cursor is None:
        return None
    try:
        moment, item_id = _FORMAT.unpack(base64.b64decode(cursor, altchars=b"-_", validate=True))
        return _EPOCH + moment * _MICROSECOND, UUID(bytes=item_id)
    except (binascii.Error, struct.error, ValueError, OverflowError) as e:
        raise InvalidCursorError(
            "cursor", "is none of this server's; send next_cursor as it came, or leave it out to start again"
        ) from e


def to_page(found: Sequence[T], limit: int, view: Callable[[T], V], position: Callable[[T], Position]) -> Page[V]:
    """Make a page of what was found when one more than `limit` was asked for."""
    shown = found[:limit]
    more = len(found) > limit
    return Page(items=[view(each) for each in shown], next_cursor=encode_cursor(position(shown[-1])) if more else None)
