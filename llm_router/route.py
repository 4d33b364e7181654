"""A target as the router sees it: with its configuration and its health."""

from dataclasses import dataclass

from llm_router.config import Capabilities, TargetConfig
from llm_router.health.health import Health
from llm_router.target import Target


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """A target and how the router treats it.

    Attributes:
        health: lives as long as the process, also when the configuration is read anew.
        limits: what the target can do, no more than its wire can carry.
        local: needs no network, so it is asked even when the deadline has passed.
    """

    target: Target
    config: TargetConfig
    health: Health
    limits: Capabilities
    local: bool = False

    @property
    def name(self) -> str:
        """The target's name in the configuration."""
        return self.config.name
