"""Table of simulations."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import JSON, Column, Index, LargeBinary
from sqlmodel import Field

from core.tables import TenantRow, moment


class SimulationRow(TenantRow, table=True):
    """A scenario and what came of it.

    JSON is kept as text, so that it is given back as it was written: the order of keys, and every bit of a number.
    """

    __tablename__ = "simulation"
    __table_args__: ClassVar[tuple[Any, ...]] = (Index(None, "tenant_id", "created_at", "simulation_id"),)

    simulation_id: UUID = Field(primary_key=True)
    scenario: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    outcome: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    events: list[Any] = Field(sa_column=Column(JSON, nullable=False))
    series: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: datetime = Field(sa_column=moment(now=True))
