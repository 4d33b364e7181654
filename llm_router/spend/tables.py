"""Tables of what LLM calls cost and of what may be spent on them."""

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, DateTime, Double, Index, Numeric, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from core.tables import TenantRow, moment


def word(*, key: bool = False) -> Column[str]:
    """Return a text column that is never null."""
    return Column(Text, nullable=False, primary_key=key)


def amount() -> Column[Decimal]:
    """Return a column for US dollars that begins at 0."""
    return Column(Numeric, nullable=False, server_default=text("0"))


class LlmAttemptRow(TenantRow, table=True):
    """One call of one target, for whatever purpose; never changed.

    `model` is the logical one that was asked, `target_model` the one that answered; `api_key` is a name.
    """

    __tablename__ = "llm_attempt"
    __table_args__: ClassVar[tuple[Any, ...]] = (Index(None, "tenant_id", "at"),)

    attempt_id: UUID = Field(primary_key=True)
    at: datetime = Field(sa_column=moment())
    model: str = Field(sa_column=word())
    target: str = Field(sa_column=word())
    provider: str = Field(sa_column=word())
    target_model: str = Field(sa_column=word())
    api_key: str = Field(sa_column=word())
    outcome: str = Field(sa_column=word())
    error: str | None = Field(default=None, sa_column=Column(Text))
    status: int | None = None
    seconds: float = Field(sa_column=Column(Double, nullable=False))
    first_token_s: float | None = Field(default=None, sa_column=Column(Double))
    usage: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB))
    raw_usage: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB))
    cost_usd: Decimal | None = Field(default=None, sa_column=Column(Numeric))
    price_version: str | None = Field(default=None, sa_column=Column(Text))
    tier: str | None = Field(default=None, sa_column=Column(Text))
    estimated: bool


class LlmBudgetRow(TenantRow, table=True):
    """What one subject of a budget has spent in one window, and what is set aside for calls that are running."""

    __tablename__ = "llm_budget"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        CheckConstraint("spent_usd >= 0 AND reserved_usd >= 0", name="amounts"),
    )

    budget: str = Field(sa_column=word(key=True))
    subject: str = Field(sa_column=word(key=True))
    window_start: datetime = Field(sa_column=Column(DateTime(timezone=True), primary_key=True))
    spent_usd: Decimal = Field(sa_column=amount())
    reserved_usd: Decimal = Field(sa_column=amount())


class LlmReservationRow(TenantRow, table=True):
    """What one running attempt has set aside of one budget; changed only under the lock of that budget's row."""

    __tablename__ = "llm_reservation"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        Index("llm_reservation_expiry_idx", "tenant_id", "budget", "subject", "window_start", "expires_at"),
    )

    reservation_id: UUID = Field(primary_key=True)
    budget: str = Field(sa_column=word(key=True))
    subject: str = Field(sa_column=word())
    window_start: datetime = Field(sa_column=moment())
    amount_usd: Decimal = Field(sa_column=Column(Numeric, nullable=False))
    expires_at: datetime = Field(sa_column=moment())
