"""The names are the conventions' own; here they stand once more, as the conventions write them."""

from typing import get_args

from llm_router.ports import Operation
from llm_router.telemetry import names

CONVENTIONS = {
    "error.type",
    "gen_ai.client.operation.duration",
    "gen_ai.client.operation.time_to_first_chunk",
    "gen_ai.client.token.usage",
    "gen_ai.operation.name",
    "gen_ai.output.type",
    "gen_ai.provider.name",
    "gen_ai.request.max_tokens",
    "gen_ai.request.model",
    "gen_ai.request.seed",
    "gen_ai.request.stream",
    "gen_ai.request.temperature",
    "gen_ai.request.top_p",
    "gen_ai.response.finish_reasons",
    "gen_ai.response.model",
    "gen_ai.response.time_to_first_chunk",
    "gen_ai.token.type",
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.reasoning.output_tokens",
    "http.response.status_code",
}
VALUES = {"input", "output"}


def test_the_names_are_those_of_the_conventions_and_ours() -> None:
    told = {value for name, value in vars(names).items() if name.isupper() and isinstance(value, str)} - {names.SCOPE}
    ours = {value for value in told if value.startswith("lattice.llm.")}
    assert told - ours == CONVENTIONS | VALUES


def test_operations_have_the_conventions_names() -> None:
    assert {*get_args(Operation)} == {"chat", "embeddings"}


def test_providers_have_the_conventions_names() -> None:
    assert names.provider_name("openai") == names.provider_name("openai-responses") == "openai"
    assert names.provider_name("anthropic") == "anthropic"
    assert names.provider_name("my-own") == "my-own"
