"""What every table shares: the tenant at the head of its key, named constraints, row-level security."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, DateTime, ForeignKeyConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

SQLModel.metadata.naming_convention = {
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ck": "%(table_name)s_%(constraint_name)s_check",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "pk": "%(table_name)s_pkey",
}


# the tenant that the transaction named: rows written without one belong to it
CURRENT_TENANT = "(nullif(current_setting('lattice.tenant'::text, true), ''::text))::uuid"


class TenantRow(SQLModel):
    """A row that belongs to one tenant; `tenant_id` leads the primary key so that tables can be distributed by it."""

    tenant_id: UUID = Field(primary_key=True, sa_column_kwargs={"server_default": text(CURRENT_TENANT)})


def moment(*, nullable: bool = False, now: bool = False) -> Column[datetime]:
    """Return a column for a point in time, aware; `now` lets the database fill it."""
    return Column(DateTime(timezone=True), nullable=nullable, server_default=text("now()") if now else None)


def json_object(default: str = "{}") -> Column[Any]:
    """Return a jsonb column that is never null."""
    return Column(JSONB, nullable=False, server_default=text(f"'{default}'::jsonb"))


def owned_by(table: str, column: str, target: str | None = None) -> ForeignKeyConstraint:
    """Return the key by which rows vanish with their owner: (tenant_id, column) references the owner's primary key."""
    target = target or column
    return ForeignKeyConstraint(["tenant_id", column], [f"{table}.tenant_id", f"{table}.{target}"], ondelete="CASCADE")
