"""Setting a gem's graph right: merge, split, aliases, suggestions, undo."""

from litestar import Response, Router, get, post
from litestar.params import JSONBody

from api.auth import Role, needs
from api.idempotency import Created, IdempotencyKey, answer_once
from api.pages import Cursor, Limit, cut_page, decode_cursor
from api.request import ApiRequest
from api.routes.graph import graph_of
from api.routes.paths import GemId
from api.routes.problems import problems
from api.schemas.graph_changes import (
    AliasBody,
    ChangePage,
    ChangeView,
    MadeView,
    MergeBody,
    SplitBody,
    SuggestBody,
    SuggestionList,
    UndoBody,
    to_change,
    to_made,
    to_split,
    to_suggestions,
)
from knowledge.graph import MadeEntity

WRITES = problems(404, 409, 413, 415)


@post("/entities/merge", guards=[needs(Role.EDITOR)], responses=WRITES, summary="Merge entities")
async def merge_entities(
    request: ApiRequest, gem_id: GemId, data: JSONBody[MergeBody], idempotency_key: IdempotencyKey = None
) -> Response[MadeView]:
    """Let one entity take over the names, mentions and relations of others, which vanish. Can be undone."""

    async def make() -> Created[MadeView]:
        at, others = request.service.at(), tuple(data.entities)
        return _created(await graph_of(request).merge(request.tenant, gem_id, data.into, others, at), gem_id)

    return await answer_once(request, idempotency_key, make)


@post("/entities/split", guards=[needs(Role.EDITOR)], responses=WRITES, summary="Split an entity")
async def split_entity(
    request: ApiRequest, gem_id: GemId, data: JSONBody[SplitBody], idempotency_key: IdempotencyKey = None
) -> Response[MadeView]:
    """Make a new entity of some of an entity's names or mentions, and their relations. Can be undone."""

    async def make() -> Created[MadeView]:
        at = request.service.at()
        return _created(await graph_of(request).split(request.tenant, gem_id, to_split(data), at), gem_id)

    return await answer_once(request, idempotency_key, make)


@post("/entities/aliases", guards=[needs(Role.EDITOR)], responses=WRITES, summary="Add names to an entity")
async def add_aliases(
    request: ApiRequest, gem_id: GemId, data: JSONBody[AliasBody], idempotency_key: IdempotencyKey = None
) -> Response[MadeView]:
    """Let an entity go by further names from now on. Can be undone."""

    async def make() -> Created[MadeView]:
        at, names = request.service.at(), tuple(data.names)
        return _created(await graph_of(request).add_aliases(request.tenant, gem_id, data.entity, names, at), gem_id)

    return await answer_once(request, idempotency_key, make)


@post(
    "/entities/suggestions",
    status_code=200,
    guards=[needs(Role.EDITOR)],
    responses=WRITES,
    summary="Suggest entities that may be one",
)
async def suggest_merges(request: ApiRequest, gem_id: GemId, data: JSONBody[SuggestBody]) -> SuggestionList:
    """Find entities with names close in meaning; nothing is merged.

    Names are embedded as they are needed, 2,000 in one request at the most: `waiting` tells how many are left.
    """
    found = await graph_of(request).suggest_merges(
        request.tenant, gem_id, request.service.at(), threshold=data.threshold, limit=data.limit
    )
    return to_suggestions(found)


@get("/graph/changes", guards=[needs(Role.VIEWER)], responses=problems(404), summary="List changes of a gem's graph")
async def list_changes(request: ApiRequest, gem_id: GemId, limit: Limit = 50, cursor: Cursor = None) -> ChangePage:
    """List what was merged, split, named and resolved, the last change first."""
    found = await graph_of(request).list_changes(
        request.tenant, gem_id, request.service.at(), before=decode_cursor(cursor), limit=limit + 1
    )
    page = cut_page(found, limit, lambda each: (each.made_at, each.change_id))
    return ChangePage(items=[to_change(each) for each in page.items], next_cursor=page.next_cursor)


@post("/graph/undo", status_code=200, guards=[needs(Role.EDITOR)], responses=WRITES, summary="Undo a change")
async def undo_change(request: ApiRequest, gem_id: GemId, data: JSONBody[UndoBody]) -> ChangeView:
    """Undo a change, the last one that stands if none is named."""
    return to_change(await graph_of(request).undo(request.tenant, gem_id, data.change, request.service.at()))


def _created(made: MadeEntity, gem_id: GemId) -> Created[MadeView]:
    return Created(to_made(made), f"/api/v1/gems/{gem_id}/entities/{made.entity.entity_id}")


router = Router(
    path="/gems/{gem_id:str}",
    tags=["graph"],
    route_handlers=[merge_entities, split_entity, add_aliases, suggest_merges, list_changes, undo_change],
)
