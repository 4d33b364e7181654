"""Taking an entity apart that two things were taken for: some of its names or mentions become a new entity."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from core.errors import InvalidInputError
from core.text import clean_string
from gems import Moment
from knowledge.graph import moves
from knowledge.graph.changes import Undo, record_change
from knowledge.graph.moves import ClaimMove, Mention, NamedClaim, NameMove, StoredEntity
from knowledge.graph.names import find_names, name_title, normalise
from knowledge.graph.resolution import find_owned, key_of
from knowledge.graph.rows import Connection, fetch, load
from knowledge.graph.versions import settle
from knowledge.graph.wording import has_words, read_words

TITLE = 0  # role of a mention: the entity is the document's title

_SQL = load("resolution.sql")


@dataclass(frozen=True, slots=True)
class Split:
    """What is to be taken out of an entity.

    Attributes:
        entity_id: out of which.
        name: of the entity that is made.
        names: that shall mean the new entity, with the mentions in passages that say them.
        passage_ids: passages whose mentions mean the new entity.
    """

    entity_id: UUID
    name: str
    names: tuple[str, ...] = ()
    passage_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class MentionedIn:
    """A mention of an entity with what its passage says."""

    slot: int
    role: int
    passage_id: UUID
    body: str
    title: str | None
    speaker: str | None


@dataclass(frozen=True, slots=True)
class SplitPlan:
    """What goes to the new entity.

    Attributes:
        names: of those that the entity has.
        slots: of the passages asked for.
        moved: mentions that leave the entity.
        copied: mentions that both have: their passages say names of both.
    """

    names: frozenset[str]
    slots: frozenset[int]
    moved: tuple[tuple[int, int], ...]
    copied: tuple[tuple[int, int], ...]

    def takes(self, name: str, slot: int | None) -> bool:
        """Say whether the end of a claim goes along: it was named so, or found in such a passage."""
        return normalise(name) in self.names or slot in self.slots


async def split_entity(conn: Connection, gem_id: UUID, split: Split, at: Moment) -> tuple[UUID, UUID]:
    """Make a new entity of some of an entity's names or mentions; the gem is locked.

    Relations go with the name that their document gave, or with the passage that they were found in.

    Returns:
        The ids of the change and of the new entity.

    Raises:
        EntityNotFoundError: there is no such entity.
        InvalidInputError: a name or passage is not the entity's, or nothing would stay or go.
        EntityNameTakenError: a third entity goes by the new name.
    """
    (entity,) = await moves.get_stored(conn, gem_id, [split.entity_id])
    source = entity.entity_id
    name = " ".join(clean_string(split.name, "name").split())
    key = key_of(name, "name")
    owned = await find_owned(conn, gem_id, [key], source)
    own = await moves.read_names(conn, gem_id, [source])
    rows = await fetch(conn, _SQL["read_mentioned"], {"gem_id": gem_id, "entity_id": source})
    plan = plan_split(split, set(own), [MentionedIn(**row) for row in rows])
    made = StoredEntity(uuid4(), name, entity.kind, None, at.now)
    await moves.insert_entities(conn, gem_id, [made])
    if not owned:
        await moves.add_names(conn, gem_id, made.entity_id, [key])
    ways = _Ways(source, made.entity_id, () if owned else (key,))
    undo = await _carry_out(conn, gem_id, plan, ways, at)
    facts = {"entity": entity.name, "new": name, "names": sorted(plan.names), "mentions": len(undo.mentions_added)}
    ends = [source, made.entity_id]
    change_id = await record_change(conn, gem_id, "split", at, entities=ends, facts=facts, undo=undo)
    return change_id, made.entity_id


def plan_split(split: Split, own: set[str], mentioned: Sequence[MentionedIn]) -> SplitPlan:
    """Find what goes to the new entity.

    Args:
        split: what is asked for.
        own: the keys of the entity's names.
        mentioned: where it is mentioned.

    Raises:
        InvalidInputError: a name or passage is not the entity's, or nothing would stay or go.
    """
    leaving = {key_of(name, f"names[{i}]") for i, name in enumerate(split.names)}
    for i, name in enumerate(split.names):
        if normalise(name) not in own:
            raise InvalidInputError(f"names[{i}]", f"is no name of the entity; its names are {', '.join(sorted(own))}")
    if not (leaving or split.passage_ids):
        raise InvalidInputError("names", "or passages must say what is to be taken out")
    if leaving and leaving == own:
        raise InvalidInputError("names", "must leave the entity one name at least")
    slots = {each.passage_id: each.slot for each in mentioned}
    for i, passage_id in enumerate(split.passage_ids):
        if passage_id not in slots:
            raise InvalidInputError(f"passages[{i}]", "is no passage that mentions the entity")
    asked = frozenset(slots[each] for each in split.passage_ids)
    moved, copied = list[tuple[int, int]](), list[tuple[int, int]]()
    for each in mentioned:
        said = _find_said(each, own)
        if each.slot in asked or (said & leaving and not said - leaving):
            moved.append((each.slot, each.role))
        elif said & leaving:
            copied.append((each.slot, each.role))
    return SplitPlan(frozenset(leaving), asked, tuple(moved), tuple(copied))


def _find_said(mentioned: MentionedIn, keys: Collection[str]) -> set[str]:
    """Return which of an entity's names a mention says."""
    if mentioned.role == TITLE:
        return {normalise(each) for each in name_title(mentioned.title or "")} & set(keys)
    found = {normalise(name) for name in find_names(mentioned.body, mentioned.speaker)}
    words = read_words(mentioned.body)
    return {key for key in keys if key in found or has_words(words, key)}


@dataclass(frozen=True, slots=True)
class _Ways:
    """From where to where things go, and the names that are new to the gem."""

    source: UUID
    target: UUID
    added: tuple[str, ...]


async def _carry_out(conn: Connection, gem_id: UUID, plan: SplitPlan, ways: _Ways, at: Moment) -> Undo:
    source, target = ways.source, ways.target
    names = tuple(NameMove(each, source, target) for each in sorted(plan.names))
    await moves.move_names(conn, gem_id, names)
    gone = tuple(Mention(source, slot, role) for slot, role in plan.moved)
    came = [Mention(target, slot, role) for slot, role in (*plan.moved, *plan.copied)]
    arrived = await moves.add_mentions(conn, gem_id, came)
    await moves.remove_mentions(conn, gem_id, gone)
    claims = await moves.read_claims(conn, gem_id, [source])
    subjects = tuple(ClaimMove(each.claim_id, source, target) for each in claims if _takes_subject(plan, each, source))
    objects = tuple(ClaimMove(each.claim_id, source, target) for each in claims if _takes_object(plan, each, source))
    groups = await moves.move_claims(conn, gem_id, subjects, objects)
    return Undo(
        created=(target, source),
        names_added=tuple((key, target) for key in ways.added),
        names_moved=names,
        mentions_added=tuple(arrived),
        mentions_removed=gone,
        subjects=subjects,
        objects=objects,
        revisions=tuple(await settle(conn, gem_id, groups, at)),
    )


def _takes_subject(plan: SplitPlan, claim: NamedClaim, source: UUID) -> bool:
    return claim.subject_id == source and plan.takes(claim.subject_name, claim.slot)


def _takes_object(plan: SplitPlan, claim: NamedClaim, source: UUID) -> bool:
    return claim.object_id == source and plan.takes(claim.object_name, claim.slot)
