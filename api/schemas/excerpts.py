"""Stretches of documents over the wire."""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from api.schemas.documents import DocumentView, to_document
from api.schemas.wire import View
from knowledge import Excerpt


class PassagePlaceView(View, frozen=True, kw_only=True, rename={"passage_id": "id"}):
    """Where a passage stands in its document."""

    passage_id: Annotated[UUID, Meta(description="The passage's id.")]
    ordinal: Annotated[int, Meta(description="Its place among the passages of the document, from 0.")]
    heading: Annotated[str | None, Meta(description="The headings it stands under.")]
    start: Annotated[int, Meta(description="Where it begins in the document's text, in characters.")]
    end: Annotated[int, Meta(description="Where it ends.")]


class ExcerptView(View, frozen=True, kw_only=True):
    """A stretch of a document's text as it was ingested."""

    document: DocumentView
    start: Annotated[int, Meta(description="Where the stretch begins in the text, in characters.")]
    end: Annotated[int, Meta(description="Where it ends.")]
    text: Annotated[str, Meta(description="The text between.")]
    passages: Annotated[list[PassagePlaceView], Meta(description="Those of which a part stands in it, in order.")]


def to_excerpt(excerpt: Excerpt) -> ExcerptView:
    """Return a stretch of a document as it is shown."""
    return ExcerptView(
        document=to_document(excerpt.document),
        start=excerpt.start,
        end=excerpt.end,
        text=excerpt.text,
        passages=msgspec.convert(excerpt.passages, list[PassagePlaceView], from_attributes=True),
    )
