"""The image and the Compose file: valid, without secrets, without privileges. No container engine is needed."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import yaml

from scripts.check_docs import openapi_paths

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
FINAL_STAGE = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]
DOCKERIGNORE = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()


def services() -> dict[str, Any]:
    composed: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    return composed["services"]


def test_compose_file_is_valid() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_services_start_in_order() -> None:
    assert {name for name, each in services().items() if "profiles" not in each} == {"db", "migrate", "lattice"}
    assert services()["db"]["healthcheck"]["test"]
    assert services()["migrate"]["depends_on"] == {"db": {"condition": "service_healthy"}}
    assert services()["lattice"]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}


def test_secrets_come_from_the_environment() -> None:
    secret = re.compile(r"PASSWORD|TOKEN|KEY")
    values = [v for s in services().values() for k, v in s.get("environment", {}).items() if secret.search(k)]
    assert len(values) == 6
    assert all(value is None or re.fullmatch(r"\$\{\w+:\?.+\}", value) for value in values)


def test_our_services_have_no_privileges() -> None:
    for name in ("migrate", "lattice", "prometheus", "grafana"):
        service = services()[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_only_this_machine_reaches_the_service() -> None:
    published = {name: service["ports"] for name, service in services().items() if "ports" in service}
    assert published.keys() == {"lattice", "prometheus", "grafana"}
    assert published["lattice"] == ["127.0.0.1:${LATTICE_PORT:-8000}:8000"]
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


def test_image_runs_as_a_numbered_user() -> None:
    assert re.findall(r"^USER (.+)$", FINAL_STAGE, re.MULTILINE) == ["10001:10001"]


def test_image_holds_locked_packages_only() -> None:
    installs = re.findall(r"pip install (.+)$", DOCKERFILE, re.MULTILINE)
    assert len(installs) == 2
    assert all("--require-hashes" in line or "--build-constraint requirements-dev.txt" in line for line in installs)


def test_health_check_asks_a_route_that_exists() -> None:
    asked = re.findall(r"HEALTHCHECK.*?http://127\.0\.0\.1:8000(/[\w/]+)", FINAL_STAGE, re.DOTALL)
    assert len(asked) == 1
    assert asked[0] in openapi_paths()


def test_image_is_given_what_the_wheel_needs_and_no_more() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {*wheel["packages"], *wheel["force-include"], *project["project"]["license-files"]}
    needed |= {"pyproject.toml", project["project"]["readme"], "requirements.txt", "requirements-dev.txt"}
    needed |= {"package.json", "package-lock.json", ".npmrc", "requirements-node.txt", "scripts/fetch_assets.py"}
    assert DOCKERIGNORE[1] == "*"
    assert {line[1:] for line in DOCKERIGNORE if line.startswith("!")} == needed
