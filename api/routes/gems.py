"""Gems: create, find, change, archive, restore, delete, and their log."""

from typing import Annotated
from uuid import UUID

from litestar import Response, Router, delete, get, patch, post
from litestar.params import JSONBody, QueryParameter

from api.auth import Role, needs
from api.idempotency import Created, IdempotencyKey, answer_once
from api.pages import Cursor, Limit, cut_page, decode_cursor
from api.request import ApiRequest
from api.routes.paths import GemId
from api.routes.problems import problems
from api.schemas.gems import GemPage, GemPatch, GemView, MeasurementPage, NewGem, to_change, to_gem, to_measurement
from api.schemas.operations import to_deletion

DryRun = Annotated[bool, QueryParameter(description="Whether to tell only what would be deleted.")]
Archived = Annotated[
    bool | None, QueryParameter(description="True lists archived gems, false the others, absent both.")
]


@post("/", guards=[needs(Role.EDITOR)], responses=problems(409, 413, 415), summary="Create a gem")
async def create_gem(
    request: ApiRequest, data: JSONBody[NewGem], idempotency_key: IdempotencyKey = None
) -> Response[GemView]:
    """Create a gem; its name must be new to the lattice."""

    async def make() -> Created[GemView]:
        gem = await request.service.gems.create(request.tenant, to_change(data), request.service.at())
        return Created(to_gem(gem), f"/api/v1/gems/{gem.gem_id}")

    return await answer_once(request, idempotency_key, make)


@get("/", guards=[needs(Role.VIEWER)], responses=problems(), summary="List gems")
async def list_gems(
    request: ApiRequest, limit: Limit = 50, cursor: Cursor = None, archived: Archived = None
) -> GemPage:
    """List gems, newest first."""
    found = await request.service.gems.list_page(
        request.tenant, request.service.at(), archived=archived, before=decode_cursor(cursor), limit=limit + 1
    )
    page = cut_page(found, limit, lambda gem: (gem.created_at, gem.gem_id))
    return GemPage(items=[to_gem(each) for each in page.items], next_cursor=page.next_cursor)


@get("/{gem_id:str}", guards=[needs(Role.VIEWER)], responses=problems(404), summary="Get a gem")
async def get_gem(request: ApiRequest, gem_id: GemId) -> GemView:
    """Return a gem with its state evolved to now."""
    return to_gem(await request.service.gems.get(request.tenant, gem_id, request.service.at()))


@patch("/{gem_id:str}", guards=[needs(Role.EDITOR)], responses=problems(404, 409, 413, 415), summary="Change a gem")
async def update_gem(request: ApiRequest, gem_id: GemId, data: JSONBody[GemPatch]) -> GemView:
    """Change a gem's name, description or metadata."""
    return to_gem(await request.service.gems.update(request.tenant, gem_id, to_change(data), request.service.at()))


@delete("/{gem_id:str}", guards=[needs(Role.EDITOR)], responses=problems(404), summary="Delete a gem")
async def delete_gem(request: ApiRequest, gem_id: GemId, dry_run: DryRun = False) -> Response[None]:
    """Delete a gem with its documents, passages, reflections and log. This cannot be undone.

    With `dry_run` nothing is deleted: the answer, with status 200, says how many rows of what would go.
    """
    service = request.service
    if dry_run:
        rows = await service.moves.plan_deletion(request.tenant, gem_id, service.at())
        return Response(to_deletion(rows), status_code=200)  # type: ignore[arg-type]
    await service.gems.delete(request.tenant, gem_id)
    return Response(None, status_code=204)


@post(
    "/{gem_id:str}/archive",
    status_code=200,
    guards=[needs(Role.EDITOR)],
    responses=problems(404),
    summary="Archive a gem",
)
async def archive_gem(request: ApiRequest, gem_id: GemId) -> GemView:
    """Make a gem read only and leave it out of recall over the whole lattice."""
    return to_gem(await request.service.gems.archive(request.tenant, gem_id, request.service.at()))


@post(
    "/{gem_id:str}/restore",
    status_code=200,
    guards=[needs(Role.EDITOR)],
    responses=problems(404),
    summary="Restore a gem",
)
async def restore_gem(request: ApiRequest, gem_id: GemId) -> GemView:
    """Undo an archiving."""
    return to_gem(await request.service.gems.restore(request.tenant, gem_id, request.service.at()))


@get(
    "/{gem_id:str}/measurements",
    guards=[needs(Role.VIEWER)],
    responses=problems(404),
    summary="List a gem's measurements",
)
async def list_measurements(
    request: ApiRequest, gem_id: GemId, limit: Limit = 50, cursor: Cursor = None
) -> MeasurementPage:
    """List a gem's log, newest first: what was measured, why, and the state right after."""
    place = decode_cursor(cursor)
    before = None if place is None else (place[0], place[1].int % 2**63)  # as a bigint, whoever made the cursor
    found = await request.service.gems.list_measurements(
        request.tenant, gem_id, request.service.at(), before=before, limit=limit + 1
    )
    page = cut_page(found, limit, lambda each: (each.measured_at, UUID(int=each.measurement_id)))
    return MeasurementPage(items=[to_measurement(each) for each in page.items], next_cursor=page.next_cursor)


router = Router(
    path="/gems",
    tags=["gems"],
    route_handlers=[
        create_gem,
        list_gems,
        get_gem,
        update_gem,
        delete_gem,
        archive_gem,
        restore_gem,
        list_measurements,
    ],
)
