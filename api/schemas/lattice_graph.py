"""The lattice's graph over the wire."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from api.schemas.gems import StateView
from api.schemas.wire import View
from knowledge.graph import LatticeGraph


class GemNodeView(View, frozen=True, kw_only=True, rename={"gem_id": "id"}):
    """A gem in the lattice's graph."""

    gem_id: Annotated[UUID, Meta(description="The gem's id.")]
    name: Annotated[str, Meta(description="Its name.")]
    passages: Annotated[int, Meta(description="How many it was ever given.")]
    created_at: Annotated[datetime, Meta(description="When it was made.")]
    state: Annotated[StateView, Meta(description="At the moment looked at, as its log tells.")]


class EntityNodeView(View, frozen=True, kw_only=True, rename={"entity_id": "id"}):
    """An entity in the lattice's graph."""

    entity_id: Annotated[UUID, Meta(description="The entity's id.")]
    gem_id: Annotated[UUID, Meta(description="Its gem.")]
    name: Annotated[str, Meta(description="Its name.")]
    kind: Annotated[str | None, Meta(description="What it is, if somebody said.")]
    amount: Annotated[int, Meta(description="How often what was looked at speaks of it.")]


class RelationEdgeView(View, frozen=True, kw_only=True):
    """What relates two entities."""

    gem_id: Annotated[UUID, Meta(description="The gem of both.")]
    source: Annotated[UUID, Meta(description="The subject.")]
    target: Annotated[UUID, Meta(description="The object.")]
    predicates: Annotated[list[str], Meta(description="What relates them, in this direction.")]
    claims: Annotated[int, Meta(description="How many claims these are.")]


class EntanglementEdgeView(View, frozen=True, kw_only=True):
    """What binds two gems."""

    gem_id: Annotated[UUID, Meta(description="One gem.")]
    other_id: Annotated[UUID, Meta(description="The other.")]
    strength: Annotated[float, Meta(description="In [0, 1].")]


class LatticeGraphView(View, frozen=True, kw_only=True):
    """A part of the lattice as a graph."""

    as_of: Annotated[datetime, Meta(description="The moment looked at.")]
    since: Annotated[datetime | None, Meta(description="When the first gem was made; null if there is none.")]
    gems: Annotated[list[GemNodeView], Meta(description="The largest first.")]
    entities: Annotated[list[EntityNodeView], Meta(description="The most spoken of first.")]
    relations: Annotated[list[RelationEdgeView], Meta(description="The most claimed first.")]
    entanglements: Annotated[list[EntanglementEdgeView], Meta(description="The strongest first.")]
    cut: Annotated[bool, Meta(description="Whether there would have been more.")]


def to_lattice_graph(graph: LatticeGraph) -> LatticeGraphView:
    """Return the lattice's graph as it is shown."""
    return msgspec.convert(graph, LatticeGraphView, from_attributes=True)
