"""The kinds of jobs that this package carries out; others add theirs beside them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from knowledge.jobs.ingesting import LIMIT_S, MERGE, IngestionWork
from knowledge.jobs.ingestions import INGEST
from knowledge.jobs.queue import Kind
from knowledge.lexical import merge_due

MERGE_LIMIT_S = 3600.0
GRACE_S = 60.0  # an ingestion that took too long is given to write that down


def list_kinds(work: IngestionWork) -> tuple[Kind, ...]:
    """Return what workers must know to carry out ingestions and what follows them."""

    async def ingest(tenant: UUID, arguments: Mapping[str, Any]) -> None:
        await work.carry_out(tenant, UUID(arguments["ingestion"]))

    async def merge(tenant: UUID, arguments: Mapping[str, Any]) -> None:
        await merge_due(work.database, tenant, UUID(arguments["gem"]))

    return (Kind(INGEST, ingest, LIMIT_S + GRACE_S), Kind(MERGE, merge, MERGE_LIMIT_S))
