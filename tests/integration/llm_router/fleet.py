"""Servers that answer, fail and stall, and a router's configuration of models that meet them in some order."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from decimal import Decimal

from llm_router import Clocks, ModelConfig, Prices, RouterConfig, TargetConfig
from tests.integration.llm_router.conftest import SPEAKERS
from tests.wire import anthropic_messages, openai_chat
from tests.wire.stub import Response, Silence, Streamed, Stub, serving

PRICES = Prices(Decimal(1000), Decimal(2000), version="test")
PATIENT = Clocks()
HASTY = Clocks(first_token_s=0.15, gap_s=0.15, total_s=0.3)
"""For the sake of targets that stall; where a test counts, a slow machine must not turn answers into faults."""
WORDS = ("Ada ", "moved ", "in ", "2019.")
TEXT = "".join(WORDS)
PAUSE_S = 0.02

Behaviour = Mapping[str, Response]
"""By the way in which a server is asked: "whole" or "streamed"."""

OPENAI: dict[str, Behaviour] = {
    "answers": {
        "whole": replace(openai_chat.whole(TEXT), after_s=PAUSE_S),
        "streamed": replace(openai_chat.streamed(*WORDS), pause_s=PAUSE_S / 4),
    },
    "fails": {"whole": openai_chat.error(500), "streamed": Streamed([openai_chat.piece("")], "drop")},
    "stalls": {"whole": Silence(), "streamed": Streamed([openai_chat.piece("")], "stall")},
    "breaks": {"whole": openai_chat.error(503), "streamed": Streamed([openai_chat.piece("Ada ")], "drop")},
}
ANTHROPIC: dict[str, Behaviour] = {
    "claude": {
        "whole": replace(anthropic_messages.whole(TEXT), after_s=PAUSE_S),
        "streamed": replace(anthropic_messages.streamed(*WORDS), pause_s=PAUSE_S / 4),
    },
}
BEHAVIOURS = {**OPENAI, **ANTHROPIC}
WAYS = ("whole", "streamed")
MODELS = {
    "default": ("answers",),
    "patient": ("fails", "stalls", "answers"),
    "mixed": ("stalls", "claude", "answers"),
    "hopeless": ("fails", "stalls"),
    "broken": ("breaks", "claude"),
    "hedged": ("stalls", "claude"),
}


@asynccontextmanager
async def sailing(*names: str) -> AsyncIterator[dict[str, Stub]]:
    """Serve these behaviours, each on a server of its own."""
    async with AsyncExitStack() as stack:
        yield {name: await stack.enter_async_context(serving(Silence(), by_model=BEHAVIOURS[name])) for name in names}


def target(name: str, way: str, stub: Stub, clocks: Clocks) -> TargetConfig:
    """Return the target that asks a server in one way; targets of one server share its key."""
    speaker = SPEAKERS["anthropic" if name in ANTHROPIC else "openai"]
    told = speaker.config(stub.address, f"{name}-{way}", clocks=clocks, prices=PRICES)
    return replace(told, model=way, api_key=f"key-of-{name}")


def configure(servers: Mapping[str, Stub], clocks: Clocks = PATIENT, **settings: object) -> RouterConfig:
    """Return a configuration with the models that these servers suffice for, each for both ways of asking."""
    models = [
        ModelConfig(
            name if way == "whole" else f"{name}-{way}",
            tuple(f"{each}-{way}" for each in named),
            hedge_after_s=PAUSE_S if name == "hedged" else None,
            extractive=False,
        )
        for name, named in MODELS.items()
        for way in WAYS
        if {*named} <= {*servers}
    ]
    targets = tuple(target(name, way, stub, clocks) for name, stub in servers.items() for way in WAYS)
    return RouterConfig(targets, tuple(models), backoff_initial_s=PAUSE_S, **settings)  # type: ignore[arg-type]
