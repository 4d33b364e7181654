"""What choosing a target costs on every call: each policy, the score of a question, an experiment."""

import random
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from functools import partial
from time import perf_counter
from typing import get_args
from uuid import UUID

import numpy as np

from benchmarks.figures import Figure
from llm_router.config import (
    BreakerConfig,
    Capabilities,
    ExperimentConfig,
    ModelConfig,
    PolicyName,
    TargetConfig,
    Variant,
)
from llm_router.experiments import Experiments
from llm_router.experiments.posterior import Tally, judge
from llm_router.health.health import Health
from llm_router.policies import build_policy, explain_difficulty
from llm_router.prices import Prices
from llm_router.prompt import Evidence, Prompt
from llm_router.providers.scripted import ScriptedTarget
from llm_router.route import Route

TARGETS = 8
CALLS = 3_000
TENANT = UUID(int=1)
QUESTION = "Why did the harbour of Genoa decline after 1400, and how does it compare with Venice?"
PROMPT = Prompt(
    "Be brief.", QUESTION, tuple(Evidence(i, "Its trade fell. " * 60, "Ports", None, 0.5) for i in range(8)), 500
)


async def measure() -> AsyncIterator[Figure]:
    """Time each on its own, in this process alone; no target is asked."""
    routes = [_make_route(i) for i in range(TARGETS)]
    names = tuple(route.name for route in routes)
    for name in get_args(PolicyName):
        policy = build_policy(ModelConfig("m", names, name, strong=names[:2]), random.Random(1).random)
        yield Figure(f"policy {name}, {TARGETS} targets", _time(partial(policy.order, routes, PROMPT)), "µs")
    yield Figure("difficulty of a question with 8 passages", _time(partial(explain_difficulty, PROMPT)), "µs", "< 100")
    tallies = [Tally(200, 120.0), Tally(180, 100.0), Tally(30, 20.0)]
    yield Figure("traffic of 3 variants shared anew", _time(partial(judge, tallies), 300), "µs")
    experiments = Experiments(None, random=random.Random(1).random)
    experiment = ExperimentConfig("tone", (Variant("plain"), Variant("warm"), Variant("short")))
    spent = np.empty(CALLS)
    for i in range(CALLS):
        started = perf_counter()
        await experiments.choose(TENANT, experiment)
        spent[i] = perf_counter() - started
    yield Figure("variant chosen", float(np.median(spent)) * 1e6, "µs")
    await experiments.aclose()


def _make_route(i: int) -> Route:
    prices = Prices(Decimal(i + 1), Decimal(4 * i + 4))
    config = TargetConfig(f"target{i}", "scripted", prices=prices)
    health = Health(BreakerConfig(), perf_counter)
    for _ in range(100):
        health.latency.add(0.1 * (i + 1), None)
    return Route(ScriptedTarget((), config.name), config, health, Capabilities())


def _time(call: Callable[[], object], calls: int = CALLS) -> float:
    """Return the median time of a call in microseconds."""
    spent = np.empty(calls)
    for i in range(calls):
        started = perf_counter()
        call()
        spent[i] = perf_counter() - started
    return float(np.median(spent)) * 1e6
