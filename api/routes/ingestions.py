"""Ingestions: send what is too much for one answer, and watch, cancel, resume or retry it."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Annotated, Literal, cast

from litestar import Response, Router, get, post
from litestar.params import QueryParameter

from api.auth import Role, needs
from api.events import EventStream, Told, ViewEvent, open_event_stream
from api.idempotency import Created, IdempotencyKey, answer_once
from api.pages import Cursor, Limit, cut_page, decode_cursor
from api.request import ApiRequest
from api.routes.paths import GemId, IngestionId
from api.routes.problems import problems
from api.schemas.ingestions import (
    IngestionPage,
    IngestionProblemPage,
    IngestionView,
    to_ingestion,
    to_problem_view,
)
from api.uploads import receive_input
from core.errors import InvalidCursorError
from knowledge.jobs import IngestionRecord

PROBLEMS_SHOWN = 20
LOOK_S = 0.5  # between two looks at an ingestion that is watched

ByRow = Annotated[bool, QueryParameter(description="Whether a row's field `gem` names the gem that it goes to.")]
State = Annotated[
    Literal["queued", "running", "done", "failed", "cancelled"] | None,
    QueryParameter(name="state", description="Only those in this state."),
]


@post(
    "/gems/{gem_id:str}/ingestions",
    status_code=202,
    guards=[needs(Role.EDITOR)],
    request_max_body_size=None,  # the body is stored as it comes, and has a limit of its own
    responses=problems(404, 409, 413, 415),
    summary="Ingest in the background",
)
async def create_ingestion(
    request: ApiRequest, gem_id: GemId, by_row: ByRow = False, idempotency_key: IdempotencyKey = None
) -> Response[IngestionView]:
    """Take the body in and answer at once; a worker stores what it holds.

    The body is one JSON object a line (application/x-ndjson), a table (text/csv), files of any format that is read
    (multipart/form-data), or {"path": …} of files that lie on the server. Once this is answered nothing of it is lost,
    whatever ends.
    """
    service = request.service
    most = service.settings.max_ingestion_bytes
    receiving = service.ingestions.receive(request.tenant, gem_id, service.at(), by_row=by_row, most_bytes=most)
    async with receiving as received:
        await receive_input(request, received)

        async def make() -> Created[IngestionView]:
            record = await service.ingestions.enqueue(received)
            return Created(to_ingestion(record), f"/api/v1/ingestions/{record.ingestion_id}", 202)

        return await answer_once(request, idempotency_key, make, body=received.digest.digest() + bytes([by_row]))


@get("/ingestions", guards=[needs(Role.VIEWER)], responses=problems(), summary="List ingestions")
async def list_ingestions(
    request: ApiRequest, limit: Limit = 50, cursor: Cursor = None, state_is: State = None
) -> IngestionPage:
    """List ingestions, newest first."""
    found = await request.service.ingestions.list_page(
        request.tenant, state=state_is, before=decode_cursor(cursor), limit=limit + 1
    )
    page = cut_page(found, limit, lambda each: (each.created_at, each.ingestion_id))
    return IngestionPage(items=[to_ingestion(each) for each in page.items], next_cursor=page.next_cursor)


@get("/ingestions/{ingestion_id:str}", guards=[needs(Role.VIEWER)], responses=problems(404), summary="Get an ingestion")
async def get_ingestion(request: ApiRequest, ingestion_id: IngestionId) -> IngestionView:
    """Return how far an ingestion has come, with the first rows that could not be stored."""
    ingestions = request.service.ingestions
    record = await ingestions.get(request.tenant, ingestion_id)
    found = await ingestions.list_problems(request.tenant, ingestion_id, limit=PROBLEMS_SHOWN)
    return to_ingestion(record, found)


@get(
    "/ingestions/{ingestion_id:str}/problems",
    guards=[needs(Role.VIEWER)],
    responses=problems(404),
    summary="List what could not be stored",
)
async def list_problems(
    request: ApiRequest, ingestion_id: IngestionId, limit: Limit = 50, cursor: Cursor = None
) -> IngestionProblemPage:
    """List the rows that could not be stored, in the order of reading; the first 10,000 are kept."""
    found = await request.service.ingestions.list_problems(
        request.tenant, ingestion_id, after=_to_number(cursor), limit=limit + 1
    )
    shown = found[:limit]
    return IngestionProblemPage(
        items=[to_problem_view(each) for each in shown],
        next_cursor=str(shown[-1].number) if len(found) > limit else None,
    )


@get(
    "/ingestions/{ingestion_id:str}/events",
    guards=[needs(Role.VIEWER)],
    responses=problems(404),
    summary="Watch an ingestion",
)
async def watch_ingestion(request: ApiRequest, ingestion_id: IngestionId) -> Response[None]:
    """Tell how far an ingestion has come, by server-sent events.

    `progress` (the ingestion) at once and whenever it has moved, and `done` (the same) once it has ended, or `error`
    (a problem). Whoever comes back is told at once how it stands.
    """
    stream: EventStream = await open_event_stream(_tell(request, ingestion_id), request.request_id)
    return cast("Response[None]", stream)


@post(
    "/ingestions/{ingestion_id:str}/cancel",
    status_code=200,
    guards=[needs(Role.EDITOR)],
    responses=problems(404, 409),
    summary="Cancel an ingestion",
)
async def cancel_ingestion(request: ApiRequest, ingestion_id: IngestionId) -> IngestionView:
    """Cancel an ingestion; one that is running ends within a few seconds. What was stored stays."""
    return to_ingestion(await request.service.ingestions.cancel(request.tenant, ingestion_id))


@post(
    "/ingestions/{ingestion_id:str}/resume",
    status_code=200,
    guards=[needs(Role.EDITOR)],
    responses=problems(404, 409),
    summary="Resume an ingestion",
)
async def resume_ingestion(request: ApiRequest, ingestion_id: IngestionId) -> IngestionView:
    """Go on with an ingestion that failed or was cancelled, where it stands."""
    return to_ingestion(await request.service.ingestions.resume(request.tenant, ingestion_id))


@post(
    "/ingestions/{ingestion_id:str}/retry",
    status_code=200,
    guards=[needs(Role.EDITOR)],
    responses=problems(404, 409),
    summary="Retry failed rows",
)
async def retry_ingestion(request: ApiRequest, ingestion_id: IngestionId) -> IngestionView:
    """Take up the rows again that could not be stored, and those that the ingestion did not come to."""
    return to_ingestion(await request.service.ingestions.retry(request.tenant, ingestion_id))


async def _tell(request: ApiRequest, ingestion_id: IngestionId) -> AsyncGenerator[Told]:
    last: IngestionRecord | None = None
    while True:
        record = await request.service.ingestions.get(request.tenant, ingestion_id)
        mark = record.heartbeat_at.isoformat()
        if record.has_ended:
            yield ViewEvent("done", to_ingestion(record), mark)
            return
        if last is None or (record.state, record.counts, record.total) != (last.state, last.counts, last.total):
            yield ViewEvent("progress", to_ingestion(record), mark)
        last = record
        await asyncio.sleep(LOOK_S)


def _to_number(cursor: str | None) -> int:
    if cursor is None:
        return -1
    if not cursor.isdecimal() or not cursor.isascii() or len(cursor) > 18:
        raise InvalidCursorError("cursor", "is none of this server's; send next_cursor as it came, or leave it out")
    return int(cursor)


router = Router(
    path="/",
    tags=["ingestions"],
    route_handlers=[
        create_ingestion,
        list_ingestions,
        get_ingestion,
        list_problems,
        watch_ingestion,
        cancel_ingestion,
        resume_ingestion,
        retry_ingestion,
    ],
)
