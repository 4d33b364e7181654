import asyncio
from random import Random
from uuid import UUID, uuid4

import psycopg
import pytest

from core.pg import Database, PoolConfig
from llm_router.config import ExperimentConfig, Variant
from llm_router.experiments import Experiments, Reward, add_reward
from tests.wire.clock import Clock

TONE = ExperimentConfig("tone", (Variant("plain"), Variant("warm")), floor=0.05)


@pytest.fixture
def experiments(database: Database) -> Experiments:
    return Experiments(database, random=Random(1).random, clock=Clock())


async def read(experiments: Experiments, tenant: UUID) -> dict[str, tuple[int, float]]:
    return {row.variant: (row.trials, row.reward_sum) for row in await experiments.report(tenant, [TONE])}


async def test_replicas_count_exactly_together(database_url: str, tenant: UUID) -> None:
    async with Database(PoolConfig(database_url)) as one, Database(PoolConfig(database_url)) as other:
        replicas = [Experiments(one), Experiments(other)]
        await asyncio.gather(
            *(replicas[i % 2].reward(tenant, "tone", ("plain", "warm")[i // 2 % 2], i % 4 / 4) for i in range(200))
        )
        found = await read(replicas[0], tenant)
    plain = [i % 4 / 4 for i in range(200) if i // 2 % 2 == 0]
    warm = [i % 4 / 4 for i in range(200) if i // 2 % 2 == 1]
    assert found == {"plain": (100, sum(plain)), "warm": (100, sum(warm))}


async def test_tenants_are_isolated(experiments: Experiments, tenant: UUID) -> None:
    other = uuid4()
    await experiments.reward(tenant, "tone", "warm", 1.0)
    assert await read(experiments, other) == {"plain": (0, 0.0), "warm": (0, 0.0)}
    await experiments.reward(other, "tone", "warm", 0.0)
    assert await read(experiments, tenant) == {"plain": (0, 0.0), "warm": (1, 1.0)}


async def test_a_choice_follows_what_another_replica_was_told(database: Database, tenant: UUID) -> None:
    clock = Clock()
    here, there = (Experiments(database, random=Random(i).random, clock=clock) for i in range(2))
    for _ in range(30):
        await there.reward(tenant, "tone", "warm", 1.0)
        await there.reward(tenant, "tone", "plain", 0.0)
    await here.choose(tenant, TONE)
    await asyncio.wait([task for task in asyncio.all_tasks() if "Experiments" in repr(task)])
    chosen = [(await here.choose(tenant, TONE)).name for _ in range(1_000)]
    assert chosen.count("warm") == pytest.approx(950, abs=30)
    await here.aclose()


async def test_a_changed_rating_counts_once_and_stays_within_bounds(experiments: Experiments, tenant: UUID) -> None:
    await experiments.reward(tenant, "tone", "warm", 0.1)
    await experiments.reward(tenant, "tone", "warm", 0.2)
    for old, new in ((0.1, 0.7), (0.7, 0.0), (0.2, 0.0)):
        await experiments.reward(tenant, "tone", "warm", new, replaces=old)
    trials, reward_sum = (await read(experiments, tenant))["warm"]
    assert trials == 2
    assert reward_sum == pytest.approx(0.0, abs=1e-12)
    assert reward_sum >= 0.0


async def test_a_reward_goes_with_the_transaction_that_it_is_part_of(
    experiments: Experiments, database: Database, tenant: UUID
) -> None:
    async def rate_and_fail() -> None:
        async with database.transaction(tenant) as conn:
            await add_reward(conn, Reward("tone", "warm", 1.0))
            raise RuntimeError("undone")

    with pytest.raises(RuntimeError, match="undone"):
        await rate_and_fail()
    async with database.transaction(tenant) as conn:
        await add_reward(conn, Reward("tone", "plain", 1.0))
    assert await read(experiments, tenant) == {"plain": (1, 1.0), "warm": (0, 0.0)}


async def test_closing_while_reading_leaves_nothing_behind(experiments: Experiments, tenant: UUID) -> None:
    await experiments.choose(tenant, TONE)
    await asyncio.sleep(0)
    assert [task for task in asyncio.all_tasks() if "Experiments" in repr(task)]
    await experiments.aclose()
    assert not [task for task in asyncio.all_tasks() if "Experiments" in repr(task)]
    assert (await read(experiments, tenant))["warm"] == (0, 0.0)


def test_the_service_may_not_forget_rewards(database_url: str) -> None:
    with psycopg.connect(database_url) as conn:
        conn.execute("SET ROLE lattice_app")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("DELETE FROM llm_reward")
