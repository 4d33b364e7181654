"""Tables of gems and of the log of their measurements."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    Identity,
    Index,
    Text,
    UniqueConstraint,
    text,
)
from sqlmodel import Field

from core.tables import TenantRow, json_object, moment, owned_by


def number(default: str) -> Column[float]:
    """Return a double column that is never null."""
    return Column(Double, nullable=False, server_default=text(default))


# to Postgres NaN is greater than every number, infinity included: each value needs a bound above
STATE_BOUNDS = (
    "energy > 0 AND energy < 'Infinity' AND phase >= 0 AND phase < 6.283185307179586 "
    "AND coherence BETWEEN 0 AND 1 AND uncertainty BETWEEN 0 AND 1"
)


class LatticeRow(TenantRow, table=True):
    """A tenant's lattice and the one embedding model that all of it was written with."""

    __tablename__ = "lattice"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        CheckConstraint("embedding_column IN ('embedding', 'embedding_b')", name="embedding_column"),
    )

    embedding_model: str | None = Field(default=None, sa_column=Column(Text))
    embedding_dimension: int | None = None
    embedding_column: str = Field(sa_column=Column(Text, nullable=False, server_default=text("'embedding'")))
    next_model: str | None = Field(default=None, sa_column=Column(Text))
    next_dimension: int | None = None
    created_at: datetime = Field(sa_column=moment(now=True))


class GemRow(TenantRow, table=True):
    """A gem; its state is the one it had when it was last measured."""

    __tablename__ = "gem"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        UniqueConstraint("tenant_id", "name"),
        Index(None, "tenant_id", "created_at", "gem_id"),
        CheckConstraint(STATE_BOUNDS, name="state"),
    )

    gem_id: UUID = Field(primary_key=True)
    name: str = Field(sa_column=Column(Text, nullable=False))
    description: str = Field(sa_column=Column(Text, nullable=False, server_default=text("''")))
    meta: dict[str, Any] = Field(sa_column=json_object())
    energy: float = Field(sa_column=number("1"))
    phase: float = Field(sa_column=number("0"))
    coherence: float = Field(sa_column=number("1"))
    uncertainty: float = Field(sa_column=number("0.1"))
    measured_at: datetime = Field(sa_column=moment(now=True))
    feedback: float = Field(sa_column=number("0"))
    ratings: int = Field(sa_column_kwargs={"server_default": "0"})
    speakers: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False, server_default=text("'{}'")))
    version: int = Field(sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    next_slot: int = Field(sa_column_kwargs={"server_default": "0"})
    sealed_slot: int | None = None
    archived_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    merged_into: UUID | None = None
    created_at: datetime = Field(sa_column=moment(now=True))
    updated_at: datetime = Field(sa_column=moment(now=True))


class EntanglementRow(TenantRow, table=True):
    """A pair of gems of which a use of one also strengthens the other; the smaller id comes first."""

    __tablename__ = "entanglement"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        owned_by("gem", "gem_id"),
        owned_by("gem", "other_id", "gem_id"),
        Index(None, "tenant_id", "other_id"),
        CheckConstraint("gem_id < other_id", name="order"),
        CheckConstraint("strength BETWEEN 0 AND 1", name="strength"),
    )

    gem_id: UUID = Field(primary_key=True)
    other_id: UUID = Field(primary_key=True)
    strength: float = Field(sa_column=Column(Double, nullable=False))
    created_at: datetime = Field(sa_column=moment(now=True))
    updated_at: datetime = Field(sa_column=moment(now=True))


class MeasurementRow(TenantRow, table=True):
    """One change of the state of a gem or of one of its passages, with the state it left behind; never changed.

    `via_gem_id` is the gem whose use reached this one through an entanglement; `tau_s` is how long a τ was, so that
    the log can be replayed after the setting changed. `measured_at` is when the entry took effect. A restore sets a
    state as it was at an earlier moment: `state_at`, from which it then evolves; null means `measured_at`. The entries
    of one gem or passage are in the order of `measurement_id`.
    """

    __tablename__ = "measurement"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        owned_by("gem", "gem_id"),
        Index(None, "tenant_id", "gem_id", "measured_at"),
        Index(
            "measurement_passage_idx",
            "tenant_id",
            "passage_id",
            "measurement_id",
            postgresql_where=text("passage_id IS NOT NULL"),
        ),
        Index(
            "measurement_gem_idx",
            "tenant_id",
            "gem_id",
            "measurement_id",
            postgresql_where=text("passage_id IS NULL"),
        ),
    )

    measurement_id: int = Field(sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    gem_id: UUID
    passage_id: UUID | None = None
    reflection_id: UUID | None = None
    cause: str = Field(sa_column=Column(Text, nullable=False))
    gain: float = Field(sa_column=Column(Double, nullable=False))
    energy: float = Field(sa_column=Column(Double, nullable=False))
    phase: float = Field(sa_column=Column(Double, nullable=False))
    coherence: float = Field(sa_column=Column(Double, nullable=False))
    uncertainty: float = Field(sa_column=Column(Double, nullable=False))
    measured_at: datetime = Field(sa_column=moment())
    via_gem_id: UUID | None = None
    tau_s: float | None = Field(default=None, sa_column=Column(Double))
    state_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
