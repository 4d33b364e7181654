from collections.abc import Callable

import pytest

from llm_router import Evidence, Prompt, Route, Router, RouterConfig, ScriptedTarget
from tests.wire.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def prompt() -> Prompt:
    return Prompt("Be brief.", "Where is Ada?", (Evidence(1, "Ada is in Turin.", "Notes", None, 0.9),), 100)


@pytest.fixture
def build(clock: Clock) -> Callable[..., Router]:
    def build_scripted(*targets: ScriptedTarget | Route, jitter: float = 0.5, **config: float) -> Router:
        routes = [each if isinstance(each, Route) else Route(each) for each in targets]
        patience = RouterConfig(**config)  # type: ignore[arg-type]
        return Router(routes, patience, sleep=clock.sleep, jitter=lambda: jitter, clock=clock)

    return build_scripted
