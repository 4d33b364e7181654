"""Tables of reflections, the evidence they were given and the attempts they took."""

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, Column, Double, Index, Numeric, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from core.tables import TenantRow, json_object, moment, owned_by


class ReflectionRow(TenantRow, table=True):
    """A question, its answer, what the answer cost and how it scored."""

    __tablename__ = "reflection"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        owned_by("gem", "gem_id"),
        Index(None, "tenant_id", "gem_id", "created_at", "reflection_id"),
        Index(None, "tenant_id", "created_at", "reflection_id"),
        CheckConstraint("rating BETWEEN -1 AND 1", name="rating"),
    )

    reflection_id: UUID = Field(primary_key=True)
    gem_id: UUID
    question: str = Field(sa_column=Column(Text, nullable=False))
    answer: str = Field(sa_column=Column(Text, nullable=False))
    grounding: str = Field(sa_column=Column(Text, nullable=False))
    target: str = Field(sa_column=Column(Text, nullable=False))
    provider: str = Field(sa_column=Column(Text, nullable=False))
    model: str = Field(sa_column=Column(Text, nullable=False))
    finish: str = Field(sa_column=Column(Text, nullable=False))
    usage: dict[str, Any] = Field(sa_column=json_object())
    cost_usd: Decimal | None = Field(default=None, sa_column=Column(Numeric))
    score: float = Field(sa_column=Column(Double, nullable=False))
    terms: dict[str, Any] = Field(sa_column=json_object())
    seconds: float = Field(sa_column=Column(Double, nullable=False))
    rating: float | None = Field(default=None, sa_column=Column(Double))
    created_at: datetime = Field(sa_column=moment())
    variant: str | None = Field(default=None, sa_column=Column(Text))
    cached: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("false")))


class EvidenceRow(TenantRow, table=True):
    """A passage as it was shown to the model; goes when its document is deleted."""

    __tablename__ = "reflection_evidence"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        owned_by("reflection", "reflection_id"),
        owned_by("document", "document_id"),
        Index("reflection_evidence_document_idx", "tenant_id", "document_id"),
    )

    reflection_id: UUID = Field(primary_key=True)
    label: int = Field(primary_key=True)
    passage_id: UUID
    gem_id: UUID
    document_id: UUID
    external_id: str | None = Field(default=None, sa_column=Column(Text))
    title: str | None = Field(default=None, sa_column=Column(Text))
    source: str | None = Field(default=None, sa_column=Column(Text))
    body: str = Field(sa_column=Column(Text, nullable=False))
    cited: bool
    score: float = Field(sa_column=Column(Double, nullable=False))
    scores: dict[str, Any] = Field(sa_column=json_object())
    entanglement: float | None = Field(default=None, sa_column=Column(Double))


class AttemptRow(TenantRow, table=True):
    """One call of one LLM target, answered, failed or cancelled."""

    __tablename__ = "reflection_attempt"
    __table_args__: ClassVar[tuple[Any, ...]] = (owned_by("reflection", "reflection_id"),)

    reflection_id: UUID = Field(primary_key=True)
    number: int = Field(primary_key=True)
    target: str = Field(sa_column=Column(Text, nullable=False))
    provider: str = Field(sa_column=Column(Text, nullable=False))
    model: str = Field(sa_column=Column(Text, nullable=False))
    outcome: str = Field(sa_column=Column(Text, nullable=False))
    error: str | None = Field(default=None, sa_column=Column(Text))
    status: int | None = None
    usage: dict[str, Any] = Field(sa_column=json_object())
    seconds: float = Field(sa_column=Column(Double, nullable=False))
    started_at: datetime = Field(sa_column=moment())
    first_token_s: float | None = Field(default=None, sa_column=Column(Double))
    raw_usage: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB))
    cost_usd: Decimal | None = Field(default=None, sa_column=Column(Numeric))
    price_version: str | None = Field(default=None, sa_column=Column(Text))
    tier: str | None = Field(default=None, sa_column=Column(Text))
