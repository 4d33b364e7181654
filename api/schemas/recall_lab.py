"""A question taken apart, over the wire."""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from api.schemas.recall import MOMENT, FilterBody, PassageView, Question, to_filters, to_passage, to_question
from api.schemas.wire import Body, View
from core.clock import parse_moment
from knowledge import RecallQuery, Unfolded


class ChannelsBody(Body, frozen=True, kw_only=True):
    """A question to be taken apart."""

    question: Question
    gem_ids: Annotated[
        list[UUID], Meta(max_length=1_000, description="Where to look; none means every gem that is not archived.")
    ] = msgspec.field(default_factory=list)
    filters: Annotated[FilterBody | None, Meta(description="Which documents may be recalled.")] = None
    as_of: Annotated[str | None, Meta(description=f"Recall what the lattice held then: {MOMENT}.")] = None
    dates: Annotated[bool, Meta(description="Let a time that the question names narrow what may be found.")] = False
    shown: Annotated[int, Meta(ge=1, le=100, description="How many places of each list are returned.")] = 20


class PlaceView(View, frozen=True, kw_only=True):
    """A place in a list."""

    passage_id: Annotated[UUID, Meta(description="The passage.")]
    rank: Annotated[int, Meta(description="From 1.")]
    score: Annotated[float, Meta(description="What the list is ordered by.")]


class RankedListView(View, frozen=True, kw_only=True):
    """What one channel or step makes of the candidates."""

    name: Annotated[
        str,
        Meta(
            description="A channel: `late`, `dense`, `lexical`, `speaker`, `title`, `link`. Then the steps: `fused` "
            "(channels together), `linked` (and what links add), `modulated` (and what states add or take), "
            "`stateless` (the final order if states did not count), `final` (and novelty)."
        ),
    ]
    size: Annotated[int, Meta(description="How many passages it ranks in all.")]
    places: Annotated[list[PlaceView], Meta(description="The first of them, best first.")]


class LabPassageView(View, frozen=True, kw_only=True):
    """A passage that stands among the first of some list."""

    passage: PassageView
    ranks: Annotated[dict[str, int], Meta(description="Its rank in each list that has it, by the list's name.")]


class ChannelsView(View, frozen=True, kw_only=True):
    """A question taken apart."""

    candidates: Annotated[int, Meta(description="Passages that the dense and the lexical channel found together.")]
    linked: Annotated[int, Meta(description="How many more were reached by links.")]
    lists: Annotated[list[RankedListView], Meta(description="As a ranking is made; none if the gems are empty.")]
    passages: Annotated[
        list[LabPassageView], Meta(description="In the final order; those that say the same are not folded.")
    ]


def to_query(body: ChannelsBody) -> RecallQuery:
    """Return the question as the use case takes it."""
    return RecallQuery(
        question=to_question(body.question),
        gem_ids=tuple(dict.fromkeys(body.gem_ids)),
        filters=to_filters(body.filters),
        as_of=None if body.as_of is None else parse_moment(body.as_of, "as_of"),
        dates=body.dates,
    )


def to_channels(unfolded: Unfolded) -> ChannelsView:
    """Return a question taken apart as it is shown."""
    return ChannelsView(
        candidates=unfolded.candidates,
        linked=unfolded.linked,
        lists=msgspec.convert(unfolded.lists, list[RankedListView], from_attributes=True),
        passages=[
            LabPassageView(passage=to_passage(each.passage, explain=True), ranks=dict(each.ranks))
            for each in unfolded.passages
        ],
    )
