"""The wiring: from settings to the use cases, by hand, in one place. REST and the command line both start here."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from prometheus_client import CollectorRegistry

import migrations
from api.alerts.alerts import Alerts
from api.database_place import DatabasePlace, open_place, prepare
from api.embedders import open_embedder
from api.extraction import RouterExtractor
from api.integrations import Integrations
from api.llm_wiring import Llm, open_llm
from api.recall_metrics import RecallMetrics
from api.settings import RecallSettings, Settings
from api.simulation_metrics import SimulationMetrics
from api.telemetry import Observation, open_tracing
from api.vitals import Vitals
from core.clock import utc_now
from core.pg import DEFAULT_TENANT, Database, PoolConfig
from gems import Entanglements, Gems, LatticeField, Moment
from knowledge import (
    Embedder,
    FusionWeights,
    Ingestion,
    PassageStates,
    Recall,
    Rehearsals,
    load_fastembed_reranker,
    read_weights,
)
from knowledge.graph import Extractions, Resonances
from knowledge.jobs import Ingestions, IngestionWork, Workers, list_kinds
from knowledge.keeping import Exports, Forgetting, Imports, Reembedding, Snapshots
from knowledge.moving import Moves
from llm_router import (
    EmbeddingRouter,
    PostgresAccounts,
    Telemetry,
    build_registry,
)
from reflection import FOLLOWING_TABLES, REFLECTION_TABLES, GemAxioms, RecentReflections, Reflections
from reflection.simulations import Simulations


@dataclass(frozen=True, slots=True)
class Service:
    """Every use case, ready."""

    settings: Settings
    database: Database
    embedder: Embedder
    gems: Gems
    ingestion: Ingestion
    recall: Recall
    reflections: Reflections
    llm: Llm
    simulations: Simulations
    metrics_registry: CollectorRegistry = field(default_factory=build_registry)
    observation: Observation = field(default_factory=lambda: Observation(build_registry()))
    integrations: Integrations = field(default_factory=Integrations)
    tenant: UUID = DEFAULT_TENANT

    @property
    def vitals(self) -> Vitals:
        """What happened in the last minutes."""
        return self.observation.vitals

    @property
    def ingestions(self) -> Ingestions:
        """The ingestions of the lattice."""
        return Ingestions(self.database)

    @property
    def ingestion_work(self) -> IngestionWork:
        """What carries them out."""
        root = self.settings.ingest_root
        allowed = None if root is None else root.expanduser().resolve()
        return IngestionWork(self.database, self.ingestion, self.gems, self.at, allowed)

    @property
    def extractions(self) -> Extractions:
        """What LLMs find in passages."""
        return Extractions(
            self.database, self.at, lambda tenant, model: RouterExtractor(self.llm.router, model, tenant)
        )

    @property
    def resonances(self) -> Resonances:
        """What links passages that are alike."""
        return Resonances(self.database, self.at)

    @property
    def exports(self) -> Exports:
        """What writes gems into files."""
        return Exports(self.database, REFLECTION_TABLES)

    @property
    def imports(self) -> Imports:
        """What takes them in again."""
        return Imports(self.database, self.embedder, REFLECTION_TABLES)

    @property
    def snapshots(self) -> Snapshots:
        """What keeps gems as they are, and brings them back."""
        return Snapshots(self.database, self.embedder, REFLECTION_TABLES)

    @property
    def moves(self) -> Moves:
        """What merges and splits gems, and undoes what was done to them."""
        return Moves(self.database, self.embedder, FOLLOWING_TABLES, REFLECTION_TABLES)

    @property
    def forgetting(self) -> Forgetting:
        """What closes documents that have faded."""
        return Forgetting(self.database)

    @property
    def entanglements(self) -> Entanglements:
        """What entangles gems."""
        return Entanglements(self.database)

    @property
    def lattice_field(self) -> LatticeField:
        """What answers the questions of the field."""
        return LatticeField(self.database)

    @property
    def passage_states(self) -> PassageStates:
        """What tells the states of passages."""
        return PassageStates(self.database)

    @property
    def rehearsals(self) -> Rehearsals:
        """What rehearses gems."""
        return Rehearsals(self.database)

    @property
    def alerts(self) -> Alerts:
        """The alerts of the lattice."""
        return Alerts(self.database)

    @property
    def recent_reflections(self) -> RecentReflections:
        """What lists the reflections of all gems."""
        return RecentReflections(self.database)

    @property
    def gem_axioms(self) -> GemAxioms:
        """What scores gems."""
        return GemAxioms(self.database)

    async def reembedding(self) -> Reembedding:
        """Return what moves the lattice to the embedding model of this service."""
        indexes = migrations.EmbeddingIndexes(await self.database.address())
        return Reembedding(self.database, self.embedder, indexes)

    def workers(self) -> Workers:
        """Return what carries out jobs of every kind, in this process, once it is run."""
        kinds = (*list_kinds(self.ingestion_work), *self.extractions.list_kinds(), *self.resonances.list_kinds())
        return Workers(self.database, kinds, self.ingestions.keep_up, (self.tenant,))

    async def load_model(self) -> None:
        """Load the local model, which cuts every text: what stays should fail at its start, and let no caller wait."""
        await asyncio.to_thread(lambda: self.ingestion.chunker.tokenizer)

    def at(self, now: datetime | None = None) -> Moment:
        """Return the moment at which a use case looks at the lattice; now, unless another is given."""
        return Moment(now or utc_now(), self.settings.time_unit)


@asynccontextmanager
async def open_service(
    settings: Settings, *, migrate: bool = False, environment: Mapping[str, str] = os.environ
) -> AsyncIterator[Service]:
    """Start what the settings name, and stop it again.

    Args:
        settings: of this process.
        migrate: bring the schema up to date first; an embedded database always is, since nobody else tends it.
        environment: where keys stand.

    Raises:
        ConfigurationError: a setting, the embedded server or the database is unfit; the message says what to do.
    """
    config = settings.router_config(environment)
    async with AsyncExitStack() as stack:
        spans = await stack.enter_async_context(open_tracing(settings.traces))
        registry = build_registry()
        observation = Observation(registry, spans)
        place = await stack.enter_async_context(open_place(settings))
        database = _build_database(settings, place, observation)
        accounts = PostgresAccounts(database, config.budgets)
        telemetry = Telemetry(registry, tracer_provider=spans)
        embedder, chunker = open_embedder(settings.embedding, config, accounts, telemetry, stack)
        await prepare(place, embedder.dimension, migrate=migrate)
        await stack.enter_async_context(database)
        if isinstance(embedder, EmbeddingRouter):  # closed before the database, in which it enters what it spent
            stack.push_async_callback(embedder.aclose)
        llm = await stack.enter_async_context(
            open_llm(
                settings,
                config,
                database=database,
                accounts=accounts,
                telemetry=telemetry,
                embedder=embedder,
                environment=environment,
            )
        )
        gems, recall = Gems(database), _build_recall(settings.recall, database, embedder)
        simulations = Simulations(database)
        registry.register(RecallMetrics(recall.cache))
        registry.register(SimulationMetrics(simulations.cache))
        yield Service(
            settings=settings,
            database=database,
            embedder=embedder,
            gems=gems,
            ingestion=Ingestion(database, embedder, chunker),
            recall=recall,
            reflections=Reflections(database, gems, recall, llm.router),
            llm=llm,
            simulations=simulations,
            metrics_registry=registry,
            observation=observation,
        )


def _build_recall(settings: RecallSettings, database: Database, embedder: Embedder) -> Recall:
    weights = FusionWeights() if settings.weights is None else read_weights(settings.weights.expanduser())
    reranker = None if settings.reranker is None else load_fastembed_reranker(settings.reranker)
    return Recall(database, embedder, weights, reranker)


def _build_database(settings: Settings, place: DatabasePlace, observation: Observation) -> Database:
    config = PoolConfig(
        url=place.url,
        max_size=settings.pool.max_size,
        statement_timeout_s=settings.pool.statement_timeout_s,
        lock_timeout_s=settings.pool.lock_timeout_s,
    )
    revive = place.server.ensure_running if place.server else None
    return Database(config, revive, observation.work, observation.cursors)
