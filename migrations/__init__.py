"""The schema of the database and its history (Alembic)."""

from migrations.embedding_index import EmbeddingIndexes, ensure_embedding_index
from migrations.runner import SchemaStatus, downgrade, needed_revision, read_status, upgrade

__all__ = [
    "EmbeddingIndexes",
    "SchemaStatus",
    "downgrade",
    "ensure_embedding_index",
    "needed_revision",
    "read_status",
    "upgrade",
]
