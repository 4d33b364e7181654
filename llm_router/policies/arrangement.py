"""Routes put in order, with the rule that all policies share: what needs no network stays the last resort."""

from collections.abc import Callable, Sequence
from typing import Any

from llm_router.route import Route


def arrange(routes: Sequence[Route], rank: Callable[[Route], Any]) -> list[Route]:
    """Return the routes by rank, the lowest first and equal ones as they came; local ones last, as they came."""
    arranged = sorted([route for route in routes if not route.local], key=rank)
    arranged += [route for route in routes if route.local]
    return arranged
