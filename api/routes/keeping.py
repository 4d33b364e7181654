"""Keeping: gems out into files and in again, and forgetting."""

import asyncio
from tempfile import TemporaryFile
from typing import Annotated, BinaryIO, cast
from uuid import UUID

from litestar import Response, Router, get, post
from litestar.datastructures import ResponseHeader
from litestar.exceptions import InternalServerException
from litestar.params import JSONBody, QueryParameter

from api.auth import Role, needs
from api.downloads import open_download
from api.request import ApiRequest
from api.routes.paths import GemId
from api.routes.problems import problems
from api.schemas.keeping import (
    ForgettingUndoneView,
    ForgettingView,
    ForgettingWish,
    ImportView,
    to_forgetting,
    to_import,
    to_policy,
    to_undone,
)
from core.errors import BodyTooLargeError, MalformedBodyError
from gems import EntanglementCount
from knowledge.keeping import ImportWish

GZIP = "application/gzip"
UNPACKED = 20  # times the largest body: what it may unpack to, where an honest export does to twice its size

_LEFT_OUT = ResponseHeader(
    name="X-Entanglements-Left-Out",
    description="How many entanglements the file lacks, since their other gem is not in it.",
    documentation_only=True,
)

Rename = Annotated[
    str | None,
    QueryParameter(description="A name for the file's one gem, which becomes a copy with ids of its own."),
]
Reembed = Annotated[
    bool, QueryParameter(description="Whether to embed the texts anew if the file's vectors are of another model.")
]
RunId = Annotated[UUID | None, QueryParameter(description="Which run; the last one if absent.")]


@get(
    "/gems/{gem_id:str}/export",
    guards=[needs(Role.VIEWER)],
    media_type=GZIP,
    response_headers=[_LEFT_OUT],
    responses=problems(404),
    summary="Export a gem",
)
async def export_gem(request: ApiRequest, gem_id: GemId) -> Response[bytes]:
    """Return all that is stored in a gem as gzipped JSON lines, in one snapshot, sent while it is read.

    Its entanglements are left out, since their other gem is not in the file; the header X-Entanglements-Left-Out
    tells how many.
    """
    service, counts = request.service, list[EntanglementCount]()
    pieces = service.exports.stream(request.tenant, [gem_id], service.at(), counts.append)
    download = await open_download(pieces, f"{gem_id}.jsonl.gz", GZIP)
    download.set_header(_LEFT_OUT.name, str(counts[0].leading_out))
    return cast("Response[bytes]", download)


@post(
    "/imports",
    guards=[needs(Role.EDITOR)],
    request_max_body_size=None,  # it goes to the disk as it comes, and has a limit of its own
    responses=problems(409, 413),
    summary="Import gems",
)
async def import_gems(request: ApiRequest, rename: Rename = None, reembed: Reembed = False) -> ImportView:
    """Store the gems of an exported file, each whole or not at all; of a broken file nothing is stored.

    A gem that is there already is refused, unless `rename` makes a copy of it.
    """
    service = request.service
    with TemporaryFile() as file:
        most = service.settings.max_ingestion_bytes
        await _receive(request, file, most)
        wish = ImportWish(rename=rename, reembed=reembed, most_bytes=UNPACKED * most)
        return to_import(await service.imports.carry_out(request.tenant, file, "request body", wish))


@post(
    "/gems/{gem_id:str}/forgetting",
    status_code=200,
    guards=[needs(Role.EDITOR)],
    responses=problems(404, 409, 413, 415),
    summary="Forget what has faded",
)
async def forget(request: ApiRequest, gem_id: GemId, data: JSONBody[ForgettingWish]) -> ForgettingView:
    """Tell which documents have stayed incoherent for long, and close them if `dry_run` is false.

    A closed document is kept and no longer recalled. Nothing is deleted, and a run can be undone.
    """
    service, policy = request.service, to_policy(data)
    if data.dry_run:
        return to_forgetting(await service.forgetting.plan(request.tenant, gem_id, policy, service.at()), None)
    return to_forgetting(*await service.forgetting.carry_out(request.tenant, gem_id, policy, service.at()))


@post(
    "/gems/{gem_id:str}/forgetting/undo",
    status_code=200,
    guards=[needs(Role.EDITOR)],
    responses=problems(404, 409),
    summary="Undo a forgetting",
)
async def undo_forgetting(request: ApiRequest, gem_id: GemId, run_id: RunId = None) -> ForgettingUndoneView:
    """Open what a run of forgetting closed, as though it had never been."""
    return to_undone(await request.service.forgetting.undo(request.tenant, gem_id, run_id, request.service.at()))


async def _receive(request: ApiRequest, file: BinaryIO, most: int) -> None:
    size = 0
    try:
        async for data in request.stream():
            size += len(data)
            if size > most:
                raise BodyTooLargeError("body", f"may have at most {most:,} bytes; import it by `lattice import`")
            await asyncio.to_thread(file.write, data)
    except InternalServerException as e:
        raise MalformedBodyError("the request broke off before the end of its body") from e


router = Router(path="/", tags=["keeping"], route_handlers=[export_gem, import_gems, forget, undo_forgetting])
