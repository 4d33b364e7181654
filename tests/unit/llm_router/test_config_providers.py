"""Providers come from packages: their keys' variables, and what is wrong with them, told with the rest."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import ConfigurationError
from core.registry import Registry
from llm_router.config import RouterConfig
from llm_router.config.tables import build_config
from llm_router.providers.provider import Provider


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package that offers the providers acme, broken and odd, and claims the name openai."""
    folder = tmp_path / "site"
    info = folder / "acme_lattice-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-lattice\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[lattice.providers]\nacme = acme_lattice:PROVIDER\nbroken = acme_lattice:NOTHING\nodd = acme_lattice:ODD\n"
        "openai = acme_lattice:PROVIDER\n"
    )
    (folder / "acme_lattice.py").write_text(
        "from llm_router.providers.provider import Provider\n"
        "PROVIDER = Provider(build=None, key_variable='ACME_API_KEY')\nODD = 3\n"
    )
    monkeypatch.syspath_prepend(folder)
    yield folder
    sys.modules.pop("acme_lattice", None)


def with_providers(environment: dict[str, str], **targets: dict[str, object]) -> RouterConfig:
    tables = {"targets": {name: {"model": "m", **table} for name, table in targets.items()}}
    return build_config(tables, environment, Registry("lattice.providers", "LLM provider", Provider))


@pytest.mark.usefixtures("acme")
def test_a_package_may_bring_a_provider_with_its_key_s_variable() -> None:
    config = with_providers({"ACME_API_KEY": "sk-acme"}, a={"provider": "acme"})
    assert (config.targets[0].provider, config.targets[0].api_key) == ("acme", "sk-acme")


@pytest.mark.usefixtures("acme")
def test_what_is_wrong_with_a_package_s_providers_is_told_with_the_rest() -> None:
    with pytest.raises(ConfigurationError) as caught:
        with_providers(
            {},
            a={"provider": "acme"},
            b={"provider": "broken"},
            c={"provider": "odd"},
            d={"provider": "openai"},
            e={"provider": "scripted", "clocks": {"gap_s": 0}},
        )
    problems = caught.value.details["problems"]
    assert isinstance(problems, list)
    assert [problem.partition(",")[0] for problem in problems] == [
        "targets.a.api_key_env: the variable ACME_API_KEY is not set",
        "targets.b.provider: LLM provider 'broken' does not load: AttributeError: module 'acme_lattice' has no "
        "attribute 'NOTHING'",
        "targets.c.provider: LLM provider 'odd' is no Provider: acme_lattice:ODD",
        "targets.d.provider: LLM provider 'openai' is offered by two packages: acme_lattice:PROVIDER and "
        "llm_router.providers.openai_chat:PROVIDER; remove one",
        "targets.e.clocks.gap_s: must be a positive number",
    ]
