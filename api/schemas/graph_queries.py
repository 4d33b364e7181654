"""Answers to what a gem's graph is asked, over the wire."""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from api.schemas.wire import View
from knowledge.graph import CentralEntities, Communities, Paths, Subgraph

Cut = Annotated[bool, Meta(description="Whether the gem has more entities or edges than were looked at.")]


class NodeView(View, frozen=True, kw_only=True, rename={"entity_id": "id"}):
    """An entity in a graph."""

    entity_id: Annotated[UUID, Meta(description="The entity's id.")]
    name: Annotated[str, Meta(description="Its name.")]
    depth: Annotated[int, Meta(description="How many edges away it was found.")]


class EdgeView(View, frozen=True, kw_only=True):
    """What binds two entities."""

    source: Annotated[UUID, Meta(description="One end.")]
    target: Annotated[UUID, Meta(description="The other.")]
    predicates: Annotated[list[str], Meta(description="Of open relations, in either direction.")]
    claims: Annotated[int, Meta(description="How many claims these are.")]
    passages: Annotated[int, Meta(description="How many passages name both.")]
    weight: Annotated[float, Meta(description="The claims, and 1 / (k − 1) for each passage that names k entities.")]


class SubgraphView(View, frozen=True, kw_only=True):
    """Entities and what binds them."""

    nodes: Annotated[list[NodeView], Meta(description="Nearest first, then most strongly bound.")]
    edges: Annotated[list[EdgeView], Meta(description="Strongest first.")]
    cut: Cut


class PathView(View, frozen=True, kw_only=True):
    """A chain of entities."""

    nodes: Annotated[list[NodeView], Meta(description="From one end to the other.")]
    edges: Annotated[list[EdgeView], Meta(description="Between neighbours in it.")]


class PathList(View, frozen=True, kw_only=True):
    """Shortest paths between two entities."""

    items: Annotated[list[PathView], Meta(description="That whose weakest edge is strongest first; none if none is.")]
    cut: Cut


class CommunityView(View, frozen=True, kw_only=True):
    """Entities that belong together."""

    members: Annotated[list[NodeView], Meta(description="Most strongly bound first.")]
    weight: Annotated[float, Meta(description="Of the edges within.")]


class CommunityList(View, frozen=True, kw_only=True):
    """Communities of a gem's entities."""

    items: Annotated[list[CommunityView], Meta(description="Of the greatest weight first.")]
    cut: Cut


class CentralView(View, frozen=True, kw_only=True):
    """An entity and how central it is."""

    node: NodeView
    score: Annotated[float, Meta(description="In [0, 1].")]


class CentralList(View, frozen=True, kw_only=True):
    """Central entities of a gem."""

    items: Annotated[list[CentralView], Meta(description="The most central first.")]
    cut: Cut


def to_subgraph(subgraph: Subgraph) -> SubgraphView:
    """Return a subgraph as it is shown."""
    return msgspec.convert(subgraph, SubgraphView, from_attributes=True)


def to_paths(paths: Paths) -> PathList:
    """Return paths as they are shown."""
    return msgspec.convert(paths, PathList, from_attributes=True)


def to_communities(communities: Communities) -> CommunityList:
    """Return communities as they are shown."""
    return msgspec.convert(communities, CommunityList, from_attributes=True)


def to_central(found: CentralEntities) -> CentralList:
    """Return central entities as they are shown."""
    return msgspec.convert(found, CentralList, from_attributes=True)
