"""Ingestions over the wire."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from api.pages import NextCursor
from api.schemas.wire import Body, View
from knowledge.jobs import IngestionProblem, IngestionRecord


class IngestPath(Body, frozen=True, kw_only=True):
    """Files of the server to be ingested."""

    path: Annotated[
        str, Meta(min_length=1, max_length=4_096, description="Of a file or folder below LATTICE_INGEST_ROOT.")
    ]


class IngestionProblemView(View, frozen=True, kw_only=True):
    """A row or file that could not be stored."""

    name: Annotated[str, Meta(description="Of the file, or what stands for it.")]
    line: Annotated[int | None, Meta(description="Of the row, counted from 1; null if it is the whole file.")]
    problem: Annotated[str, Meta(description="What is wrong.")]


class IngestionErrorView(View, frozen=True, kw_only=True):
    """Why an ingestion failed, or why it waits to be repeated."""

    code: Annotated[str, Meta(description="A code of docs/errors.md, or `interrupted`.")]
    message: Annotated[str, Meta(description="What is wrong and what mends it.")]


class IngestionView(View, frozen=True, kw_only=True):
    """An ingestion as it stands."""

    id: Annotated[UUID, Meta(description="The ingestion's id.")]
    gem_id: Annotated[UUID, Meta(description="Where documents go; with `by_row`, those that name no gem.")]
    state: Annotated[str, Meta(description="queued, running, done, failed or cancelled.")]
    by_row: Annotated[bool, Meta(description="Whether rows choose their gem by the field `gem`.")]
    host: Annotated[str | None, Meta(description="Whose `lattice ingest` carries it out; null if workers do.")]
    input: Annotated[str, Meta(description="What it reads.")]
    bytes: Annotated[int, Meta(description="Of the body that was sent.")]
    total: Annotated[int | None, Meta(description="Rows there are, nearly until all are read; null before it runs.")]
    read: Annotated[int, Meta(description="Rows dealt with: `stored` + `skipped` + `failed`.")]
    stored: Annotated[int, Meta(description="Documents stored, new and replaced.")]
    replaced: Annotated[int, Meta(description="Of those, the ones that replaced an older text of the same id.")]
    skipped: Annotated[int, Meta(description="Documents that were stored already as they are.")]
    failed: Annotated[int, Meta(description="Rows that could not be stored.")]
    passages: Annotated[int, Meta(description="Passages stored.")]
    seconds: Annotated[float, Meta(description="Of work so far.")]
    rows_per_s: Annotated[float | None, Meta(description="How fast it is.")]
    passages_per_s: Annotated[float | None, Meta(description="How fast it stores.")]
    seconds_left: Annotated[float | None, Meta(description="At this rate; null if nobody can tell.")]
    error: Annotated[
        IngestionErrorView | None, Meta(description="Why it failed; while it is queued, why it waits to be repeated.")
    ]
    created_at: Annotated[datetime, Meta(description="When it was sent.")]
    started_at: Annotated[datetime | None, Meta(description="When it was first begun.")]
    finished_at: Annotated[datetime | None, Meta(description="When it ended.")]
    heartbeat_at: Annotated[datetime, Meta(description="The last sign of life.")]
    problems: Annotated[
        list[IngestionProblemView] | None, Meta(description="The first of those that failed; null in lists.")
    ] = None


class IngestionPage(View, frozen=True, kw_only=True):
    """A page of ingestions."""

    items: Annotated[list[IngestionView], Meta(description="Newest first.")]
    next_cursor: NextCursor


class IngestionProblemPage(View, frozen=True, kw_only=True):
    """A page of problems."""

    items: Annotated[list[IngestionProblemView], Meta(description="In the order of reading.")]
    next_cursor: NextCursor


def to_ingestion(record: IngestionRecord, problems: Sequence[IngestionProblem] | None = None) -> IngestionView:
    """Return an ingestion as it is shown."""
    counts = msgspec.to_builtins(record.counts)
    error = None
    if record.error_code is not None:
        error = IngestionErrorView(code=record.error_code, message=record.error or "")
    return IngestionView(
        id=record.ingestion_id,
        gem_id=record.gem_id,
        state=record.state,
        by_row=record.by_row,
        host=record.host,
        input=record.input,
        bytes=record.input_bytes,
        total=record.total,
        **counts,
        seconds=record.seconds,
        rows_per_s=record.rows_per_s,
        passages_per_s=record.passages_per_s,
        seconds_left=record.seconds_left,
        error=error,
        created_at=record.created_at,
        started_at=record.started_at,
        finished_at=record.finished_at,
        heartbeat_at=record.heartbeat_at,
        problems=None if problems is None else [to_problem_view(each) for each in problems],
    )


def to_problem_view(problem: IngestionProblem) -> IngestionProblemView:
    """Return a problem as it is shown."""
    return msgspec.convert(problem, IngestionProblemView, from_attributes=True)
