"""What a provider is: how its targets are made, and what its wire has no words for."""

from collections.abc import Callable
from dataclasses import dataclass, field

from core.registry import Registry
from llm_router.config import Capabilities, TargetConfig
from llm_router.prompt import Embed
from llm_router.target import Target


@dataclass(frozen=True, slots=True)
class Materials:
    """What targets may be made of beside their configuration.

    Attributes:
        embed: compares meanings; None leaves words alone.
    """

    embed: Embed | None = None


@dataclass(frozen=True, slots=True)
class Provider:
    """A kind of target. A package offers one as an entry point of the group `lattice.providers`.

    Attributes:
        build: makes a target; nothing is sent yet.
        limits: the most that the wire can carry; a target's own capabilities only narrow it.
        key_variable: the environment variable of its key where the target names none and has no address of its own.
        local: needs no network, so it is asked even when the deadline has passed, and never counts as a retry.
    """

    build: Callable[[TargetConfig, Materials], Target]
    limits: Capabilities = field(default_factory=Capabilities)
    key_variable: str | None = None
    local: bool = False


PROVIDERS: Registry[Provider] = Registry("lattice.providers", "LLM provider", Provider)
