"""The least busy target first."""

from collections.abc import Callable, Sequence

from llm_router.policies.arrangement import arrange
from llm_router.prompt import Prompt
from llm_router.route import Route


class LeastBusy:
    """The fewest calls under way first, equal ones at random: else the first would take all while traffic is light."""

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random

    def order(self, routes: Sequence[Route], prompt: Prompt) -> Sequence[Route]:
        """Return the routes in the order to ask; local ones last."""
        return arrange(routes, lambda route: (route.health.busy, self._random()))
