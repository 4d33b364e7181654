"""Our disjoint buckets of tokens as the conventions count them: two sums, and parts of these. Pure."""

from llm_router.reply import Usage
from llm_router.telemetry import names


def sum_input(usage: Usage) -> int:
    """Return all tokens of the prompt."""
    return usage.input_tokens + usage.cache_read_tokens + _written(usage)


def sum_output(usage: Usage) -> int:
    """Return all tokens of the answer, those spent on thinking included."""
    return usage.output_tokens + usage.reasoning_tokens


def describe_usage(usage: Usage) -> dict[str, int | bool]:
    """Return a span's attributes; parts that are zero are left out."""
    parts = {
        names.CACHE_READ_TOKENS: usage.cache_read_tokens,
        names.CACHE_WRITE_TOKENS: _written(usage),
        names.REASONING_TOKENS: usage.reasoning_tokens,
        names.USAGE_ESTIMATED: usage.estimated,
    }
    told = {name: part for name, part in parts.items() if part}
    return {names.INPUT_TOKENS: sum_input(usage), names.OUTPUT_TOKENS: sum_output(usage), **told}


def _written(usage: Usage) -> int:
    return usage.cache_write_tokens + usage.cache_write_1h_tokens
