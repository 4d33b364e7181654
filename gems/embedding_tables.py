"""The table of the sums of gems' embeddings, which triggers keep."""

from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Column, Double, Text
from sqlmodel import Field

from core.tables import TenantRow, owned_by


class GemEmbeddingRow(TenantRow, table=True):
    """The sum of the embeddings of a gem's open passages: {n, Σ…} of 1 + dimension numbers, or {0} for none.

    A passage has up to two embeddings, each with sums of its own: `source` is the column.
    """

    __tablename__ = "gem_embedding"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        owned_by("gem", "gem_id"),
        CheckConstraint("source IN ('embedding', 'embedding_b')", name="source"),
    )

    gem_id: UUID = Field(primary_key=True)
    source: str = Field(sa_column=Column(Text, primary_key=True))
    dimension: int = Field(primary_key=True)
    total: list[float] = Field(sa_column=Column(ARRAY(Double), nullable=False))
