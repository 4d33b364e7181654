"""Table of targets that were switched on or off."""

from datetime import datetime

from sqlalchemy import Column, Text
from sqlmodel import Field

from core.tables import TenantRow, moment


class SwitchRow(TenantRow, table=True):
    """Whether a target may be asked; one without a row may. All rows are the default tenant's."""

    __tablename__ = "llm_switch"

    target: str = Field(sa_column=Column(Text, primary_key=True))
    enabled: bool
    changed_at: datetime = Field(sa_column=moment())
