"""Targets switched on and off by an operator: for all tenants and replicas, until somebody switches them back."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from core.clock import utc_now
from core.pg import DEFAULT_TENANT, Connection, Database
from core.sql import load_queries

_SQL = load_queries("llm_router.sql", "switches.sql")


@dataclass(frozen=True, slots=True)
class Switch:
    """One target's switch.

    Attributes:
        changed_at: when it was last turned.
    """

    target: str
    enabled: bool
    changed_at: datetime


async def read_switches(database: Database) -> dict[str, Switch]:
    """Return every switch that was ever turned, by target; a target without one is on."""

    async def read(conn: Connection) -> list[Switch]:
        async with conn.cursor(row_factory=class_row(Switch)) as cursor:
            await cursor.execute(_SQL["read_switches"])
            return await cursor.fetchall()

    switches = await database.retrying(DEFAULT_TENANT, read, read_only=True)
    return {switch.target: switch for switch in switches}


async def set_switch(database: Database, target: str, *, enabled: bool, now: datetime | None = None) -> None:
    """Turn a target's switch; turned to where it stands already, it keeps its moment.

    The name is not checked: whoever calls knows the targets.
    """
    values = {"target": target, "enabled": enabled, "now": now or utc_now()}

    async def turn(conn: Connection) -> None:
        await conn.execute(_SQL["set_switch"], values)

    await database.retrying(DEFAULT_TENANT, turn)
