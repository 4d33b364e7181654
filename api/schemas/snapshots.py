"""Snapshots over the wire."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from api.pages import NextCursor
from api.schemas.snapshot_differences import GemDifferenceView, to_difference
from api.schemas.wire import Body, View
from knowledge.keeping import Restored, Retention, RetentionPolicy, Snapshot, Verification

# what a view tells in the words of the snapshot
SAME = ("scope", "reason", "note", "taken_at", "model", "dimension", "gem_count", "documents", "passages")
SIZES = ("size_bytes", "added_bytes")


class NewSnapshot(Body, frozen=True, kw_only=True):
    """A snapshot to be taken."""

    note: Annotated[str, Meta(max_length=1_000, description="What it is for.")] = ""


class RestoreBody(Body, frozen=True, kw_only=True):
    """How a snapshot is to be restored."""

    dry_run: Annotated[bool, Meta(description="Whether to tell only; false restores.")] = True
    gem_id: Annotated[UUID | None, Meta(description="The one of its gems that is restored; null restores all.")] = None
    reembed: Annotated[
        bool, Meta(description="Whether to embed anew what comes back, if the vectors are of another model.")
    ] = False


class RetentionBody(Body, frozen=True, kw_only=True):
    """Which snapshots stay: of each gem, and of the lattice."""

    keep_last: Annotated[int, Meta(ge=0, le=10_000, description="The newest.")] = 0
    keep_daily: Annotated[int, Meta(ge=0, le=10_000, description="Days of which the last one stays.")] = 0
    keep_weekly: Annotated[int, Meta(ge=0, le=10_000, description="Weeks of which the last one stays.")] = 0
    keep_monthly: Annotated[int, Meta(ge=0, le=10_000, description="Months of which the last one stays.")] = 0
    gem_id: Annotated[UUID | None, Meta(description="Whose snapshots are meant; null means all there are.")] = None
    dry_run: Annotated[bool, Meta(description="Whether to tell only; false deletes.")] = True


class HeldGemView(View, frozen=True, kw_only=True):
    """A gem of a snapshot."""

    gem_id: Annotated[UUID, Meta(description="The gem's id, whether or not it is still there.")]
    name: Annotated[str, Meta(description="As it was.")]
    counts: Annotated[dict[str, int], Meta(description="Rows of each table.")]
    sha256: Annotated[str, Meta(description="Over all that is held of it.")]


class SnapshotView(View, frozen=True, kw_only=True):
    """A snapshot."""

    id: Annotated[UUID, Meta(description="The snapshot's id.")]
    scope: Annotated[str, Meta(description="`gem` or `lattice`.")]
    reason: Annotated[str, Meta(description="`asked`, or `safety` for one that a restore took first.")]
    note: Annotated[str, Meta(description="What it is for.")]
    taken_at: Annotated[datetime, Meta(description="The moment that it holds.")]
    model: Annotated[str | None, Meta(description="That made its vectors; null if it has none.")]
    dimension: Annotated[int | None, Meta(description="Of its vectors.")]
    gem_count: Annotated[int, Meta(description="Gems that it holds.")]
    documents: Annotated[int, Meta(description="Documents that it holds; of a gem's list, those of that gem.")]
    passages: Annotated[int, Meta(description="Passages that it holds, likewise.")]
    size_bytes: Annotated[int, Meta(description="Of all its contents, unpacked.")]
    added_bytes: Annotated[int, Meta(description="As stored, of those that no earlier one held.")]
    sha256: Annotated[str, Meta(description="Over its gems.")]
    gems: Annotated[list[HeldGemView], Meta(description="By name; empty where those of the lattice are listed.")]


class SnapshotPage(View, frozen=True, kw_only=True):
    """A page of snapshots."""

    items: Annotated[list[SnapshotView], Meta(description="Newest first.")]
    next_cursor: NextCursor


class RestoreView(View, frozen=True, kw_only=True):
    """What a restore changed, or would change."""

    dry_run: Annotated[bool, Meta(description="Whether nothing was done.")]
    snapshot_id: Annotated[UUID, Meta(description="What was restored.")]
    safety_id: Annotated[
        UUID | None, Meta(description="The snapshot of what there was before: restore it to undo; null if none was.")
    ]
    others: Annotated[int, Meta(description="Gems that the snapshot does not hold, which stay as they are.")]
    gems: Annotated[list[GemDifferenceView], Meta(description="Those that change, from now to then.")]


class SnapshotProblemView(View, frozen=True, kw_only=True):
    """What of a snapshot, or of its gems as they are now, is not as it was written."""

    problem: Annotated[
        str,
        Meta(
            description="`snapshot`, `list`, `counts`, `missing` or `changed`; `embedding`: that of the gem, as it is"
            " now, is not what its passages give, and a restore makes it right."
        ),
    ]
    gem_id: Annotated[UUID | None, Meta(description="The gem concerned.")]
    name: Annotated[str | None, Meta(description="Its name.")]
    content: Annotated[str | None, Meta(description="Of a missing or changed content, its kind.")]
    document_id: Annotated[UUID | None, Meta(description="The document that the content is of.")]
    sha256: Annotated[str | None, Meta(description="By which the content is known.")]


class VerificationView(View, frozen=True, kw_only=True):
    """What a verification found."""

    sound: Annotated[bool, Meta(description="Whether all is as it was written.")]
    contents: Annotated[int, Meta(description="Contents that were read.")]
    problem_count: Annotated[int, Meta(description="How many problems there are.")]
    problems: Annotated[list[SnapshotProblemView], Meta(description="The first 1,000 of them.")]


class SnapshotDeletedView(View, frozen=True, kw_only=True):
    """A snapshot that was deleted."""

    id: Annotated[UUID, Meta(description="Of the snapshot.")]
    freed_bytes: Annotated[int, Meta(description="Of what no other one holds, as it was stored.")]
    undoable: Annotated[bool, Meta(description="Always false.")] = False


class VerdictView(View, frozen=True, kw_only=True):
    """What becomes of a snapshot."""

    id: Annotated[UUID, Meta(description="Of the snapshot.")]
    gem_id: Annotated[UUID | None, Meta(description="Whose it is; null for the lattice.")]
    taken_at: Annotated[datetime, Meta(description="The moment that it holds.")]
    kept_by: Annotated[
        list[str], Meta(description="What keeps it: `last`, `daily`, `weekly`, `monthly`; empty, and it goes.")
    ]


class RetentionView(View, frozen=True, kw_only=True):
    """What a retention kept and deleted, or would."""

    dry_run: Annotated[bool, Meta(description="Whether nothing was done.")]
    kept: Annotated[int, Meta(description="Snapshots that stay.")]
    gone: Annotated[int, Meta(description="Snapshots that go.")]
    freed_bytes: Annotated[int, Meta(description="That were deleted; 0 for a dry run.")]
    undoable: Annotated[bool, Meta(description="Always false.")] = False
    snapshots: Annotated[list[VerdictView], Meta(description="All that were judged, newest first of each gem.")]


def to_snapshot(snapshot: Snapshot) -> SnapshotView:
    """Return a snapshot as it is shown."""
    gems = [
        HeldGemView(gem_id=gem.gem_id, name=gem.name, counts=dict(gem.counts), sha256=gem.sha256.hex())
        for gem in snapshot.gems
    ]
    told = {name: getattr(snapshot, name) for name in (*SAME, *SIZES)}
    return SnapshotView(id=snapshot.snapshot_id, sha256=snapshot.sha256.hex(), gems=gems, **told)


def to_restore(restored: Restored, *, dry_run: bool) -> RestoreView:
    """Return a restore as it is shown."""
    return RestoreView(
        dry_run=dry_run,
        snapshot_id=restored.snapshot.snapshot_id,
        safety_id=restored.safety.snapshot_id if restored.safety else None,
        others=restored.others,
        gems=[to_difference(each) for each in restored.gems],
    )


def to_verification(found: Verification) -> VerificationView:
    """Return a verification as it is shown."""
    return VerificationView(
        sound=found.is_sound,
        contents=found.contents,
        problem_count=found.problems,
        problems=[
            SnapshotProblemView(
                problem=each.kind,
                gem_id=each.gem_id,
                name=each.name,
                content=each.content,
                document_id=each.document_id,
                sha256=each.sha256,
            )
            for each in found.shown
        ],
    )


def to_policy(body: RetentionBody) -> RetentionPolicy:
    """Return the policy that a body asks for.

    Raises:
        InvalidInputError: nothing would be kept.
    """
    return RetentionPolicy(body.keep_last, body.keep_daily, body.keep_weekly, body.keep_monthly)


def to_retention(found: Retention, *, dry_run: bool) -> RetentionView:
    """Return a retention as it is shown."""
    return RetentionView(
        dry_run=dry_run,
        kept=sum(bool(each.reasons) for each in found.verdicts),
        gone=sum(not each.reasons for each in found.verdicts),
        freed_bytes=found.freed_bytes,
        snapshots=[
            VerdictView(
                id=each.snapshot.snapshot_id,
                gem_id=each.snapshot.group,
                taken_at=each.snapshot.taken_at,
                kept_by=list(each.reasons),
            )
            for each in found.verdicts
        ],
    )
