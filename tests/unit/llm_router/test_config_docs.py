"""Every example of the router's file in the docs loads, and the defaults that they state are the true ones."""

import re
import tomllib
from decimal import Decimal
from pathlib import Path

import pytest

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
from llm_router.prices import Prices
from llm_router.target import Clocks

ROOT = Path(__file__).resolve().parents[3]


def examples() -> list[object]:
    found: list[object] = []
    pages = {ROOT / "README.md", *(ROOT / "docs").rglob("*.md")} - {ROOT / "docs/extensions.md"}  # which has manifests
    for page in sorted(pages):
        blocks = re.findall(r"^```toml\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        found += [pytest.param(text, id=f"{page.name}-{number}") for number, text in enumerate(blocks)]
    return found


class Anything(dict[str, str]):
    """An environment in which every variable is set."""

    def get(self, key: str, _default: object = None) -> str:
        return f"value-of-{key}"


@pytest.mark.parametrize("text", examples())
def test_every_example_of_the_docs_loads(tmp_path: Path, text: str) -> None:
    path = tmp_path / "llm.toml"
    path.write_text(text, encoding="utf-8")
    read_config(path, Anything())


DEFAULTS = {
    "The whole": RouterConfig(),
    "targets.NAME": TargetConfig("a", "openai", "m"),
    "targets.NAME.clocks": Clocks(),
    "targets.NAME.capabilities": Capabilities(),
    "targets.NAME.prices": Prices(Decimal(1), Decimal(1)),
    "models.NAME": ModelConfig("default", ()),
    "models.NAME.experiment": ExperimentConfig("a", ()),
    "models.NAME.experiment.variants": Variant("a"),
    "budgets": BudgetConfig("a", Decimal(1)),
    "cache": CacheConfig(),
    "breaker": BreakerConfig(),
    "retry_budget": RetryBudgetConfig(),
    "embedding": EmbeddingRouterConfig("m", 8, ()),
}


def test_the_docs_state_the_defaults() -> None:
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    found = 0
    for section in page.partition("## The router's file")[2].split("\n### ")[1:]:
        holder = DEFAULTS.get(section.partition("\n")[0].strip("`[]"))
        for key, written in re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", section, re.MULTILINE):
            told = tomllib.loads(f"x = {written}")["x"]
            default = getattr(holder or RouterConfig(), key if holder else f"backoff_{key}")
            assert told == (list(default) if isinstance(default, tuple | frozenset) else default), key
            found += 1
    assert found > 40


def test_the_docs_have_examples() -> None:
    assert examples()
