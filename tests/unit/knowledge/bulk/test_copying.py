"""Identifiers of version 7: valid, distinct, rising."""

from uuid import UUID

from knowledge.bulk.copying import make_ids


def test_ids_are_valid_distinct_and_rising() -> None:
    ids = [UUID(bytes=each.tobytes()) for each in make_ids(10_000)]
    assert len(set(ids)) == 10_000
    assert ids == sorted(ids)
    assert {(each.version, each.variant) for each in ids} == {(7, "specified in RFC 4122")}


def test_no_ids_are_made_for_nothing() -> None:
    assert len(make_ids(0)) == 0
