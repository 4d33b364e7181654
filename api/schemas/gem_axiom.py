"""The axiom of a gem over the wire."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from api.pages import Cut, NextCursor
from api.schemas.axiom import SensitivityView, to_sensitivity
from api.schemas.reflections import AxiomView, to_axiom
from api.schemas.wire import View
from axiom import TERM_NAMES
from core.clock import parse_moment
from core.errors import InvalidInputError
from knowledge import Basis
from reflection import GemAxiom, ScoredReflection


class BasisView(View, frozen=True, kw_only=True):
    """What a term rests on."""

    of: Annotated[
        Literal["passages", "reflections", "ratings", "gem", "assumed"],
        Meta(description="The kind of thing; `assumed` where nothing tells the term yet."),
    ]
    count: Annotated[int, Meta(description="How many of these were looked at.")]


class ScoredReflectionView(View, frozen=True, kw_only=True):
    """How the evidence of one reflection scored."""

    reflection_id: Annotated[UUID, Meta(description="The reflection.")]
    created_at: Annotated[datetime, Meta(description="When it was asked.")]
    axiom: Annotated[AxiomView, Meta(description="The score of its evidence, with the eight terms.")]


class HistoryPage(View, frozen=True, kw_only=True):
    """A page of scored reflections."""

    items: Annotated[list[ScoredReflectionView], Meta(description="Newest first.")]
    next_cursor: NextCursor


class GemAxiomView(View, frozen=True, kw_only=True):
    """What the axiom says of a gem at a moment."""

    gem_id: Annotated[UUID, Meta(description="The gem.")]
    at: Annotated[datetime, Meta(description="The moment to which the gem and its passages are evolved.")]
    passages: Annotated[int, Meta(description="How many passages it holds that are not closed.")]
    axiom: Annotated[AxiomView, Meta(description="The score of the gem, with the eight terms.")]
    bases: Annotated[dict[str, BasisView], Meta(description="What each term rests on.")]
    sensitivity: Annotated[list[SensitivityView], Meta(description="What would raise the score, most promising first.")]
    history: Annotated[HistoryPage, Meta(description="How the gem's reflections scored.")]


def parse_later(text: str | None, now: datetime) -> datetime:
    """Return the moment that a text names, or now.

    Raises:
        InvalidInputError: it names none, or one that has passed: states evolve forwards only.
    """
    if text is None:
        return now
    moment = parse_moment(text, "at")
    if moment < now:
        raise InvalidInputError("at", f"must not be before now, {now:%Y-%m-%dT%H:%M:%SZ}: states evolve forwards only")
    return moment


def to_gem_axiom(found: GemAxiom, history: Cut[ScoredReflection]) -> GemAxiomView:
    """Return the axiom of a gem as it is shown, with a page of its history."""
    return GemAxiomView(
        gem_id=found.gem.gem_id,
        at=found.at,
        passages=found.passages,
        axiom=to_axiom(found.axiom),
        bases={name: _to_basis(found.bases[name]) for name in TERM_NAMES},
        sensitivity=[to_sensitivity(each) for each in found.sensitivity],
        history=HistoryPage(items=[_to_scored(each) for each in history.items], next_cursor=history.next_cursor),
    )


def _to_basis(basis: Basis) -> BasisView:
    return BasisView(of=basis.of, count=basis.count)


def _to_scored(scored: ScoredReflection) -> ScoredReflectionView:
    return ScoredReflectionView(
        reflection_id=scored.reflection_id, created_at=scored.created_at, axiom=to_axiom(scored.axiom)
    )
