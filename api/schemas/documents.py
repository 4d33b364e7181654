"""Documents over the wire."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from api.pages import NextCursor
from api.schemas.wire import Body, Metadata, View
from knowledge import DocumentSummary, IngestReport, SourceDocument, parse_document

Label = Annotated[str, Meta(max_length=1_000)]


class NewRelation(Body, frozen=True, kw_only=True):
    """What relates two names, and when it held."""

    subject: Annotated[str, Meta(description="The name it is about.")]
    predicate: Annotated[str, Meta(description="What relates them.")]
    object: Annotated[str, Meta(description="The other name.")]
    valid_from: Annotated[str | None, Meta(description="When it began to hold: an ISO 8601 date or time.")] = None
    valid_to: Annotated[str | None, Meta(description="When it ceased to hold.")] = None


class NewDocument(Body, frozen=True, kw_only=True):
    """A document to be taken in."""

    text: Annotated[str, Meta(min_length=1, description="Its whole text.")]
    id: Annotated[str | int | None, Meta(description="Your name for it; the same one again replaces the document.")] = (
        None
    )
    title: Annotated[Label | None, Meta(description="One line.")] = None
    source: Annotated[Label | None, Meta(description="Where it came from: a path, an address.")] = None
    occurred_at: Annotated[
        str | None, Meta(description="When what it tells happened: an ISO 8601 date or time; UTC if it names no zone.")
    ] = None
    metadata: Metadata | None = None
    thread: Annotated[Label | None, Meta(description="The conversation or log it belongs to, in the order sent.")] = (
        None
    )
    speaker: Annotated[Label | None, Meta(description="Who says it.")] = None
    entities: Annotated[list[str] | None, Meta(description="Names that you found in it.")] = None
    relations: Annotated[
        list[list[str] | NewRelation] | None,
        Meta(description="What you found related in it: [subject, predicate, object], or an object with times."),
    ] = None
    supersedes: Annotated[
        list[str | int] | None, Meta(description="Your names of documents it takes the place of; they are closed.")
    ] = None
    embedding: Annotated[
        list[float] | None, Meta(description="Of its whole text by the lattice's model; it is then one passage.")
    ] = None


class NewDocuments(Body, frozen=True, kw_only=True):
    """Documents to be taken into a gem."""

    documents: Annotated[list[NewDocument], Meta(min_length=1, max_length=10_000, description="In their order.")]


class IngestView(View, frozen=True, kw_only=True, rename={"documents": "stored"}):
    """What an ingestion did."""

    documents: Annotated[int, Meta(description="Documents stored, new and replaced.")]
    replaced: Annotated[int, Meta(description="Of those, the ones that replaced an older text of the same id.")]
    skipped: Annotated[int, Meta(description="Documents that were stored already as they are.")]
    passages: Annotated[int, Meta(description="Passages stored.")]
    seconds: Annotated[float, Meta(description="How long it took.")]


class DocumentView(View, frozen=True, kw_only=True, rename={"document_id": "id"}):
    """A stored document without its text."""

    document_id: Annotated[UUID, Meta(description="The document's id.")]
    gem_id: Annotated[UUID, Meta(description="Its gem.")]
    external_id: Annotated[str | None, Meta(description="The `id` it was sent with.")]
    title: Annotated[str | None, Meta(description="One line.")]
    source: Annotated[str | None, Meta(description="Where it came from.")]
    thread: Annotated[str | None, Meta(description="The conversation or log it belongs to.")]
    speaker: Annotated[str | None, Meta(description="Who says it.")]
    occurred_at: Annotated[datetime | None, Meta(description="When what it tells happened.")]
    metadata: Metadata
    passages: Annotated[int, Meta(description="Into how many passages it was cut.")]
    characters: Annotated[int, Meta(description="How long its text is.")]
    created_at: Annotated[datetime, Meta(description="When it was first stored.")]
    updated_at: Annotated[datetime, Meta(description="When it was last replaced.")]
    closed_at: Annotated[datetime | None, Meta(description="Since when it is not recalled; null if it is.")] = None
    closed_reason: Annotated[str | None, Meta(description="Why: `superseded` or `forgotten`.")] = None


class DocumentPage(View, frozen=True, kw_only=True):
    """A page of documents."""

    items: Annotated[list[DocumentView], Meta(description="Newest first.")]
    next_cursor: NextCursor


def to_documents(body: NewDocuments) -> list[SourceDocument]:
    """Check all documents, so that either all are taken in or none.

    Raises:
        InvalidInputError: naming the field, as in "documents[3].text".
    """
    return [parse_document(msgspec.to_builtins(each), f"documents[{i}]") for i, each in enumerate(body.documents)]


def to_ingest(report: IngestReport) -> IngestView:
    """Return a report as it is shown."""
    return msgspec.convert(report, IngestView, from_attributes=True)


def to_document(summary: DocumentSummary) -> DocumentView:
    """Return a document as it is shown."""
    return msgspec.convert(summary, DocumentView, from_attributes=True)
