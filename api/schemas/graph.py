"""A gem's entities and relations over the wire."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from api.pages import NextCursor
from api.schemas.wire import Body, View
from knowledge.graph import CARDINALITIES, Contradiction, Entity, EntityDetail, Predicates, Relation

Cardinality = Literal["one", "one_at_a_time", "many"]


class ResolveBody(Body, frozen=True, kw_only=True):
    """Which of two relations that contradict each other holds."""

    keep: Annotated[UUID, Meta(description="The relation that holds.")]
    close: Annotated[UUID, Meta(description="The one that does not.")]


class PredicatesBody(Body, frozen=True, kw_only=True):
    """How many objects predicates take of one subject."""

    predicates: Annotated[
        dict[str, Cardinality],
        Meta(
            max_length=1_000,
            description="All that differ from the defaults: `one` for ever, `one_at_a_time`, or `many`.",
        ),
    ]


class EntityView(View, frozen=True, kw_only=True, rename={"entity_id": "id"}):
    """Something that passages of a gem name."""

    entity_id: Annotated[UUID, Meta(description="The entity's id.")]
    name: Annotated[str, Meta(description="As it was first met.")]
    kind: Annotated[str | None, Meta(description="What it is, if somebody said.")]
    names: Annotated[list[str], Meta(description="All it goes by, as names are compared.")]
    passages: Annotated[int, Meta(description="How many mention it, counted up to 1,000.")]
    created_at: Annotated[datetime, Meta(description="When it was first met.")]


class EntityPage(View, frozen=True, kw_only=True):
    """A page of entities."""

    items: Annotated[list[EntityView], Meta(description="Newest first.")]
    next_cursor: NextCursor


class RelationView(View, frozen=True, kw_only=True, rename={"relation_id": "id"}):
    """What relates two entities, and when."""

    relation_id: Annotated[UUID, Meta(description="The relation's id, of this version of the claim.")]
    claim_id: Annotated[UUID, Meta(description="The claim; the same in all its versions.")]
    subject_id: Annotated[UUID, Meta(description="The entity it is about.")]
    subject: Annotated[str, Meta(description="Its name.")]
    predicate: Annotated[str, Meta(description="How they are related, in its one spelling.")]
    object_id: Annotated[UUID, Meta(description="The entity at the other end.")]
    object: Annotated[str, Meta(description="Its name.")]
    origin: Annotated[str, Meta(description="Who found it: `given` by whoever sent the document, or a model.")]
    valid_from: Annotated[datetime | None, Meta(description="Since when it holds in the world; null if unknown.")]
    valid_to: Annotated[datetime | None, Meta(description="Until when; null if unknown or not ended.")]
    known_from: Annotated[datetime, Meta(description="Since when the lattice took it to hold so.")]
    known_to: Annotated[datetime | None, Meta(description="Until when; null if it still does.")]
    learned_at: Annotated[datetime, Meta(description="When the claim was first taken in.")]
    closed_by: Annotated[UUID | None, Meta(description="The claim that ended it or was kept instead.")]
    closed_reason: Annotated[
        str | None, Meta(description="`replaced` if `valid_to` follows from a later claim; else why it was closed.")
    ]
    document_id: Annotated[UUID | None, Meta(description="The document that says so, of several the last.")]
    title: Annotated[str | None, Meta(description="Its title.")]
    external_id: Annotated[str | None, Meta(description="The `id` it was sent with.")]
    support: Annotated[int, Meta(description="How many documents say so.")]


class RelationPage(View, frozen=True, kw_only=True):
    """A page of relations."""

    items: Annotated[list[RelationView], Meta(description="Learned last first.")]
    next_cursor: NextCursor


class MentioningView(View, frozen=True, kw_only=True, rename={"passage_id": "id"}):
    """A passage that mentions an entity."""

    passage_id: Annotated[UUID, Meta(description="The passage's id.")]
    document_id: Annotated[UUID, Meta(description="Its document.")]
    text: Annotated[str, Meta(description="The passage.")]
    title: Annotated[str | None, Meta(description="Its document's title.")]
    external_id: Annotated[str | None, Meta(description="The `id` that its document was sent with.")]
    occurred_at: Annotated[datetime | None, Meta(description="When what it tells happened.")]


class EntityDetailView(View, frozen=True, kw_only=True):
    """An entity with what is known of it now."""

    entity: EntityView
    relations: Annotated[
        list[RelationView], Meta(description="At whose ends it stands, learned last first, up to 100.")
    ]
    passages: Annotated[list[MentioningView], Meta(description="That mention it, newest first.")]


class EvidenceView(View, frozen=True, kw_only=True):
    """A relation and what its document says."""

    relation: RelationView
    passage_id: Annotated[UUID | None, Meta(description="The passage that names both ends best.")]
    text: Annotated[str | None, Meta(description="What it says.")]
    occurred_at: Annotated[datetime | None, Meta(description="When what its document tells happened.")]


class ContradictionView(View, frozen=True, kw_only=True):
    """Two relations that cannot both hold."""

    cardinality: Annotated[
        str | None,
        Meta(description="`one` or `one_at_a_time`; null if nobody said, but other subjects have one object each."),
    ]
    newer: Annotated[EvidenceView, Meta(description="The one learned later.")]
    older: Annotated[EvidenceView, Meta(description="The one learned before.")]


class ContradictionList(View, frozen=True, kw_only=True):
    """Contradictions that stand open."""

    items: Annotated[list[ContradictionView], Meta(description="Learned last first.")]
    more: Annotated[bool, Meta(description="Whether there are more than were asked for.")]


class PredicatesView(View, frozen=True, kw_only=True):
    """How many objects predicates take of one subject."""

    predicates: Annotated[dict[str, str], Meta(description="What was marked for this gem.")]
    defaults: Annotated[dict[str, str], Meta(description="What holds where nothing is marked.")]


def to_entity(entity: Entity) -> EntityView:
    """Return an entity as it is shown."""
    return msgspec.convert(entity, EntityView, from_attributes=True)


def to_detail(detail: EntityDetail) -> EntityDetailView:
    """Return an entity with what is known of it as it is shown."""
    return msgspec.convert(detail, EntityDetailView, from_attributes=True)


def to_relation(relation: Relation) -> RelationView:
    """Return a relation as it is shown."""
    return msgspec.convert(relation, RelationView, from_attributes=True)


def to_contradictions(found: list[Contradiction], limit: int) -> ContradictionList:
    """Return contradictions as they are shown; one more than `limit` was asked for."""
    items = [msgspec.convert(each, ContradictionView, from_attributes=True) for each in found[:limit]]
    return ContradictionList(items=items, more=len(found) > limit)


def to_predicates(predicates: Predicates) -> PredicatesView:
    """Return what is known of predicates as it is shown."""
    defaults: dict[str, str] = {each: kind for kind in CARDINALITIES for each in Predicates().of(kind)}
    return PredicatesView(predicates=dict(predicates.marked), defaults=defaults)
