"""A gem's graph: entities and relations, what contradicts, how things hang together."""

from typing import Annotated
from uuid import UUID

from litestar import Router, get, post, put
from litestar.params import JSONBody, PathParameter, QueryParameter

from api.auth import Role, needs
from api.pages import Cursor, Limit, cut_page, decode_cursor
from api.request import ApiRequest
from api.routes.paths import GemId
from api.routes.problems import problems
from api.schemas.extractions import PassageNeighbourList, to_neighbours
from api.schemas.graph import (
    ContradictionList,
    EntityDetailView,
    EntityPage,
    PredicatesBody,
    PredicatesView,
    RelationPage,
    ResolveBody,
    to_contradictions,
    to_detail,
    to_entity,
    to_predicates,
    to_relation,
)
from api.schemas.graph_changes import ChangeView, to_change
from api.schemas.graph_queries import (
    CentralList,
    CommunityList,
    PathList,
    SubgraphView,
    to_central,
    to_communities,
    to_paths,
    to_subgraph,
)
from core.clock import parse_moment
from core.errors import InvalidInputError
from knowledge.graph import (
    MOST_DEPTH,
    MOST_NODES,
    Bounds,
    Centrality,
    Graph,
    RelationQuery,
    list_passage_neighbours,
)

EntityId = Annotated[UUID, PathParameter(description="The entity's id.")]
Part = Annotated[str | None, QueryParameter(description="Only those of whose names one has this in it.")]
Passages = Annotated[int, QueryParameter(ge=0, le=200, description="How many of the newest passages at the most.")]
AsOf = Annotated[str | None, QueryParameter(description="As it was known then: an ISO 8601 date or time. Absent: now.")]
ValidAt = Annotated[str | None, QueryParameter(description="Only what held then in the world; bounds may be unknown.")]
EntityFilter = Annotated[UUID | None, QueryParameter(description="Of this entity, by its id.")]
Predicate = Annotated[str | None, QueryParameter(description="Of this predicate, in any spelling.")]
Depth = Annotated[int, QueryParameter(ge=1, le=MOST_DEPTH, description="How many edges away at the most.")]
Nodes = Annotated[int, QueryParameter(ge=1, le=MOST_NODES, description="How many entities are looked at at the most.")]
PassageFilter = Annotated[UUID | None, QueryParameter(description="Of this passage, by its id.")]
End = Annotated[UUID, QueryParameter(description="An entity at one end.")]
By = Annotated[Centrality, QueryParameter(description="By the weight of edges, or by the shortest paths that cross.")]


@get("/entities", guards=[needs(Role.VIEWER)], responses=problems(404), summary="List a gem's entities")
async def list_entities(
    request: ApiRequest, gem_id: GemId, name: Part = None, limit: Limit = 50, cursor: Cursor = None
) -> EntityPage:
    """List what a gem's passages name, newest first."""
    found = await graph_of(request).list_entities(
        request.tenant, gem_id, request.service.at(), part=name, before=decode_cursor(cursor), limit=limit + 1
    )
    page = cut_page(found, limit, lambda each: (each.created_at, each.entity_id))
    return EntityPage(items=[to_entity(each) for each in page.items], next_cursor=page.next_cursor)


@get("/entities/{entity_id:str}", guards=[needs(Role.VIEWER)], responses=problems(404), summary="Get an entity")
async def get_entity(
    request: ApiRequest, gem_id: GemId, entity_id: EntityId, passages: Passages = 20
) -> EntityDetailView:
    """Return an entity with its names, its relations as they are known now, and passages that mention it."""
    at = request.service.at()
    return to_detail(await graph_of(request).get_entity(request.tenant, gem_id, entity_id, at, passages=passages))


@get("/relations", guards=[needs(Role.VIEWER)], responses=problems(404), summary="List a gem's relations")
async def list_relations(
    request: ApiRequest,
    gem_id: GemId,
    *,
    as_of: AsOf = None,
    valid_at: ValidAt = None,
    subject: EntityFilter = None,
    object_: Annotated[UUID | None, QueryParameter(name="object", description="To this entity, by its id.")] = None,
    predicate: Predicate = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> RelationPage:
    """List relations as they were known at one moment and held at another, learned last first.

    What several documents say is one relation, counted.
    """
    query = RelationQuery(
        as_of=None if as_of is None else parse_moment(as_of, "as_of"),
        valid_at=None if valid_at is None else parse_moment(valid_at, "valid_at"),
        subject_id=subject,
        object_id=object_,
        predicate=predicate,
    )
    found = await graph_of(request).list_relations(
        request.tenant, gem_id, query, request.service.at(), before=decode_cursor(cursor), limit=limit + 1
    )
    page = cut_page(found, limit, lambda each: (each.learned_at, each.relation_id))
    return RelationPage(items=[to_relation(each) for each in page.items], next_cursor=page.next_cursor)


@get("/contradictions", guards=[needs(Role.VIEWER)], responses=problems(404), summary="List open contradictions")
async def list_contradictions(
    request: ApiRequest, gem_id: GemId, subject: EntityFilter = None, limit: Limit = 50
) -> ContradictionList:
    """List pairs of relations that cannot both hold, with what their documents say, learned last first."""
    found = await graph_of(request).list_contradictions(
        request.tenant, gem_id, request.service.at(), subject_id=subject, limit=limit + 1
    )
    return to_contradictions(found, limit)


@post(
    "/contradictions/resolve",
    status_code=200,
    guards=[needs(Role.EDITOR)],
    responses=problems(404, 409, 413, 415),
    summary="Resolve a contradiction",
)
async def resolve_contradiction(request: ApiRequest, gem_id: GemId, data: JSONBody[ResolveBody]) -> ChangeView:
    """Keep one of two relations; the other, whichever documents say it, is no longer taken to hold. Can be undone."""
    at = request.service.at()
    return to_change(await graph_of(request).resolve_contradiction(request.tenant, gem_id, data.keep, data.close, at))


@get("/graph/predicates", guards=[needs(Role.VIEWER)], responses=problems(404), summary="Get what predicates take")
async def get_predicates(request: ApiRequest, gem_id: GemId) -> PredicatesView:
    """Return how many objects predicates take of one subject: what was marked for the gem, and the defaults."""
    return to_predicates(await graph_of(request).get_predicates(request.tenant, gem_id, request.service.at()))


@put(
    "/graph/predicates",
    guards=[needs(Role.EDITOR)],
    responses=problems(404, 409, 413, 415),
    summary="Mark what predicates take",
)
async def put_predicates(request: ApiRequest, gem_id: GemId, data: JSONBody[PredicatesBody]) -> PredicatesView:
    """Let marks take the place of those before; which relation replaces which is then found anew."""
    at = request.service.at()
    return to_predicates(await graph_of(request).put_predicates(request.tenant, gem_id, data.predicates, at))


@get(
    "/graph/neighbours",
    guards=[needs(Role.VIEWER)],
    responses=problems(404),
    summary="List the neighbours of an entity or a passage",
)
async def list_neighbours(
    request: ApiRequest,
    gem_id: GemId,
    *,
    entity: EntityFilter = None,
    passage: PassageFilter = None,
    depth: Depth = 1,
    nodes: Nodes = 500,
    as_of: AsOf = None,
) -> SubgraphView | PassageNeighbourList:
    """Return the entities around one, nearest first, and what binds them: relations, and passages that name both.

    For a passage instead: the passages that are alike, as far as they are linked, then those that name the same.
    """
    at, bounds = request.service.at(), _bounds(nodes, as_of)
    graph = graph_of(request)
    if entity is not None and passage is None:
        return to_subgraph(await graph.list_neighbours(request.tenant, gem_id, entity, at, depth=depth, bounds=bounds))
    if passage is not None and entity is None:
        found = await list_passage_neighbours(
            graph.database, request.tenant, gem_id, passage, at, limit=nodes, as_of=bounds.as_of
        )
        return to_neighbours(found)
    raise InvalidInputError("entity", "either it or `passage` must be given, and not both")


@get("/graph/paths", guards=[needs(Role.VIEWER)], responses=problems(404), summary="Find paths between two entities")
async def list_paths(
    request: ApiRequest,
    gem_id: GemId,
    *,
    source: End,
    target: End,
    limit: Annotated[int, QueryParameter(ge=1, le=200, description="How many paths at the most.")] = 5,
    nodes: Nodes = 500,
    as_of: AsOf = None,
) -> PathList:
    """Return the shortest paths between two entities that are up to seven edges apart."""
    at, bounds = request.service.at(), _bounds(nodes, as_of)
    return to_paths(
        await graph_of(request).list_paths(request.tenant, gem_id, source, target, at, limit=limit, bounds=bounds)
    )


@get("/graph/communities", guards=[needs(Role.VIEWER)], responses=problems(404), summary="Find communities")
async def list_communities(
    request: ApiRequest, gem_id: GemId, limit: Limit = 20, nodes: Nodes = 500, as_of: AsOf = None
) -> CommunityList:
    """Return entities that are bound to each other more than to others, among the most prominent ones."""
    at, bounds = request.service.at(), _bounds(nodes, as_of)
    return to_communities(
        await graph_of(request).list_communities(request.tenant, gem_id, at, limit=limit, bounds=bounds)
    )


@get("/graph/central", guards=[needs(Role.VIEWER)], responses=problems(404), summary="List central entities")
async def list_central(
    request: ApiRequest, gem_id: GemId, *, by: By = "degree", limit: Limit = 20, nodes: Nodes = 500, as_of: AsOf = None
) -> CentralList:
    """Return the most central of a gem's most prominent entities."""
    at, bounds = request.service.at(), _bounds(nodes, as_of)
    return to_central(
        await graph_of(request).list_central(request.tenant, gem_id, at, by=by, limit=limit, bounds=bounds)
    )


def graph_of(request: ApiRequest) -> Graph:
    """Return the graph's use cases."""
    return Graph(request.service.database, request.service.embedder)


def _bounds(nodes: int, as_of: str | None) -> Bounds:
    return Bounds(nodes, None if as_of is None else parse_moment(as_of, "as_of"))


router = Router(
    path="/gems/{gem_id:str}",
    tags=["graph"],
    route_handlers=[
        list_entities,
        get_entity,
        list_relations,
        list_contradictions,
        resolve_contradiction,
        get_predicates,
        put_predicates,
        list_neighbours,
        list_paths,
        list_communities,
        list_central,
    ],
)
