"""What a policy is, and the one that a model's configuration names."""

from collections.abc import Callable, Sequence
from typing import Protocol

from llm_router.config import ModelConfig
from llm_router.policies.cost import LeastCost
from llm_router.policies.difficulty import ByDifficulty
from llm_router.policies.latency import LowestLatency
from llm_router.policies.load import LeastBusy
from llm_router.policies.weights import Weighted
from llm_router.prompt import Prompt
from llm_router.route import Route


class Policy(Protocol):
    """Who is asked first. It runs on every call, so it must be quick."""

    def order(self, routes: Sequence[Route], prompt: Prompt) -> Sequence[Route]:
        """Return all the routes in the order to ask."""


class Ordered:
    """As configured."""

    def order(self, routes: Sequence[Route], prompt: Prompt) -> Sequence[Route]:
        """Return the routes as they came, local ones too."""
        return routes


def build_policy(model: ModelConfig, random: Callable[[], float]) -> Policy:
    """Return the policy of a model.

    Args:
        model: names the policy and what it needs.
        random: gives independent numbers, uniform in [0, 1).
    """
    match model.policy:
        case "ordered":
            return Ordered()
        case "weighted":
            return Weighted(model.weights, random)
        case "least_cost":
            return LeastCost(random)
        case "lowest_latency":
            return LowestLatency(random)
        case "least_busy":
            return LeastBusy(random)
        case "difficulty":
            return ByDifficulty(model.strong, model.threshold)
