"""The configuration read anew: in-flight calls keep theirs, and nothing is closed that is still needed."""

import asyncio
from dataclasses import dataclass, field, replace
from uuid import UUID

import pytest

from core.errors import ConfigurationError, ModelNotFoundError
from llm_router import (
    Answer,
    Clocks,
    ExperimentConfig,
    ModelConfig,
    Parts,
    Prompt,
    Router,
    RouterConfig,
    TargetConfig,
    Usage,
    Variant,
    build_router,
)
from llm_router.providers.provider import PROVIDERS, Materials, Provider


@dataclass
class Opened:
    """A target that knows whether it is closed."""

    config: TargetConfig
    closed: int = 0
    asked: int = 0
    stubborn: bool = False
    provider: str = "scripted"
    model: str = "m"
    pauses: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def name(self) -> str:
        return self.config.name

    async def ask(self, prompt: Prompt, clocks: Clocks) -> Answer:
        assert not self.closed
        self.asked += 1
        await self.pauses.wait()
        assert not self.closed
        return Answer("Turin.", "m", "stop", Usage(1, 1))

    async def stream(self, prompt: Prompt, clocks: Clocks) -> object:
        yield await self.ask(prompt, clocks)

    async def aclose(self) -> None:
        self.closed += 1
        if self.stubborn:
            raise RuntimeError("cannot close")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Opened]:
    made: list[Opened] = []

    def build(config: TargetConfig, _: Materials) -> Opened:
        if config.model == "unbuildable":
            raise ConfigurationError("it cannot be made")
        made.append(Opened(config))
        return made[-1]

    known = PROVIDERS.get
    fake = Provider(build=build)  # type: ignore[arg-type]
    monkeypatch.setattr(PROVIDERS, "get", lambda name: fake if name == "scripted" else known(name))
    return made


def configure(*names: str, model: str = "m", **settings: object) -> RouterConfig:
    targets = tuple(TargetConfig(name, "scripted", model) for name in names)
    models = (ModelConfig("default", names, extractive=False),)
    return RouterConfig(targets, models, **settings)  # type: ignore[arg-type]


async def settle_down() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


class SlowTrials:
    async def choose(self, tenant: UUID, experiment: ExperimentConfig) -> Variant:
        await asyncio.sleep(0.02)
        return experiment.variants[0]


def slow_to_choose(*names: str) -> tuple[RouterConfig, Parts]:
    config = configure(*names)
    experiment = ExperimentConfig("kind", (Variant("one"), Variant("two")))
    models = tuple(replace(model, experiment=experiment) for model in config.models)
    return replace(config, models=models), Parts(trials=SlowTrials())


async def test_a_call_being_prepared_holds_its_configuration(opened: list[Opened], prompt: Prompt) -> None:
    config, parts = slow_to_choose("a")
    router = build_router(config, None, parts)
    [old] = opened
    old.pauses.set()
    call = asyncio.ensure_future(router.ask(prompt))
    await asyncio.sleep(0)
    await router.reload(configure("b"))
    await settle_down()
    assert not old.closed
    assert (await call).target == "a"
    await settle_down()
    assert [each.closed for each in opened] == [1, 0]


async def test_a_target_that_stays_is_closed_once_and_last(opened: list[Opened], prompt: Prompt) -> None:
    config, parts = slow_to_choose("a", "b")
    router = build_router(config, None, parts)
    kept, left = opened
    calls = [asyncio.ensure_future(router.ask(prompt)) for _ in range(2)]
    await asyncio.sleep(0)
    await router.reload(configure("a"))
    await asyncio.sleep(0.03)
    await router.reload(configure("a", deadline_s=7.0))
    kept.pauses.set()
    assert {(await call).target for call in calls} == {"a"}
    await settle_down()
    assert (kept.closed, left.closed) == (0, 1)
    assert (await router.ask(prompt)).target == "a"
    await router.aclose()
    await router.aclose()
    assert (kept.closed, left.closed) == (1, 1)


async def test_calls_under_way_outlive_closing(opened: list[Opened], prompt: Prompt) -> None:
    router = build_router(configure("a"), None)
    [target] = opened
    call = asyncio.ensure_future(router.ask(prompt))
    await asyncio.sleep(0.01)
    await router.aclose()
    assert not target.closed
    target.pauses.set()
    assert (await call).text == "Turin."
    await settle_down()
    assert [each.closed for each in opened] == [1]


async def test_a_target_that_cannot_be_closed_costs_no_answer_and_no_reload(
    opened: list[Opened], prompt: Prompt
) -> None:
    router = build_router(configure("a", "b"), None)
    first, second = opened
    first.stubborn = True
    call = asyncio.ensure_future(router.ask(prompt))
    await asyncio.sleep(0.01)
    await router.reload(configure("c"))
    first.pauses.set()
    assert (await call).text == "Turin."
    await settle_down()
    assert (first.closed, second.closed) == (1, 1)
    await router.aclose()


async def test_a_configuration_that_cannot_be_made_changes_nothing(opened: list[Opened], prompt: Prompt) -> None:
    router = build_router(configure("a"), None)
    opened[0].pauses.set()
    with pytest.raises(ConfigurationError):
        await router.reload(configure("b", "c", model="unbuildable"))
    assert (await router.ask(prompt)).target == "a"
    assert not opened[0].closed


async def test_a_model_that_vanishes_is_unknown_from_then_on(opened: list[Opened], prompt: Prompt) -> None:
    config = configure("a")
    router = build_router(replace(config, models=(*config.models, ModelConfig("smart", ("a",)))), None)
    call = asyncio.ensure_future(router.ask(prompt, model="smart"))
    await asyncio.sleep(0.01)
    await router.reload(config)
    opened[0].pauses.set()
    assert (await call).target == "a"
    with pytest.raises(ModelNotFoundError):
        await router.ask(prompt, model="smart")


async def test_health_and_switch_stay_with_the_target(opened: list[Opened]) -> None:
    router = build_router(configure("a", "b"), None)
    router.set_enabled("a", enabled=False)
    health = router.routes[0].health
    await router.reload(configure("a", "b", deadline_s=7.0))
    assert router.routes[0].health is health
    await router.reload(configure("a", "b", model="other"))
    assert router.routes[0].health is not health
    assert [route.health.enabled for route in router.routes[:2]] == [False, True]


async def test_a_variant_that_names_the_local_target_asks_it_once(opened: list[Opened], prompt: Prompt) -> None:
    arms = (Variant("quoted", targets=("extractive",)), Variant("other", targets=("a",)))
    experiment = ExperimentConfig("kind", arms, method="split")
    model = ModelConfig("default", ("a",), experiment=experiment)
    router: Router = build_router(replace(configure("a"), models=(model,)), None, Parts())
    reply = None
    while reply is None or reply.variant != "kind/quoted":
        opened[0].pauses.set()
        reply = await router.ask(prompt)
    assert [each.target for each in reply.attempts] == ["extractive"]
