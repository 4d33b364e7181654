"""Table of idempotency keys: what was answered to a request that may be sent again."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Column, Index, LargeBinary, Text
from sqlmodel import Field

from core.tables import TenantRow, moment


class IdempotencyRow(TenantRow, table=True):
    """A request that was made with an Idempotency-Key, and its answer once there is one."""

    __tablename__ = "idempotency_key"
    __table_args__: ClassVar[tuple[Any, ...]] = (Index(None, "tenant_id", "created_at"),)

    key: str = Field(sa_column=Column(Text, primary_key=True))
    request_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    status: int | None = None
    body: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    location: str | None = Field(default=None, sa_column=Column(Text))
    created_at: datetime = Field(sa_column=moment(now=True))
