"""Changes of a gem's graph over the wire: merging, splitting, aliases, undoing, and what suggests them."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from api.pages import NextCursor
from api.schemas.graph import EntityView
from api.schemas.wire import Body, View
from knowledge.graph import Change, MadeEntity, Split, Suggestions

Name = Annotated[str, Meta(min_length=1, max_length=1_000)]


class MergeBody(Body, frozen=True, kw_only=True):
    """Entities that are one."""

    into: Annotated[UUID, Meta(description="The entity that stays.")]
    entities: Annotated[list[UUID], Meta(min_length=1, max_length=100, description="Those that it takes over.")]


class SplitBody(Body, frozen=True, kw_only=True):
    """What is to be taken out of an entity; at least one name or passage."""

    entity: Annotated[UUID, Meta(description="Out of which.")]
    name: Annotated[Name, Meta(description="Of the entity that is made.")]
    names: Annotated[
        list[Name],
        Meta(max_length=1_000, description="Of its names those that shall mean the new one, with what says them."),
    ] = msgspec.field(default_factory=list)
    passages: Annotated[
        list[UUID], Meta(max_length=10_000, description="Passages whose mentions of it mean the new one.")
    ] = msgspec.field(default_factory=list)


class AliasBody(Body, frozen=True, kw_only=True):
    """Further names of an entity."""

    entity: Annotated[UUID, Meta(description="The entity.")]
    names: Annotated[list[Name], Meta(min_length=1, max_length=1_000, description="What it also goes by.")]


class SuggestBody(Body, frozen=True, kw_only=True):
    """How entities that may be one are looked for."""

    threshold: Annotated[float, Meta(gt=0, le=1, description="The least cosine of their names.")] = 0.9
    limit: Annotated[int, Meta(ge=1, le=1_000, description="How many pairs at the most.")] = 50


class UndoBody(Body, frozen=True, kw_only=True):
    """What to undo."""

    change: Annotated[UUID | None, Meta(description="A change; the last one that stands if none is named.")] = None


class ChangeView(View, frozen=True, kw_only=True, rename={"change_id": "id"}):
    """A change that somebody made to a gem's graph."""

    change_id: Annotated[UUID, Meta(description="The change's id.")]
    kind: Annotated[str, Meta(description="`merge`, `split`, `alias` or `resolve`.")]
    entities: Annotated[list[UUID], Meta(description="That it touched.")]
    facts: Annotated[dict[str, Any], Meta(description="What was done, in names.")]
    made_at: Annotated[datetime, Meta(description="When it was made.")]
    undone_at: Annotated[datetime | None, Meta(description="When it was undone; null while it stands.")]


class ChangePage(View, frozen=True, kw_only=True):
    """A page of changes."""

    items: Annotated[list[ChangeView], Meta(description="The last one first.")]
    next_cursor: NextCursor


class MadeView(View, frozen=True, kw_only=True):
    """A change and the entity that it left or made."""

    change: ChangeView
    entity: EntityView


class SuggestionView(View, frozen=True, kw_only=True):
    """Two entities that may be one."""

    first_id: Annotated[UUID, Meta(description="One of them.")]
    first: Annotated[str, Meta(description="Its name.")]
    second_id: Annotated[UUID, Meta(description="The other.")]
    second: Annotated[str, Meta(description="Its name.")]
    similarity: Annotated[float, Meta(description="The cosine of the two names as embedded.")]


class SuggestionList(View, frozen=True, kw_only=True):
    """Entities that may be one."""

    items: Annotated[list[SuggestionView], Meta(description="Most alike first.")]
    compared: Annotated[int, Meta(description="How many entities were compared, the newest 10,000 at the most.")]
    waiting: Annotated[int, Meta(description="Whose names are not embedded yet: ask again to go on with them.")]


def to_split(body: SplitBody) -> Split:
    """Return what is to be split."""
    return Split(body.entity, body.name, tuple(body.names), tuple(body.passages))


def to_change(change: Change) -> ChangeView:
    """Return a change as it is shown."""
    return msgspec.convert(change, ChangeView, from_attributes=True)


def to_made(made: MadeEntity) -> MadeView:
    """Return a change with its entity as it is shown."""
    return msgspec.convert(made, MadeView, from_attributes=True)


def to_suggestions(found: Suggestions) -> SuggestionList:
    """Return suggestions as they are shown."""
    return msgspec.convert(found, SuggestionList, from_attributes=True)
