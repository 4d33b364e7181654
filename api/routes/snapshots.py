"""Snapshots of gems and of the lattice: taken, listed, compared, restored, verified, deleted."""

from typing import Annotated
from uuid import UUID

from litestar import Response, Router, delete, get, post
from litestar.params import JSONBody, PathParameter, QueryParameter

from api.auth import Role, needs
from api.idempotency import Created, IdempotencyKey, answer_once
from api.pages import Cursor, Limit, cut_page, decode_cursor
from api.request import ApiRequest
from api.routes.paths import GemId
from api.routes.problems import problems
from api.schemas.snapshot_differences import SnapshotDifferenceView, to_difference
from api.schemas.snapshots import (
    NewSnapshot,
    RestoreBody,
    RestoreView,
    RetentionBody,
    RetentionView,
    SnapshotDeletedView,
    SnapshotPage,
    SnapshotView,
    VerificationView,
    to_policy,
    to_restore,
    to_retention,
    to_snapshot,
    to_verification,
)
from core.errors import InvalidInputError
from knowledge.keeping import RestoreWish

LIVE = "live"

SnapshotId = Annotated[UUID, PathParameter(description="The snapshot's id.")]
Against = Annotated[
    str, QueryParameter(description="The side after: another snapshot's id, or `live` for the present.")
]


@post(
    "/gems/{gem_id:str}/snapshots",
    guards=[needs(Role.EDITOR)],
    responses=problems(404, 409, 413, 415),
    summary="Take a snapshot of a gem",
)
async def take_gem_snapshot(
    request: ApiRequest, gem_id: GemId, data: JSONBody[NewSnapshot], idempotency_key: IdempotencyKey = None
) -> Response[SnapshotView]:
    """Keep a gem as it is: state, documents, passages, vectors, graph, entanglements, log and reflections."""
    return await _take(request, gem_id, data, idempotency_key)


@post(
    "/lattice/snapshots",
    guards=[needs(Role.EDITOR)],
    responses=problems(409, 413, 415),
    summary="Take a snapshot of the lattice",
)
async def take_lattice_snapshot(
    request: ApiRequest, data: JSONBody[NewSnapshot], idempotency_key: IdempotencyKey = None
) -> Response[SnapshotView]:
    """Keep every gem as it is at one moment, whatever is written meanwhile."""
    return await _take(request, None, data, idempotency_key)


@get(
    "/gems/{gem_id:str}/snapshots",
    guards=[needs(Role.VIEWER)],
    responses=problems(),
    summary="List a gem's snapshots",
)
async def list_gem_snapshots(
    request: ApiRequest, gem_id: GemId, limit: Limit = 50, cursor: Cursor = None
) -> SnapshotPage:
    """List the snapshots that hold a gem, those of the lattice included, also of a gem that was deleted."""
    return await _list(request, gem_id, limit, cursor)


@get(
    "/lattice/snapshots",
    guards=[needs(Role.VIEWER)],
    responses=problems(),
    summary="List the lattice's snapshots",
)
async def list_lattice_snapshots(request: ApiRequest, limit: Limit = 50, cursor: Cursor = None) -> SnapshotPage:
    """List the snapshots of the whole lattice."""
    return await _list(request, None, limit, cursor)


@get("/snapshots/{snapshot_id:str}", guards=[needs(Role.VIEWER)], responses=problems(404), summary="Get a snapshot")
async def get_snapshot(request: ApiRequest, snapshot_id: SnapshotId) -> SnapshotView:
    """Return what a snapshot holds."""
    return to_snapshot(await request.service.snapshots.get(request.tenant, snapshot_id))


@get(
    "/snapshots/{snapshot_id:str}/diff",
    guards=[needs(Role.VIEWER)],
    responses=problems(404, 409),
    summary="Compare a snapshot",
)
async def compare_snapshot(
    request: ApiRequest, snapshot_id: SnapshotId, against: Against = LIVE
) -> SnapshotDifferenceView:
    """Tell what changed since a snapshot until now, or until another one."""
    other = _parse_against(against)
    found = await request.service.snapshots.compare(request.tenant, snapshot_id, other)
    return SnapshotDifferenceView(snapshot_id=snapshot_id, against=other, gems=[to_difference(each) for each in found])


@post(
    "/snapshots/{snapshot_id:str}/restores",
    status_code=200,
    guards=[needs(Role.EDITOR)],
    responses=problems(404, 409, 413, 415),
    summary="Restore a snapshot",
)
async def restore_snapshot(request: ApiRequest, snapshot_id: SnapshotId, data: JSONBody[RestoreBody]) -> RestoreView:
    """Tell what a restore would change, and make it so if `dry_run` is false.

    A snapshot of what there is is taken first: restoring that one undoes it. A gem that was deleted comes back under
    its own id. The log and reflections are added to, never taken away.
    """
    service, wish = request.service, RestoreWish(data.gem_id, data.reembed)
    if data.dry_run:
        found = await service.snapshots.plan_restore(request.tenant, snapshot_id, wish)
    else:
        found = await service.snapshots.restore(request.tenant, snapshot_id, wish, service.at())
    return to_restore(found, dry_run=data.dry_run)


@post(
    "/snapshots/{snapshot_id:str}/verifications",
    status_code=200,
    guards=[needs(Role.VIEWER)],
    responses=problems(404),
    summary="Verify a snapshot",
)
async def verify_snapshot(request: ApiRequest, snapshot_id: SnapshotId) -> VerificationView:
    """Make every digest of a snapshot again, and tell what is not as it was written."""
    return to_verification(await request.service.snapshots.verify(request.tenant, snapshot_id))


@delete(
    "/snapshots/{snapshot_id:str}",
    status_code=200,
    guards=[needs(Role.EDITOR)],
    responses=problems(404),
    summary="Delete a snapshot",
)
async def delete_snapshot(request: ApiRequest, snapshot_id: SnapshotId) -> SnapshotDeletedView:
    """Delete a snapshot, and the contents that no other one holds. This cannot be undone."""
    freed = await request.service.snapshots.delete(request.tenant, snapshot_id)
    return SnapshotDeletedView(id=snapshot_id, freed_bytes=freed)


@post(
    "/snapshots/retention",
    status_code=200,
    guards=[needs(Role.EDITOR)],
    responses=problems(413, 415),
    summary="Keep to a retention policy",
)
async def retain_snapshots(request: ApiRequest, data: JSONBody[RetentionBody]) -> RetentionView:
    """Tell which snapshots a policy does not keep, and delete them if `dry_run` is false. This cannot be undone."""
    service, policy = request.service, to_policy(data)
    if data.dry_run:
        found = await service.snapshots.plan_retention(request.tenant, data.gem_id, policy)
    else:
        found = await service.snapshots.retain(request.tenant, data.gem_id, policy)
    return to_retention(found, dry_run=data.dry_run)


async def _take(
    request: ApiRequest, gem_id: UUID | None, data: NewSnapshot, idempotency_key: str | None
) -> Response[SnapshotView]:
    async def make() -> Created[SnapshotView]:
        service = request.service
        taken = await service.snapshots.create(request.tenant, gem_id, service.at(), note=data.note)
        return Created(to_snapshot(taken), f"/api/v1/snapshots/{taken.snapshot_id}")

    return await answer_once(request, idempotency_key, make)


async def _list(request: ApiRequest, gem_id: UUID | None, limit: int, cursor: str | None) -> SnapshotPage:
    found = await request.service.snapshots.list_page(
        request.tenant, gem_id, before=decode_cursor(cursor), limit=limit + 1
    )
    page = cut_page(found, limit, lambda each: (each.taken_at, each.snapshot_id))
    return SnapshotPage(items=[to_snapshot(each) for each in page.items], next_cursor=page.next_cursor)


def _parse_against(against: str) -> UUID | None:
    if against == LIVE:
        return None
    try:
        return UUID(against)
    except ValueError as e:
        raise InvalidInputError("against", f"must be the id of a snapshot, or `{LIVE}`") from e


router = Router(
    path="/",
    tags=["snapshots"],
    route_handlers=[
        take_gem_snapshot,
        take_lattice_snapshot,
        list_gem_snapshots,
        list_lattice_snapshots,
        get_snapshot,
        compare_snapshot,
        restore_snapshot,
        verify_snapshot,
        delete_snapshot,
        retain_snapshots,
    ],
)
