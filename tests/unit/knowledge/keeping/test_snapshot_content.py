import hashlib
import json
import struct
import zlib
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.keeping.snapshots.content import cut_rows, list_of, pack, read_vectors, unpack
from knowledge.keeping.snapshots.difference import (
    SHOWN,
    FieldChange,
    compare_document,
    compare_gems,
    compare_rows,
    compare_states,
)

rows = st.lists(st.integers(0, 10**9).map(lambda number: json.dumps({"id": number})), unique=True, max_size=600)


@given(content=st.binary(max_size=3_000))
def test_what_is_packed_unpacks_to_itself_and_nothing_else_does(content: bytes) -> None:
    digest = hashlib.sha256(content).digest()
    packed = pack(content)
    assert len(packed) <= len(content)
    assert unpack(packed, len(content), digest) == content
    assert unpack(packed + b"x", len(content), digest) is None
    assert unpack(packed, len(content), bytes(32)) is None


def test_what_compresses_is_compressed() -> None:
    assert len(pack(b"crystal " * 1_000)) < 100
    assert unpack(zlib.compress(b"other"), 8_000, hashlib.sha256(b"crystal").digest()) is None


@given(found=rows, place=st.integers(0, 600))
def test_around_a_row_that_comes_all_chunks_stay_what_they_were(found: list[str], place: int) -> None:
    chunks = list(cut_rows(found))
    assert [row for chunk in chunks for row in chunk] == found
    place = min(place, len(found))
    more = list(cut_rows([*found[:place], '{"id": "new"}', *found[place:]]))
    assert len({list_of(chunk) for chunk in more} - {list_of(chunk) for chunk in chunks}) <= 2
    assert [row for chunk in chunks for row in json.loads(list_of(chunk))] == [json.loads(row) for row in found]


def test_chunks_are_bounded_whatever_the_rows() -> None:
    same = next(row for row in map(str, range(10**6)) if zlib.crc32(row.encode()) % 128)
    assert [len(chunk) for chunk in cut_rows([same] * 2_500)] == [1_000, 1_000, 500]
    long = f'"{same * 1_000_000}"'
    assert [len(chunk) for chunk in cut_rows([long] * 3)] == [1, 1, 1]
    assert list(cut_rows([])) == []


def test_vectors_are_read_as_postgres_sends_them() -> None:
    numbers = np.array([1.0, -0.5, 0.25], ">f2")
    vector = struct.pack(">hh", 3, 0) + numbers.tobytes()
    content = struct.pack(">ii", 4, len(vector)) + vector + struct.pack(">i", 2) + b"\x01\x02"
    content += struct.pack(">iii", 5, -1, -1)
    first, second = read_vectors(content)
    assert first.vector is not None
    assert (first.ordinal, first.vector.to_list(), first.states) == (4, [1.0, -0.5, 0.25], b"\x01\x02")
    assert (second.ordinal, second.vector, second.states) == (5, None, None)


def test_rows_are_compared_by_their_keys() -> None:
    before = [{"id": 1, "a": 1}, {"id": 2, "a": 1}, {"id": 3, "a": 1}]
    after = [{"id": 2, "a": 1}, {"id": 3, "a": 2}, {"id": 4, "a": 1}]
    found = compare_rows(before, after, ("id",))
    assert (found.added, found.removed, found.changed, found.total) == (1, 1, 1, 3)
    assert [(each.change, each.before, each.after) for each in found.shown] == [
        ("changed", {"id": 3, "a": 1}, {"id": 3, "a": 2}),
        ("added", None, {"id": 4, "a": 1}),
        ("removed", {"id": 1, "a": 1}, None),
    ]
    many = compare_rows([], [{"id": number} for number in range(SHOWN + 5)], ("id",))
    assert (many.added, len(many.shown)) == (SHOWN + 5, SHOWN)


def test_of_a_gem_only_what_people_see_is_compared() -> None:
    before = {"name": "a", "version": 1, "updated_at": "x", "next_slot": 3, "energy": 1.0}
    after = {"name": "b", "version": 9, "updated_at": "y", "next_slot": 7, "energy": 1.0}
    assert compare_gems(before, after) == {"name": FieldChange("a", "b")}
    assert compare_gems(None, after) == compare_gems(before, None) == {}


def document(**fields: Any) -> dict[str, Any]:
    row = {"document_id": "d", "external_id": "e", "title": "t", "body": "text"} | fields
    parts: dict[str, Any] = {"document": [row], "passage": [{"passage_id": "p", "body": "text"}]}
    return parts | {"supersession": None, "extracted_passage": None, "mention": None}


def test_a_document_tells_which_of_its_fields_and_passages_differ() -> None:
    key = UUID(int=1)
    changed = document(title="other", body="more") | {"passage": [{"passage_id": "q", "body": "more"}], "mention": [1]}
    found = compare_document(key, document(), changed, vectors=False)
    assert (found.change, found.fields, found.passages, found.graph) == ("changed", ("body", "title"), 2, True)
    only = compare_document(key, document(), document(), vectors=True)
    assert (only.fields, only.passages, only.graph, only.vectors) == ((), 0, False, True)
    for before, after, change in ((None, document(), "added"), (document(), None, "removed")):
        one_sided = compare_document(key, before, after, vectors=True)
        assert (one_sided.change, one_sided.passages, one_sided.title) == (change, 1, "t")


@pytest.mark.parametrize(
    ("change", "states", "places"),
    [({}, 0, False), ({"energy": 2.0}, 1, False), ({"slot": 3}, 0, True), ({"passage_id": "new"}, 0, False)],
)
def test_states_are_compared_apart_from_places(change: dict[str, Any], states: int, places: bool) -> None:
    row = {"passage_id": "p", "slot": 1, "around": [], "energy": 1.0, "phase": 0.0, "coherence": 1.0}
    row |= {"uncertainty": 0.1, "measured_at": "x"}
    found = compare_states([row], [row | change])
    assert (found.states, found.places) == (states, places)
