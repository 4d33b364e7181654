"""Replaying the log: every state must be, bit for bit, what the entries before it make of the state of what is new."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from psycopg.rows import dict_row

from core.pg import Connection
from core.sql import load_queries
from gems.store import Moment

_SQL = load_queries("gems.sql", "dynamics.sql")
SHOWN = 100

FaultKind = Literal["step", "state", "unlogged"]


@dataclass(frozen=True, slots=True)
class LogFault:
    """Where the log and the states part.

    Attributes:
        passage_id: the passage concerned; None for the gem itself.
        measurement_id: the entry concerned; None if there is none.
        kind: `step`: an entry does not follow from the one before it; `state`: what is stored is not what the last
            entry left behind; `unlogged`: what is stored is not new, and there is no entry.
    """

    gem_id: UUID
    passage_id: UUID | None
    measurement_id: int | None
    cause: str | None
    kind: FaultKind


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay found.

    Attributes:
        subjects: gems and passages whose logs were replayed.
        steps: entries that were made again.
        faults: how many were found.
        shown: the first of them.
    """

    subjects: int
    steps: int
    faults: int
    shown: tuple[LogFault, ...]

    @property
    def agrees(self) -> bool:
        """Whether log and states are the same in every bit."""
        return self.faults == 0


async def replay(conn: Connection, at: Moment, gem_id: UUID | None = None) -> Replay:
    """Replay the log of a gem and its passages, or of the whole lattice, within Postgres, where it was made.

    Each entry is made again from the state that the one before it left behind; by induction all follow from the first.

    Args:
        conn: in a transaction that the caller owns.
        at: how long a τ is, for entries from before this stood in the log.
        gem_id: the gem; None replays all.
    """
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["replay_log"], {"gem_id": gem_id, "tau_s": at.tau_s, "limit": SHOWN})
        row = await cursor.fetchone() or {}
    shown = tuple(
        LogFault(
            UUID(each["gem_id"]),
            None if each["passage_id"] is None else UUID(each["passage_id"]),
            each["measurement_id"],
            each["cause"],
            each["kind"],
        )
        for each in row["shown"]
    )
    return Replay(row["subjects"], row["steps"], row["faults"], shown)
