"""The schema of the database and its history (Alembic)."""

from migrations.runner import SchemaStatus, downgrade, ensure_embedding_index, needed_revision, read_status, upgrade

__all__ = ["SchemaStatus", "downgrade", "ensure_embedding_index", "needed_revision", "read_status", "upgrade"]
