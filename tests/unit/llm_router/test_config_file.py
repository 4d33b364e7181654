"""The router's file: what it may say, what is refused as no file of the router, and that no secret shows."""

import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from core.errors import ConfigurationError
from llm_router.config import (
    BreakerConfig,
    BudgetConfig,
    CacheConfig,
    Capabilities,
    EmbeddingRouterConfig,
    ExperimentConfig,
    ModelConfig,
    RetryBudgetConfig,
    RouterConfig,
    TargetConfig,
    Variant,
)
from llm_router.config.file import read_config
from llm_router.config.shape import list_keys
from llm_router.prices import Prices
from llm_router.target import Clocks

KEYS = {"OPENAI_API_KEY": "sk-openai", "ANTHROPIC_API_KEY": "sk-ant", "MY_KEY": "sk-mine", "VALKEY_URL": "redis://v"}

WHOLE = """
deadline_s = 45
attempts_per_target = 2
[backoff]
initial_s = 0.25
max_s = 4.0
[breaker]
window_s = 30
minimum_calls = 4
failure_ratio = 0.25
open_s = 5
open_max_s = 50
ramp_s = 0
[retry_budget]
ratio = 0.1
burst = 5
[cache]
size = 100
ttl_s = 60
url_env = "VALKEY_URL"
[targets.gpt]
provider = "openai"
model = "gpt"
base_url = "https://host/v1"
api_key_env = "MY_KEY"
api_key_header = "api-key"
headers = { X-Title = "lattice" }
query = { api-version = "2024-10-21" }
legacy_max_tokens = true
[targets.gpt.clocks]
connect_s = 1
first_token_s = 2
gap_s = 3
total_s = 4
[targets.gpt.capabilities]
context_tokens = 8000
max_output_tokens = 1000
tools = false
schema = false
vision = false
streaming = false
refuses = ["stop", "seed"]
[targets.gpt.prices]
input_usd = 0.10
output_usd = "0.40"
cache_read_usd = 0.025
cache_write_usd = 1
cache_write_1h_usd = "2"
version = "2026-01-01"
[targets."tape 1"]
provider = "replay"
model = "m"
cassette = "tape.yaml"
wire = "anthropic"
[models.default]
targets = ["gpt", "tape 1"]
policy = "weighted"
weights = { gpt = 2, "tape 1" = 0.5 }
extractive = false
hedge_after_s = 1.5
[models.smart]
targets = ["gpt", "tape 1"]
policy = "difficulty"
strong = ["gpt"]
threshold = 0.4
[models.smart.experiment]
name = "tone"
method = "split"
floor = 0.1
[[models.smart.experiment.variants]]
name = "a"
share = 3
[[models.smart.experiment.variants]]
name = "b"
targets = ["gpt"]
system = "Be brief."
[[budgets]]
name = "day"
limit_usd = 5
[[budgets]]
name = "gpt"
limit_usd = "0.10"
window = "total"
each = "target"
only = "gpt"
[embedding]
model = "minilm"
dimension = 384
targets = ["gpt"]
policy = "weighted"
weights = { gpt = 1 }
batch_texts = 8
batch_tokens = 500
batches_at_once = 2
cache_size = 10
"""

Read = Callable[[str | bytes], RouterConfig]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read_text(text: str | bytes) -> RouterConfig:
        path = tmp_path / "llm.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_config(path, KEYS)

    return read_text


def refused(read: Read, text: str | bytes) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read(text)
    problems = caught.value.details["problems"]
    assert isinstance(problems, list)
    assert caught.value.message.endswith(f"llm.toml: {'; '.join(problems)}")
    return problems


def test_everything_can_be_told(read: Read) -> None:
    gpt = TargetConfig(
        name="gpt",
        provider="openai",
        model="gpt",
        base_url="https://host/v1",
        api_key="sk-mine",
        api_key_header="api-key",
        headers={"X-Title": "lattice"},
        query={"api-version": "2024-10-21"},
        clocks=Clocks(1.0, 2.0, 3.0, 4.0),
        capabilities=Capabilities(8000, 1000, False, False, False, False, frozenset({"stop", "seed"})),
        prices=Prices(Decimal("0.10"), Decimal("0.40"), Decimal("0.025"), Decimal(1), Decimal(2), "2026-01-01"),
        legacy_max_tokens=True,
    )
    tape = TargetConfig("tape 1", "replay", "m", cassette="tape.yaml", wire="anthropic")
    tone = ExperimentConfig("tone", (Variant("a", share=3.0), Variant("b", ("gpt",), "Be brief.")), "split", 0.1)
    both = ("gpt", "tape 1")
    assert read(WHOLE) == RouterConfig(
        targets=(gpt, tape),
        models=(
            ModelConfig("default", both, "weighted", {"gpt": 2.0, "tape 1": 0.5}, hedge_after_s=1.5, extractive=False),
            ModelConfig("smart", both, "difficulty", strong=("gpt",), threshold=0.4, experiment=tone),
        ),
        deadline_s=45.0,
        attempts_per_target=2,
        backoff_initial_s=0.25,
        backoff_max_s=4.0,
        breaker=BreakerConfig(30.0, 4, 0.25, 5.0, 50.0, 0.0),
        retry_budget=RetryBudgetConfig(0.1, 5.0),
        cache=CacheConfig(100, 60.0, "redis://v"),
        budgets=(BudgetConfig("day", Decimal(5)), BudgetConfig("gpt", Decimal("0.10"), "total", "target", "gpt")),
        embedding=EmbeddingRouterConfig("minilm", 384, ("gpt",), "weighted", {"gpt": 1.0}, 8, 500, 2, 10),
    )


def test_the_whole_example_has_every_key() -> None:
    told = {key.rpartition(".")[2] for key in list_keys()}
    assert [key for key in sorted(told) if not re.search(rf"\b{key}\b", WHOLE)] == []


def test_what_is_not_told_has_its_default(read: Read) -> None:
    assert read("") == RouterConfig()
    assert read(b"\xef\xbb\xbfdeadline_s = 5\r\n").deadline_s == 5.0  # as some editors write it
    bare = read('[targets.a]\nprovider = "openai"\nmodel = "m"').targets[0]
    assert bare == TargetConfig("a", "openai", "m", api_key="sk-openai")


def test_prices_are_exact(read: Read) -> None:
    prices = (
        read(
            '[targets.a]\nprovider = "openai"\nmodel = "m"\n[targets.a.prices]\n'
            'input_usd = 0.1234567890123456789012345\noutput_usd = "0.30"'
        )
        .targets[0]
        .prices
    )
    assert prices is not None
    assert str(prices.input_usd) == "0.1234567890123456789012345"
    assert str(prices.output_usd) == "0.30"


def test_keys_come_from_the_provider_s_variable_or_the_one_named(read: Read) -> None:
    targets = read("""
        [targets.own]
        provider = "anthropic"
        model = "m"
        [targets.named]
        provider = "anthropic"
        model = "m"
        base_url = "http://localhost:1"
        api_key_env = "MY_KEY"
        [targets.none]
        provider = "openai"
        model = "m"
        base_url = "http://localhost:1/v1"
    """).targets
    assert [target.api_key for target in targets] == ["sk-ant", "sk-mine", "", ""]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a = ", "is no TOML: Invalid value (at line 1, column 5"),
        ("\na = [1\nb = 2", "is no TOML: Unclosed array (at line 3, column 1"),
        ("a = 1\na = 2", "is no TOML: Cannot overwrite a value (at line 2, column 6"),
        (b"\n\na = '\xff'", "is not UTF-8 (at line 3)"),
        (b"a = " + b"1" * 5_000, "is no TOML: "),
        (b"a = 1e99999999999999999999", "is no TOML: "),
        (b"a = " + b"[" * 10_000, "is no TOML: too deeply nested"),
    ],
)
def test_what_is_no_toml_is_told_with_its_line(read: Read, text: str | bytes, problem: str) -> None:
    (told,) = refused(read, text)
    assert told.startswith(problem)


def test_what_nests_without_end_is_refused(read: Read) -> None:
    with pytest.raises(ConfigurationError, match="is too deeply nested"):
        read(f"targets{'.a' * 5000} = 1")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.toml: cannot be read: No such file"):
        read_config(tmp_path / "none.toml", {})
    with pytest.raises(ConfigurationError, match="cannot be read: Is a directory"):
        read_config(tmp_path, {})


SECRET = "sk-live-abc123"  # noqa: S105 - it opens nothing


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (f'api_key = "{SECRET}"', "targets.a.api_key: no secret stands in the file: "),
        (f'api_key_env = "{SECRET}"', "targets.a.api_key_env: the variable that it names is not set"),
        (
            f'headers = {{ Authorization = "{SECRET}" }}',
            "targets.a.headers.Authorization: no secret stands in the file",
        ),
        (f'query = {{ key = "{SECRET}" }}', "targets.a.query.key: no secret stands in the file"),
        (f'base_url = "https://user:{SECRET}@host"', "targets.a.base_url: "),
        (f'headers = {{ X-Title = "{SECRET}\\n" }}', "targets.a.headers.X-Title: has characters"),
        (f'clocks.gap_s = "{SECRET}"', "targets.a.clocks.gap_s: must be a number"),
        (f'provider = "scripted"\n[cache]\nurl = "redis://:{SECRET}@host"', "cache.url: no secret stands in the file"),
        (f'provider = "scripted"\n[cache]\nurl_env = "redis://:{SECRET}@host"', "cache.url_env: the variable that it"),
    ],
)
def test_no_secret_stands_in_the_file_or_in_a_message(read: Read, line: str, problem: str) -> None:
    start = "[targets.a]\n" if line.startswith("provider") else '[targets.a]\nprovider = "openai"\nmodel = "m"\n'
    with pytest.raises(ConfigurationError) as caught:
        read(start + line)
    assert problem in caught.value.message
    told, chain = f"{caught.value!r} {caught.value.details}", caught.value.__context__
    assert SECRET not in told
    assert caught.value.__suppress_context__ or chain is None or SECRET not in str(chain)
