"""Entanglements over the wire."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from api.schemas.wire import Body, View
from gems import Entanglement, Neighbour, Partner, Suggestion

Strength = Annotated[float, Meta(ge=0, le=1, description="How much of a use of one gem the other one gets, in [0, 1].")]
OtherId = Annotated[UUID, Meta(description="The other gem.")]
OtherName = Annotated[str, Meta(description="Its name.")]
Resonance = Annotated[float, Meta(description="How much alike the two gems' embeddings are, in [0, 1].")]
Interference = Annotated[float, Meta(description="The signed overlap of both states, in [−1, 1].")]


class NewEntanglement(Body, frozen=True, kw_only=True):
    """A gem to be entangled with this one."""

    gem_id: OtherId
    strength: Strength


class PartnerView(View, frozen=True, kw_only=True):
    """A gem that is entangled with this one."""

    gem_id: OtherId
    name: OtherName
    strength: Strength
    coherence: Annotated[float, Meta(description="Of the other gem now.")]
    interference: Interference
    created_at: Annotated[datetime, Meta(description="Since when they are entangled.")]


class PartnerList(View, frozen=True, kw_only=True):
    """What is entangled with a gem."""

    entanglements: Annotated[list[PartnerView], Meta(description="Strongest first.")]


class EntanglementSuggestionView(View, frozen=True, kw_only=True):
    """A gem that may be worth entangling with this one."""

    gem_id: OtherId
    name: OtherName
    resonance: Resonance
    interference: Interference
    strength: Annotated[float, Meta(description="The strength that is suggested.")]
    reason: Annotated[str, Meta(description="In words.")]


class EntanglementSuggestionList(View, frozen=True, kw_only=True):
    """Gems that may be worth entangling with one."""

    suggestions: Annotated[list[EntanglementSuggestionView], Meta(description="Strongest first.")]


class NeighbourView(View, frozen=True, kw_only=True):
    """A gem that is like this one."""

    gem_id: OtherId
    name: OtherName
    resonance: Resonance


class NeighbourList(View, frozen=True, kw_only=True):
    """Gems that are like one."""

    neighbours: Annotated[list[NeighbourView], Meta(description="The most alike first.")]


class PairView(View, frozen=True, kw_only=True):
    """Two gems that are entangled."""

    gem_id: Annotated[UUID, Meta(description="The one of the smaller id.")]
    other_id: Annotated[UUID, Meta(description="The other one.")]
    strength: Strength


class PairList(View, frozen=True, kw_only=True):
    """The entanglements of a lattice."""

    entanglements: Annotated[list[PairView], Meta(description="Strongest first.")]


def to_partner(partner: Partner) -> PartnerView:
    """Return a partner as it is shown."""
    return PartnerView(
        gem_id=partner.gem.gem_id,
        name=partner.gem.name,
        strength=partner.strength,
        coherence=partner.gem.state.coherence,
        interference=partner.interference,
        created_at=partner.created_at,
    )


def to_partners(partners: Sequence[Partner]) -> PartnerList:
    """Return the partners of a gem as they are shown."""
    return PartnerList(entanglements=[to_partner(each) for each in partners])


def to_suggestions(suggestions: Sequence[Suggestion]) -> EntanglementSuggestionList:
    """Return suggestions as they are shown."""
    shown = [
        EntanglementSuggestionView(
            gem_id=each.gem.gem_id,
            name=each.gem.name,
            resonance=each.resonance,
            interference=each.interference,
            strength=each.strength,
            reason=each.reason,
        )
        for each in suggestions
    ]
    return EntanglementSuggestionList(suggestions=shown)


def to_neighbours(neighbours: Sequence[Neighbour]) -> NeighbourList:
    """Return the neighbours of a gem as they are shown."""
    return NeighbourList(
        neighbours=[
            NeighbourView(gem_id=each.gem.gem_id, name=each.gem.name, resonance=each.resonance) for each in neighbours
        ]
    )


def to_pairs(pairs: Sequence[Entanglement]) -> PairList:
    """Return pairs as they are shown."""
    return PairList(entanglements=msgspec.convert(pairs, list[PairView], from_attributes=True))
