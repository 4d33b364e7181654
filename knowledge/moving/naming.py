"""The entities of what is moved, by the other gem's names, and titles that texts of both gems say."""

import asyncio
from collections.abc import Mapping
from itertools import chain
from typing import Any
from uuid import UUID

from knowledge.graph.mentions import find_entities, find_worded, index_order
from knowledge.graph.names import name_title, normalise
from knowledge.graph.titles import NewTitle, find_spoken
from knowledge.graph.wording import Words, is_searchable, read_words
from knowledge.keeping.vectors import fetch
from knowledge.moving.indexing import Berth, Load
from knowledge.moving.way import SQL, JoinedClaim, JoinedMention, Naming, Renaming, Trace, Way, Wording
from knowledge.store import Connection

TEXTS = 2_048  # searched for titles at a time


async def name_entities(conn: Connection, way: Way, back: Trace | None) -> Trace:
    """Find or make the entities of the new gem that stand for those which go along; return what became of them.

    Args:
        conn: with both gems locked; the passages are numbered and not moved yet.
        way: that they go.
        back: the move that this one takes back: what it knows of entities comes first, and names stay as they are.
    """
    renamed = back.renamed if back else ()
    recalled = {
        "entity_ids": [each.target_id for each in renamed],
        "target_ids": [each.source_id for each in renamed],
    }
    await conn.execute(SQL["need_entities"], way.ends)
    await conn.execute(SQL["look_at_entities"])
    async with index_order(conn):
        await conn.execute(SQL["map_entities"], way.ends | recalled)
    await conn.execute(SQL["look_at_entities"])
    joined = [Renaming(row["entity_id"], row["target_id"]) for row in await fetch(conn, SQL["read_joined"], {})]
    mentions = [JoinedMention(**row) for row in await fetch(conn, SQL["read_joined_mentions"], way.ends)]
    claims = [JoinedClaim(**row) for row in await fetch(conn, SQL["read_joined_claims"], way.ends)]
    made = [row["entity_id"] for row in await fetch(conn, SQL["insert_entities"], way.ends)]
    names = await fetch(conn, SQL["insert_names"], way.ends | {"adding": back is None})
    return Trace(
        source=way.source,
        target=way.target,
        moved_at=way.at.now,
        renamed=tuple(joined),
        made=tuple(made),
        named=tuple(Naming(**row) for row in names),
        mentions=tuple(mentions),
        claims=tuple(claims),
    )


async def tell_apart(conn: Connection, way: Way, back: Trace) -> None:
    """Give mentions and claims back to those of several entities that they had before an earlier move made them one."""
    mentions = {
        "passage_ids": [each.passage_id for each in back.mentions],
        "entity_ids": [each.entity_id for each in back.mentions],
        "roles": [each.role for each in back.mentions],
    }
    if back.mentions:
        await conn.execute(SQL["drop_joined_mentions"], way.ends | mentions)
        await conn.execute(SQL["restore_mentions"], way.ends | mentions)
    if back.claims:
        claims = {
            "claim_ids": [each.claim_id for each in back.claims],
            "subject_ids": [each.subject_id for each in back.claims],
            "object_ids": [each.object_id for each in back.claims],
        }
        await conn.execute(SQL["restore_claims"], way.ends | claims)


async def forget_names(conn: Connection, back: Trace) -> None:
    """Take from the gem that gives back what it got with an earlier move: names, and entities nothing speaks of."""
    names = {"keys": [each.key for each in back.named], "entity_ids": [each.entity_id for each in back.named]}
    await conn.execute(SQL["drop_names"], {"gem_id": back.target, **names})
    async with index_order(conn):
        await conn.execute(SQL["drop_entities"], {"gem_id": back.target, "entity_ids": list(back.made)})


async def drop_wordings(conn: Connection, back: Trace) -> None:
    """Forget what an earlier move found between texts and titles, before it is taken back."""
    passages, entities = ([each.passage_id for each in back.worded], [each.entity_id for each in back.worded])
    values = {"gem_id": back.target, "passage_ids": passages, "entity_ids": entities}
    await conn.execute(SQL["drop_wordings"], values)


async def find_wordings(conn: Connection, way: Way, load: Load, berth: Berth) -> tuple[Wording, ...]:
    """Link what came and what was there by titles, both ways, as if it had been ingested here."""
    if not berth.first or not load.passages:
        return ()
    found: list[tuple[int, UUID]] = []
    last = berth.first + load.passages
    for first in range(berth.first, last, TEXTS):
        part = {"gem_id": way.target, "first": first, "end": min(first + TEXTS, last)}
        words = await asyncio.to_thread(_read_all, await fetch(conn, SQL["read_texts"], part))
        worded = await find_worded(conn, way.target, words)
        found += chain.from_iterable(((slot, entity) for entity in entities) for slot, entities in worded.items())
    titles = await _find_titles(conn, way, berth)
    found += [(each.slot, each.entity_id) for each in await find_spoken(conn, way.target, titles, berth.first)]
    slots, entities = [slot for slot, _ in found], [entity for _, entity in found]
    rows = await fetch(conn, SQL["add_wordings"], {"gem_id": way.target, "slots": slots, "entity_ids": entities})
    return tuple(Wording(**row) for row in rows)


async def _find_titles(conn: Connection, way: Way, berth: Berth) -> dict[str, NewTitle]:
    """Return the titles that came and are new to the gem, by key."""
    async with index_order(conn):
        rows = await fetch(conn, SQL["list_new_titles"], way.ends | {"first": berth.first})
    new = {row["entity_id"] for row in rows}
    told = await fetch(conn, SQL["list_titles"], {}) if new else []
    names = {normalise(name): name for row in told for name in name_title(row["title"])}
    searchable = {key: name for key, name in names.items() if key and is_searchable(key)}
    known = await find_entities(conn, way.target, list(searchable.values()), create=False)
    return {key: NewTitle(searchable[key], entity) for key, entity in known.items() if entity in new}


def _read_all(rows: list[Mapping[str, Any]] | list[dict[str, Any]]) -> dict[int, Words]:
    return {row["slot"]: read_words(row["text"]) for row in rows}
