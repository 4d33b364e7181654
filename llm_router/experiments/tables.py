"""The table of rewards."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, CheckConstraint, Column, Double, Text
from sqlmodel import Field

from core.tables import TenantRow, moment


class RewardRow(TenantRow, table=True):
    """How often a variant was rewarded, and how much in all."""

    __tablename__ = "llm_reward"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        CheckConstraint("trials > 0 AND reward_sum >= 0 AND reward_sum <= trials", name="amounts"),
    )

    experiment: str = Field(sa_column=Column(Text, primary_key=True))
    variant: str = Field(sa_column=Column(Text, primary_key=True))
    trials: int = Field(sa_column=Column(BigInteger, nullable=False))
    reward_sum: float = Field(sa_column=Column(Double, nullable=False))
    updated_at: datetime = Field(sa_column=moment(now=True))
