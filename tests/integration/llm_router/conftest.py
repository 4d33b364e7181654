from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from types import ModuleType

import pytest

from llm_router import Evidence, Prompt, Router, RouterConfig, TargetConfig, build_router
from tests.wire import anthropic_messages, openai_chat

KEY = "sk-stub-0123456789"


@dataclass(frozen=True)
class Speaker:
    """One of the two wires: its words and its target."""

    provider: str
    words: ModuleType
    base_path: str

    def config(self, address: str, name: str = "main", **settings: object) -> TargetConfig:
        model = self.words.MODEL.replace("2026", "latest")
        return TargetConfig(
            name,
            self.provider,
            model,
            f"{address}{self.base_path}",
            KEY,
            **settings,  # type: ignore[arg-type]
        )


SPEAKERS = {
    "openai": Speaker("openai", openai_chat, "/v1"),
    "anthropic": Speaker("anthropic", anthropic_messages, ""),
}

Connect = Callable[..., AbstractAsyncContextManager[Router]]


@pytest.fixture(params=[*SPEAKERS])
def speaker(request: pytest.FixtureRequest) -> Speaker:
    return SPEAKERS[request.param]


@pytest.fixture
def prompt() -> Prompt:
    evidence = (
        Evidence(1, "Ada moved to Turin in 2019.", "Notes", "notes.md", 0.9),
        Evidence(2, "Bread is baked before dawn.", None, None, 0.2),
    )
    return Prompt("Answer from the evidence.", "When did Ada move to Turin?", evidence, 256)


@pytest.fixture
def connect() -> Connect:
    @asynccontextmanager
    async def connected(*targets: TargetConfig, **settings: float) -> AsyncIterator[Router]:
        config = RouterConfig(targets, backoff_initial_s=0.0, **settings)  # type: ignore[arg-type]
        router = build_router(config, None)
        try:
            yield router
        finally:
            await router.aclose()

    return connected
