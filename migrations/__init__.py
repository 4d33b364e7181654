"""The schema of the database and its history (Alembic)."""

from migrations.runner import SchemaStatus, downgrade, read_status, upgrade

__all__ = ["SchemaStatus", "downgrade", "read_status", "upgrade"]
