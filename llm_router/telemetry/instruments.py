"""The metrics that the conventions for generative AI ask of a client, for whoever has an OpenTelemetry SDK."""

from opentelemetry.metrics import MeterProvider, get_meter

from llm_router.ports import Operation
from llm_router.reply import Attempt
from llm_router.telemetry import names
from llm_router.telemetry.metrics import SECONDS
from llm_router.telemetry.usage import sum_input, sum_output

TOKENS = tuple(4**power for power in range(14))
"""Bounds of the histogram of tokens, as the conventions advise."""


class Instruments:
    """Records attempts. Without an SDK the instruments do nothing.

    Args:
        provider: None is the global one.
    """

    def __init__(self, provider: MeterProvider | None) -> None:
        meter = get_meter(names.SCOPE, meter_provider=provider)
        self._duration = meter.create_histogram(
            names.DURATION_METRIC, "s", "GenAI operation duration.", explicit_bucket_boundaries_advisory=SECONDS
        )
        self._first_chunk = meter.create_histogram(
            names.FIRST_CHUNK_METRIC,
            "s",
            "Time from the request to the first chunk of a streamed response.",
            explicit_bucket_boundaries_advisory=SECONDS,
        )
        self._tokens = meter.create_histogram(
            names.TOKENS_METRIC,
            "{token}",
            "Number of input and output tokens used.",
            explicit_bucket_boundaries_advisory=TOKENS,
        )

    def record(self, attempt: Attempt, model: str, operation: Operation = "chat") -> None:
        """Record an attempt that has ended; one that its caller left says nothing of the target.

        Args:
            attempt: how it went.
            model: as it was asked for; empty for none.
            operation: what was asked for.
        """
        if attempt.outcome == "cancelled":
            return
        about: dict[str, str] = {names.OPERATION: operation, names.PROVIDER: names.provider_name(attempt.provider)}
        if model:
            about[names.REQUEST_MODEL] = model
        if attempt.outcome == "answered":
            about[names.RESPONSE_MODEL] = attempt.model
            if attempt.first_token_s is not None:
                self._first_chunk.record(attempt.first_token_s, about)
        usage = attempt.usage
        if usage is not None and not usage.estimated:  # the conventions want tokens that were counted
            self._tokens.record(sum_input(usage), {**about, names.TOKENS_TYPE: names.TYPE_INPUT})
            self._tokens.record(sum_output(usage), {**about, names.TOKENS_TYPE: names.TYPE_OUTPUT})
        if attempt.error is not None:
            about[names.ERROR_TYPE] = attempt.error
        self._duration.record(attempt.seconds, about)
