"""Tables of snapshots: which there are, what each holds, and the contents, stored once however many hold them."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Text,
    text,
)
from sqlmodel import Field

from core.tables import TenantRow, json_object, moment, owned_by


def digest(*, key: bool = False, default: bool = False) -> Column[Any]:
    """Return a column for a SHA-256, 32 bytes."""
    return Column(LargeBinary, primary_key=key, nullable=False, server_default=text("''::bytea") if default else None)


class SnapshotRow(TenantRow, table=True):
    """A moment of a gem or of the whole lattice; `sha256` is over the gems that it holds."""

    __tablename__ = "snapshot"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        Index(None, "tenant_id", "taken_at", "snapshot_id"),
        CheckConstraint("scope IN ('gem', 'lattice')", name="scope"),
        CheckConstraint("reason IN ('asked', 'safety')", name="reason"),
    )

    snapshot_id: UUID = Field(primary_key=True)
    scope: str = Field(sa_column=Column(Text, nullable=False))
    reason: str = Field(sa_column=Column(Text, nullable=False))
    note: str = Field(sa_column=Column(Text, nullable=False, server_default=text("''")))
    model: str | None = Field(default=None, sa_column=Column(Text))
    dimension: int | None = None
    size_bytes: int = Field(sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    added_bytes: int = Field(sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    sha256: bytes = Field(sa_column=digest(default=True))
    taken_at: datetime = Field(sa_column=moment())


class SnapshotGemRow(TenantRow, table=True):
    """A gem of a snapshot, whether or not it is still there; `sha256` is over its members."""

    __tablename__ = "snapshot_gem"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        owned_by("snapshot", "snapshot_id"),
        Index(None, "tenant_id", "gem_id"),
    )

    snapshot_id: UUID = Field(primary_key=True)
    gem_id: UUID = Field(primary_key=True)
    name: str = Field(sa_column=Column(Text, nullable=False))
    counts: dict[str, Any] = Field(sa_column=json_object())
    sha256: bytes = Field(sa_column=digest(default=True))


class SnapshotItemRow(TenantRow, table=True):
    """A content and its SHA-256: packed by zlib if that makes it smaller than `size`, else as it is."""

    __tablename__ = "snapshot_item"

    sha256: bytes = Field(sa_column=digest(key=True))
    size: int = Field(sa_column=Column(Integer, nullable=False))
    packed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class SnapshotMemberRow(TenantRow, table=True):
    """What a snapshot holds of a gem: of which kind, about which document if it is about one, in how many parts."""

    __tablename__ = "snapshot_member"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        ForeignKeyConstraint(
            ["tenant_id", "snapshot_id", "gem_id"],
            ["snapshot_gem.tenant_id", "snapshot_gem.snapshot_id", "snapshot_gem.gem_id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(["tenant_id", "sha256"], ["snapshot_item.tenant_id", "snapshot_item.sha256"]),
        Index(None, "tenant_id", "sha256"),
    )

    snapshot_id: UUID = Field(primary_key=True)
    gem_id: UUID = Field(primary_key=True)
    kind: str = Field(sa_column=Column(Text(collation="C"), primary_key=True))
    key: UUID = Field(primary_key=True)
    part: int = Field(primary_key=True)
    sha256: bytes = Field(sa_column=digest())
