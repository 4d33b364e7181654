from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.pages import cut_page, decode_cursor, encode_cursor
from core.errors import InvalidCursorError

MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
POSITION = (datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC), UUID(int=7))


@given(MOMENTS, st.uuids())
def test_a_cursor_gives_back_its_position_exactly(moment: datetime, item: UUID) -> None:
    cursor = encode_cursor((moment, item))
    assert decode_cursor(cursor) == (moment, item)
    assert cursor.replace("-", "").replace("_", "").isalnum()


def test_no_cursor_is_the_first_page() -> None:
    assert decode_cursor(None) is None


@given(st.text(max_size=50))
def test_any_text_is_a_position_or_refused(text: str) -> None:
    try:
        position = decode_cursor(text)
    except InvalidCursorError:
        return
    assert position is not None
    assert encode_cursor(position) == text


@pytest.mark.parametrize(("found", "shown", "more"), [(0, 0, False), (2, 2, False), (3, 2, True)])
def test_a_page_knows_whether_it_is_the_last(found: int, shown: int, more: bool) -> None:
    page = cut_page([*range(found)], 2, lambda _: POSITION)
    assert [*page.items] == [*range(shown)]
    assert page.next_cursor == (encode_cursor(POSITION) if more else None)
