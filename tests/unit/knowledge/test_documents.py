from datetime import UTC, datetime, timedelta, timezone

import pytest

from core.errors import InvalidInputError
from knowledge.documents import SourceDocument, content_hash, parse_document


@pytest.mark.parametrize(
    ("given", "utc"),
    [
        ("2023-05-08", datetime(2023, 5, 8, tzinfo=UTC)),
        ("2023-05-08T13:56:00", datetime(2023, 5, 8, 13, 56, tzinfo=UTC)),
        ("2023-05-08T13:56:00+02:00", datetime(2023, 5, 8, 11, 56, tzinfo=UTC)),
        (datetime(2023, 5, 8, 1, tzinfo=timezone(timedelta(hours=2))), datetime(2023, 5, 7, 23, tzinfo=UTC)),
    ],
)
def test_moments_become_utc(given: object, utc: datetime) -> None:
    assert parse_document({"text": "x", "occurred_at": given}).occurred_at == utc


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({}, "d[3].text"),
        ({"text": " \n"}, "d[3].text"),
        ({"text": "\x00 "}, "d[3].text"),
        ({"text": 5}, "d[3].text"),
        ({"text": "x" * 20_000_001}, "d[3].text"),
        ({"text": "x", "id": ""}, "d[3].id"),
        ({"text": "x", "id": True}, "d[3].id"),
        ({"text": "x", "id": 10**5000}, "d[3].id"),
        ({"text": "x", "id": "安" * 1000}, "d[3].id"),
        ({"text": "x", "thread": "安" * 1000}, "d[3].thread"),
        ({"text": "x", "title": "t" * 1001}, "d[3].title"),
        ({"text": "x", "occurred_at": "yesterday"}, "d[3].occurred_at"),
        ({"text": "x", "occurred_at": "0001-01-01T00:00:00+14:00"}, "d[3].occurred_at"),
        ({"text": "x", "occurred_at": 1683554160}, "d[3].occurred_at"),
        ({"text": "x", "metadata": []}, "d[3].metadata"),
        ({"text": "x", "metadata": {"a": float("nan")}}, "d[3].metadata"),
        ({"text": "x", "metadata": {"a": "b" * 64_000}}, "d[3].metadata"),
        ({"text": "x", "metadata": {"a": object()}}, "d[3].metadata"),
        ({"text": "x", "relations": [["a", "b"]]}, "d[3].relations[0]"),
        ({"text": "x", "entities": "Ann"}, "d[3].entities"),
        ({"text": "x", "txet": "y"}, "d[3].txet"),
    ],
)
def test_a_wrong_field_is_named(row: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_document(row, "d[3]")
    assert caught.value.field == field


def test_metadata_may_not_be_nested_without_end() -> None:
    deep: dict[str, object] = {}
    for _ in range(40):
        deep = {"a": deep}
    with pytest.raises(InvalidInputError, match="nested"):
        parse_document({"text": "x", "metadata": deep})


def test_what_postgres_cannot_hold_is_cleaned_everywhere() -> None:
    row = {
        "text": "a\x00b\ud800",
        "id": 12,
        "title": " a\n b ",
        "speaker": " ",
        "metadata": {"k\x00": ["\udfff", 1, None]},
    }
    assert parse_document(row) == SourceDocument(
        "ab\ufffd", external_id="12", title="a b", metadata={"k": ["\ufffd", 1, None]}
    )


def test_equal_content_has_equal_hashes_whatever_its_id_or_key_order() -> None:
    one = parse_document({"text": "x", "id": "1", "metadata": {"a": 1, "b": 2}, "occurred_at": "2023-05-08"})
    two = parse_document(
        {"text": "x", "id": "2", "metadata": {"b": 2, "a": 1}, "occurred_at": "2023-05-08T02:00+02:00"}
    )
    assert content_hash(one) == content_hash(two)
    assert len(content_hash(one)) == 32


@pytest.mark.parametrize(
    "change",
    [
        {"text": "y"},
        {"title": "t"},
        {"source": "s"},
        {"occurred_at": "2023-05-09"},
        {"metadata": {"a": 1}},
        {"thread": "t"},
        {"speaker": "t"},
        {"entities": ["t"]},
        {"relations": [["a", "b", "c"]]},
    ],
)
def test_every_stored_field_changes_the_hash(change: dict[str, object]) -> None:
    assert content_hash(parse_document({"text": "x"})) != content_hash(parse_document({"text": "x", **change}))
