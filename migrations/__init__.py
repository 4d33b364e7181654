"""The schema of the database and its history (Alembic)."""

from importlib import import_module
from typing import TYPE_CHECKING

from migrations.status import SchemaStatus, needed_revision, read_status

if TYPE_CHECKING:
    from migrations.embedding_index import EmbeddingIndexes, ensure_embedding_index
    from migrations.runner import downgrade, upgrade

__all__ = [
    "EmbeddingIndexes",
    "SchemaStatus",
    "downgrade",
    "ensure_embedding_index",
    "needed_revision",
    "read_status",
    "upgrade",
]

LATE = {
    "EmbeddingIndexes": "migrations.embedding_index",
    "ensure_embedding_index": "migrations.embedding_index",
    "downgrade": "migrations.runner",
    "upgrade": "migrations.runner",
}


def __getattr__(name: str) -> object:
    """Load what changes a schema when it is first asked for: few starts do, and Alembic is a fifth of one's time."""
    if name not in LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(LATE[name]), name)
