"""Tables of what is derived from passages in batches: what a model found in them, and which of them are alike."""

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    REAL,
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Numeric,
    Text,
)
from sqlalchemy import text as sql_text
from sqlmodel import Field

from core.tables import TenantRow, json_object, moment, owned_by

PASSAGE = ["passage.tenant_id", "passage.gem_id", "passage.slot"]


class ExtractionRow(TenantRow, table=True):
    """What a model found in a text, checked; equal texts need not be asked about again, wherever they stand."""

    __tablename__ = "extraction"

    content_hash: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    version: str = Field(sa_column=Column(Text, primary_key=True))
    model: str = Field(sa_column=Column(Text, primary_key=True))
    found: dict[str, Any] = Field(sa_column=json_object())
    found_at: datetime = Field(sa_column=moment(now=True))


class ExtractedPassageRow(TenantRow, table=True):
    """A passage whose graph has what a model found in it, and by which version and model that was."""

    __tablename__ = "extracted_passage"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        ForeignKeyConstraint(["tenant_id", "gem_id", "slot"], PASSAGE, ondelete="CASCADE"),
        Index(
            # partial, so that deleting passages, planned while the table is empty, cannot be misled to it
            "extracted_passage_content_idx",
            "tenant_id",
            "content_hash",
            postgresql_where=sql_text("content_hash > ''::bytea"),
        ),
    )

    gem_id: UUID = Field(primary_key=True)
    slot: int = Field(primary_key=True)
    content_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    version: str = Field(sa_column=Column(Text, nullable=False))
    model: str = Field(sa_column=Column(Text, nullable=False))


class ExtractionRunRow(TenantRow, table=True):
    """One extraction that was asked for; how far the gem itself has come is said by its passages."""

    __tablename__ = "extraction_run"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        owned_by("gem", "gem_id"),
        CheckConstraint("state IN ('queued', 'running', 'done', 'stopped', 'failed', 'cancelled')", name="state"),
    )

    run_id: UUID = Field(primary_key=True)
    gem_id: UUID
    state: str = Field(sa_column=Column(Text, nullable=False))
    model: str = Field(sa_column=Column(Text, nullable=False))
    max_usd: Decimal | None = Field(default=None, sa_column=Column(Numeric))
    most: int | None = Field(default=None, sa_column=Column(BigInteger))
    counts: dict[str, Any] = Field(sa_column=json_object())
    claim: UUID | None = None
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": sql_text("0")})
    error_code: str | None = Field(default=None, sa_column=Column(Text))
    error: str | None = Field(default=None, sa_column=Column(Text))
    created_at: datetime = Field(sa_column=moment(now=True))
    started_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    finished_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class PassageLinkRow(TenantRow, table=True):
    """`target` is one of the nearest to the passage at `slot` of all passages of other documents, by this cosine."""

    __tablename__ = "passage_link"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        ForeignKeyConstraint(["tenant_id", "gem_id", "slot"], PASSAGE, ondelete="CASCADE"),
        ForeignKeyConstraint(["tenant_id", "gem_id", "target"], PASSAGE, ondelete="CASCADE"),
        Index("passage_link_target_idx", "tenant_id", "gem_id", "target"),
    )

    gem_id: UUID = Field(primary_key=True)
    slot: int = Field(primary_key=True)
    target: int = Field(primary_key=True)
    cosine: float = Field(sa_column=Column(REAL, nullable=False))


class LinkingRow(TenantRow, table=True):
    """How a gem's passages are linked, and up to which slot; without a row they are not."""

    __tablename__ = "passage_linking"
    __table_args__: ClassVar[tuple[Any, ...]] = (owned_by("gem", "gem_id"),)

    gem_id: UUID = Field(primary_key=True)
    threshold: float = Field(sa_column=Column(Double, nullable=False))
    most: int
    model: str = Field(sa_column=Column(Text, nullable=False))
    next_slot: int
    linked_at: datetime = Field(sa_column=moment(now=True))
