"""Every table, as its package declares it: the schema that all revisions together make. Serving needs none of it."""

from importlib import import_module

from sqlmodel import SQLModel

DECLARING = (  # by name, since each package has one door for all who use it, and this is none of them
    "api.alerts.tables",
    "api.tables",
    "gems.embedding_tables",
    "gems.operation_tables",
    "gems.tables",
    "knowledge.graph.extraction_tables",
    "knowledge.graph.tables",
    "knowledge.jobs.tables",
    "knowledge.keeping.snapshots.tables",
    "knowledge.tables",
    "llm_router.experiments.tables",
    "llm_router.spend.tables",
    "llm_router.tables",
    "reflection.simulations.tables",
    "reflection.tables",
)
for name in DECLARING:
    import_module(name)

METADATA = SQLModel.metadata
