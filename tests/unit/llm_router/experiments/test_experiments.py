import asyncio
from collections import Counter
from dataclasses import replace
from random import Random
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from core.errors import InvalidInputError
from core.pg import Database, PoolConfig
from llm_router.config import ExperimentConfig, Variant
from llm_router.experiments import Experiments, VariantReport, reward_of_rating
from tests.wire.clock import Clock

TENANT, OTHER = UUID(int=1), UUID(int=2)
TONE = ExperimentConfig("tone", (Variant("plain"), Variant("warm", system="Be warm.")), floor=0.05)


def make(clock: Clock, seed: int = 1, **more: float) -> Experiments:
    return Experiments(None, random=Random(seed).random, clock=clock, **more)


async def refresh(experiments: Experiments, clock: Clock, tenant: UUID = TENANT) -> None:
    """Let the shares grow old, and the reading that the next choice begins come to its end."""
    clock.now_s += 1_000.0
    await experiments.choose(tenant, TONE)
    await asyncio.sleep(0)


async def pull(experiments: Experiments, experiment: ExperimentConfig, n: int, tenant: UUID = TENANT) -> Counter[str]:
    return Counter([(await experiments.choose(tenant, experiment)).name for _ in range(n)])


async def praise(experiments: Experiments, variant: str, n: int, tenant: UUID = TENANT, reward: float = 1.0) -> None:
    for _ in range(n):
        await experiments.reward(tenant, "tone", variant, reward)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_traffic_converges_to_the_best_arm(seed: int) -> None:
    clock, world = Clock(), Random(100 + seed)
    means = {"a": 0.55, "b": 0.70, "c": 0.40}
    experiment = ExperimentConfig("x", tuple(Variant(name) for name in means), floor=0.02)
    experiments = make(clock, seed, refresh_s=20.0)
    chosen: list[str] = []
    for _ in range(4_000):
        name = (await experiments.choose(TENANT, experiment)).name
        chosen.append(name)
        await experiments.reward(TENANT, "x", name, float(world.random() < means[name]))
        await asyncio.sleep(0)
        clock.now_s += 1.0
    counts = Counter(chosen[2_000:])
    assert counts["b"] / 2_000 > 0.8
    assert min(counts["a"], counts["c"]) / 2_000 > 0.01  # the floor is 0.02


async def test_rewards_between_0_and_1_converge_too() -> None:
    clock, world = Clock(), Random(9)
    experiments = make(clock, refresh_s=20.0)
    for _ in range(3_000):
        name = (await experiments.choose(TENANT, TONE)).name
        rating = world.uniform(-1, 1) * 0.5 + (0.2 if name == "warm" else -0.1)
        await experiments.reward(TENANT, "tone", name, reward_of_rating("", rating, None).amount)
        await asyncio.sleep(0)
        clock.now_s += 1.0
    assert (await pull(experiments, TONE, 1_000))["warm"] > 800


async def test_shares_stand_until_they_are_old_and_then_follow_the_rewards() -> None:
    clock = Clock()
    experiments = make(clock, refresh_s=30.0)
    await experiments.choose(TENANT, TONE)
    await asyncio.sleep(0)
    await praise(experiments, "warm", 50)
    await praise(experiments, "plain", 50, reward=0.0)
    clock.now_s += 29.0
    assert 400 < (await pull(experiments, TONE, 1_000))["warm"] < 600
    clock.now_s += 1.0
    await experiments.choose(TENANT, TONE)
    await asyncio.sleep(0)
    assert (await pull(experiments, TONE, 1_000))["warm"] == pytest.approx(950, abs=30)


async def test_a_split_follows_its_shares_alone() -> None:
    clock = Clock()
    split = replace(TONE, method="split", variants=(Variant("plain", share=3), Variant("warm", share=1)))
    experiments = make(clock)
    await praise(experiments, "warm", 50)
    await refresh(experiments, clock)
    assert (await pull(experiments, split, 4_000))["plain"] == pytest.approx(3_000, abs=120)


async def test_a_variant_that_is_added_is_tried_and_one_that_is_removed_is_not() -> None:
    clock = Clock()
    experiments = make(clock)
    await praise(experiments, "plain", 40, reward=0.8)
    await praise(experiments, "warm", 40, reward=0.2)
    await refresh(experiments, clock)
    more = replace(TONE, variants=(*TONE.variants, Variant("short")))
    counts = await pull(experiments, more, 2_000)
    assert counts["short"] > 200  # unknown, so perhaps the best
    assert counts["plain"] > 1_000  # its rewards were kept
    fewer = replace(TONE, variants=more.variants[1:])
    assert set(await pull(experiments, fewer, 2_000)) == {"warm", "short"}
    assert [row.variant for row in await experiments.report(TENANT, [fewer])] == ["warm", "short"]


async def test_the_report_tells_what_rewards_say() -> None:
    experiments = make(Clock())
    await praise(experiments, "warm", 8)
    await praise(experiments, "plain", 8, reward=0.0)
    plain, warm = await experiments.report(TENANT, [TONE])
    assert isinstance(warm, VariantReport)
    assert (warm.experiment, warm.variant, warm.trials, warm.reward_sum) == ("tone", "warm", 8, 8.0)
    assert (plain.mean_reward, warm.mean_reward) == pytest.approx((0.1, 0.9))
    assert plain.low < 0.1 < plain.high < warm.low < 0.9 < warm.high
    assert plain.best + warm.best == pytest.approx(1.0)
    assert warm.share == pytest.approx(0.05 + 0.9 * warm.best)
    assert await experiments.report(TENANT, []) == []


async def test_the_report_of_an_experiment_without_rewards_is_open() -> None:
    for row in await make(Clock()).report(TENANT, [TONE]):
        assert (row.trials, row.mean_reward) == (0, 0.5)
        assert (row.low, row.high, row.best, row.share) == pytest.approx((0.025, 0.975, 0.5, 0.5), abs=1e-6)


async def test_tenants_do_not_share_rewards() -> None:
    clock = Clock()
    experiments = make(clock)
    await praise(experiments, "warm", 50)
    await praise(experiments, "plain", 50, reward=0.0)
    for tenant in (TENANT, OTHER):
        await refresh(experiments, clock, tenant)
    assert (await pull(experiments, TONE, 1_000))["warm"] > 900
    assert 400 < (await pull(experiments, TONE, 1_000, OTHER))["warm"] < 600
    assert {row.trials for row in await experiments.report(OTHER, [TONE])} == {0}


async def test_a_rating_that_is_changed_counts_once() -> None:
    experiments = make(Clock())
    await experiments.reward(TENANT, "tone", "warm", 0.0)
    await experiments.reward(TENANT, "tone", "warm", 1.0, replaces=0.0)
    _, warm = await experiments.report(TENANT, [TONE])
    assert (warm.trials, warm.reward_sum) == (1, 1.0)


@pytest.mark.parametrize("reward", [-0.1, 1.1, float("nan"), float("inf")])
async def test_a_reward_out_of_bounds_is_refused(reward: float) -> None:
    experiments = make(Clock())
    with pytest.raises(InvalidInputError, match="reward"):
        await experiments.reward(TENANT, "tone", "warm", reward)
    with pytest.raises(InvalidInputError, match="replaces"):
        await experiments.reward(TENANT, "tone", "warm", 0.5, replaces=reward)
    assert {row.trials for row in await experiments.report(TENANT, [TONE])} == {0}


async def test_while_the_database_is_away_the_last_shares_stand_and_it_is_asked_again_later() -> None:
    clock = Clock()
    closed = Database(PoolConfig("postgresql://nobody@127.0.0.1/none"))
    experiments = Experiments(closed, random=Random(1).random, clock=clock, refresh_s=30.0)
    with capture_logs() as logs:
        for _ in range(3):
            assert set(await pull(experiments, TONE, 100)) == {"plain", "warm"}
            await asyncio.sleep(0.01)
        clock.now_s += 30.0
        await pull(experiments, TONE, 100)
        await asyncio.sleep(0.01)
    assert [(entry["event"], entry["code"]) for entry in logs] == [("rewards_not_read", "store_unavailable")] * 2


async def test_nothing_is_left_running() -> None:
    before = asyncio.all_tasks()
    experiments = make(Clock())
    await pull(experiments, TONE, 10)
    assert len(asyncio.all_tasks() - before) == 1
    await experiments.aclose()
    assert asyncio.all_tasks() == before
