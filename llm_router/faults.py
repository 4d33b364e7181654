"""What can go wrong with a target, in one vocabulary for all wires."""

import re
from dataclasses import dataclass, field
from typing import Literal

from llm_router.reply import Usage

FaultKind = Literal[
    "rate_limited",
    "quota_exceeded",
    "unauthenticated",
    "forbidden",
    "not_found",
    "invalid_request",
    "context_length",
    "content_policy",
    "overloaded",
    "server_error",
    "timeout",
    "connection",
    "malformed",
    "truncated",
    "cancelled",
    "over_budget",
    "unknown",
]
"""malformed: not what the wire promises; truncated: ended before its finish marker; cancelled: by the other side;
over_budget: refused by us, before anything was sent."""

Scope = Literal["request", "credential", "quota_window", "target", "caller"]
"""What a fault is about, and so what else would fail in the same way."""

SCOPES: dict[FaultKind, Scope] = {
    "rate_limited": "quota_window",
    "quota_exceeded": "credential",
    "unauthenticated": "credential",
    "forbidden": "credential",
    "not_found": "target",
    "invalid_request": "request",
    "context_length": "request",
    "content_policy": "request",
    "overloaded": "target",
    "server_error": "target",
    "timeout": "target",
    "connection": "target",
    "malformed": "target",
    "truncated": "target",
    "cancelled": "target",
    "over_budget": "caller",
    "unknown": "target",
}

Wire = Literal["openai", "anthropic"]

Phase = Literal["connection", "clock", "answer", "stream", "decode"]
"""Where a call was when it failed: no or a broken connection, out of time, an HTTP error answer, an error told inside a
200 answer or stream, bytes that are not the wire's JSON."""

RETRYABLE: frozenset[FaultKind] = frozenset(
    {"rate_limited", "overloaded", "server_error", "timeout", "connection", "truncated"}
)
"""Kinds for which the same target may do better a moment later."""


@dataclass(frozen=True, slots=True)
class Signal:
    """The facts by which a fault is classified.

    Attributes:
        type: the body's broad category.
        code: the body's precise cause.
        message: the provider's words. They may quote a key or the prompt, so they refine a 4xx and go nowhere else.
        should_retry: what the provider says about trying again, if it does.
        retry_after_s: how long the provider asks to wait.
    """

    wire: Wire
    phase: Phase
    status: int | None = None
    type: str | None = None
    code: str | None = None
    message: str = field(default="", repr=False)
    should_retry: bool | None = None
    retry_after_s: float | None = None


class TargetFault(Exception):  # noqa: N818 - no error that a user meets: the router makes those of its faults
    """One call of one target failed.

    Attributes:
        target: its name.
        kind: what happened.
        status: of HTTP, if there was one.
        cause: the provider's own name for it, if it is safe to show.
        retryable: the same target may do better a moment later.
        retry_after_s: how long the provider asked to wait.
        usage: what the failed call spent, if known.
    """

    def __init__(
        self,
        target: str,
        kind: FaultKind,
        *,
        status: int | None = None,
        cause: str | None = None,
        retryable: bool | None = None,
        retry_after_s: float | None = None,
        usage: Usage | None = None,
    ) -> None:
        facts = ", ".join(part for part in (f"HTTP {status}" if status else "", cause or "") if part)
        super().__init__(f"{target}: {kind} ({facts})" if facts else f"{target}: {kind}")
        self.target = target
        self.kind: FaultKind = kind
        self.status = status
        self.cause = cause
        self.retryable = kind in RETRYABLE if retryable is None else retryable
        self.retry_after_s = retry_after_s
        self.usage = usage

    @property
    def scope(self) -> Scope:
        """What the fault is about."""
        return SCOPES[self.kind]


def fault_of(signal: Signal, target: str, usage: Usage | None = None) -> TargetFault:
    """Return the fault that a signal stands for."""
    kind = classify(signal)
    return TargetFault(
        target,
        kind,
        status=signal.status,
        cause=_public_name(signal.code) or _public_name(signal.type),
        retryable=kind in RETRYABLE and signal.should_retry is not False,
        retry_after_s=signal.retry_after_s,
        usage=usage,
    )


def classify(signal: Signal) -> FaultKind:
    """Return the kind of a fault, by phase, code, type and status; the message only refines a refused request."""
    by_phase = _BY_PHASE.get(signal.phase)
    if by_phase is not None:
        return by_phase
    status = _effective_status(signal)
    if status == 413:  # one compatible server calls a request beyond the whole quota a rate limit
        return "context_length"
    code, type_ = signal.code or "", signal.type or ""
    names = _BY_NAME[signal.wire]
    kind = names.get(code) or names.get(type_) or _kind_of_status(status)
    kind = kind or _BY_BROAD_TYPE.get(code) or _BY_BROAD_TYPE.get(type_, "unknown")
    return _refine(kind, signal.message) if kind in _BY_PHRASE else kind


def _effective_status(signal: Signal) -> int | None:
    """Return the HTTP status; inside a 200 answer, a code that is a number counts as one."""
    if signal.status is not None and signal.status >= 300:
        return signal.status
    code = signal.code or ""
    return int(code) if re.fullmatch(r"[45]\d\d", code) else None


def _kind_of_status(status: int | None) -> FaultKind | None:
    if status is None:
        return None
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= 500:
        return "server_error"
    return "invalid_request" if status >= 400 else "malformed"


def _refine(kind: FaultKind, message: str) -> FaultKind:
    words = message.lower()
    return next((finer for phrase, finer in _BY_PHRASE[kind] if phrase in words), kind)


def _public_name(name: str | None) -> str | None:
    """Return a code that is safe to show: no key and no prompt is made of small letters and underscores alone."""
    return name if name and re.fullmatch(r"[a-z][a-z_]{1,63}", name) else None


_BY_PHASE: dict[Phase, FaultKind] = {
    "connection": "connection",
    "clock": "timeout",
    "decode": "malformed",
}

_BY_NAME: dict[Wire, dict[str, FaultKind]] = {
    "openai": {
        "rate_limit_exceeded": "rate_limited",
        "rate_limit_error": "rate_limited",
        "insufficient_quota": "quota_exceeded",
        "insufficient_user_quota": "quota_exceeded",
        "exceeded_current_quota_error": "quota_exceeded",
        "billing_hard_limit_reached": "quota_exceeded",
        "billing_not_active": "quota_exceeded",
        "invalid_api_key": "unauthenticated",
        "authentication_error": "unauthenticated",
        "permission_error": "forbidden",
        "account_deactivated": "forbidden",
        "unsupported_country_region_territory": "forbidden",
        "data_residency_mismatch": "forbidden",
        "model_not_found": "not_found",
        "DeploymentNotFound": "not_found",
        "context_length_exceeded": "context_length",
        "exceed_context_size_error": "context_length",
        "string_above_max_length": "context_length",
        "content_policy_violation": "content_policy",
        "content_filter": "content_policy",
        "invalid_prompt": "content_policy",
        "bio_policy": "content_policy",
        "misalignment_policy_violation": "content_policy",
        "image_content_policy_violation": "content_policy",
        "overloaded_error": "overloaded",
        "vector_store_timeout": "timeout",
    },
    "anthropic": {
        "rate_limit_error": "rate_limited",
        "billing_error": "quota_exceeded",
        "enforced_spend_limit_reached": "quota_exceeded",
        "contract_spend_limit_reached": "quota_exceeded",
        "linked_organization_spend_limit_reached": "quota_exceeded",
        "linked_organization_billing_unavailable": "quota_exceeded",
        "authentication_error": "unauthenticated",
        "permission_error": "forbidden",
        "not_found_error": "not_found",
        "request_too_large": "context_length",
        "overloaded_error": "overloaded",
        "timeout_error": "timeout",
    },
}
"""Codes and types that mean one thing whatever the status."""

_BY_BROAD_TYPE: dict[str, FaultKind] = {
    "invalid_request_error": "invalid_request",
    "api_error": "server_error",
    "server_error": "server_error",
    "internal_server_error": "server_error",
    "conflict_error": "server_error",
}
"""Codes and types so broad that the status says more; they count where there is none."""

_BY_STATUS: dict[int, FaultKind] = {
    401: "unauthenticated",
    402: "quota_exceeded",
    403: "forbidden",
    404: "not_found",
    405: "not_found",
    408: "timeout",
    409: "server_error",  # a lock that another request holds for a moment
    410: "not_found",
    429: "rate_limited",
    499: "cancelled",
    501: "not_found",
    503: "overloaded",
    504: "timeout",
    529: "overloaded",
}

_BY_PHRASE: dict[FaultKind, tuple[tuple[str, FaultKind], ...]] = {
    "invalid_request": (
        ("prompt is too long", "context_length"),
        ("input is too long", "context_length"),
        ("context length", "context_length"),
        ("context window", "context_length"),
        ("context limit", "context_length"),
        ("context size", "context_length"),
        ("reduce the length of", "context_length"),
        ("maximum number of tokens", "context_length"),
        ("credit balance is too low", "quota_exceeded"),
        ("content filtering policy", "content_policy"),
        ("content management policy", "content_policy"),
        ("usage policies", "content_policy"),
        ("usage policy", "content_policy"),
    ),
    "forbidden": (
        ("input was flagged", "content_policy"),
        ("flagged by moderation", "content_policy"),
    ),
}
"""Causes that some servers tell in words only, under a plain 400 or 403."""
