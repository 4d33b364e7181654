"""Simulations over REST: run, kept, shown, refused."""

import asyncio
import math
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from api.service import Service
from api.settings import Settings
from axiom.simulation import Scenario
from core.pg import DEFAULT_TENANT
from reflection.simulations import read_scenario
from tests.integration.api.conftest import build_app, check_problem, connect

BODY: dict[str, Any] = {
    "name": "growth",
    "inputs": {"A": 0.5, "C": 0.8},
    "rules": {"A": {"rule": "linear", "slope": 0.001}},
    "steps": 250,
    "events": [{"event": "threshold", "level": 0.5}],
}
ENSEMBLE = {"size": 50, "uncertainty": {"C": {"kind": "normal", "width": 0.05}}, "quantiles": [0.05, 0.5, 0.95]}
JSON = {"content-type": "application/json"}


async def test_a_scenario_is_run_and_shown(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/simulations", json=BODY)
    assert answer.status_code == 201, answer.text
    assert answer.headers["x-cache"] == "miss"
    view = answer.json()
    assert answer.headers["location"] == f"/api/v1/simulations/{view['id']}"
    assert (view["name"], view["steps"], view["last_step"], view["size"], view["stopped"]) == (
        "growth",
        250,
        250,
        None,
        None,
    )
    assert list(view["series"]) == ["A", "score"]
    assert view["series"]["A"] == [0.5 + 0.001 * n for n in range(251)]
    assert view["series"]["score"][0] == 0.5 * 0.8
    assert view["summary"]["A"]["growth"] == pytest.approx(0.5)
    (crossing,) = view["events"]
    assert (crossing["kind"], crossing["variable"], crossing["scenario"]) == ("threshold", "score", 0)
    assert crossing["step"] == pytest.approx(125.0)  # 0.8·(0.5 + n/1000) = 0.5
    assert (view["events_total"], view["bands"], view["every"], view["trend"]) == (1, {}, 1, None)


async def test_the_same_request_is_the_same_simulation(client: httpx2.AsyncClient, service: Service) -> None:
    first = await client.post("/simulations", json=BODY)
    again = await client.post("/simulations", json={**BODY, "seed": 0, "clamp_to_unit": True})  # the defaults, said
    assert (again.status_code, again.headers["x-cache"]) == (200, "hit")
    assert again.content == first.content
    service.simulations.cache.forget(DEFAULT_TENANT, read_id(first))
    stored = await client.post("/simulations", json=BODY)
    assert (stored.status_code, stored.headers["x-cache"]) == (200, "stored")
    assert stored.content == first.content
    assert (await client.post("/simulations", json={**BODY, "seed": 1})).headers["x-cache"] == "miss"
    assert len((await client.get("/simulations")).json()["items"]) == 2


async def test_two_same_requests_at_once_are_run_once(client: httpx2.AsyncClient) -> None:
    answers = await asyncio.gather(*(client.post("/simulations", json={**BODY, "steps": 50_000}) for _ in range(4)))
    assert sorted(each.headers["x-cache"] for each in answers) == ["hit", "hit", "hit", "miss"]
    assert len({each.content for each in answers}) == 1


async def test_a_scenario_sent_back_is_the_same_simulation(client: httpx2.AsyncClient) -> None:
    first = (await client.post("/simulations", json={**BODY, "ensemble": ENSEMBLE})).json()
    again = await client.post("/simulations", json=first["scenario"])
    assert again.headers["x-cache"] == "hit"
    assert Scenario.from_dict(first["scenario"]).to_dict() == first["scenario"]


async def test_an_idempotency_key_gets_the_first_answer_again(client: httpx2.AsyncClient) -> None:
    key = {"Idempotency-Key": "one"}
    first = await client.post("/simulations", json=BODY, headers=key)
    again = await client.post("/simulations", json=BODY, headers=key)
    assert (first.status_code, first.headers["x-cache"]) == (201, "miss")
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    other = await client.post("/simulations?every=10", json=BODY, headers=key)
    check_problem(other, 409, "idempotency_conflict")


async def test_an_ensemble_shows_its_bands(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/simulations?every=50", json={**BODY, "events": [], "ensemble": ENSEMBLE})
    view = answer.json()
    assert (view["size"], view["series"]) == (50, {})
    assert {name: list(bands) for name, bands in view["bands"].items()} == {
        "A": ["0.05", "0.5", "0.95"],
        "C": ["0.05", "0.5", "0.95"],
        "score": ["0.05", "0.5", "0.95"],
    }
    low, middle, high = view["bands"]["score"].values()
    assert len(low) == 6
    assert all(a < b < c for a, b, c in zip(low, middle, high, strict=True))
    assert view["summary"]["score"]["final"] == middle[-1]


async def test_a_simulation_is_read_again(client: httpx2.AsyncClient) -> None:
    made = (await client.post("/simulations", json=BODY)).json()
    path = f"/simulations/{made['id']}"
    whole = (await client.get(path)).json()
    assert {name: value for name, value in whole.items() if name != "trend"} == {
        name: value for name, value in made.items() if name != "trend"
    }
    assert whole["trend"]["direction"] == "rising"
    assert whole["trend"]["slope"] == pytest.approx(0.0008)
    thin = (await client.get(path, params={"every": 100, "variables": "C, A", "trend": "false"})).json()
    assert thin["series"] == {"C": [0.8] * 3, "A": [0.5, 0.6, 0.7]}
    assert (thin["every"], thin["trend"]) == (100, None)
    for wrong, field in [("every=0", "every"), ("variables=A,Q", "variables"), ("variables=", "variables")]:
        problem = check_problem(await client.get(f"{path}?{wrong}"), 422, "invalid_input")
        assert problem["details"]["field"] == field
    assert (await client.delete(path)).status_code == 204
    check_problem(await client.get(path), 404, "simulation_not_found")
    check_problem(await client.delete(path), 404, "simulation_not_found")
    assert (await client.post("/simulations", json=BODY)).headers["x-cache"] == "miss"


async def test_simulations_are_listed_newest_first(client: httpx2.AsyncClient) -> None:
    made = [(await client.post("/simulations", json={**BODY, "seed": seed})).json() for seed in range(3)]
    first = (await client.get("/simulations", params={"limit": 2})).json()
    rest = (await client.get("/simulations", params={"limit": 2, "cursor": first["next_cursor"]})).json()
    items = [*first["items"], *rest["items"]]
    assert [each["id"] for each in items] == [each["id"] for each in made[::-1]]
    assert rest["next_cursor"] is None
    assert items[0] == {name: made[2][name] for name in items[0]}
    assert "series" not in items[0]


async def test_another_tenants_simulations_are_not_there(client: httpx2.AsyncClient, service: Service) -> None:
    other = uuid4()
    theirs = (await service.simulations.run(other, read_scenario(BODY))).simulation.head.simulation_id
    check_problem(await client.get(f"/simulations/{theirs}"), 404, "simulation_not_found")
    check_problem(await client.delete(f"/simulations/{theirs}"), 404, "simulation_not_found")
    assert (await client.get("/simulations")).json()["items"] == []
    mine = await client.post("/simulations", json=BODY)  # the same scenario has the same id in every lattice
    assert (mine.json()["id"], mine.headers["x-cache"]) == (str(theirs), "miss")
    assert (await client.delete(f"/simulations/{theirs}")).status_code == 204
    assert (await service.simulations.get(other, theirs)).head.simulation_id == theirs


async def test_growth_beyond_a_float_stops_and_keeps_what_was_made(client: httpx2.AsyncClient) -> None:
    body = {
        "rules": {"E_n": {"rule": "exponential", "rate": 1.0}, "A": {"rule": "linear", "slope": 0.1}},
        "steps": 2_000,
    }
    answer = await client.post("/simulations", json=body)
    assert answer.status_code == 201
    view = answer.json()
    stopped = view["stopped"]
    assert (stopped["variable"], stopped["step"], stopped["scenario"]) == ("E_n", view["last_step"] + 1, 0)
    assert "grew beyond" in stopped["problem"]
    assert len(view["series"]["E_n"]) == view["last_step"] + 1
    assert all(math.isfinite(value) for value in view["series"]["score"])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"inputs": {"A": "much"}}, "inputs.A"),
        ({"inputs": {"A": None}}, "inputs.A"),
        ({"inputs": {"Q": 1}}, "inputs.Q"),
        ({"rules": {"Q": {"rule": "constant"}}}, "rules.Q"),
        ({"rules": {"A": 3}}, "rules.A"),
        ({"rules": {"A": {}}}, "rules.A.rule"),
        ({"rules": {"A": {"rule": "linear"}}}, "rules.A.slope"),
        ({"rules": {"A": {"rule": "linear", "slope": "steep"}}}, "rules.A.slope"),
        ({"rules": {"A": {"rule": "linear", "slope": 1, "hue": 1}}}, "rules.A.hue"),
        ({"rules": {"A": {"rule": "sum", "rules": [{"rule": "decay", "rate": []}]}}}, "rules.A.rules[0].rate"),
        ({"steps": 0}, "steps"),
        ({"steps": 100_001}, "steps"),
        ({"steps": 2.5}, "steps"),
        ({"seed": -1}, "seed"),
        ({"events": [{"event": "threshold"}]}, "events[0].level"),
        ({"events": [{"event": "threshold", "level": 1, "variable": "Q"}]}, "events[0].variable"),
        ({"ensemble": {"size": 0}}, "ensemble.size"),
        ({"ensemble": {"quantiles": [0.5, 2]}}, "ensemble.quantiles[1]"),
        ({"ensemble": {"uncertainty": {"A": {"kind": "odd", "width": 1}}}}, "ensemble.uncertainty.A.kind"),
        ({"ensemble": {"uncertainty": {"A": {"width": -1}}}}, "ensemble.uncertainty.A.width"),
        ({"ensemble": {"size": 1_000_000}}, "ensemble.size"),
        ({"clamp_to_unit": 1}, "clamp_to_unit"),
        ({"name": 7}, "name"),
        ({"name": "x" * 10_000}, "name"),
        ({"colour": "red"}, "colour"),
    ],
    ids=str,
)
async def test_each_wrong_field_is_named(client: httpx2.AsyncClient, change: dict[str, Any], field: str) -> None:
    answer = await client.post("/simulations", json=BODY | change)
    assert answer.status_code == 422, answer.text
    problem = check_problem(answer, 422, answer.json()["code"])
    assert problem["code"] in {"invalid_input", "invalid_parameter"}
    assert problem["details"]["field"] == field
    assert (await client.get("/simulations")).json()["items"] == []


async def test_an_unknown_rule_or_event_lists_the_known_ones(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/simulations", json=BODY | {"rules": {"A": {"rule": "liner"}}})
    problem = check_problem(answer, 422, "invalid_parameter")
    assert problem["details"]["field"] == "rules.A.rule"
    assert "liner" in problem["detail"]
    assert "linear, logistic, mean_reversion" in problem["detail"]
    answer = await client.post("/simulations", json=BODY | {"events": [{"event": "peek"}]})
    assert "peaks, plateaus, threshold" in check_problem(answer, 422, "invalid_parameter")["detail"]


@pytest.mark.parametrize(
    ("number", "status", "code"),
    [
        ("NaN", 400, "malformed_body"),
        ("Infinity", 400, "malformed_body"),
        ("-Infinity", 400, "malformed_body"),
        ("1e999", 422, "invalid_input"),
        ("1" + "0" * 400, 422, "invalid_parameter"),
    ],
)
async def test_numbers_that_are_none_are_refused(
    client: httpx2.AsyncClient, number: str, status: int, code: str
) -> None:
    for body in (
        f'{{"inputs": {{"A": {number}}}, "steps": 5}}',
        f'{{"rules": {{"A": {{"rule": "linear", "slope": {number}}}}}, "steps": 5}}',
    ):
        answer = await client.post("/simulations", content=body.encode(), headers=JSON)
        assert answer.status_code == status, answer.text
        if status == 422:
            assert answer.json()["details"]["field"].startswith(("inputs.A", "rules.A"))
    check_problem(answer, status, code)


async def test_a_body_that_is_no_scenario_is_refused(client: httpx2.AsyncClient) -> None:
    for body, status in ((b"[]", 422), (b'"x"', 422), (b"{", 400), (b"", 400)):
        answer = await client.post("/simulations", content=body, headers=JSON)
        assert answer.status_code == status, answer.text
    deep = b'{"rules": {"A": ' + b'{"rule": "chain", "rules": [' * 400 + b"]}" * 400 + b"}}"
    answer = await client.post("/simulations", content=deep, headers=JSON)
    assert answer.status_code in {400, 422}, answer.text


async def test_a_body_larger_than_any_scenario_is_refused_before_it_is_read(
    settings: Settings, service: Service
) -> None:
    app = build_app(settings.model_copy(update={"max_body_bytes": 25_000_000}), service)
    async with connect(app) as client:
        for path in ("/simulations", "/presets/burnout"):
            answer = await client.post(path, content=b"[" * 1_000_001, headers=JSON)
            assert "at most 1,000,000 bytes" in check_problem(answer, 413, "body_too_large")["detail"]
            assert (await client.post(path, json={"steps": 5})).status_code == 201


async def test_long_series_are_told_to_the_last_bit(client: httpx2.AsyncClient) -> None:
    body = {"rules": {"A": {"rule": "random_walk", "sd": 0.1}}, "steps": 30_000}
    view = (await client.post("/simulations", json=body)).json()
    result = read_scenario(body).run()
    assert view["series"] == {name: result.series[name].tolist() for name in ("A", "score")}
    thin = (await client.post("/simulations?every=7", json=body)).json()
    assert thin["series"] == {name: values[::7] for name, values in view["series"].items()}


def read_id(answer: httpx2.Response) -> UUID:
    return UUID(answer.json()["id"])
