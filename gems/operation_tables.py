"""The table of operations on gems."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Column, Identity, Index, Text, Uuid
from sqlmodel import Field

from core.tables import TenantRow, json_object, moment


class OperationRow(TenantRow, table=True):
    """Something that was done to whole gems: what, in words for people, and what undoes it.

    `subject_id` is the gem that was archived, restored or split, or that others were merged into; `others` are those,
    or the gem that was split off. It outlives its gems, as a log does.
    """

    __tablename__ = "operation"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        Index(None, "tenant_id", "ordinal"),
        CheckConstraint("kind IN ('archive', 'restore', 'merge', 'split')", name="kind"),
    )

    operation_id: UUID = Field(primary_key=True)
    ordinal: int = Field(sa_column=Column(BigInteger, Identity(always=True), nullable=False))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    subject_id: UUID
    others: list[UUID] = Field(sa_column=Column(ARRAY(Uuid), nullable=False))
    facts: dict[str, Any] = Field(sa_column=json_object())
    undo: dict[str, Any] = Field(sa_column=json_object())
    made_at: datetime = Field(sa_column=moment())
    undone_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
