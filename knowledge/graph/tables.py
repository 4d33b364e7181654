"""Tables of the graph: entities, the names they go by, where they are mentioned, and what relates them."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import Column, ForeignKeyConstraint, Index, SmallInteger, Text
from sqlmodel import Field

from core.tables import TenantRow, moment, owned_by


class EntityRow(TenantRow, table=True):
    """Something that passages of a gem name. Its embedding, if there is one, is of its name, by the lattice's model."""

    __tablename__ = "entity"
    __table_args__: ClassVar[tuple[Any, ...]] = (owned_by("gem", "gem_id"),)

    gem_id: UUID = Field(primary_key=True)
    entity_id: UUID = Field(primary_key=True)
    name: str = Field(sa_column=Column(Text, nullable=False))
    kind: str | None = Field(default=None, sa_column=Column(Text))
    embedding: Any = Field(default=None, sa_column=Column(HALFVEC))
    created_at: datetime = Field(sa_column=moment(now=True))


class EntityNameRow(TenantRow, table=True):
    """A name, normalised, and the entity it stands for; an entity has one or more."""

    __tablename__ = "entity_name"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        ForeignKeyConstraint(
            ["tenant_id", "gem_id", "entity_id"],
            ["entity.tenant_id", "entity.gem_id", "entity.entity_id"],
            ondelete="CASCADE",
        ),
        Index("entity_name_entity_idx", "tenant_id", "gem_id", "entity_id"),
    )

    gem_id: UUID = Field(primary_key=True)
    key: str = Field(sa_column=Column(Text(collation="C"), primary_key=True))
    entity_id: UUID


class MentionRow(TenantRow, table=True):
    """An edge between a passage and an entity. Role 0: the entity is its document's title; 1: its text names it."""

    __tablename__ = "mention"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        ForeignKeyConstraint(
            ["tenant_id", "gem_id", "slot"],
            ["passage.tenant_id", "passage.gem_id", "passage.slot"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["tenant_id", "gem_id", "entity_id"],
            ["entity.tenant_id", "entity.gem_id", "entity.entity_id"],
            ondelete="CASCADE",
        ),
        Index("mention_entity_idx", "tenant_id", "gem_id", "entity_id", "slot", "role"),
    )

    gem_id: UUID = Field(primary_key=True)
    slot: int = Field(primary_key=True)
    entity_id: UUID = Field(primary_key=True)
    role: int = Field(sa_column=Column(SmallInteger, primary_key=True, autoincrement=False))


class RelationRow(TenantRow, table=True):
    """A typed edge between two entities: when it held (valid), and when the lattice took it to hold (known)."""

    __tablename__ = "relation"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        owned_by("gem", "gem_id"),
        Index("relation_subject_idx", "tenant_id", "gem_id", "subject_id", "predicate"),
        Index("relation_object_idx", "tenant_id", "gem_id", "object_id"),
        Index("relation_document_idx", "tenant_id", "document_id"),
    )

    relation_id: UUID = Field(primary_key=True)
    gem_id: UUID
    subject_id: UUID
    predicate: str = Field(sa_column=Column(Text, nullable=False))
    object_id: UUID
    document_id: UUID | None = None
    slot: int | None = None
    origin: str = Field(sa_column=Column(Text, nullable=False))
    valid_from: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    valid_to: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    known_from: datetime = Field(sa_column=moment(now=True))
    known_to: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    closed_by: UUID | None = None
    closed_reason: str | None = Field(default=None, sa_column=Column(Text))
