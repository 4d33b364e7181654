"""What a fault means for the other targets of a call, and for the breakers. Pure but for the breakers it tells."""

from collections.abc import Iterable, Sequence

from llm_router.faults import TargetFault
from llm_router.health.breaker import Permit
from llm_router.route import Route

KEY_FAULTS = frozenset({"unauthenticated", "quota_exceeded"})
"""Faults of the key itself, whatever the model."""


class Field:
    """The targets that one call may still ask, best first. A target is asked once, its own retries aside."""

    def __init__(self, routes: Iterable[Route]) -> None:
        routes = list(routes)
        self.remote = [route for route in routes if not route.local]
        self.local = [route for route in routes if route.local]

    def take(self, route: Route) -> None:
        """Leave out a target that is being asked."""
        self.remote = [other for other in self.remote if other is not route]

    def strike(self, failed: Route, fault: TargetFault) -> None:
        """Leave out the targets that would fail in the same way."""
        self.remote = [other for other in self.remote if may_do_better(other, failed, fault)]


def may_do_better(other: Route, failed: Route, fault: TargetFault) -> bool:
    """Say whether another target may succeed where one failed.

    A credential's fault rules out the targets of the same key. A refused request rules out those of the same provider,
    whose translation of it is the same; one too long, those that take no more; a matter of content, the same model.
    """
    if fault.scope == "credential":
        return other.config.credential != failed.config.credential
    if fault.kind == "invalid_request":
        return other.config.provider != failed.config.provider
    if fault.kind == "context_length":
        return _takes_more(other, failed)
    if fault.kind == "content_policy":
        return other.config.model != failed.config.model
    return True


def is_elsewhere(other: Route, failed: Route) -> bool:
    """Say whether a target is on another account or server, so that it need not be spared for the failed one's sake."""
    return other.config.credential != failed.config.credential


def earliest_return_s(routes: Iterable[Route]) -> float | None:
    """Return in how many seconds the first of the targets may be asked again; None if one may be at once."""
    return min((route.health.breaker.reopens_in_s() for route in routes if not route.local), default=0.0) or None


def tell_breakers(failed: Route, fault: TargetFault, permit: Permit | None, routes: Sequence[Route]) -> None:
    """Let the breakers know of a fault: a target's own counts against it, a request's or a caller's never does.

    A local target has no breaker and so no permit. The routes are all targets, for what a key shares.
    """
    if permit is None:
        return
    breaker = failed.health.breaker
    if fault.scope == "request":
        breaker.succeed(permit)  # it refused, but it answered
    elif fault.scope == "caller" or fault.kind == "cancelled":
        breaker.abandon(permit)
    elif fault.scope == "target" and fault.kind != "not_found":
        breaker.fail(permit)
    elif fault.kind == "rate_limited" and fault.retry_after_s:
        breaker.trip(fault.retry_after_s)  # it is well, and says itself how long it wants to be left alone
    elif fault.kind == "rate_limited":
        breaker.fail(permit)
    else:
        breaker.abandon(permit)
        for route in routes:
            if route is failed or (fault.kind in KEY_FAULTS and route.config.credential == failed.config.credential):
                route.health.breaker.trip()


def _takes_more(other: Route, failed: Route) -> bool:
    theirs, ours = other.limits.context_tokens, failed.limits.context_tokens
    if ours is None:
        return other.config.model != failed.config.model
    return theirs is None or theirs > ours
