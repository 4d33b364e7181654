"""What the recordings of other projects must be read as."""

from dataclasses import dataclass

from llm_router import FaultKind, ToolCall, Usage
from llm_router.reply import Finish


@dataclass(frozen=True)
class Said:
    """What a recording must be read as; a text may be given by its beginning and end.

    Attributes:
        micro_usd: its cost by `PRICES`, in millionths of a dollar.
        charged_usd: what the provider itself says that it charged.
        signs: how many pieces of a stream are signs of work that no reader sees.
        exchanges: how many of the recording's exchanges make this answer.
    """

    model: str
    begins: str
    ends: str
    finish: Finish
    usage: Usage
    micro_usd: str
    calls: tuple[ToolCall, ...] = ()
    charged_usd: str | None = None
    tier: str | None = None
    signs: int = 0
    exchanges: int = 1


@dataclass(frozen=True)
class Failed:
    """The fault that a recording must be read as."""

    kind: FaultKind
    status: int | None
    cause: str | None = None
    is_retryable: bool = False
    usage: Usage | None = None


WEATHER = (
    ToolCall("call_oJL2dc4GjWVxqBtWlGLwjbsR", "get_current_weather", {"location": "Seattle, WA"}),
    ToolCall("call_ON3lp1OWsbw2obNRD43KVDp6", "get_current_weather", {"location": "San Francisco, CA"}),
)
TOKYO = (
    ToolCall("toolu_01XhRHVXkKSCMGnaoHjpKax8", "lookup_country", {"city": "Tokyo"}),
    ToolCall("toolu_01DrZpF6pdh3dMMQ2rLTeM3E", "get_founded_year", {"city": "Tokyo"}),
)
MULTIPLY = (ToolCall("call_sVidsfFJ6zlzRpelrPkTPlpd", "multiply", {"a": 1231, "b": 2331}),)
CHAT_COUNTRY = (ToolCall("call_PkRGedQNRFUzJp2R7dO7avWR", "get_user_country", {}),)
RESPONSES_COUNTRY = (ToolCall("call_tTAThu8l2S9hNky2krdwijGP", "get_user_country", {}),)
DIVIDE = (ToolCall("3sniiMddS", "divide", {"numerator": 123, "denominator": 456, "on_inf": "infinity"}),)
BY_NAME = (ToolCall("fc_311ba17b-89f9-48d3-8fd9-7e74a1264855", "get_something_by_name", {"name": "test"}),)
VERSION = (ToolCall("llm_version:0", "llm_version", {}),)

SONNET, CITY = "claude-sonnet-4-5-20250929", '{"city":"Mexico City","country":"Mexico"}'
LIMITED = Failed("rate_limited", 429, is_retryable=True)

EXPECTED: dict[tuple[str, int], Said | Failed] = {
    ("anthropic__basic_raw_headers", 0): Said(
        "claude-3-opus-20240229", "When Nietzsche", 'dead" in his', "length", Usage(22, 15), "291"
    ),
    ("anthropic__cache_write_1h_ttl", 0): Said(
        "claude-sonnet-4-20250514",
        "Here are the key principles",
        "s architecture where",
        "length",
        Usage(17, 100, cache_write_1h_tokens=2056),
        "13887",
        tier="standard",
    ),
    ("anthropic__count_tokens_then_call", 1): Said(
        SONNET, "I noticed a small typo", "at least once.", "stop", Usage(19, 77), "1212", tier="standard"
    ),
    ("anthropic__stream_json_schema", 0): Said(
        "claude-opus-4-6", '{"name":"Biscuit",', 'his life."}', "stop", Usage(231, 118), "2463", tier="standard"
    ),
    ("anthropic__stream_text", 0): Said(SONNET, "- Captain", "Scoop", "stop", Usage(17, 10), "201", tier="standard"),
    ("anthropic__stream_thinking", 0): Said(
        "claude-haiku-4-5-20251001",
        "1. **Pouch**",
        'on "pelican"',
        "stop",
        Usage(46, 133),
        "2133",
        tier="standard",
        signs=8,
    ),
    ("anthropic__tool_roundtrip_json_schema", 0): Said(
        SONNET, "", "", "tool_use", Usage(797, 91), "3756", TOKYO, tier="standard"
    ),
    ("anthropic__tool_roundtrip_json_schema", 1): Said(
        SONNET, '{"city": "Tokyo", ', "14000000}", "stop", Usage(957, 23), "3216", tier="standard"
    ),
    ("anthropic_err__400_invalid_request_raw_headers", 0): Failed("invalid_request", 400, "invalid_request_error"),
    ("anthropic_err__400_unsupported_effort", 0): Failed("invalid_request", 400, "invalid_request_error"),
    ("anthropic_err__401", 0): Failed("unauthenticated", 401, "authentication_error"),
    ("deepseek__reasoning_content", 0): Said(
        "deepseek-reasoner",
        "Crossing the street safely",
        "you've fully crossed.",
        "stop",
        Usage(12, 374, reasoning_tokens=415),
        "11871",
    ),
    ("groq_err__400_tool_use_failed", 0): Failed("invalid_request", 400, "tool_use_failed"),
    ("groq_err__400_tool_use_failed", 1): Said(
        "openai/gpt-oss-120b",
        "",
        "",
        "tool_use",
        Usage(301, 30, reasoning_tokens=22),
        "1683",
        BY_NAME,
        tier="on_demand",
    ),
    ("groq_err__400_tool_use_failed", 2): Said(
        "openai/gpt-oss-120b",
        "The first call failed",
        '"Something with name: test".',
        "stop",
        Usage(80, 37, 256, 0, 59),
        "1756.8",
        tier="on_demand",
    ),
    ("ollama__json_schema_local", 0): Said(
        "qwen3:0.6b", '{ "city": "Paris"', '"France" }', "stop", Usage(136, 15), "633"
    ),
    ("openai_chat__basic_raw_headers", 0): Said(
        "gpt-4o-mini-2024-07-18", "This is a test.", "How can I assist you further?", "stop", Usage(12, 12), "216"
    ),
    ("openai_chat__json_schema_after_tool", 0): Said(
        "gpt-4o-2024-08-06", "", "", "tool_use", Usage(71, 12), "393", CHAT_COUNTRY, tier="default"
    ),
    ("openai_chat__json_schema_after_tool", 1): Said(
        "gpt-4o-2024-08-06", CITY, CITY, "stop", Usage(92, 15), "501", tier="default"
    ),
    ("openai_chat__n2", 0): Said(
        "gpt-4o-mini-2024-07-18", "This is a test.", "This is a test.", "stop", Usage(12, 10), "186"
    ),
    ("openai_chat__prompt_cache_hit", 0): Said(
        "gpt-5.6-sol", "OK", "OK", "stop", Usage(8, 4, 0, 4012), "15129", tier="default"
    ),
    ("openai_chat__prompt_cache_hit", 1): Said(
        "gpt-5.6-sol", "OK", "OK", "stop", Usage(8, 4, 4012), "1287.6", tier="default"
    ),
    ("openai_chat__stream_moderation", 0): Said(
        "gpt-5-2025-08-07", "Paris.", "Paris.", "stop", Usage(13, 11), "204", tier="default"
    ),
    ("openai_chat__stream_no_usage", 0): Said(
        "gpt-4-0613", "This is a", "test.", "stop", Usage(37, 4, estimated=True), "171"
    ),
    ("openai_chat__stream_parallel_tools", 0): Said(
        "gpt-4o-mini-2024-07-18", "", "", "tool_use", Usage(75, 51), "990", WEATHER, signs=15
    ),
    ("openai_compat__stream_tools_variant_c", 0): Said(
        "moonshotai/kimi-k2",
        "",
        "",
        "tool_use",
        Usage(56, 12),
        "348",
        VERSION,
        charged_usd="0.00005952",
        signs=2,
    ),
    ("openai_compat__stream_tools_variant_c", 1): Said(
        "moonshotai/kimi-k2",
        "The installed version",
        "is 0.fixed-version.",
        "stop",
        Usage(105, 16),
        "555",
        charged_usd="0.000103",
    ),
    ("openai_err__400_unsupported_param_then_200", 0): Failed("invalid_request", 400, "unsupported_parameter"),
    ("openai_err__400_unsupported_param_then_200", 1): Said(
        "o1-mini-2024-09-12",
        "The capital",
        "**Paris**.",
        "stop",
        Usage(14, 20, reasoning_tokens=64),
        "1302",
        tier="default",
    ),
    ("openai_err__400_unsupported_role", 0): Failed("invalid_request", 400, "unsupported_value"),
    ("openai_err__404_model_not_found_raw_headers", 0): Failed("not_found", 404, "model_not_found"),
    ("openai_responses__400_raw_headers", 0): Failed("not_found", 400, "model_not_found"),
    ("openai_responses__background_poll", 0): Said(
        "gpt-4o-2024-08-06",
        "2 + 2 equals 4.",
        "2 + 2 equals 4.",
        "stop",
        Usage(15, 9),
        "180",
        tier="default",
        exchanges=3,
    ),
    ("openai_responses__basic", 0): Said(
        "gpt-4o-mini-2024-07-18", "This is", "a test.", "stop", Usage(22, 6), "156", tier="default"
    ),
    ("openai_responses__json_schema", 0): Said(
        "gpt-4o-2024-08-06", "", "", "tool_use", Usage(66, 12), "378", RESPONSES_COUNTRY, tier="default"
    ),
    ("openai_responses__json_schema", 1): Said(
        "gpt-4o-2024-08-06", CITY, CITY, "stop", Usage(89, 16), "507", tier="default"
    ),
    ("openai_responses__reasoning_tokens", 0): Said(
        "gpt-5.4-2026-03-05",
        "```bash\n#!/usr",
        "[2,4,6]\n```",
        "stop",
        Usage(44, 279, reasoning_tokens=9),
        "4452",
        tier="default",
    ),
    ("openai_responses__stream_tool_roundtrip", 0): Said(
        "gpt-5.5-2026-04-23", "", "", "tool_use", Usage(58, 23), "519", MULTIPLY, tier="default", signs=13
    ),
    ("openai_responses__stream_tool_roundtrip", 1): Said(
        "gpt-5.5-2026-04-23", "1231 ×", "**2,869,461**", "stop", Usage(94, 18), "552", tier="default"
    ),
    ("openrouter__tool_call", 0): Said("mistralai/mistral-small", "", "", "tool_use", Usage(134, 43), "1047", DIVIDE),
    ("openrouter_err__429_three_retries", 0): LIMITED,
    ("openrouter_err__429_three_retries", 1): LIMITED,
    ("openrouter_err__429_three_retries", 2): LIMITED,
    ("openrouter_err__midstream_sse_error", 0): Failed(
        "invalid_request", None, usage=Usage(43, 0, reasoning_tokens=10)
    ),
}

ELSEWHERE = {
    ("anthropic__count_tokens_then_call", 0),  # counting ahead is nothing that we ask for
    ("openai_embed__404_model", 0),  # vectors have tests of their own
    ("openai_embed__base64_raw_headers", 0),
    ("openai_embed__batch_two_inputs", 0),
}
