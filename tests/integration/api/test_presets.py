"""Presets over REST: ours, the one that starts from a gem, and those of domain models."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from api.settings import Settings
from axiom.simulation import PRESETS, find_preset
from tests.integration.api.conftest import check_problem

MODEL = '''
from dataclasses import dataclass

from axiom.simulation import AxiomInputs, Linear, Parameters, Scenario, number
from core.extensions import Plugin


@dataclass(frozen=True, slots=True)
class Harbour(Plugin, Parameters):
    """A harbour that grows as it is used."""

    name = kind = "harbour"
    ships: float = number(10.0, low=0.0, help="Ships a day.")

    def scenario(self) -> Scenario:
        return Scenario(AxiomInputs(A=0.1), {"A": Linear(self.ships / 1_000.0)}, steps=20)
'''


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    folder = tmp_path / "extensions"
    for name, module in {"harbour": MODEL, "wreck": "import nothing_of_this_name\n", "burnout": MODEL}.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "model.py").write_text(module)
        (folder / name / "extension.toml").write_text(
            f'name = "{name}"\nkind = "domain_model"\nversion = "1.0.0"\nentry = "model:Harbour"\n'
            f'description = "The {name} of the tests."\n'
        )
    return settings.model_copy(update={"extensions_dir": folder})


async def run(client: httpx2.AsyncClient, name: str, /, **body: object) -> dict[str, Any]:
    answer = await client.post(f"/presets/{name}", json=body)
    assert answer.status_code in {200, 201}, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_all_are_listed_in_the_order_of_reading(client: httpx2.AsyncClient) -> None:
    items = (await client.get("/presets")).json()["items"]
    assert [each["name"] for each in items][:9] == [*PRESETS, "from_gem"]
    assert {each["kind"] for each in items[:8]} == {"scenario"}
    models = {each["name"]: each for each in items[9:]}
    assert models["harbour"]["problem"] is None
    assert models["harbour"]["description"] == "The harbour of the tests."
    assert models["burnout"]["problem"] == "a preset has its name; rename it"


async def test_one_is_shown_with_the_scenario_that_simulations_take(client: httpx2.AsyncClient) -> None:
    preset = (await client.get("/presets/alignment")).json()
    assert preset["scenario"] == find_preset("alignment").scenario.to_dict()
    first = await client.post("/presets/alignment", json={})
    again = await client.post("/simulations", json=preset["scenario"])
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert first.headers["location"] == f"/api/v1/simulations/{first.json()['id']}"


@pytest.mark.parametrize("name", PRESETS)
async def test_each_is_run_to_its_end_and_found_again(client: httpx2.AsyncClient, name: str) -> None:
    first = await client.post(f"/presets/{name}", json={})
    again = await client.post(f"/presets/{name}", json={})
    assert (first.status_code, first.headers["x-cache"]) == (201, "miss")
    assert (again.status_code, again.headers["x-cache"]) == (200, "hit")
    found = first.json()
    assert found["name"] == name
    assert found["last_step"] == found["steps"] == find_preset(name).scenario.steps
    assert found["events_total"] > 0
    assert again.json() == found


async def test_what_the_body_says_otherwise_is_done_otherwise(client: httpx2.AsyncClient) -> None:
    found = await run(
        client,
        "divergent_paths",
        inputs={"E_n": 2.2},
        steps=30,
        seed=3,
        ensemble={"size": 50},
        events=[],
        rules={"B": {"rule": "constant"}},
        name="mine",
    )
    scenario = found["scenario"]
    assert scenario["inputs"] == find_preset("divergent_paths").scenario.to_dict()["inputs"] | {"E_n": 2.2}  # type: ignore[operator]
    assert (found["name"], found["steps"], found["size"], found["events_total"]) == ("mine", 30, 50, 0)
    assert scenario["rules"]["A"]["rule"] == "coupled"
    assert scenario["rules"]["B"] == {"rule": "constant", "value": None}
    assert scenario["ensemble"]["uncertainty"]["A"]["width"] == 0.05
    single = await run(client, "divergent_paths", ensemble=None)
    assert (single["size"], single["bands"]) == (None, {})


async def test_series_are_thinned_and_chosen_as_for_simulations(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/presets/burnout?every=60&variables=score", json={})
    assert list(answer.json()["series"]) == ["score"]
    assert len(answer.json()["series"]["score"]) == 5


@pytest.mark.parametrize(
    ("name", "body", "field"),
    [
        ("burnout", {"steps": 0}, "steps"),
        ("burnout", {"inputs": {"Q": 1}}, "inputs.Q"),
        ("burnout", {"rules": {"A": {"rule": "linear"}}}, "rules.A.slope"),
        ("burnout", {"gem_id": str(uuid4())}, "gem_id"),
        ("burnout", {"parameters": {"ships": 1}}, "parameters"),
        ("harbour", {"step_days": 2}, "step_days"),
        ("harbour", {"parameters": {"ships": -1}}, "parameters.ships"),
        ("harbour", {"parameters": {"boats": 1}}, "parameters.boats"),
        ("from_gem", {}, "gem_id"),
        ("from_gem", {"gem_id": "none"}, "gem_id"),
        ("from_gem", {"gem_id": str(uuid4()), "step_days": 0}, "step_days"),
        ("from_gem", {"gem_id": str(uuid4()), "at": "2001-01-01"}, "at"),
        ("from_gem", {"gem_id": str(uuid4()), "at": "soon"}, "at"),
    ],
)
async def test_a_wrong_field_is_named(client: httpx2.AsyncClient, name: str, body: dict[str, Any], field: str) -> None:
    answer = await client.post(f"/presets/{name}", json=body)
    problem = answer.json()
    assert answer.status_code == 422, answer.text
    assert problem["details"]["field"] == field


async def test_an_unknown_one_is_answered_with_those_there_are(client: httpx2.AsyncClient) -> None:
    for answer in (await client.get("/presets/calm"), await client.post("/presets/calm", json={})):
        problem = check_problem(answer, 404, "preset_not_found")
        assert "steady_growth" in problem["detail"]
        assert "from_gem" in problem["detail"]
        assert "harbour" in problem["detail"]


async def test_a_gem_is_foreseen_from_its_terms(client: httpx2.AsyncClient, port: str) -> None:
    shown = (await client.get("/presets/from_gem")).json()
    assert [each["name"] for each in shown["parameters"] if each["required"]] == ["gem_id"]
    measured = (await client.get(f"/gems/{port}/axiom")).json()["axiom"]["terms"]
    found = await run(client, "from_gem", gem_id=port, step_days=30, steps=12, inputs={"F_n": 0.5})
    assert found["steps"] == 12
    assert found["scenario"]["inputs"]["F_n"] == 0.5
    assert found["scenario"]["inputs"]["A"] == pytest.approx(measured["A"], rel=1e-6)
    coherence, score = found["series"]["C"], found["series"]["score"]
    assert coherence[1] / coherence[0] == pytest.approx(2.718281828 ** (-1.0), rel=1e-4)
    assert score[-1] < score[0]


@pytest.mark.parametrize("step_days", [1e-300, 1e-9])
async def test_steps_may_be_as_short_as_can_be(client: httpx2.AsyncClient, port: str, step_days: float) -> None:
    found = await run(client, "from_gem", gem_id=port, step_days=step_days, steps=5)
    for name in ("C", "Y", "Z"):
        assert found["series"][name][-1] == pytest.approx(found["series"][name][0], rel=1e-7)
    assert found["stopped"] is None


async def test_a_gem_that_is_not_there_cannot_be_foreseen(client: httpx2.AsyncClient) -> None:
    check_problem(await client.post("/presets/from_gem", json={"gem_id": str(uuid4())}), 404, "gem_not_found")


async def test_a_domain_model_is_run_with_its_parameters(client: httpx2.AsyncClient) -> None:
    shown = (await client.get("/presets/harbour")).json()
    (parameter,) = shown["parameters"]
    assert (parameter["name"], parameter["default"], parameter["required"]) == ("ships", 10.0, False)
    assert (shown["kind"], shown["scenario"]) == ("domain_model", None)
    found = await run(client, "harbour", parameters={"ships": 20}, steps=10)
    assert found["steps"] == 10
    assert found["series"]["A"][-1] == pytest.approx(0.1 + 10 * 0.02)
    assert (await run(client, "harbour"))["series"]["A"][-1] == pytest.approx(0.1 + 20 * 0.01)


async def test_a_broken_model_leaves_the_rest_working(client: httpx2.AsyncClient) -> None:
    check_problem(await client.post("/presets/wreck", json={}), 500, "configuration_invalid")
    items = (await client.get("/presets")).json()["items"]
    (wreck,) = [each for each in items if each["name"] == "wreck"]
    assert "does not load: ModuleNotFoundError" in wreck["problem"]
    assert (await run(client, "harbour"))["steps"] == 20


async def test_a_preset_keeps_its_name_against_a_model(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/presets/burnout")).json()["kind"] == "scenario"
