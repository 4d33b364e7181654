"""Traffic split by weight."""

import math
from collections.abc import Callable, Mapping, Sequence

from llm_router.policies.arrangement import arrange
from llm_router.prompt import Prompt
from llm_router.route import Route


class Weighted:
    """Each next route is drawn by weight from those that are left; weight 0 comes after all others.

    Source:
        Efraimidis and Spirakis, "Weighted random sampling with a reservoir" (2006): sorting exponential variables of
        rates w_i is the same as drawing by w_i without replacement.
    """

    def __init__(self, weights: Mapping[str, float], random: Callable[[], float]) -> None:
        self._weights = weights
        self._random = random

    def order(self, routes: Sequence[Route], prompt: Prompt) -> Sequence[Route]:
        """Return the routes in the order to ask; local ones last."""
        return arrange(routes, self._rank)

    def _rank(self, route: Route) -> tuple[bool, float]:
        weight = self._weights.get(route.name, 1.0)
        wait = -math.log(1.0 - self._random())
        return weight == 0.0, wait / (weight or 1.0)
