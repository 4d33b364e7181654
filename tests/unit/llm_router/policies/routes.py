from typing import cast

from llm_router.config import BreakerConfig, Capabilities, TargetConfig
from llm_router.health.health import Health
from llm_router.policies import Policy
from llm_router.prices import Prices
from llm_router.prompt import Prompt
from llm_router.route import Route
from llm_router.target import Target
from tests.wire.clock import Clock

PROMPT = Prompt("Be brief.", "Where is Ada?", (), 100)


def make_route(name: str, *, prices: Prices | None = None, local: bool = False, clock: Clock | None = None) -> Route:
    """A route whose target is never asked."""
    config = TargetConfig(name, "scripted", prices=prices)
    return Route(cast("Target", None), config, Health(BreakerConfig(), clock or Clock()), Capabilities(), local)


def names_of(policy: Policy, routes: list[Route], prompt: Prompt = PROMPT) -> list[str]:
    return [route.name for route in policy.order(routes, prompt)]
