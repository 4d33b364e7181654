from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest

from llm_router import (
    Capabilities,
    Clocks,
    Evidence,
    Pace,
    Parts,
    Prices,
    Prompt,
    Reply,
    ReplyEvent,
    Router,
    RouterConfig,
    ScriptedTarget,
    TargetConfig,
    TokenEvent,
    build_router_of,
)
from tests.wire.clock import Clock


@dataclass(frozen=True)
class Setup:
    """A target and how it is configured; its key and its model are its own unless given."""

    target: ScriptedTarget
    clocks: Clocks = field(default_factory=Clocks)
    prices: Prices | None = None
    api_key: str | None = None
    provider: str = "scripted"
    model: str | None = None
    capabilities: Capabilities = field(default_factory=Capabilities)

    def config(self) -> TargetConfig:
        name = self.target.name
        return TargetConfig(
            name,
            self.provider,
            name if self.model is None else self.model,
            api_key=name if self.api_key is None else self.api_key,
            clocks=self.clocks,
            prices=self.prices,
            capabilities=self.capabilities,
        )


PRICES = Prices(Decimal(1), Decimal(1))


def priced(target: ScriptedTarget) -> Setup:
    return Setup(target, prices=PRICES)


async def run(router: Router, prompt: Prompt, streamed: bool, deadline_s: float | None = None) -> Reply:
    """Ask in one of the two ways; what is streamed must add up."""
    if not streamed:
        return await router.ask(prompt, deadline_s=deadline_s)
    *events, last = [event async for event in router.stream(prompt, deadline_s=deadline_s)]
    assert isinstance(last, ReplyEvent)
    assert "".join(event.text for event in events if isinstance(event, TokenEvent)) == last.reply.text
    return last.reply


@pytest.fixture(params=[False, True], ids=["whole", "streamed"])
def streamed(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def prompt() -> Prompt:
    return Prompt("Be brief.", "Where is Ada?", (Evidence(1, "Ada is in Turin.", "Notes", None, 0.9),), 100)


@pytest.fixture
def build(clock: Clock) -> Callable[..., Router]:
    def build_scripted(
        *targets: ScriptedTarget | Setup, jitter: float = 0.5, parts: Parts | None = None, **config: object
    ) -> Router:
        setups = [each if isinstance(each, Setup) else Setup(each) for each in targets]
        told = RouterConfig(tuple(each.config() for each in setups), **config)  # type: ignore[arg-type]
        pace = Pace(clock.sleep, lambda: jitter, clock)
        return build_router_of([each.target for each in setups], told, replace(parts or Parts(), pace=pace))

    return build_scripted
