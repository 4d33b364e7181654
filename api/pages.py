"""Pages: a cursor is where the page before ended, so that nothing is seen twice or missed while others write."""

import base64
import binascii
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from litestar.params import QueryParameter
from msgspec import Meta

from core.errors import InvalidCursorError

T = TypeVar("T")
Position = tuple[datetime, UUID]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FORMAT = struct.Struct(">q16s")

NextCursor = Annotated[str | None, Meta(description="Send it as `cursor` for the next page; null on the last.")]
Limit = Annotated[int, QueryParameter(ge=1, le=200, description="How many items at the most.")]
Cursor = Annotated[str | None, QueryParameter(description="`next_cursor` of the page before; none for the first.")]


@dataclass(frozen=True, slots=True)
class Cut(Generic[T]):
    """The items of one page.

    Attributes:
        next_cursor: where the next page begins; None if there is none.
    """

    items: Sequence[T]
    next_cursor: str | None


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


def cut_page(found: Sequence[T], limit: int, position: Callable[[T], Position]) -> Cut[T]:
    """Cut what was found to a page; one more than `limit` was asked for, so that the last page is known as such."""
    if len(found) <= limit:
        return Cut(found, None)
    return Cut(found[:limit], encode_cursor(position(found[limit - 1])))
