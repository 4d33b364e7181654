"""Extensions over REST: listed, used by requests, told what was run; a broken one harms nobody else."""

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from api.cli.extension_skeleton import write_skeleton
from api.service import Service
from api.settings import Settings
from core.errors import ConfigurationError
from core.extensions import Kind
from tests.integration.api.conftest import build_app, check_problem, connect

EXAMPLES = Path(__file__).parents[3] / "examples" / "extensions"
SCENARIO = {
    "name": "alerted",
    "inputs": {"A": 0.9},
    "rules": {"A": {"rule": "momentum", "target": 0.0}},
    "events": [{"event": "threshold_alert", "variable": "A", "level": 0.5}],
    "steps": 40,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLES, tmp_path / "extensions"))


@pytest.fixture
async def extended(settings: Settings, service: Service, folder: Path) -> AsyncIterator[httpx2.AsyncClient]:
    app = build_app(settings.model_copy(update={"extensions_dir": folder}), service)
    async with connect(app) as client:
        yield client


async def test_without_a_folder_there_are_those_of_packages(client: httpx2.AsyncClient) -> None:
    items = (await client.get("/extensions")).json()["items"]
    assert {"linear", "threshold", "extractive"} <= {each["name"] for each in items}
    assert {each["origin"].partition(" ")[0] for each in items} == {"crystal-lattice"}
    problem = check_problem(await client.post("/simulations", json=SCENARIO), 422, "invalid_parameter")
    assert problem["details"]["field"] == "rules.A.rule"


async def test_a_folder_is_listed_with_the_state_of_each(extended: httpx2.AsyncClient, folder: Path) -> None:
    listed = (await extended.get("/extensions", params={"kind": "update_rule"})).json()["items"]
    momentum = next(each for each in listed if each["name"] == "momentum")
    assert momentum == {
        "kind": "update_rule",
        "name": "momentum",
        "version": "1.0.0",
        "description": "Keeps going the way it went, while a target pulls: a heavy ball with friction.",
        "origin": "folder momentum",
        "state": "ready",
        "problem": None,
    }
    (shown,) = (await extended.get("/extensions/momentum")).json()["items"]
    assert shown["extension"] == momentum | {"state": "loaded"}
    assert [each["name"] for each in shown["parameters"]] == ["inertia", "pull", "target"]
    assert shown["parameters"][0] == {
        "name": "inertia",
        "takes": "a finite number in [0, 0.999]",
        "help": "Share of the last step's movement that goes on.",
        "required": False,
        "default": 0.8,
    }
    check_problem(await extended.get("/extensions/none_such"), 404, "extension_not_found")
    assert str(folder) not in json.dumps([listed, shown]), "where the server keeps its files is nobody's business"
    await extended.post("/simulations", json=SCENARIO)
    listed = (await extended.get("/extensions", params={"kind": "update_rule"})).json()["items"]
    assert next(each for each in listed if each["name"] == "momentum")["state"] == "loaded"
    check_problem(await extended.get("/extensions", params={"kind": "planet"}), 422, "invalid_input")


async def test_a_simulation_uses_rules_and_detectors_of_the_folder(extended: httpx2.AsyncClient) -> None:
    made = await extended.post("/simulations", json=SCENARIO)
    assert made.status_code == 201
    simulation = made.json()
    assert [event["kind"] for event in simulation["events"]] == ["alert"]
    read = (await extended.get(f"/simulations/{simulation['id']}")).json()
    assert read["scenario"]["rules"]["A"]["rule"] == "momentum"
    assert read["series"] == simulation["series"]
    again = await extended.post("/simulations", json=SCENARIO)
    assert (again.status_code, again.headers["x-cache"]) == (200, "hit")


async def test_a_streamed_simulation_uses_them_too(extended: httpx2.AsyncClient) -> None:
    answer = await extended.post("/simulations", json=SCENARIO, headers={"Accept": "text/event-stream"})
    assert "event: done" in answer.text
    assert '"kind":"alert"' in answer.text


async def test_two_applications_of_one_process_have_folders_of_their_own(
    settings: Settings, service: Service, extended: httpx2.AsyncClient
) -> None:
    async with connect(build_app(settings, service)) as plain:
        assert (await extended.post("/simulations", json=SCENARIO)).status_code == 201
        other = {**SCENARIO, "seed": 1}
        check_problem(await plain.post("/simulations", json=other), 422, "invalid_parameter")
        assert (await extended.post("/simulations", json=other)).status_code == 201


async def test_what_was_simulated_is_kept_when_its_extension_is_gone(
    settings: Settings, service: Service, extended: httpx2.AsyncClient
) -> None:
    made = (await extended.post("/simulations", json=SCENARIO)).json()
    async with connect(build_app(settings, service)) as plain:
        read = await plain.get(f"/simulations/{made['id']}")
    assert (read.status_code, read.json()["series"]) == (200, made["series"])


async def test_a_broken_one_is_told_by_name_and_the_rest_works(extended: httpx2.AsyncClient, folder: Path) -> None:
    (folder / "momentum" / "momentum.py").write_text("raise RuntimeError('out of order')")
    problem = check_problem(await extended.post("/simulations", json=SCENARIO), 422, "invalid_parameter")
    assert problem["detail"] == ("rules.A.rule: update rule 'momentum' does not load: RuntimeError: out of order")
    listed = (await extended.get("/extensions")).json()["items"]
    broken = [each for each in listed if each["state"] == "broken"]
    assert [(each["name"], each["problem"]) for each in broken] == [
        ("momentum", "does not load: RuntimeError: out of order")
    ]
    assert (await extended.post("/simulations", json={"steps": 5})).status_code == 201


async def test_a_rule_that_fails_in_a_run_stops_that_run(extended: httpx2.AsyncClient, folder: Path) -> None:
    module = folder / "momentum" / "momentum.py"
    module.write_text(module.read_text().replace("return state.own +", "return 1 / (step - 3) +"))
    answer = (await extended.post("/simulations", json={**SCENARIO, "events": []})).json()
    assert (answer["last_step"], answer["stopped"]["step"], answer["stopped"]["variable"]) == (2, 3, "A")
    assert "ZeroDivisionError" in answer["stopped"]["problem"]


async def test_integrations_are_told_what_was_run_once(
    settings: Settings, service: Service, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_skeleton(Kind.INTEGRATION, "journal", folder)
    write_skeleton(Kind.INTEGRATION, "torn", folder)
    (folder / "torn" / "torn.py").write_text("raise RuntimeError('out of order')")
    monkeypatch.setenv("JOURNAL_FILE", str(tmp_path / "journal"))
    async with connect(build_app(settings.model_copy(update={"extensions_dir": folder}), service)) as client:
        made = (await client.post("/simulations", json=SCENARIO)).json()
        for _ in range(3):  # not run again, so nothing happened
            assert (await client.post("/simulations", json=SCENARIO)).status_code == 200
        streamed = {**SCENARIO, "name": "streamed"}
        await client.post("/simulations", json=streamed, headers={"Accept": "text/event-stream"})
    first, second = [json.loads(line) for line in (tmp_path / "journal").read_text().splitlines()]
    assert (first["happening"], first["id"], first["name"]) == ("simulation_finished", made["id"], "alerted")
    assert [event["kind"] for event in first["events"]] == ["alert"]
    assert first["summary"] == made["summary"]
    assert (second["name"], second["stopped"]) == ("streamed", None)


async def test_a_setting_that_names_no_folder_keeps_the_service_from_starting(
    settings: Settings, service: Service, tmp_path: Path
) -> None:
    app = build_app(settings.model_copy(update={"extensions_dir": tmp_path / "missing"}), service)
    told = pytest.RaisesExc(ConfigurationError, match=r"^LATTICE_EXTENSIONS_DIR: .*missing: is no folder of extensions")
    with pytest.RaisesGroup(told):
        async with app.lifespan():
            pass
