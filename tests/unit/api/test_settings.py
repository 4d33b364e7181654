"""What is wrong with a setting is told by its variable's name, whatever is wrong."""

from decimal import Decimal
from pathlib import Path

import pytest

from api.settings import LLMSettings, Settings, TargetSettings, read_settings
from core.errors import ConfigurationError
from llm_router import Clocks, Prices, RouterConfig, TargetConfig


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("LATTICE_LLM__TARGETS", '[{"provider": "openai"', "LATTICE_LLM__TARGETS: is no JSON"),
        ("LATTICE_LLM__TARGETS", '{"provider": "openai"}', "LATTICE_LLM__TARGETS: Input should be a JSON list"),
        ("LATTICE_LLM__TARGETS", '[{"provider": "openai"}]', "LATTICE_LLM__TARGETS__0__MODEL: "),
        ("LATTICE_LLM__TARGETS", '[{"provider": "openai", "model": "m", "api_key": "x"}]', "__0__API_KEY: "),
        (
            "LATTICE_LLM__TARGETS",
            '[{"provider": "openai", "model": "m"}, {"provider": "openai", "model": "m"}]',
            "LATTICE_LLM__TARGETS: two targets are named 'openai/m'",
        ),
        ("LATTICE_LLM__CONFIG", "/data/\udcff", "LATTICE_LLM__CONFIG: must be of printable characters"),
        ("LATTICE_LLM__DEADLINE_S", "inf", "LATTICE_LLM__DEADLINE_S: "),
        ("LATTICE_TIME_UNIT_DAYS", "1e308", "LATTICE_TIME_UNIT_DAYS: "),
        ("LATTICE_TIME_UNIT_DAYS", "1e-300", "LATTICE_TIME_UNIT_DAYS: "),
        ("LATTICE_TIME_UNIT_DAYS", "nan", "LATTICE_TIME_UNIT_DAYS: "),
        ("LATTICE_POOL__STATEMENT_TIMEOUT_S", "1e30", "LATTICE_POOL__STATEMENT_TIMEOUT_S: "),
        ("LATTICE_API_TOKEN", "two words", "LATTICE_API_TOKEN: must be of visible ASCII characters"),
        ("LATTICE_API_TOKEN", "token\n", "LATTICE_API_TOKEN: must be of visible ASCII characters"),
        ("LATTICE_DATA_DIR", "/data/\udcff", "LATTICE_DATA_DIR: must be of printable characters"),
        ("LATTICE_PROT", "80", "LATTICE_PROT is not a setting"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, problem: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError) as caught:
        read_settings()
    assert problem in caught.value.message
    if "TOKEN" in variable:
        assert value.strip() not in caught.value.message


KEYS = {"OPENAI_API_KEY": "sk-1", "ANTHROPIC_API_KEY": "sk-2", "MY_KEY": "sk-3"}


def told(*targets: TargetSettings) -> Settings:
    return Settings(llm=LLMSettings(targets=targets))


def test_targets_of_the_environment_become_those_of_the_router() -> None:
    config = told(
        TargetSettings(
            provider="openai",
            model="m",
            timeout_s=7.0,
            price_input_usd=Decimal("0.10"),
            price_output_usd=Decimal(2),
            price_cache_read_usd=Decimal("0.01"),
        ),
        TargetSettings(provider="anthropic", model="c", name="claude", price_input_usd=Decimal(1)),
        TargetSettings(
            provider="openai", model="l", base_url="http://localhost:1/v1", api_key_env="MY_KEY", legacy_max_tokens=True
        ),
        TargetSettings(provider="openai", model="n", base_url="http://localhost:1/v1"),
    ).router_config(KEYS)
    clocks = Clocks(total_s=60.0)
    prices = Prices(Decimal("0.10"), Decimal(2), Decimal("0.01"))
    local = "http://localhost:1/v1"
    assert config == RouterConfig(
        (
            TargetConfig("openai/m", "openai", "m", api_key="sk-1", clocks=Clocks(total_s=7.0), prices=prices),
            TargetConfig("claude", "anthropic", "c", api_key="sk-2", clocks=clocks),
            TargetConfig("openai/l", "openai", "l", local, "sk-3", clocks=clocks, legacy_max_tokens=True),
            TargetConfig("openai/n", "openai", "n", local, clocks=clocks),
        )
    )


def test_all_that_is_wrong_with_targets_is_told_at_once() -> None:
    settings = told(
        TargetSettings(provider="openai", model="m", timeout_s=0.0),
        TargetSettings(provider="acme", model="m", name="x"),
    )
    with pytest.raises(ConfigurationError) as caught:
        settings.router_config({})
    assert caught.value.details["problems"] == [
        'targets."openai/m".api_key_env: the variable OPENAI_API_KEY is not set',
        "targets.x.provider: LLM provider 'acme' is unknown; known are anthropic, extractive, openai, "
        "openai-responses, replay, scripted",
        'targets."openai/m".clocks.total_s: must be a positive number',
    ]
    assert caught.value.message.startswith("LATTICE_LLM__TARGETS: targets.")


def test_a_file_says_it_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "llm.toml"
    path.write_text('deadline_s = 7\n[targets.a]\nprovider = "anthropic"\nmodel = "c"')
    monkeypatch.setenv("LATTICE_LLM__CONFIG", str(path))
    config = read_settings({}).router_config(KEYS)
    assert config == RouterConfig((TargetConfig("a", "anthropic", "c", api_key="sk-2"),), deadline_s=7.0)
    path.write_text("deadline_s = 0")
    with pytest.raises(ConfigurationError, match=r"llm\.toml: deadline_s: must be a positive number"):
        read_settings({}).router_config(KEYS)


@pytest.mark.parametrize("variable", ["LATTICE_LLM__TARGETS", "LATTICE_LLM__DEADLINE_S"])
def test_what_a_file_says_is_not_said_beside_it(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv("LATTICE_LLM__CONFIG", "/somewhere/llm.toml")
    monkeypatch.setenv(variable, "[]" if variable.endswith("TARGETS") else "90")
    with pytest.raises(ConfigurationError, match=f"LATTICE_LLM__CONFIG names a file, so {variable} must not be set"):
        read_settings({})


def test_the_defaults_of_the_router_are_its_own() -> None:
    ours, its = LLMSettings(), RouterConfig()
    assert (ours.deadline_s, ours.attempts_per_target) == (its.deadline_s, its.attempts_per_target)
