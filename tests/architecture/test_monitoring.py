"""The files for Prometheus and Grafana: sound, in step with each other, and explained."""

import json
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.make_dashboards import DASHBOARDS, FOLDER, write

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
GRAFANA = ROOT / "deploy" / "grafana"
RULE_FILES = sorted((PROMETHEUS / "rules").glob("*.yml"))
RULE_TESTS = sorted((PROMETHEUS / "tests").glob("*.yml"))
PANEL_KEYS = {"id", "type", "title", "description", "datasource", "gridPos", "targets", "fieldConfig", "options"}


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def list_rules() -> list[dict[str, Any]]:
    return [rule for path in RULE_FILES for group in load(path)["groups"] for rule in group["rules"]]


def list_alerts() -> list[dict[str, Any]]:
    return [rule for rule in list_rules() if "alert" in rule]


def models() -> list[dict[str, Any]]:
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))]


def promtool(*arguments: object) -> None:
    tool = shutil.which("promtool")
    if tool is None:
        pytest.skip("promtool is not here; Debian and Ubuntu have it in the package prometheus")
    done = subprocess.run([tool, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dashboards_are_those_that_the_script_makes() -> None:
    made = {f"{each.uid}.json": write(each) for each in DASHBOARDS}
    found = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    assert found == made, "run `python -m scripts.make_dashboards`"


def test_dashboards_and_their_panels_have_names_of_their_own() -> None:
    assert len(models()) == len({model["uid"] for model in models()}) == len({model["title"] for model in models()})
    for model in models():
        assert re.fullmatch(r"[a-z-]{1,40}", model["uid"])
        titles = Counter(panel["title"] for panel in model["panels"])
        assert [title for title, count in titles.items() if count > 1] == []
        assert [panel["id"] for panel in model["panels"]] == [*range(1, len(model["panels"]) + 1)]


def test_panels_are_whole_and_do_not_overlap() -> None:
    for model in models():
        taken: set[tuple[int, int]] = set()
        for panel in model["panels"]:
            assert panel.keys() == PANEL_KEYS
            assert panel["description"].endswith(".")
            grid = panel["gridPos"]
            cells = {
                (x, y) for x in range(grid["x"], grid["x"] + grid["w"]) for y in range(grid["y"], grid["y"] + grid["h"])
            }
            assert grid["x"] + grid["w"] <= 24
            assert not cells & taken, panel["title"]
            taken |= cells
            assert all(target["datasource"] == panel["datasource"] for target in panel["targets"])
            assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


def test_every_panel_reads_the_source_that_the_viewer_chose() -> None:
    for model in models():
        (variable,) = model["templating"]["list"]
        sources = {panel["datasource"]["uid"] for panel in model["panels"]}
        assert sources == {"${" + variable["name"] + "}"}


def test_grafana_is_told_of_one_prometheus_and_of_the_folder_that_is_mounted() -> None:
    (source,) = load(GRAFANA / "provisioning/datasources/prometheus.yml")["datasources"]
    (provider,) = load(GRAFANA / "provisioning/dashboards/lattice.yml")["providers"]
    compose = load(ROOT / "docker-compose.yml")["services"]
    mounted = {volume.split(":")[1]: volume.split(":")[0] for volume in compose["grafana"]["volumes"]}
    assert (source["type"], source["url"]) == ("prometheus", "http://prometheus:9090")
    assert mounted[provider["options"]["path"]] == "./deploy/grafana/dashboards"
    home = Path(compose["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert home.parent == Path(provider["options"]["path"])
    assert (FOLDER / home.name).is_file()


def test_prometheus_scrapes_with_the_token_that_it_is_given() -> None:
    config, compose = load(PROMETHEUS / "prometheus.yml"), load(ROOT / "docker-compose.yml")
    (job,) = config["scrape_configs"]
    token = Path(job["authorization"]["credentials_file"])
    assert token.parent == Path("/run/secrets")
    assert compose["services"]["prometheus"]["secrets"] == [token.name]
    assert compose["secrets"][token.name] == {"environment": "LATTICE_API_TOKEN"}
    assert config["rule_files"] == ["rules/*.yml"]


def test_every_alert_says_how_bad_it_is_and_what_to_do() -> None:
    page = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    sections = {re.sub(r"[^\w-]", "", title.lower()) for title in re.findall(r"^#+ (.+)$", page, re.MULTILINE)}
    names = [alert["alert"] for alert in list_alerts()]
    assert len(names) == len(set(names)) > 10
    for alert in list_alerts():
        assert alert["labels"]["severity"] in {"page", "ticket"}
        file, _, section = alert["annotations"]["runbook"].partition("#")
        assert (file, section in sections) == ("docs/monitoring.md", True), alert["alert"]


def test_every_burn_rate_alert_looks_through_two_windows() -> None:
    burning = [rule for rule in list_alerts() if "ratio_rate" in rule["expr"]]
    assert len(burning) == 6
    for rule in burning:
        windows = re.findall(r"ratio_rate(\w+) > ([\d.]+ \* )?[\d.]+", rule["expr"])
        assert len(windows) == 4, rule["alert"]


def test_every_alert_has_a_test() -> None:
    tested = {
        case["alertname"] for path in RULE_TESTS for test in load(path)["tests"] for case in test["alert_rule_test"]
    }
    shown = {
        case["alertname"]
        for path in RULE_TESTS
        for test in load(path)["tests"]
        for case in test["alert_rule_test"]
        if case["exp_alerts"]
    }
    kinds = {re.sub(r"(Fast|Slow)$", "", alert["alert"]) for alert in list_alerts()}
    assert {re.sub(r"(Fast|Slow)$", "", name) for name in tested} >= kinds
    assert {re.sub(r"(Fast|Slow)$", "", name) for name in shown} >= kinds - {"LatticeGemsFallen"}


def test_prometheus_takes_its_configuration_and_rules() -> None:
    promtool("check", "config", "--syntax-only", PROMETHEUS / "prometheus.yml")
    promtool("check", "rules", *RULE_FILES)


def test_alerts_fire_when_they_should_and_only_then() -> None:
    promtool("test", "rules", *RULE_TESTS)


def test_prometheus_understands_every_expression_of_the_dashboards(tmp_path: Path) -> None:
    exprs = [target["expr"] for model in models() for panel in model["panels"] for target in panel["targets"]]
    rules = [{"record": f"panel:{i}", "expr": expr.replace("$__rate_interval", "5m")} for i, expr in enumerate(exprs)]
    path = tmp_path / "panels.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}), encoding="utf-8")
    promtool("check", "rules", path)
