"""What dashboards, rules and the documentation ask for is what a running service exports, by name and by label."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from api.app import create_app
from api.settings import Settings
from tests.integration.api.conftest import connect

ROOT = Path(__file__).resolve().parents[3]
RULES = sorted((ROOT / "deploy" / "prometheus" / "rules").glob("*.yml"))
DASHBOARDS = sorted((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"))
OWN = {"up", "ALERTS"}  # that Prometheus itself makes
SCRAPED = {"instance", "job", "le"}  # labels that any sample may have
PARTS = {"histogram": ("_bucket", "_count", "_sum"), "counter": ("_total",)}
WORDS = {"and", "bool", "by", "group_left", "group_right", "ignoring", "on", "or", "unless", "without"}

NAME = re.compile(r"[a-zA-Z_:][\w:]*")
ROW = re.compile(r"^\| `((?:lattice|process|python)_\w+)` \|([^|]*)\|", re.MULTILINE)


def list_exprs() -> Iterator[str]:
    for path in RULES:
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]:
            yield from (rule["expr"] for rule in group["rules"])
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]:
            yield from (target["expr"] for target in panel["targets"])


def list_recorded() -> set[str]:
    loaded = (yaml.safe_load(path.read_text(encoding="utf-8")) for path in RULES)
    return {
        rule["record"] for each in loaded for group in each["groups"] for rule in group["rules"] if "record" in rule
    }


def metrics_in(expr: str) -> set[str]:
    """Return the names of the metrics in an expression of PromQL."""
    bare = re.sub(r'"[^"]*"', "", expr)
    bare = re.sub(r"\[[^\]]*\]|\{[^}]*\}", " ", bare)
    bare = re.sub(r"\b(by|on|ignoring|without)\s*\([^)]*\)", " ", bare)
    calls = set(re.findall(r"([a-zA-Z_]\w*)\s*\(", bare))
    return {name for name in NAME.findall(bare) if name not in calls | WORDS}


def labels_in(expr: str) -> set[str]:
    """Return the names of the labels in an expression of PromQL."""
    bare = re.sub(r'"[^"]*"', '""', expr)
    matched = {name for braces in re.findall(r"\{([^}]*)\}", bare) for name in re.findall(r"(\w+)\s*[=!]", braces)}
    grouped = re.findall(r"\b(?:by|on|ignoring|without)\s*\(([^)]*)\)", bare)
    return matched | {name for names in grouped for name in NAME.findall(names)}


def documented() -> dict[str, set[str]]:
    """Return the labels of each metric that docs/monitoring.md has in a table."""
    page = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    return {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in ROW.findall(page)}


def sample_names(family: Metric) -> Iterator[str]:
    yield from (family.name + part for part in PARTS.get(family.type, ("",)))


def family_of(name: str, known: Mapping[str, set[str]]) -> str | None:
    """Return the documented metric that a sample's name is of."""
    whole = re.sub(r"_(bucket|count|sum|gcount|gsum)$", "", name)
    return next((each for each in (name, whole) if each in known), None)


@pytest.fixture
async def families(settings: Settings) -> dict[str, Metric]:
    """The metrics of a service that has done something of each kind."""
    async with connect(create_app(settings)) as client:
        gem = (await client.post("/gems", json={"name": "port"})).json()["id"]
        note = {"text": "The island ferry leaves at seven and at noon."}
        await client.post(f"/gems/{gem}/documents", json={"documents": [note]})
        await client.post(
            f"/gems/{gem}/ingestions", content=json.dumps(note), headers={"content-type": "text/x-nothing"}
        )
        lines = json.dumps({"text": "Gulls nest on the roof."})
        queued = await client.post(
            f"/gems/{gem}/ingestions", content=lines, headers={"content-type": "application/x-ndjson"}
        )
        answer = await client.post(f"/gems/{gem}/reflections", json={"question": "When does the ferry leave?"})
        assert (queued.status_code, answer.status_code) == (202, 201)
        text = (await client.get("http://localhost/metrics")).text
    found = text_string_to_metric_families(text)
    return {family.name: family for family in found if not family.name.endswith("_created")}  # the library's own


def test_names_and_labels_are_read_out_of_expressions() -> None:
    expr = 'sum by (le, kind) (rate(a_bucket{x=~"b{2}",y!="c"}[5m])) / on (kind) (ns:d:e > 0) or vector(0) and f'
    assert metrics_in(expr) == {"a_bucket", "ns:d:e", "f"}
    assert labels_in(expr) == {"le", "kind", "x", "y"}


def test_every_metric_that_is_asked_for_is_exported(families: dict[str, Metric]) -> None:
    exported = {name for family in families.values() for name in sample_names(family)}
    asked = {name for expr in list_exprs() for name in metrics_in(expr)}
    assert len(asked) > 40
    assert asked - exported - list_recorded() - OWN == set()


def test_every_recorded_metric_is_asked_for() -> None:
    asked = {name for expr in list_exprs() for name in metrics_in(expr)}
    assert list_recorded() - asked == set()


def test_every_label_that_is_asked_for_is_one_of_the_metrics() -> None:
    known = documented()
    for expr in list_exprs():
        metrics = metrics_in(expr)
        if metrics & OWN:
            continue
        labels = set[str]().union(*(known.get(family_of(name, known) or "", set()) for name in metrics))
        assert labels_in(expr) <= labels | SCRAPED, expr


def test_the_documentation_has_every_metric_with_its_labels(families: dict[str, Metric]) -> None:
    known = documented()
    exported: dict[str, set[str]] = {}
    for family in families.values():
        if family.name.startswith("lattice_"):
            name = family_of(next(sample_names(family)), known)
            assert name is not None, f"docs/monitoring.md has no row for {family.name}"
            labels = exported.setdefault(name, set())
            labels |= {label for sample in family.samples for label in sample.labels} - SCRAPED
    assert {name for name in known if name.startswith("lattice_")} == exported.keys()
    assert {name for name, labels in exported.items() if labels and labels != known[name]} == set()


def test_most_metrics_have_a_value_after_one_of_each_kind_of_request(families: dict[str, Metric]) -> None:
    empty = {name for name, family in families.items() if name.startswith("lattice_") and not family.samples}
    assert empty <= {  # which need a worker, a model behind a network, or a cache that is switched on
        "lattice_job_duration_seconds",
        "lattice_llm_cache_lookups",
        "lattice_llm_cost_usd",
        "lattice_llm_time_to_first_token_seconds",
        "lattice_llm_tokens",
    }
