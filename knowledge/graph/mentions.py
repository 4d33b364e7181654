"""Mentions: which passages name which entities, written with the passages. The gem's row lock is held meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence, Set
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from knowledge.graph.names import find_names, name_title, normalise
from knowledge.graph.rows import Connection, fetch, load
from knowledge.graph.titles import NewTitle, find_spoken
from knowledge.graph.wording import KeySearch, Words, has_words, is_searchable, read_words

TITLE, NAME, WORDING = 0, 1, 2  # roles of a mention; see MentionRow
RECENT_TURNS = 50  # of a thread: if two speak in them, "you" is the other one

_SQL = load("mentions.sql")


@dataclass(frozen=True, slots=True)
class WrittenPassage:
    """A passage that was just stored, as far as it names things.

    Attributes:
        slot: its number in the gem.
        title: of its document.
        speaker: of its document.
        entities: names given for its document; without any, names are found in the text.
    """

    slot: int
    text: str
    title: str | None
    heading: str | None
    speaker: str | None
    thread: str | None
    entities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Heard:
    """A passage that was read: its words, its document's title and the names in it, by key."""

    slot: int
    words: Words
    titles: Mapping[str, str]
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Known:
    """An entity that a key stands for, and whether it is the title of a document."""

    entity_id: UUID
    is_title: bool


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a passage stands: its document, and its number there."""

    document_id: UUID
    ordinal: int


async def write_mentions(conn: Connection, gem_id: UUID, passages: Sequence[WrittenPassage]) -> None:
    """Store what new passages name; entities that are new are made.

    Title links go both ways: the new texts are searched for the titles of all documents, and older texts, through the
    lexical index, for titles that are new. What goes with a passage, or with a title, needs no call.

    Args:
        conn: a connection in the transaction that stored the passages, and holds the gem's row lock.
        gem_id: where they are.
        passages: new ones; those of one document come together, in their order.
    """
    if not passages:
        return
    listeners = await _find_listeners(conn, gem_id, passages)
    places = await _find_places(conn, gem_id, [passage.slot for passage in passages if passage.entities])
    heard = await asyncio.to_thread(_hear, passages, listeners, places)
    named = {key: name for each in heard for key, name in (*each.names.items(), *each.titles.items())}
    known = await _find_keys(conn, gem_id, named)
    made = await _make_entities(conn, gem_id, {key: name for key, name in named.items() if key not in known})
    ids = {key: entity.entity_id for key, entity in known.items()} | made
    titles = {key: NewTitle(name, ids[key]) for each in heard for key, name in each.titles.items()}
    words = {each.slot: each.words for each in heard}
    worded = await find_worded(conn, gem_id, words, {title.entity_id for title in titles.values()})
    mentions = [mention for each in heard for mention in _mentions(each, ids, worded.get(each.slot, ()))]
    await conn.execute(_SQL["insert_mentions"], _columns(gem_id, mentions))
    new = {key: t for key, t in titles.items() if is_searchable(key) and (key in made or not known[key].is_title)}
    spoken = await find_spoken(conn, gem_id, new, min(passage.slot for passage in passages))
    if spoken:
        again = [(each.slot, each.entity_id, WORDING) for each in spoken]
        async with index_order(conn):
            await conn.execute(_SQL["add_wordings"], _columns(gem_id, again))


async def find_entities(conn: Connection, gem_id: UUID, names: Sequence[str], *, create: bool) -> dict[str, UUID]:
    """Return the entities that names stand for, by their keys (`normalise`); with `create` also those that are new.

    Blank names are left out. Whoever creates holds the gem's row lock.
    """
    named: dict[str, str] = {}
    for name in names:
        if key := normalise(name):
            named.setdefault(key, name)
    known = await _find_keys(conn, gem_id, named)
    found = {key: entity.entity_id for key, entity in known.items()}
    if create:
        found |= await _make_entities(conn, gem_id, {key: name for key, name in named.items() if key not in found})
    return found


@asynccontextmanager
async def index_order(conn: Connection) -> AsyncIterator[None]:
    """Have queries read in the order of an index, whatever the statistics say."""
    await conn.execute(_SQL["keep_order"])
    yield  # an error ends the transaction, and the setting with it
    await conn.execute(_SQL["allow_sorting"])


def _hear(
    passages: Sequence[WrittenPassage], listeners: Mapping[tuple[str, str], str], places: Mapping[int, _Place]
) -> list[_Heard]:
    """Read passages for names; names that were given go where they are said, or else to their document's first."""
    texts = [f"{passage.heading}. {passage.text}" if passage.heading else passage.text for passage in passages]
    words = [read_words(text) for text in texts]
    given = _share_out(passages, words, places)
    heard = []
    for passage, read in zip(passages, words, strict=True):
        titles = _by_key(name_title(passage.title)) if passage.title else {}
        names = given.get(passage.slot)
        if names is None:
            listener = listeners.get((passage.thread or "", passage.speaker or ""))
            names = _by_key(find_names(passage.text, passage.speaker, listener))
        heard.append(_Heard(passage.slot, read, titles, names))
    return heard


def _share_out(
    passages: Sequence[WrittenPassage], words: Sequence[Words], places: Mapping[int, _Place]
) -> dict[int, dict[str, str]]:
    """Return, for each passage of a document with given names, those of them that are its own, by key."""
    members: dict[UUID, list[int]] = {}
    for i, passage in enumerate(passages):
        if passage.entities:
            members.setdefault(places[passage.slot].document_id, []).append(i)
    shares: dict[int, dict[str, str]] = {}
    for document in members.values():
        given = _by_key(passages[document[0]].entities)
        said: set[str] = set()
        for i in document:
            shares[passages[i].slot] = own = {key: name for key, name in given.items() if has_words(words[i], key)}
            said |= own.keys()
        for i in document:
            if places[passages[i].slot].ordinal == 0:
                shares[passages[i].slot] |= {key: name for key, name in given.items() if key not in said}
    return shares


def _mentions(heard: _Heard, ids: Mapping[str, UUID], worded: Iterable[UUID]) -> list[tuple[int, UUID, int]]:
    """Return a passage's mentions as (slot, entity, role), one an entity: the first role that it has."""
    roles = {ids[key]: TITLE for key in heard.titles}
    for key in heard.names:
        roles.setdefault(ids[key], NAME)
    for entity_id in worded:
        roles.setdefault(entity_id, WORDING)
    return [(heard.slot, entity_id, role) for entity_id, role in roles.items()]


def _columns(gem_id: UUID, mentions: Sequence[tuple[int, UUID, int]]) -> dict[str, object]:
    return {
        "gem_id": gem_id,
        "slots": [slot for slot, _, _ in mentions],
        "entity_ids": [entity_id for _, entity_id, _ in mentions],
        "roles": [role for _, _, role in mentions],
    }


def _by_key(names: Iterable[str]) -> dict[str, str]:
    keyed: dict[str, str] = {}
    for name in names:
        if key := normalise(name):
            keyed.setdefault(key, name)
    return keyed


async def _find_listeners(
    conn: Connection, gem_id: UUID, passages: Sequence[WrittenPassage]
) -> dict[tuple[str, str], str]:
    """Return whom each speaker of a thread of two speaks to, by thread and speaker."""
    threads = sorted({passage.thread for passage in passages if passage.thread and passage.speaker})
    if not threads:
        return {}
    values = {"gem_id": gem_id, "threads": threads, "turns": RECENT_TURNS}
    rows = await fetch(conn, _SQL["thread_speakers"], values)
    pairs = [(row["thread"], row["speakers"]) for row in rows if len(row["speakers"]) == 2]
    return {(thread, who): other for thread, (a, b) in pairs for who, other in ((a, b), (b, a))}


async def _find_places(conn: Connection, gem_id: UUID, slots: Sequence[int]) -> dict[int, _Place]:
    if not slots:
        return {}
    rows = await fetch(conn, _SQL["find_places"], {"gem_id": gem_id, "slots": slots})
    return {row["slot"]: _Place(row["document_id"], row["ordinal"]) for row in rows}


async def find_worded(
    conn: Connection, gem_id: UUID, texts: Mapping[int, Words], titles: Set[UUID] = frozenset()
) -> dict[int, set[UUID]]:
    """Return the titles of documents that texts have the words of, by slot; `titles` are about to be stored."""
    slots = list(texts)
    search = await asyncio.to_thread(KeySearch, list(texts.values()))
    known: dict[str, _Known] = {}
    while asked := search.ask():
        rows = await _look_up(conn, "search_keys", gem_id, asked)
        stored = {row["key"]: _Known(row["entity_id"], row["is_title"]) for row in rows if row["is_stored"]}
        # of a stored key it is not known whether others go on from it: the next question tells
        search.tell(stored, {row["key"] for row in rows})
        known |= stored
    worded: dict[int, set[UUID]] = {}
    for key, places in search.said.items():
        if is_searchable(key) and (known[key].is_title or known[key].entity_id in titles):
            for i in places:
                worded.setdefault(slots[i], set()).add(known[key].entity_id)
    return worded


async def _find_keys(conn: Connection, gem_id: UUID, keys: Collection[str]) -> dict[str, _Known]:
    rows = await _look_up(conn, "find_keys", gem_id, keys)
    return {row["key"]: _Known(row["entity_id"], row["is_title"]) for row in rows}


async def _look_up(conn: Connection, query: str, gem_id: UUID, keys: Collection[str]) -> list[dict[str, Any]]:
    if not keys:
        return []
    values = {"gem_id": gem_id, "keys": "\n".join(sorted(keys))}  # neighbours in the index are read together
    async with index_order(conn):
        return await fetch(conn, _SQL[query], values)


async def _make_entities(conn: Connection, gem_id: UUID, named: Mapping[str, str]) -> dict[str, UUID]:
    if not named:
        return {}
    made = {key: uuid4() for key in named}
    values = {"gem_id": gem_id, "entity_ids": list(made.values())}
    await conn.execute(_SQL["insert_entities"], values | {"names": list(named.values())})
    await conn.execute(_SQL["insert_keys"], values | {"keys": list(made)})
    return made
