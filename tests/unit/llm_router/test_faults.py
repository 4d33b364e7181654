import pytest

from llm_router.faults import FaultKind, Phase, Signal, TargetFault, Wire, classify, fault_of

ANSWERED: list[tuple[Wire, int, str | None, str | None, str, FaultKind]] = [
    # wire, status, type, code, message, kind
    ("openai", 400, "invalid_request_error", "context_length_exceeded", "", "context_length"),
    ("openai", 400, "BadRequestError", "400", "maximum context length is 4096 tokens", "context_length"),
    ("openai", 400, "invalid_request_error", "content_policy_violation", "", "content_policy"),
    ("openai", 400, None, "content_filter", "", "content_policy"),
    ("openai", 400, "invalid_request_error", "unsupported_value", "", "invalid_request"),
    ("openai", 401, "invalid_request_error", "invalid_api_key", "", "unauthenticated"),
    ("openai", 401, None, None, "", "unauthenticated"),
    ("openai", 402, None, "402", "", "quota_exceeded"),
    ("openai", 403, None, "unsupported_country_region_territory", "", "forbidden"),
    ("openai", 404, "invalid_request_error", "model_not_found", "", "not_found"),
    ("openai", 404, None, None, "", "not_found"),
    ("openai", 405, None, None, "", "not_found"),
    ("openai", 408, None, None, "", "timeout"),
    ("openai", 409, None, None, "", "server_error"),
    ("openai", 413, "tokens", "rate_limit_exceeded", "", "context_length"),
    ("openai", 422, None, None, "", "invalid_request"),
    ("openai", 400, None, "400", "Your input exceeds the context window", "context_length"),
    ("openai", 400, "exceed_context_size_error", "400", "", "context_length"),
    ("openai", 400, "invalid_request_error", None, "Please reduce the length of the messages", "context_length"),
    ("openai", 400, "invalid_request_error", "invalid_prompt", "", "content_policy"),
    ("openai", 403, None, "403", "model requires moderation. Your input was flagged", "content_policy"),
    ("openai", 403, None, "403", "no", "forbidden"),
    ("openai", 404, None, "DeploymentNotFound", "", "not_found"),
    ("openai", 429, "requests", "rate_limit_exceeded", "", "rate_limited"),
    ("openai", 429, "insufficient_quota", "insufficient_quota", "", "quota_exceeded"),
    ("openai", 429, None, "429", "context length", "rate_limited"),
    ("openai", 499, None, None, "", "cancelled"),
    ("openai", 500, "server_error", None, "", "server_error"),
    ("openai", 501, None, None, "", "not_found"),
    ("openai", 502, None, None, "", "server_error"),
    ("openai", 503, None, None, "", "overloaded"),
    ("openai", 504, None, None, "", "timeout"),
    ("openai", 302, None, None, "", "malformed"),
    ("openai", 418, None, None, "", "invalid_request"),
    ("anthropic", 400, "invalid_request_error", None, "", "invalid_request"),
    (
        "anthropic",
        400,
        "invalid_request_error",
        None,
        "input length and `max_tokens` exceed context limit",
        "context_length",
    ),
    ("anthropic", 400, "invalid_request_error", None, "prompt is too long: 9 > 8 tokens", "context_length"),
    ("anthropic", 400, "invalid_request_error", None, "Your credit balance is too low", "quota_exceeded"),
    ("anthropic", 400, "invalid_request_error", None, "blocked by content filtering policy", "content_policy"),
    ("anthropic", 401, "authentication_error", None, "", "unauthenticated"),
    ("anthropic", 402, "billing_error", None, "", "quota_exceeded"),
    ("anthropic", 403, "permission_error", None, "", "forbidden"),
    ("anthropic", 404, "not_found_error", None, "", "not_found"),
    ("anthropic", 413, "request_too_large", None, "", "context_length"),
    ("anthropic", 429, "rate_limit_error", None, "", "rate_limited"),
    ("anthropic", 429, "rate_limit_error", "enforced_spend_limit_reached", "", "quota_exceeded"),
    ("anthropic", 500, "api_error", None, "", "server_error"),
    ("anthropic", 504, "timeout_error", None, "", "timeout"),
    ("anthropic", 529, "overloaded_error", None, "", "overloaded"),
]

TOLD_IN_A_200: list[tuple[Wire, int | None, str | None, str | None, FaultKind]] = [
    ("openai", None, "server_error", None, "server_error"),
    ("openai", None, None, "429", "rate_limited"),
    ("openai", 200, None, "502", "server_error"),
    ("openai", None, None, "server_error", "server_error"),
    ("openai", None, None, "rate_limit_exceeded", "rate_limited"),
    ("openai", None, None, "vector_store_timeout", "timeout"),
    ("openai", None, None, "image_content_policy_violation", "content_policy"),
    ("openai", 200, None, "400", "invalid_request"),
    ("openai", None, None, None, "unknown"),
    ("openai", None, "surprise", "never_seen", "unknown"),
    ("anthropic", 200, "overloaded_error", None, "overloaded"),
    ("anthropic", 200, "api_error", None, "server_error"),
    ("anthropic", 200, "rate_limit_error", None, "rate_limited"),
    ("anthropic", 200, None, None, "unknown"),
]


@pytest.mark.parametrize(
    ("signal", "expected"),
    [(Signal(wire, "answer", *body), kind) for wire, *body, kind in ANSWERED],  # type: ignore[arg-type]
)
def test_an_error_answer_is_classified(signal: Signal, expected: FaultKind) -> None:
    assert classify(signal) == expected


@pytest.mark.parametrize(("wire", "status", "kind_of_body", "code", "expected"), TOLD_IN_A_200)
def test_an_error_inside_a_200_is_classified_by_its_body(
    wire: Wire, status: int | None, kind_of_body: str | None, code: str | None, expected: FaultKind
) -> None:
    assert classify(Signal(wire, "stream", status, kind_of_body, code)) == expected


@pytest.mark.parametrize(
    ("phase", "expected"),
    [("connection", "connection"), ("clock", "timeout"), ("decode", "malformed")],
)
def test_a_phase_without_an_answer_says_it_all(phase: Phase, expected: FaultKind) -> None:
    assert classify(Signal("openai", phase)) == expected


def test_the_message_alone_decides_nothing() -> None:
    assert classify(Signal("openai", "answer", 500, message="context length")) == "server_error"


@pytest.mark.parametrize(
    ("status", "code", "should_retry", "retryable"),
    [
        (429, "rate_limit_exceeded", None, True),
        (429, "rate_limit_exceeded", False, False),
        (429, "insufficient_quota", True, False),
        (503, None, None, True),
        (500, None, True, True),
        (401, None, True, False),
        (400, None, None, False),
    ],
)
def test_what_is_worth_another_try(status: int, code: str | None, should_retry: bool | None, retryable: bool) -> None:
    fault = fault_of(Signal("openai", "answer", status, code=code, should_retry=should_retry), "main")
    assert fault.retryable is retryable


def test_a_fault_shows_no_word_of_the_provider_that_could_be_a_key() -> None:
    told = Signal("openai", "answer", 401, None, "sk-abc123", "key sk-abc123")
    fault = fault_of(told, "main")
    assert "sk-abc123" not in f"{fault} {vars(fault)}"
    assert "key sk-abc123" not in repr(told)


def test_a_fault_reads_as_a_sentence() -> None:
    assert str(TargetFault("main", "not_found", status=404, cause="model_not_found")) == (
        "main: not_found (HTTP 404, model_not_found)"
    )
    assert str(TargetFault("main", "timeout")) == "main: timeout"
