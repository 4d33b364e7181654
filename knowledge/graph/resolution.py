"""Which names mean the same: aliases, and merging entities. Each change is logged and can be undone."""

from collections.abc import Sequence
from uuid import UUID

from core.errors import EntityNameTakenError, InvalidInputError
from core.text import clean_string
from gems import Moment
from knowledge.graph import moves
from knowledge.graph.changes import Undo, record_change
from knowledge.graph.moves import ClaimMove, Mention, NameMove
from knowledge.graph.names import normalise
from knowledge.graph.rows import Connection, fetch, load
from knowledge.graph.versions import settle

MOST_MERGED = 100  # entities at a time
MOST_ALIASES = 1_000

_SQL = load("resolution.sql")


async def add_aliases(conn: Connection, gem_id: UUID, entity_id: UUID, names: Sequence[str], at: Moment) -> UUID:
    """Let an entity go by further names from now on; the gem is locked.

    Returns:
        The id of the change.

    Raises:
        EntityNotFoundError: there is no such entity.
        InvalidInputError: a name is blank, or all are the entity's own already.
        EntityNameTakenError: another entity goes by one of them.
    """
    (entity,) = await moves.get_stored(conn, gem_id, [entity_id])
    if not 1 <= len(names) <= MOST_ALIASES:
        raise InvalidInputError("names", f"must be 1 to {MOST_ALIASES:,}, are {len(names):,}")
    keys = list(dict.fromkeys(key_of(name, f"names[{i}]") for i, name in enumerate(names)))
    owners = await find_owned(conn, gem_id, keys, entity_id)
    if not (new := [key for key in keys if key not in owners]):
        raise InvalidInputError("names", f"{entity.name} goes by these names already")
    await moves.add_names(conn, gem_id, entity_id, new)
    undo = Undo(names_added=tuple((key, entity_id) for key in new))
    facts = {"entity": entity.name, "names": new}
    return await record_change(conn, gem_id, "alias", at, entities=[entity_id], facts=facts, undo=undo)


async def merge_entities(conn: Connection, gem_id: UUID, into: UUID, others: Sequence[UUID], at: Moment) -> UUID:
    """Let one entity take over the names, mentions and relations of others, which vanish; the gem is locked.

    Returns:
        The id of the change.

    Raises:
        EntityNotFoundError: one of them is not in the gem.
        InvalidInputError: none or too many others, or the entity itself among them.
    """
    others = list(dict.fromkeys(others))
    if not 1 <= len(others) <= MOST_MERGED or into in others:
        raise InvalidInputError("entities", f"must be 1 to {MOST_MERGED} entities other than the one they go into")
    kept, *gone = await moves.get_stored(conn, gem_id, [into, *others])
    names = [NameMove(key, owner, into) for key, owner in (await moves.read_names(conn, gem_id, others)).items()]
    await moves.move_names(conn, gem_id, names)
    met = await moves.read_mentions(conn, gem_id, others)
    added = await moves.add_mentions(conn, gem_id, {Mention(into, each.slot, each.role) for each in met})
    await moves.remove_mentions(conn, gem_id, met)
    claims = await moves.read_claims(conn, gem_id, others)
    subjects = tuple(ClaimMove(each.claim_id, each.subject_id, into) for each in claims if each.subject_id in others)
    objects = tuple(ClaimMove(each.claim_id, each.object_id, into) for each in claims if each.object_id in others)
    groups = await moves.move_claims(conn, gem_id, subjects, objects)
    await moves.delete_entities(conn, gem_id, others)
    undo = Undo(
        removed=tuple(gone),
        names_moved=tuple(names),
        mentions_added=tuple(added),
        mentions_removed=tuple(met),
        subjects=subjects,
        objects=objects,
        revisions=tuple(await settle(conn, gem_id, groups, at)),
    )
    facts = {"into": kept.name, "merged": [each.name for each in gone]}
    return await record_change(conn, gem_id, "merge", at, entities=[into, *others], facts=facts, undo=undo)


def key_of(name: str, field: str) -> str:
    """Return what a name is known by.

    Raises:
        InvalidInputError: it is blank or too long.
    """
    key = normalise(clean_string(name, field))
    if not key:
        raise InvalidInputError(field, "must not be blank")
    return key


async def find_owned(conn: Connection, gem_id: UUID, keys: Sequence[str], entity_id: UUID) -> set[str]:
    """Return which of some names an entity goes by already.

    Raises:
        EntityNameTakenError: another entity goes by one of them.
    """
    rows = await fetch(conn, _SQL["find_names"], {"gem_id": gem_id, "keys": list(keys)})
    for row in rows:
        if row["entity_id"] != entity_id:
            raise EntityNameTakenError(
                f"{row['name']!r} goes by the name {row['key']!r} already; merge the two entities or split it off",
                name=row["key"],
                entity_id=str(row["entity_id"]),
            )
    return {row["key"] for row in rows}
