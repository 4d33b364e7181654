"""Merging and splitting gems, what was done to whole gems, and undoing it."""

from typing import Annotated
from uuid import UUID

from litestar import Router, get, post
from litestar.params import JSONBody, PathParameter

from api.auth import Role, needs
from api.pages import Cursor, Limit, cut_page, decode_cursor
from api.request import ApiRequest
from api.routes.paths import GemId
from api.routes.problems import problems
from api.schemas.operations import (
    MergeWish,
    MoveView,
    NewSplit,
    OperationPage,
    OperationView,
    to_move,
    to_operation,
    to_wish,
)

OperationId = Annotated[UUID, PathParameter(description="The operation's id.")]


@post(
    "/gems/{gem_id:str}/merges",
    status_code=200,
    guards=[needs(Role.EDITOR)],
    responses=problems(404, 409, 413, 415),
    summary="Merge gems into one",
)
async def merge_gems(request: ApiRequest, gem_id: GemId, data: JSONBody[MergeWish]) -> MoveView:
    """Move the documents of other gems into this one and archive those; a dry run, unless told otherwise."""
    moves, at = request.service.moves, request.service.at()
    act = moves.plan_merge if data.dry_run else moves.merge
    return to_move(await act(request.tenant, gem_id, data.sources, at), dry_run=data.dry_run)


@post(
    "/gems/{gem_id:str}/splits",
    status_code=200,
    guards=[needs(Role.EDITOR)],
    responses=problems(404, 409, 413, 415),
    summary="Split a gem",
)
async def split_gem(request: ApiRequest, gem_id: GemId, data: JSONBody[NewSplit]) -> MoveView:
    """Move documents of a gem into a new one; a dry run, unless told otherwise."""
    moves, at = request.service.moves, request.service.at()
    act = moves.plan_split if data.dry_run else moves.split
    return to_move(await act(request.tenant, gem_id, to_wish(data), at), dry_run=data.dry_run)


@get("/operations", guards=[needs(Role.VIEWER)], responses=problems(), summary="List what was done to gems")
async def list_operations(request: ApiRequest, limit: Limit = 50, cursor: Cursor = None) -> OperationPage:
    """List what was archived, restored, merged and split, the last operation first."""
    before = decode_cursor(cursor)
    found = await request.service.moves.list_page(request.tenant, before=before, limit=limit + 1)
    page = cut_page(found, limit, lambda each: (each.made_at, each.operation_id))
    return OperationPage(items=[to_operation(each) for each in page.items], next_cursor=page.next_cursor)


@post(
    "/operations/{operation_id:str}/undo",
    status_code=200,
    guards=[needs(Role.EDITOR)],
    responses=problems(404, 409),
    summary="Undo an operation",
)
async def undo_operation(request: ApiRequest, operation_id: OperationId) -> OperationView:
    """Bring back what was moved, as it is now, and restore what was archived; refused if later changes forbid it."""
    return to_operation(await request.service.moves.undo(request.tenant, operation_id, request.service.at()))


router = Router(path="/", tags=["gems"], route_handlers=[merge_gems, split_gem, list_operations, undo_operation])
