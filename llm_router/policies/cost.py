"""The cheapest target first."""

import math
from collections.abc import Callable, Sequence

from llm_router.fitness import estimate_tokens
from llm_router.policies.arrangement import arrange
from llm_router.prompt import Prompt
from llm_router.route import Route


class LeastCost:
    """The least that this prompt and a whole answer may cost first, equal ones at random, unknown prices last.

    The answer is taken to be as long as it may be: what a model will leave unsaid is not known, and much the same for
    all of them. Costs are compared as floats; nobody is charged by them.
    """

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random

    def order(self, routes: Sequence[Route], prompt: Prompt) -> Sequence[Route]:
        """Return the routes in the order to ask; local ones last."""
        asked, answered = estimate_tokens(prompt), prompt.max_output_tokens

        def rank(route: Route) -> tuple[float, float]:
            prices = route.config.prices
            if prices is None:
                return math.inf, self._random()
            return asked * float(prices.input_usd) + answered * float(prices.output_usd), self._random()

        return arrange(routes, rank)
