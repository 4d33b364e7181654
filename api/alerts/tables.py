"""Tables of alerts, their rules and silences, and of webhooks with what they are still to be told."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, Column, Double, Index, Text, text
from sqlmodel import Field

from core.tables import TenantRow, json_object, moment, owned_by

SEVERITIES = "('info', 'warning', 'critical')"


def _text(*, nullable: bool = False, key: bool = False) -> Any:  # noqa: ANN401 - as SQLModel declares its fields
    column = Column(Text, nullable=nullable, primary_key=key)
    return Field(default=None, sa_column=column) if nullable else Field(sa_column=column)


def _number() -> Any:  # noqa: ANN401
    return Field(sa_column=Column(Double, nullable=False))


def _moment() -> Any:  # noqa: ANN401
    return Field(default=None, sa_column=moment(nullable=True))


class AlertRuleRow(TenantRow, table=True):
    """A rule that users made, or by which they changed a built-in one of this name."""

    __tablename__ = "alert_rule"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        owned_by("gem", "gem_id"),
        CheckConstraint("op IN ('above', 'below')", name="op"),
        CheckConstraint(f"severity IN {SEVERITIES}", name="severity"),
    )

    name: str = _text(key=True)
    metric: str = _text()
    op: str = _text()
    threshold: float = _number()
    clear_threshold: float = _number()
    for_s: float = _number()
    severity: str = _text()
    enabled: bool = Field(sa_column=Column(Boolean, nullable=False))
    gem_id: UUID | None = None
    description: str = _text()
    updated_at: datetime = Field(sa_column=moment())


class AlertRow(TenantRow, table=True):
    """An alert, with its rule as it was when it fired; open until it is resolved.

    `seen_by` holds when each process last saw that it is not over yet.
    """

    __tablename__ = "alert"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        Index(
            "alert_open_idx",
            "tenant_id",
            "rule",
            "subject",
            unique=True,
            postgresql_where=text("resolved_at IS NULL"),
        ),
        Index(None, "tenant_id", "fired_at", "alert_id"),
        Index(None, "tenant_id", "changed_at"),
    )

    alert_id: UUID = Field(primary_key=True)
    rule: str = _text()
    subject: str = _text()
    subject_name: str = _text()
    metric: str = _text()
    op: str = _text()
    threshold: float = _number()
    clear_threshold: float = _number()
    severity: str = _text()
    description: str = _text()
    value: float | None = Field(default=None, sa_column=Column(Double))
    seen_by: dict[str, Any] = Field(sa_column=json_object())
    fired_at: datetime = Field(sa_column=moment())
    notified_at: datetime | None = _moment()
    acknowledged_at: datetime | None = _moment()
    acknowledgement: str | None = _text(nullable=True)
    resolved_at: datetime | None = _moment()
    changed_at: datetime = Field(sa_column=moment())


class SilenceRow(TenantRow, table=True):
    """A time in which alerts of a rule, about a subject, or of either, are not delivered."""

    __tablename__ = "alert_silence"

    silence_id: UUID = Field(primary_key=True)
    rule: str | None = _text(nullable=True)
    subject: str | None = _text(nullable=True)
    note: str = _text()
    created_at: datetime = Field(sa_column=moment())
    ends_at: datetime = Field(sa_column=moment())


class WebhookRow(TenantRow, table=True):
    """An address that is told of alerts; its secret signs what it is told."""

    __tablename__ = "alert_webhook"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        CheckConstraint(f"least_severity IN {SEVERITIES}", name="least_severity"),
    )

    webhook_id: UUID = Field(primary_key=True)
    url: str = _text()
    secret: str = _text()
    least_severity: str = _text()
    description: str = _text()
    created_at: datetime = Field(sa_column=moment())
    disabled_at: datetime | None = _moment()


class DeliveryRow(TenantRow, table=True):
    """One message to one webhook; `due_at` is null once it was delivered or given up."""

    __tablename__ = "alert_delivery"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        owned_by("alert_webhook", "webhook_id"),
        Index("alert_delivery_due_idx", "tenant_id", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index(None, "tenant_id", "webhook_id", "created_at"),
    )

    delivery_id: UUID = Field(primary_key=True)
    webhook_id: UUID
    body: str = _text()
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    due_at: datetime | None = _moment()
    created_at: datetime = Field(sa_column=moment(now=True))
    tried_at: datetime | None = _moment()
    delivered_at: datetime | None = _moment()
    status: int | None = None
    error: str | None = _text(nullable=True)
