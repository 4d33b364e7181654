"""Spans: one for a call, and under it one for each attempt. No text of a prompt or an answer is ever in them."""

from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, TracerProvider, get_tracer, set_span_in_context

from llm_router.config import EXTRACTIVE
from llm_router.ports import Operation
from llm_router.prompt import Prompt
from llm_router.reply import Attempt, Reply
from llm_router.telemetry import names
from llm_router.telemetry.outcome import error_type_of, outcome_of
from llm_router.telemetry.usage import describe_usage

Attributes = dict[str, str | bool | int | float]


class CallSpan:
    """The span of one call.

    A streamed call lives across the yields of a generator, whose halves may run in different contexts. So no span is
    ever made the current one: attempts are told their parent.
    """

    __slots__ = ("_attempts", "_context", "_operation", "_request", "_span", "_tracer")

    def __init__(self, tracer: Tracer, span: Span, operation: Operation, request: Attributes) -> None:
        self._tracer = tracer
        self._span = span
        self._context = set_span_in_context(span)
        self._operation = operation
        self._request = request
        self._attempts = 0

    def start_attempt(self, target: str, provider: str, model: str) -> Span:
        """Return the span of an attempt."""
        self._attempts += 1
        about: Attributes = {
            names.OPERATION: self._operation,
            names.PROVIDER: names.provider_name(provider),
            names.TARGET: target,
            names.ATTEMPT: self._attempts,
            **self._request,
        }
        if model:
            about[names.REQUEST_MODEL] = model
        # the extractive runs in this process; the others are asked over a network
        kind = SpanKind.INTERNAL if provider == EXTRACTIVE else SpanKind.CLIENT
        return self._tracer.start_span(_title(self._operation, model), self._context, kind, about)

    def end(self, reply: Reply | None, error: BaseException | None) -> None:
        """End the call's span. It has no tokens: whoever adds those of all spans shall count each once."""
        span, outcome = self._span, outcome_of(reply, error)
        span.set_attributes({names.OUTCOME: outcome, names.ATTEMPTS: self._attempts})
        if outcome == "failed" and error is not None:
            _fail(span, error_type_of(error))
        if outcome == "answered" and reply is not None:
            span.set_attribute(names.PROVIDER, names.provider_name(reply.provider))
            span.set_attribute(names.RESPONSE_MODEL, reply.model)
            if self._operation == "chat":
                span.set_attribute(names.FINISH_REASONS, (reply.finish,))
            span.set_attribute(names.TARGET, reply.target)
            if reply.variant is not None:
                span.set_attribute(names.VARIANT, reply.variant)
        span.end()


class Spans:
    """Begins the spans of calls.

    Args:
        provider: None is the global one.
    """

    def __init__(self, provider: TracerProvider | None) -> None:
        self._tracer = get_tracer(names.SCOPE, tracer_provider=provider)

    def start_call(
        self, model: str, prompt: Prompt, *, streamed: bool, operation: Operation = "chat"
    ) -> CallSpan | None:
        """Return the span of a call under the current one; None if nobody records it."""
        about: Attributes = {names.OPERATION: operation, names.REQUEST_MODEL: model}
        span = self._tracer.start_span(_title(operation, model), attributes=about)
        if not span.is_recording():
            return None
        request = _describe_request(prompt, streamed=streamed) if operation == "chat" else {}
        span.set_attributes(request)
        return CallSpan(self._tracer, span, operation, request)


def end_attempt(span: Span, attempt: Attempt) -> None:
    """End the span of an attempt."""
    span.set_attribute(names.OUTCOME, attempt.outcome)
    if attempt.outcome == "answered":
        span.set_attribute(names.RESPONSE_MODEL, attempt.model)
    if attempt.first_token_s is not None:
        span.set_attribute(names.TIME_TO_FIRST_CHUNK, attempt.first_token_s)
    if attempt.usage is not None:
        span.set_attributes(describe_usage(attempt.usage))
    if attempt.cost_usd is not None:
        span.set_attribute(names.COST_USD, float(attempt.cost_usd))
    if attempt.status is not None:
        span.set_attribute(names.HTTP_STATUS, attempt.status)
    if attempt.error is not None:
        _fail(span, attempt.error)
    span.end()


def _title(operation: Operation, model: str) -> str:
    return f"{operation} {model}".rstrip()


def _fail(span: Span, error_type: str) -> None:
    span.set_attribute(names.ERROR_TYPE, error_type)
    span.set_status(StatusCode.ERROR)


def _describe_request(prompt: Prompt, *, streamed: bool) -> Attributes:
    """Return what may be told of a request. Texts that end the answer are the caller's words and left out."""
    sampling = prompt.parameters
    given: dict[str, float | int | None] = {
        names.REQUEST_TEMPERATURE: sampling.temperature,
        names.REQUEST_TOP_P: sampling.top_p,
        names.REQUEST_SEED: sampling.seed,
    }
    about: Attributes = {name: number for name, number in given.items() if number is not None}
    about[names.REQUEST_MAX_TOKENS] = prompt.max_output_tokens
    if streamed:
        about[names.REQUEST_STREAM] = True
    if prompt.output is not None:
        about[names.OUTPUT_TYPE] = "json"
    return about
