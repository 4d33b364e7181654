"""Every name that OpenTelemetry is told, in one place: the conventions for generative AI still change.

Source:
    OpenTelemetry, "Semantic conventions for generative AI" (status: development), its spans and client metrics;
    `error.type` and `http.response.status_code` are of the stable general conventions.
"""

from typing import Final

SCOPE: Final = "crystal_lattice.llm_router"
"""The instrumentation scope of our spans and instruments."""

# what is done
OPERATION: Final = "gen_ai.operation.name"
PROVIDER: Final = "gen_ai.provider.name"
OUTPUT_TYPE: Final = "gen_ai.output.type"

# what was asked for
REQUEST_MODEL: Final = "gen_ai.request.model"
REQUEST_STREAM: Final = "gen_ai.request.stream"
REQUEST_MAX_TOKENS: Final = "gen_ai.request.max_tokens"
REQUEST_TEMPERATURE: Final = "gen_ai.request.temperature"
REQUEST_TOP_P: Final = "gen_ai.request.top_p"
REQUEST_SEED: Final = "gen_ai.request.seed"

# what came back
RESPONSE_MODEL: Final = "gen_ai.response.model"
FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
TIME_TO_FIRST_CHUNK: Final = "gen_ai.response.time_to_first_chunk"
ERROR_TYPE: Final = "error.type"
HTTP_STATUS: Final = "http.response.status_code"

# tokens: the first two count all, the others are parts of them
INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
CACHE_READ_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"
CACHE_WRITE_TOKENS: Final = "gen_ai.usage.cache_creation.input_tokens"
REASONING_TOKENS: Final = "gen_ai.usage.reasoning.output_tokens"

# instruments
DURATION_METRIC: Final = "gen_ai.client.operation.duration"
FIRST_CHUNK_METRIC: Final = "gen_ai.client.operation.time_to_first_chunk"
TOKENS_METRIC: Final = "gen_ai.client.token.usage"
TOKENS_TYPE: Final = "gen_ai.token.type"
TYPE_INPUT: Final = "input"
TYPE_OUTPUT: Final = "output"

# ours, for what the conventions have no name for
TARGET: Final = "lattice.llm.target"
OUTCOME: Final = "lattice.llm.outcome"
ATTEMPT: Final = "lattice.llm.attempt"
ATTEMPTS: Final = "lattice.llm.attempts"
VARIANT: Final = "lattice.llm.variant"
COST_USD: Final = "lattice.llm.cost_usd"
USAGE_ESTIMATED: Final = "lattice.llm.usage_estimated"

_PROVIDERS: Final = {"openai-responses": "openai"}


def provider_name(adapter: str) -> str:
    """Return the conventions' name of the provider that an adapter speaks to."""
    return _PROVIDERS.get(adapter, adapter)
