"""Tables of ingestions: what was sent, how far it has come, what could not be read. The queue's own are not ours."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, Double, Index, LargeBinary, Text, false, text
from sqlmodel import Field

from core.tables import TenantRow, moment, owned_by


def _count() -> Any:  # noqa: ANN401 - as SQLModel declares its fields
    return Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default=text("0")))


def _flag() -> Any:  # noqa: ANN401
    return Field(default=False, sa_column_kwargs={"server_default": false()})


class IngestionRow(TenantRow, table=True):
    """One ingestion; `read` rows of it are dealt with for good, the rest is still to be done."""

    __tablename__ = "ingestion"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        owned_by("gem", "gem_id"),
        CheckConstraint("state IN ('receiving', 'queued', 'running', 'done', 'failed', 'cancelled')", name="state"),
        CheckConstraint("read = stored + skipped + failed", name="counts"),
        Index(None, "tenant_id", "created_at", "ingestion_id"),
        Index(
            "ingestion_open_idx",
            "tenant_id",
            "heartbeat_at",
            postgresql_where=text("state IN ('receiving', 'queued', 'running')"),
        ),
    )

    ingestion_id: UUID = Field(primary_key=True)
    gem_id: UUID
    state: str = Field(sa_column=Column(Text, nullable=False))
    by_row: bool = _flag()
    host: str | None = Field(default=None, sa_column=Column(Text))
    input: str = Field(sa_column=Column(Text, nullable=False))
    total: int | None = Field(default=None, sa_column=Column(BigInteger))
    input_bytes: int = _count()
    read: int = _count()
    stored: int = _count()
    replaced: int = _count()
    skipped: int = _count()
    failed: int = _count()
    passages: int = _count()
    seconds: float = Field(sa_column=Column(Double, nullable=False, server_default=text("0")))
    fingerprint: Any = Field(sa_column=Column(LargeBinary, nullable=False, server_default=text("''::bytea")))
    retrying: bool = _flag()
    cancelling: bool = _flag()
    run_id: UUID | None = None
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    error_code: str | None = Field(default=None, sa_column=Column(Text))
    error: str | None = Field(default=None, sa_column=Column(Text))
    created_at: datetime = Field(sa_column=moment(now=True))
    started_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    finished_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    heartbeat_at: datetime = Field(sa_column=moment(now=True))


class IngestionSourceRow(TenantRow, table=True):
    """One file or body of an ingestion, read in the order of `source`; without a path its bytes are in chunks."""

    __tablename__ = "ingestion_source"
    __table_args__: ClassVar[tuple[Any, ...]] = (owned_by("ingestion", "ingestion_id"),)

    ingestion_id: UUID = Field(primary_key=True)
    source: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    name: str = Field(sa_column=Column(Text, nullable=False))
    format: str | None = Field(default=None, sa_column=Column(Text))
    path: bytes | None = Field(default=None, sa_column=Column(LargeBinary))


class IngestionChunkRow(TenantRow, table=True):
    """A piece of a body as it came."""

    __tablename__ = "ingestion_chunk"
    __table_args__: ClassVar[tuple[Any, ...]] = (owned_by("ingestion", "ingestion_id"),)

    ingestion_id: UUID = Field(primary_key=True)
    source: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    chunk: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    data: Any = Field(sa_column=Column(LargeBinary, nullable=False))


class IngestionProblemRow(TenantRow, table=True):
    """A row or file that could not be stored; `number` is its place among all rows that were read."""

    __tablename__ = "ingestion_problem"
    __table_args__: ClassVar[tuple[Any, ...]] = (owned_by("ingestion", "ingestion_id"),)

    ingestion_id: UUID = Field(primary_key=True)
    number: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    name: str = Field(sa_column=Column(Text, nullable=False))
    line: int | None = Field(default=None, sa_column=Column(BigInteger))
    problem: str = Field(sa_column=Column(Text, nullable=False))
