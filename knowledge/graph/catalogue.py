"""The use cases of a gem's graph: each is one transaction; what computes for long does so in a worker thread."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.errors import InvalidInputError
from core.pg import Database
from gems import Moment, advance_gem, get_gems, lock_gem
from knowledge.embedding import Embedder
from knowledge.graph import changes, contradictions, entities, predicates, queries, relations, resolution, suggestions
from knowledge.graph.changes import Change
from knowledge.graph.contradictions import Contradiction
from knowledge.graph.entities import Entity, MentioningPassage
from knowledge.graph.predicates import Predicates
from knowledge.graph.queries import CentralEntity, Centrality, Community, Path
from knowledge.graph.relations import Relation, RelationQuery
from knowledge.graph.rows import Connection
from knowledge.graph.splitting import Split, split_entity
from knowledge.graph.subgraph import MOST_DEPTH, MOST_NODES, Bounds, Subgraph, load_subgraph
from knowledge.graph.suggestions import THRESHOLD_DEFAULT, Suggestions
from knowledge.graph.versions import settle_predicates

SHOWN_RELATIONS = 100
BOUNDS = Bounds()
Position = tuple[datetime, UUID]


@dataclass(frozen=True, slots=True)
class EntityDetail:
    """An entity with what is known of it now: relations learned last, newest passages."""

    entity: Entity
    relations: tuple[Relation, ...]
    passages: tuple[MentioningPassage, ...]


@dataclass(frozen=True, slots=True)
class MadeEntity:
    """A change and the entity that it left or made."""

    change: Change
    entity: Entity


@dataclass(frozen=True, slots=True)
class Communities:
    """Communities of a subgraph; `cut` says whether the gem has more entities or edges than were looked at."""

    items: tuple[Community, ...]
    cut: bool


@dataclass(frozen=True, slots=True)
class CentralEntities:
    """Central entities of a subgraph; `cut` as in Communities."""

    items: tuple[CentralEntity, ...]
    cut: bool


@dataclass(frozen=True, slots=True)
class Paths:
    """Shortest paths between two entities; `cut` as in Communities."""

    items: tuple[Path, ...]
    cut: bool


@dataclass(frozen=True, slots=True)
class Graph:
    """Read a gem's graph, ask it, and set it right.

    All raise GemNotFoundError if there is no such gem, those that write GemArchivedError if it is archived.
    """

    database: Database
    embedder: Embedder

    async def list_entities(
        self, tenant: UUID, gem_id: UUID, at: Moment, *, part: str | None, before: Position | None, limit: int
    ) -> list[Entity]:
        """Return a page of entities, newest first; those of whose names one has `part` in it."""
        async with self.database.transaction(tenant, read_only=True) as conn:
            await get_gems(conn, [gem_id], at)
            return await entities.list_entities(conn, gem_id, part=part, before=before, limit=limit)

    async def resolve_entity(self, tenant: UUID, gem_id: UUID, reference: str, at: Moment) -> UUID:
        """Return the id of the entity of this id or name."""
        async with self.database.transaction(tenant, read_only=True) as conn:
            await get_gems(conn, [gem_id], at)
            return await entities.resolve_entity(conn, gem_id, reference)

    async def get_entity(
        self, tenant: UUID, gem_id: UUID, entity_id: UUID, at: Moment, *, passages: int = 20
    ) -> EntityDetail:
        """Return an entity with its relations and the newest passages that mention it."""
        async with self.database.transaction(tenant, read_only=True) as conn:
            await get_gems(conn, [gem_id], at)
            (entity,) = await entities.get_entities(conn, gem_id, [entity_id])
            query = RelationQuery(entity_id=entity_id)
            told = await relations.list_relations(conn, gem_id, query, at, limit=SHOWN_RELATIONS)
            mentioning = await entities.list_mentioning(conn, gem_id, entity_id, limit=passages)
            return EntityDetail(entity, tuple(told), tuple(mentioning))

    async def list_relations(
        self, tenant: UUID, gem_id: UUID, query: RelationQuery, at: Moment, *, before: Position | None, limit: int
    ) -> list[Relation]:
        """Return a page of relations, learned last first."""
        async with self.database.transaction(tenant, read_only=True) as conn:
            await get_gems(conn, [gem_id], at)
            return await relations.list_relations(conn, gem_id, query, at, before=before, limit=limit)

    async def list_contradictions(
        self, tenant: UUID, gem_id: UUID, at: Moment, *, subject_id: UUID | None, limit: int
    ) -> list[Contradiction]:
        """Return open contradictions, those learned last first."""
        async with self.database.transaction(tenant, read_only=True, snapshot=True) as conn:
            await get_gems(conn, [gem_id], at)
            return await contradictions.list_contradictions(conn, gem_id, subject_id=subject_id, limit=limit)

    async def resolve_contradiction(self, tenant: UUID, gem_id: UUID, keep: UUID, drop: UUID, at: Moment) -> Change:
        """Keep one of two relations and close the other."""

        async def work(conn: Connection) -> Change:
            await lock_gem(conn, gem_id, at)
            change_id = await contradictions.resolve_contradiction(conn, gem_id, keep, drop, at)
            return await changes.get_change(conn, gem_id, change_id)

        return await self.database.retrying(tenant, work)

    async def add_aliases(
        self, tenant: UUID, gem_id: UUID, entity_id: UUID, names: tuple[str, ...], at: Moment
    ) -> MadeEntity:
        """Let an entity go by further names from now on."""

        async def work(conn: Connection) -> MadeEntity:
            await lock_gem(conn, gem_id, at)
            change_id = await resolution.add_aliases(conn, gem_id, entity_id, names, at)
            return await _get_made(conn, gem_id, change_id, entity_id)

        return await self.database.retrying(tenant, work)

    async def merge(self, tenant: UUID, gem_id: UUID, into: UUID, others: tuple[UUID, ...], at: Moment) -> MadeEntity:
        """Let one entity take over what others have; they vanish."""

        async def work(conn: Connection) -> MadeEntity:
            await lock_gem(conn, gem_id, at)
            change_id = await resolution.merge_entities(conn, gem_id, into, others, at)
            return await _get_made(conn, gem_id, change_id, into)

        return await self.database.retrying(tenant, work)

    async def split(self, tenant: UUID, gem_id: UUID, split: Split, at: Moment) -> MadeEntity:
        """Make a new entity of some of an entity's names or mentions."""

        async def work(conn: Connection) -> MadeEntity:
            await lock_gem(conn, gem_id, at)
            change_id, made = await split_entity(conn, gem_id, split, at)
            return await _get_made(conn, gem_id, change_id, made)

        return await self.database.retrying(tenant, work)

    async def suggest_merges(
        self, tenant: UUID, gem_id: UUID, at: Moment, *, threshold: float = THRESHOLD_DEFAULT, limit: int = 50
    ) -> Suggestions:
        """Find entities that may be one."""
        return await suggestions.suggest_merges(
            self.database, self.embedder, tenant, gem_id, at, threshold=threshold, limit=limit
        )

    async def list_changes(
        self, tenant: UUID, gem_id: UUID, at: Moment, *, before: Position | None, limit: int
    ) -> list[Change]:
        """Return a page of changes, the last one first."""
        async with self.database.transaction(tenant, read_only=True) as conn:
            await get_gems(conn, [gem_id], at)
            return await changes.list_changes(conn, gem_id, before=before, limit=limit)

    async def undo(self, tenant: UUID, gem_id: UUID, change_id: UUID | None, at: Moment) -> Change:
        """Undo a change, the last one that stands if none is named."""

        async def work(conn: Connection) -> Change:
            await lock_gem(conn, gem_id, at)
            return await changes.undo_change(conn, gem_id, change_id, at)

        return await self.database.retrying(tenant, work)

    async def get_predicates(self, tenant: UUID, gem_id: UUID, at: Moment) -> Predicates:
        """Return how many objects the predicates of a gem take."""
        async with self.database.transaction(tenant, read_only=True) as conn:
            await get_gems(conn, [gem_id], at)
            return await predicates.get_predicates(conn, gem_id)

    async def put_predicates(self, tenant: UUID, gem_id: UUID, marks: Mapping[str, str], at: Moment) -> Predicates:
        """Let marks take the place of those before; what replaces what is found anew."""
        checked = predicates.check_marks(marks)

        async def work(conn: Connection) -> Predicates:
            await lock_gem(conn, gem_id, at)
            old, new = await predicates.get_predicates(conn, gem_id), Predicates(checked)
            await predicates.put_marks(conn, gem_id, checked)
            changed = [each for each in {*old.marked, *checked} if old.find(each) != new.find(each)]
            if await settle_predicates(conn, gem_id, changed, at):
                await advance_gem(conn, gem_id, versions=1, slots=0, speakers=(), now=at.now)
            return new

        return await self.database.retrying(tenant, work)

    async def list_neighbours(
        self, tenant: UUID, gem_id: UUID, entity_id: UUID, at: Moment, *, depth: int = 1, bounds: Bounds = BOUNDS
    ) -> Subgraph:
        """Return what is up to `depth` edges around an entity, nearest first."""
        if not 1 <= depth <= MOST_DEPTH:
            raise InvalidInputError("depth", f"must be 1 to {MOST_DEPTH}, not {depth}")
        subgraph = await self._load(tenant, gem_id, (entity_id,), at, depth=depth, bounds=bounds)
        return await asyncio.to_thread(queries.keep_connected, subgraph, entity_id, depth)

    async def list_paths(
        self,
        tenant: UUID,
        gem_id: UUID,
        source: UUID,
        target: UUID,
        at: Moment,
        *,
        limit: int = 5,
        bounds: Bounds = BOUNDS,
    ) -> Paths:
        """Return the shortest paths between two entities, over up to MOST_DEPTH edges from each."""
        subgraph = await self._load(tenant, gem_id, (source, target), at, depth=MOST_DEPTH, bounds=bounds)
        found = await asyncio.to_thread(queries.find_paths, subgraph, source, target, limit)
        return Paths(tuple(found), subgraph.cut)

    async def list_communities(
        self, tenant: UUID, gem_id: UUID, at: Moment, *, limit: int = 20, bounds: Bounds = BOUNDS
    ) -> Communities:
        """Return entities that belong together."""
        subgraph = await self._load(tenant, gem_id, None, at, depth=0, bounds=bounds)
        found = await asyncio.to_thread(queries.find_communities, subgraph, limit)
        return Communities(tuple(found), subgraph.cut)

    async def list_central(
        self,
        tenant: UUID,
        gem_id: UUID,
        at: Moment,
        *,
        by: Centrality = "degree",
        limit: int = 20,
        bounds: Bounds = BOUNDS,
    ) -> CentralEntities:
        """Return the entities that the most goes through."""
        subgraph = await self._load(tenant, gem_id, None, at, depth=0, bounds=bounds)
        found = await asyncio.to_thread(queries.find_central, subgraph, by, limit)
        return CentralEntities(tuple(found), subgraph.cut)

    async def _load(
        self, tenant: UUID, gem_id: UUID, seeds: tuple[UUID, ...] | None, at: Moment, *, depth: int, bounds: Bounds
    ) -> Subgraph:
        if not 1 <= bounds.nodes <= MOST_NODES:
            raise InvalidInputError("nodes", f"must be 1 to {MOST_NODES:,}, not {bounds.nodes}")
        async with self.database.transaction(tenant, read_only=True) as conn:
            await get_gems(conn, [gem_id], at)
            await entities.get_entities(conn, gem_id, seeds or ())
            return await load_subgraph(conn, gem_id, seeds, at, depth=depth, bounds=bounds)


async def _get_made(conn: Connection, gem_id: UUID, change_id: UUID, entity_id: UUID) -> MadeEntity:
    (entity,) = await entities.get_entities(conn, gem_id, [entity_id])
    return MadeEntity(await changes.get_change(conn, gem_id, change_id), entity)
