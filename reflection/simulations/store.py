"""Simulations in Postgres. Every function takes a connection in a transaction that the caller owns."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import dict_row

from axiom.simulation import Event
from core.errors import SimulationNotFoundError
from core.sql import load_queries
from reflection.simulations.simulation import Outcome, Simulation, SimulationHead, pack, unpack

_SQL = load_queries("reflection.simulations.sql", "simulations.sql")
_OUTCOME = msgspec.json.Decoder(Outcome)
_EVENTS = msgspec.json.Decoder(tuple[Event, ...])

Connection = AsyncConnection[Any]


async def insert_simulation(conn: Connection, simulation: Simulation) -> Simulation | None:
    """Store a simulation and return it with the moment of its storing; None if it was stored already."""
    head = simulation.head
    values = {
        "simulation_id": head.simulation_id,
        "scenario": msgspec.json.encode(head.scenario).decode(),
        "outcome": msgspec.json.encode(head.outcome).decode(),
        "events": msgspec.json.encode(simulation.events).decode(),
        "series": pack(simulation.rows),
    }
    row = await (await conn.execute(_SQL["insert_simulation"], values)).fetchone()
    return None if row is None else replace(simulation, head=replace(head, created_at=row[0]))


async def find_simulation(conn: Connection, simulation_id: UUID) -> Simulation | None:
    """Return a simulation; None if it is not in the lattice."""
    row = await _one(conn, "get_simulation", {"simulation_id": simulation_id})
    if row is None:
        return None
    head = _to_head(row | {"simulation_id": simulation_id})
    return Simulation(head, _EVENTS.decode(row["events"]), unpack(row["series"], head.outcome))


async def list_simulations(
    conn: Connection, *, before: tuple[datetime, UUID] | None, limit: int
) -> list[SimulationHead]:
    """Return a page of simulations, newest first."""
    before_at, before_id = before or (None, None)
    values = {"before_at": before_at, "before_id": before_id, "limit": limit}
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["list_simulations"], values)
        return [_to_head(row) for row in await cursor.fetchall()]


async def delete_simulation(conn: Connection, simulation_id: UUID) -> None:
    """Delete a simulation.

    Raises:
        SimulationNotFoundError: it is not in the lattice.
    """
    if await _one(conn, "delete_simulation", {"simulation_id": simulation_id}) is None:
        raise not_found(simulation_id)


def not_found(simulation_id: UUID) -> SimulationNotFoundError:
    """Return the error that tells of a missing simulation."""
    return SimulationNotFoundError(f"no simulation with id {simulation_id}", simulation_id=str(simulation_id))


def _to_head(row: Mapping[str, Any]) -> SimulationHead:
    return SimulationHead(
        row["simulation_id"],
        msgspec.json.decode(row["scenario"]),
        _OUTCOME.decode(row["outcome"]),
        row["created_at"],
    )


async def _one(conn: Connection, query: str, values: Mapping[str, Any]) -> dict[str, Any] | None:
    async with conn.cursor(row_factory=dict_row, binary=True) as cursor:
        await cursor.execute(_SQL[query], values)
        return await cursor.fetchone()
