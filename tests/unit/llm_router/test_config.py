from dataclasses import replace
from decimal import Decimal

import pytest

from core.errors import ConfigurationError
from llm_router import RouterConfig, TargetConfig, build_router
from llm_router.reply import Prices

MAIN = TargetConfig("main", "openai", "gpt", api_key="sk-very-secret")


def test_extractive_is_always_last() -> None:
    assert [each.provider for each in RouterConfig((MAIN,)).targets] == ["openai", "extractive"]
    assert [each.provider for each in RouterConfig().targets] == ["extractive"]
    own = RouterConfig((MAIN, TargetConfig("quotes", "extractive")))
    assert [each.name for each in own.targets] == ["main", "quotes"]
    assert replace(own, deadline_s=1.0).targets == own.targets


def test_a_key_is_never_shown() -> None:
    assert "sk-very-secret" not in repr(RouterConfig((MAIN,)))


def test_prices_need_both_sides() -> None:
    assert MAIN.prices is None
    assert replace(MAIN, price_input_usd=Decimal(1)).prices is None
    priced = replace(MAIN, price_input_usd=Decimal(1), price_output_usd=Decimal(2))
    assert priced.prices == Prices(Decimal(1), Decimal(2))


def test_all_problems_are_told_at_once() -> None:
    targets = (
        TargetConfig("", "openai", "gpt"),
        TargetConfig("a", "openai"),
        TargetConfig("b", "openai", "gpt", base_url="localhost:11434", api_key="sk-ключ", timeout_s=0.0),
        TargetConfig("c", "extractive"),
        TargetConfig("c", "anthropic", "claude", price_input_usd=Decimal(-1)),
        TargetConfig("extractive", "openai", "gpt"),
    )
    with pytest.raises(ConfigurationError) as caught:
        RouterConfig(targets, deadline_s=0.0, attempts_per_target=0, backoff_initial_s=9.0)
    problems = caught.value.details["problems"]
    assert isinstance(problems, list)
    assert len(problems) == 12
    assert "ключ" not in str(caught.value)


def test_an_unknown_provider_lists_the_known() -> None:
    with pytest.raises(ConfigurationError, match="anthropic, extractive, openai"):
        build_router(RouterConfig((TargetConfig("x", "acme", "m"),)), None)
