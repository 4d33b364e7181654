"""Replays of the log over the wire."""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from api.schemas.wire import View
from gems import Replay


class LogFaultView(View, frozen=True, kw_only=True):
    """Where the log and the states part."""

    gem_id: Annotated[UUID, Meta(description="The gem.")]
    passage_id: Annotated[UUID | None, Meta(description="The passage; null for the gem itself.")]
    measurement_id: Annotated[int | None, Meta(description="The entry of the log; null if there is none.")]
    cause: Annotated[str | None, Meta(description="Of that entry.")]
    kind: Annotated[
        str,
        Meta(
            description="`step`: the entry does not follow from the one before it; `state`: what is stored is not what "
            "the last entry left behind; `unlogged`: what is stored is not new, and there is no entry."
        ),
    ]


class ReplayView(View, frozen=True, kw_only=True):
    """What a replay found."""

    agrees: Annotated[bool, Meta(description="Whether log and states are the same in every bit.")]
    subjects: Annotated[int, Meta(description="Gems and passages whose logs were replayed.")]
    steps: Annotated[int, Meta(description="Entries that were made again.")]
    faults: Annotated[int, Meta(description="How many were found.")]
    shown: Annotated[list[LogFaultView], Meta(description="The first 100 of them.")]


def to_replay(found: Replay) -> ReplayView:
    """Return what a replay found as it is shown."""
    return msgspec.convert(found, ReplayView, from_attributes=True)
