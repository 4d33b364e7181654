"""A configuration that is read anew while calls run: none of them is lost, and what is not used any more is closed."""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from random import Random
from uuid import UUID

import pytest

from llm_router import (
    ExperimentConfig,
    Parts,
    Prompt,
    RouterConfig,
    Variant,
    build_router,
)
from tests.integration.llm_router.crowd import Crowd, cancel_some, count_connections, wait_until_closed
from tests.integration.llm_router.fleet import PAUSE_S, TEXT, configure, sailing

CALLS = 50


class SlowTrials:
    """Takes its time to choose."""

    async def choose(self, tenant: UUID, experiment: ExperimentConfig) -> Variant:
        await asyncio.sleep(PAUSE_S)
        return experiment.variants[0]


def begin_calls(crowd: Crowd, count: int = CALLS) -> None:
    for number in range(count):
        streamed = number % 2 > 0
        crowd.call("default-streamed" if streamed else "default", streamed=streamed)


async def test_calls_under_way_end_on_the_old_targets_and_new_ones_go_to_the_new(prompt: Prompt) -> None:
    async with sailing("answers") as old, sailing("answers") as new:
        before, after = old["answers"], new["answers"]
        async with aclosing(build_router(configure(old), None)) as router:
            crowd = Crowd(router, prompt)
            begin_calls(crowd)
            while len(before.asked) < CALLS:  # noqa: ASYNC110 - until all are under way
                await asyncio.sleep(0.001)
            assert count_connections(before.address) == CALLS
            await router.reload(configure(new))
            begin_calls(crowd)
            outcomes = await crowd.end()
            assert (len(before.asked), len(after.asked)) == (CALLS, CALLS)
            assert [reply.text for reply in outcomes.replies] == [TEXT] * (2 * CALLS)
            await wait_until_closed(before.address)
            assert count_connections(after.address) > 0
        await wait_until_closed(after.address)


async def test_targets_that_stay_keep_their_connections(prompt: Prompt) -> None:
    async with sailing("answers", "claude", "stalls") as servers:
        kept = {"answers": servers["answers"]}
        async with aclosing(build_router(configure(servers), None)) as router:
            for config in (configure(kept), configure(servers), configure(kept)):
                crowd = Crowd(router, prompt)
                begin_calls(crowd, 4)
                assert len((await crowd.end()).replies) == 4
                held = count_connections(kept["answers"].address)
                await router.reload(config)
                assert count_connections(kept["answers"].address) == held > 0
        await wait_until_closed(*(stub.address for stub in servers.values()))


@pytest.mark.parametrize("seed", [1, 2])
async def test_reloading_again_and_again_under_cancelled_calls_leaves_no_connection(seed: int, prompt: Prompt) -> None:
    random = Random(seed)
    async with sailing("answers") as old, sailing("answers") as new:
        addresses = [stub["answers"].address for stub in (old, new)]
        async with aclosing(build_router(configure(old), None)) as router:
            crowd = Crowd(router, prompt)
            for number in range(8):
                calls = [
                    crowd.call("default-streamed" if streamed else "default", streamed=streamed)
                    for streamed in random.choices((False, True), k=12)
                ]
                leaving = asyncio.create_task(cancel_some(calls, random, share=0.4, within_s=2 * PAUSE_S))
                await asyncio.sleep(random.random() * 2 * PAUSE_S)
                await router.reload(configure(old if number % 2 else new))
                await leaving
            outcomes = await crowd.end()
            assert outcomes.errors == []
            await wait_until_closed(addresses[1])
            assert {route.health.busy for route in router.routes} == {0}
        await wait_until_closed(*addresses)


def with_experiment(config: RouterConfig) -> RouterConfig:
    experiment = ExperimentConfig("tone", (Variant("plain"), Variant("short", system="Be short.")))
    return replace(config, models=tuple(replace(each, experiment=experiment) for each in config.models[:1]))


async def test_a_call_that_is_still_being_prepared_keeps_its_targets_open(prompt: Prompt) -> None:
    async with sailing("answers") as old, sailing("answers") as new:
        config = with_experiment(configure(old))
        async with aclosing(build_router(config, None, Parts(trials=SlowTrials()))) as router:
            crowd = Crowd(router, prompt)
            crowd.call()
            await asyncio.sleep(PAUSE_S / 4)
            await router.reload(configure(new))
            [reply] = (await crowd.end()).replies
            assert reply.text == TEXT
            await wait_until_closed(old["answers"].address)
