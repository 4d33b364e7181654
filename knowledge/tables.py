"""Tables of documents, passages and the lexical index."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlmodel import Field

from core.tables import TenantRow, json_object, moment, owned_by
from gems.tables import STATE_BOUNDS


class DocumentRow(TenantRow, table=True):
    """What was ingested, whole, as it came."""

    __tablename__ = "document"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        owned_by("gem", "gem_id"),
        Index(
            # partial, so that the foreign keys to documents, planned while the table is empty, cannot be misled to it
            "document_external_idx",
            "tenant_id",
            "gem_id",
            "external_id",
            unique=True,
            postgresql_where=text("external_id IS NOT NULL"),
        ),
        Index(
            "document_anonymous_idx",
            "tenant_id",
            "gem_id",
            "content_hash",
            postgresql_where=text("external_id IS NULL"),
        ),
        Index(
            "document_thread_idx",
            "tenant_id",
            "gem_id",
            "thread",
            "position",
            postgresql_where=text("thread IS NOT NULL"),
        ),
        Index(None, "tenant_id", "gem_id", "created_at", "document_id"),
    )

    document_id: UUID = Field(primary_key=True)
    gem_id: UUID
    external_id: str | None = Field(default=None, sa_column=Column(Text))
    title: str | None = Field(default=None, sa_column=Column(Text))
    source: str | None = Field(default=None, sa_column=Column(Text))
    thread: str | None = Field(default=None, sa_column=Column(Text))
    speaker: str | None = Field(default=None, sa_column=Column(Text))
    position: int | None = Field(default=None, sa_column=Column(BigInteger))
    occurred_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    meta: dict[str, Any] = Field(sa_column=json_object())
    entities: list[str] = Field(sa_column=json_object("[]"))
    relations: list[Any] = Field(sa_column=json_object("[]"))
    supersedes: list[str] = Field(sa_column=json_object("[]"))
    body: str = Field(sa_column=Column(Text, nullable=False))
    content_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    passages: int
    created_at: datetime = Field(sa_column=moment(now=True))
    updated_at: datetime = Field(sa_column=moment(now=True))
    closed_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    closed_by: UUID | None = None
    closed_reason: str | None = Field(default=None, sa_column=Column(Text))


class SupersessionRow(TenantRow, table=True):
    """A document says that it takes the place of another one of its gem, by that one's id, stored or not."""

    __tablename__ = "supersession"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        owned_by("document", "document_id"),
        Index("supersession_document_idx", "tenant_id", "document_id"),
    )

    gem_id: UUID = Field(primary_key=True)
    external_id: str = Field(sa_column=Column(Text, primary_key=True))
    document_id: UUID = Field(primary_key=True)


class OperationDocumentRow(TenantRow, table=True):
    """A document that an operation on gems moved: the gem it was in, and its place in its thread there."""

    __tablename__ = "operation_document"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        owned_by("operation", "operation_id"),
        owned_by("document", "document_id"),
        Index("operation_document_document_idx", "tenant_id", "document_id"),
    )

    operation_id: UUID = Field(primary_key=True)
    document_id: UUID = Field(primary_key=True)
    source_id: UUID
    position: int | None = Field(default=None, sa_column=Column(BigInteger))


class PassageRow(TenantRow, table=True):
    """One piece of a document, with its own state, embedding and slot in the gem's lexical index.

    `around` holds the slots of the three passages before it in its thread and of the one after, -1 for none; it is
    empty without a thread. One of the two embeddings is current: the lattice says which.
    """

    __tablename__ = "passage"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        owned_by("document", "document_id"),
        UniqueConstraint("tenant_id", "gem_id", "slot"),
        UniqueConstraint("tenant_id", "document_id", "ordinal"),
        Index(
            "passage_embedding_384_idx",
            text("(embedding::halfvec(384)) halfvec_cosine_ops"),
            postgresql_using="hnsw",
            postgresql_where=text("vector_dims(embedding) = 384"),
        ),
        Index("passage_context_idx", "tenant_id", "context_hash", postgresql_where=text("context_hash IS NOT NULL")),
        Index("passage_closed_idx", "tenant_id", "gem_id", "slot", postgresql_where=text("closed_at IS NOT NULL")),
        CheckConstraint("num_nonnulls(embedding, embedding_b) > 0", name="embedding"),
        CheckConstraint(
            STATE_BOUNDS,
            name="state",
        ),
    )

    passage_id: UUID = Field(primary_key=True)
    gem_id: UUID
    document_id: UUID
    ordinal: int
    slot: int
    heading: str | None = Field(default=None, sa_column=Column(Text))
    body: str = Field(sa_column=Column(Text, nullable=False))
    start_char: int
    end_char: int
    tokens: int
    around: list[int] = Field(sa_column=Column(ARRAY(Integer), nullable=False, server_default=text("'{}'")))
    context_hash: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    embedding: Any = Field(default=None, sa_column=Column(HALFVEC))
    embedding_b: Any = Field(default=None, sa_column=Column(HALFVEC))
    energy: float = Field(sa_column=Column(Double, nullable=False, server_default=text("1")))
    phase: float = Field(sa_column=Column(Double, nullable=False, server_default=text("0")))
    coherence: float = Field(sa_column=Column(Double, nullable=False, server_default=text("1")))
    uncertainty: float = Field(sa_column=Column(Double, nullable=False, server_default=text("0.1")))
    measured_at: datetime = Field(sa_column=moment(now=True))
    created_at: datetime = Field(sa_column=moment(now=True))
    closed_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class TokensRow(TenantRow, table=True):
    """The token states of one passage, for late interaction: int8, 128 a token; kept apart, since they are large."""

    __tablename__ = "passage_tokens"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        ForeignKeyConstraint(
            ["tenant_id", "gem_id", "slot"],
            ["passage.tenant_id", "passage.gem_id", "passage.slot"],
            ondelete="CASCADE",
        ),
    )

    gem_id: UUID = Field(primary_key=True)
    slot: int = Field(primary_key=True)
    states: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class SegmentRow(TenantRow, table=True):
    """An immutable part of a gem's lexical index: slots [base, base + span), and what it says anew of older slots."""

    __tablename__ = "lexical_segment"
    __table_args__: ClassVar[tuple[Any, ...]] = (owned_by("gem", "gem_id"),)

    gem_id: UUID = Field(primary_key=True)
    segment_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    base: int
    span: int
    size: int
    tokens: int = Field(sa_column=Column(BigInteger, nullable=False))
    terms: list[str] = Field(sa_column=Column(ARRAY(Text(collation="C")), nullable=False))
    overrides: list[int] = Field(sa_column=Column(ARRAY(Integer), nullable=False))
    tombstones: list[int] = Field(sa_column=Column(ARRAY(Integer), nullable=False))


class PostingRow(TenantRow, table=True):
    """One term in one segment: records of three big-endian uint16: ordinal, frequency, length.

    It has no index but its key, found by the terms that its segment lists, and goes with its segment by trigger: an
    index by gem would tempt the planner, while statistics are young, to read a gem's whole vocabulary for a question.
    """

    __tablename__ = "lexical_posting"
    term: str = Field(sa_column=Column(Text(collation="C"), primary_key=True))
    gem_id: UUID = Field(primary_key=True)
    segment_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    data: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
