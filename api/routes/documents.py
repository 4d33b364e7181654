"""Documents of a gem: take in, list, delete."""

import asyncio
from typing import Annotated
from uuid import UUID

from litestar import Response, Router, delete, get, post
from litestar.params import JSONBody, QueryParameter

from api.auth import Role, needs
from api.idempotency import Created, IdempotencyKey, answer_once
from api.pages import Cursor, Limit, cut_page, decode_cursor
from api.request import ApiRequest
from api.routes.paths import DocumentId, GemId
from api.routes.problems import problems
from api.schemas.documents import (
    DocumentPage,
    IngestView,
    NewDocuments,
    to_document,
    to_documents,
    to_ingest,
)
from api.schemas.excerpts import ExcerptView, to_excerpt
from knowledge import read_excerpt

Passage = Annotated[UUID | None, QueryParameter(description="A passage that shall stand in the middle.")]
Start = Annotated[int, QueryParameter(ge=0, description="Where to begin if no passage is named, in characters.")]
Characters = Annotated[int, QueryParameter(ge=1, le=100_000, description="How long the stretch is.")]


@post("/", guards=[needs(Role.EDITOR)], responses=problems(404, 409, 413, 415), summary="Ingest documents")
async def ingest_documents(
    request: ApiRequest, gem_id: GemId, data: JSONBody[NewDocuments], idempotency_key: IdempotencyKey = None
) -> Response[IngestView]:
    """Store documents with their passages.

    What is stored already is skipped, what changed under the same `id` is replaced. All documents are checked before
    any is stored; they are then stored in batches, each in one transaction, so that sending a request again that broke
    off completes it.
    """

    async def make() -> Created[IngestView]:
        documents = await asyncio.to_thread(to_documents, data)
        service = request.service
        return Created(to_ingest(await service.ingestion.ingest(request.tenant, gem_id, documents, service.at())))

    return await answer_once(request, idempotency_key, make)


@get("/", guards=[needs(Role.VIEWER)], responses=problems(404), summary="List a gem's documents")
async def list_documents(request: ApiRequest, gem_id: GemId, limit: Limit = 50, cursor: Cursor = None) -> DocumentPage:
    """List a gem's documents without their texts, newest first."""
    found = await request.service.ingestion.list_page(
        request.tenant, gem_id, request.service.at(), before=decode_cursor(cursor), limit=limit + 1
    )
    page = cut_page(found, limit, lambda each: (each.created_at, each.document_id))
    return DocumentPage(items=[to_document(each) for each in page.items], next_cursor=page.next_cursor)


@get("/{document_id:str}", guards=[needs(Role.VIEWER)], responses=problems(404), summary="Read a document")
async def read_document(
    request: ApiRequest,
    gem_id: GemId,
    document_id: DocumentId,
    *,
    passage: Passage = None,
    start: Start = 0,
    characters: Characters = 10_000,
) -> ExcerptView:
    """Return a stretch of a document's text as it was ingested, with the places of the passages in it."""
    service = request.service
    found = await read_excerpt(
        service.database,
        request.tenant,
        gem_id,
        document_id,
        service.at(),
        passage_id=passage,
        start=start,
        characters=characters,
    )
    return to_excerpt(found)


@delete("/{document_id:str}", guards=[needs(Role.EDITOR)], responses=problems(404, 409), summary="Delete a document")
async def delete_document(request: ApiRequest, gem_id: GemId, document_id: DocumentId) -> None:
    """Delete a document with its passages; those around it in its thread are indexed anew."""
    await request.service.ingestion.delete(request.tenant, gem_id, [document_id], request.service.at())


router = Router(
    path="/gems/{gem_id:str}/documents",
    tags=["documents"],
    route_handlers=[ingest_documents, list_documents, read_document, delete_document],
)
