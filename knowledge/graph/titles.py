"""New titles in older texts: found through the lexical index, then word by word."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from knowledge.graph.rows import Connection, fetch, load
from knowledge.graph.wording import read_words, says_key
from knowledge.lexical import Lists, fetch_lists
from knowledge.lexical.postings import OWN, slots_of
from knowledge.lexical.terms import terms_of

# A title whose rarest stem is in more passages is not looked for in older ones: reading them all would hold up the
# writer, and one that more than MOST_DF of them name gets no links anyway (links.py). New texts are searched for it.
MOST_PASSAGES = 1_000
MOST_POSTINGS = 4_000  # of the second rarest stem, which narrows the first

_SQL = load("mentions.sql")


@dataclass(frozen=True, slots=True)
class NewTitle:
    """A title as it is written, and the entity that it makes one of its document's."""

    name: str
    entity_id: UUID


@dataclass(frozen=True, slots=True)
class Spoken:
    """An older passage that has the words of a new title."""

    slot: int
    entity_id: UUID


async def find_spoken(conn: Connection, gem_id: UUID, titles: Mapping[str, NewTitle], before: int) -> list[Spoken]:
    """Find the older passages whose text has the words of a title.

    Args:
        conn: a connection in the writing transaction.
        gem_id: where to look.
        titles: by key, searchable.
        before: the first slot that is not older; what comes from there on is searched when it is written.
    """
    stems = {key: sorted(set(terms_of(title.name))) for key, title in titles.items()}
    chosen = await _choose_stems(conn, gem_id, stems)
    if not chosen:
        return []
    lists = await fetch_lists(conn, [gem_id], sorted({stem for pair in chosen.values() for stem in pair}))
    slots_by_stem = await asyncio.to_thread(_read_slots, lists, before)
    candidates = {key: set.intersection(*(slots_by_stem[stem] for stem in pair)) for key, pair in chosen.items()}
    slots = sorted(set().union(*candidates.values()))
    if not slots:
        return []
    rows = await fetch(conn, _SQL["read_passages"], {"gem_id": gem_id, "slots": slots})
    texts = {row["slot"]: f"{row['heading']}. {row['body']}" if row["heading"] else row["body"] for row in rows}
    return await asyncio.to_thread(_verify, candidates, texts, titles)


async def _choose_stems(
    conn: Connection, gem_id: UUID, stems: Mapping[str, Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    """Return one or two stems for each title that may be in older passages; the others are not worth a look."""
    wanted = sorted({stem for each in stems.values() for stem in each})
    if not wanted:
        return {}
    rows = await fetch(conn, _SQL["size_lists"], {"gem_id": gem_id, "terms": wanted})
    sizes = {row["term"]: int(row["passages"]) for row in rows}
    chosen = {}
    for key, each in stems.items():
        if each and all(stem in sizes for stem in each):
            first, *others = sorted(each, key=lambda stem: (sizes[stem], stem))
            if sizes[first] <= MOST_PASSAGES:
                chosen[key] = (first, *(stem for stem in others[:1] if sizes[stem] <= MOST_POSTINGS))
    return chosen


def _read_slots(lists: Lists, before: int) -> dict[str, set[int]]:
    """Return where each term may be said by a passage itself; what a later segment says anew is not taken out."""
    segments = {segment.segment_id: segment for segment in lists.segments}
    found: dict[str, set[int]] = {}
    for term, rows in lists.lists.items():
        slots = found.setdefault(term, set())
        for _, segment_id, data in rows:
            postings = np.frombuffer(data, ">u2").reshape(-1, 3)
            places = slots_of(segments[segment_id], postings)
            slots.update(places[((postings[:, 1] & OWN) > 0) & (places < before)].tolist())
    return found


def _verify(
    candidates: Mapping[str, set[int]], texts: Mapping[int, str], titles: Mapping[str, NewTitle]
) -> list[Spoken]:
    keys_of: dict[int, list[str]] = {}
    for key, slots in candidates.items():
        for slot in slots & texts.keys():
            keys_of.setdefault(slot, []).append(key)
    spoken = []
    for slot, keys in keys_of.items():
        words = read_words(texts[slot])
        spoken += [Spoken(slot, titles[key].entity_id) for key in keys if says_key(words, key)]
    return spoken
