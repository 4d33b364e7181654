"""The reflections of a whole lattice, newest first."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import dict_row

from core.pg import Database
from core.sql import load_queries
from reflection.reflection import ReflectionSummary

_SQL = load_queries("reflection.sql", "recent.sql")


@dataclass(frozen=True, slots=True)
class RecentReflection:
    """A reflection, and what its gem is called."""

    gem_name: str
    summary: ReflectionSummary


@dataclass(frozen=True, slots=True)
class RecentReflections:
    """Lists what was asked of all gems."""

    database: Database

    async def list_page(
        self, tenant: UUID, *, before: tuple[datetime, UUID] | None = None, limit: int = 50
    ) -> list[RecentReflection]:
        """Return a page of reflections without their evidence."""
        before_at, before_id = before or (None, None)
        values = {"before_at": before_at, "before_id": before_id, "limit": limit}
        async with (
            self.database.transaction(tenant, read_only=True) as conn,
            conn.cursor(row_factory=dict_row) as cursor,
        ):
            await cursor.execute(_SQL["list_recent"], values)
            rows = await cursor.fetchall()
        return [RecentReflection(row.pop("gem_name"), ReflectionSummary(**row)) for row in rows]
