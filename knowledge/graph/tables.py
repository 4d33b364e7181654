"""Tables of the graph: entities, the names they go by, where they are mentioned, and what relates them."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Identity,
    Index,
    SmallInteger,
    Text,
    Uuid,
    text,
)
from sqlmodel import Field

from core.tables import TenantRow, json_object, moment, owned_by


class EntityRow(TenantRow, table=True):
    """Something that passages of a gem name. Its embedding, if there is one, is of its name, by the lattice's model."""

    __tablename__ = "entity"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        owned_by("gem", "gem_id"),
        Index(
            # partial, so that foreign keys to entities, planned while statistics are young, cannot be misled to it
            "entity_created_idx",
            "tenant_id",
            "gem_id",
            "created_at",
            "entity_id",
            postgresql_where=text("created_at > '-infinity'::timestamptz"),
        ),
    )

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
    """An edge between a passage and an entity.

    Role 0: the entity is its document's title. 1: it was given for its document, or is a name found in its text. 2: its
    text has the words of what is, or was, the title of another document, however they are written.
    """

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
        Index(
            # partial, so that foreign keys to passages, planned while statistics are young, cannot be misled to it
            "mention_entity_idx",
            "tenant_id",
            "gem_id",
            "entity_id",
            "role",
            "slot",
            postgresql_where=text("entity_id IS NOT NULL"),
        ),
    )

    gem_id: UUID = Field(primary_key=True)
    slot: int = Field(primary_key=True)
    entity_id: UUID = Field(primary_key=True)
    role: int = Field(sa_column=Column(SmallInteger, primary_key=True, autoincrement=False))


class RelationRow(TenantRow, table=True):
    """A claim of one document that relates two entities, as the lattice took it to hold between `known_from` and `_to`.

    When something new is learned of a claim, its row is closed by `known_to` and a successor of the same `claim_id`
    follows: `relation_id` names the row. `begins_at` is the earliest moment at which it is known to have held, null if
    its document tells none. Where `closed_reason` is "replaced", `valid_to` was not given but follows from the claim
    `closed_by`; on a row with a `known_to` of its own the two say why it is no longer taken to hold.
    """

    __tablename__ = "relation"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        owned_by("gem", "gem_id"),
        Index("relation_subject_idx", "tenant_id", "gem_id", "subject_id", "predicate"),
        Index("relation_object_idx", "tenant_id", "gem_id", "object_id"),
        Index("relation_document_idx", "tenant_id", "document_id"),
        Index("relation_claim_idx", "tenant_id", "claim_id"),
        Index(
            "relation_learned_idx",
            "tenant_id",
            "gem_id",
            "learned_at",
            "relation_id",
            postgresql_where=text("learned_at > '-infinity'::timestamptz"),
        ),
    )

    relation_id: UUID = Field(primary_key=True)
    claim_id: UUID
    gem_id: UUID
    subject_id: UUID
    subject_name: str = Field(sa_column=Column(Text, nullable=False))
    predicate: str = Field(sa_column=Column(Text, nullable=False))
    object_id: UUID
    object_name: str = Field(sa_column=Column(Text, nullable=False))
    document_id: UUID | None = None
    slot: int | None = None
    origin: str = Field(sa_column=Column(Text, nullable=False))
    valid_from: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    valid_to: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    begins_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    learned_at: datetime = Field(sa_column=moment(now=True))
    known_from: datetime = Field(sa_column=moment(now=True))
    known_to: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    closed_by: UUID | None = None
    closed_reason: str | None = Field(default=None, sa_column=Column(Text))


class PredicateRow(TenantRow, table=True):
    """How many objects a predicate takes in a gem, as its users say; what they do not say, the defaults tell."""

    __tablename__ = "graph_predicate"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        owned_by("gem", "gem_id"),
        CheckConstraint("cardinality IN ('one', 'one_at_a_time', 'many')", name="cardinality"),
    )

    gem_id: UUID = Field(primary_key=True)
    predicate: str = Field(sa_column=Column(Text, primary_key=True))
    cardinality: str = Field(sa_column=Column(Text, nullable=False))


class ChangeRow(TenantRow, table=True):
    """A change that somebody made to the graph: what it touched, in words for people, and what undoes it."""

    __tablename__ = "graph_change"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        owned_by("gem", "gem_id"),
        Index("graph_change_ordinal_idx", "tenant_id", "gem_id", "ordinal"),
        CheckConstraint("kind IN ('merge', 'split', 'alias', 'resolve')", name="kind"),
    )

    gem_id: UUID = Field(primary_key=True)
    change_id: UUID = Field(primary_key=True)
    ordinal: int = Field(sa_column=Column(BigInteger, Identity(always=True), nullable=False))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    entities: list[UUID] = Field(sa_column=Column(ARRAY(Uuid), nullable=False))
    facts: dict[str, Any] = Field(sa_column=json_object())
    undo: dict[str, Any] = Field(sa_column=json_object())
    made_at: datetime = Field(sa_column=moment())
    undone_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
