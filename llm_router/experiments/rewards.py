"""Where rewards are counted: in Postgres, or in this process alone."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from psycopg.rows import dict_row

from core.errors import InvalidInputError
from core.pg import Connection, Database
from core.sql import load_queries
from llm_router.experiments.posterior import Tally

_SQL = load_queries("llm_router.experiments.sql", "rewards.sql")

Tallies = Mapping[tuple[str, str], Tally]
"""By experiment and variant; what was never rewarded is not in it."""


@dataclass(frozen=True, slots=True)
class Reward:
    """How well a variant did, once.

    Attributes:
        amount: in [0, 1].
        replaces: what was counted before for the same answer; None if nothing was.

    Raises:
        InvalidInputError: a number is out of its bounds.
    """

    experiment: str
    variant: str
    amount: float
    replaces: float | None = None

    def __post_init__(self) -> None:
        for name, value in (("reward", self.amount), ("replaces", self.replaces)):
            if value is not None and not 0.0 <= value <= 1.0:
                raise InvalidInputError(name, "must be from 0 to 1")

    @property
    def added(self) -> int:
        """How many rewards more there are by this one."""
        return 1 if self.replaces is None else 0

    @property
    def change(self) -> float:
        """How much more the rewards are in all."""
        return self.amount - (self.replaces or 0.0)


class Rewards(Protocol):
    """Counts rewards."""

    async def add(self, tenant: UUID, reward: Reward) -> None:
        """Count a reward."""

    async def load(self, tenant: UUID, experiments: Sequence[str]) -> Tallies:
        """Return what was counted for these experiments."""


@dataclass(frozen=True, slots=True)
class StoredRewards:
    """Rewards in Postgres, shared by all replicas."""

    database: Database

    async def add(self, tenant: UUID, reward: Reward) -> None:
        """Count a reward."""
        await self.database.retrying(tenant, lambda conn: add_reward(conn, reward))

    async def load(self, tenant: UUID, experiments: Sequence[str]) -> Tallies:
        """Return what was counted for these experiments."""
        async with (
            self.database.transaction(tenant, read_only=True) as conn,
            conn.cursor(row_factory=dict_row) as cursor,
        ):
            await cursor.execute(_SQL["list_rewards"], {"experiments": list(experiments)})
            rows = await cursor.fetchall()
        return {(row["experiment"], row["variant"]): Tally(row["trials"], row["reward_sum"]) for row in rows}


@dataclass(frozen=True, slots=True)
class HeldRewards:
    """Rewards in the memory of this process, gone with it: for a router that has no database."""

    _held: dict[UUID, dict[tuple[str, str], Tally]] = field(default_factory=lambda: defaultdict(dict))

    async def add(self, tenant: UUID, reward: Reward) -> None:
        """Count a reward."""
        held, key = self._held[tenant], (reward.experiment, reward.variant)
        if key in held:
            before = held[key]
            held[key] = Tally(before.trials + reward.added, before.reward_sum + reward.change)
        else:
            held[key] = Tally(1, reward.amount)

    async def load(self, tenant: UUID, experiments: Sequence[str]) -> Tallies:
        """Return what was counted for these experiments."""
        return {key: tally for key, tally in self._held.get(tenant, {}).items() if key[0] in experiments}


async def add_reward(conn: Connection, reward: Reward) -> None:
    """Count a reward in a transaction that the caller owns, such as the one that stores the user's rating."""
    values: dict[str, Any] = {
        "experiment": reward.experiment,
        "variant": reward.variant,
        "reward": reward.amount,
        "added": reward.added,
        "change": reward.change,
    }
    await conn.execute(_SQL["add_reward"], values)


def reward_of_rating(variant: str, rating: float, previous: float | None) -> Reward:
    """Return the reward that a user's rating of a reply stands for.

    Args:
        variant: the reply's, "experiment/variant".
        rating: in [−1, 1].
        previous: the same user's last rating of this reply, in [−1, 1]; None if there was none.
    """
    experiment, _, name = variant.partition("/")
    return Reward(experiment, name, (rating + 1.0) / 2.0, None if previous is None else (previous + 1.0) / 2.0)
