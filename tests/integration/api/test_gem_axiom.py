from datetime import timedelta
from uuid import UUID, uuid4

import httpx2
import pytest

from api.service import Service
from axiom import TERM_NAMES, compute_intelligence
from axiom.simulation import SimulationResult
from core.clock import utc_now
from core.errors import GemNotFoundError, InvalidInputError
from gems import QuantumState, evolve
from tests.integration.api.conftest import check_problem

FERRY = {"question": "When does the ferry leave?"}
TELESCOPE = {"question": "Who built the telescope?"}


async def test_a_gem_without_passages_scores_nothing_and_says_why(client: httpx2.AsyncClient) -> None:
    gem = (await client.post("/gems", json={"name": "empty"})).json()["id"]
    found = (await client.get(f"/gems/{gem}/axiom")).json()
    assert (found["gem_id"], found["passages"], found["axiom"]["score"]) == (gem, 0, 0.0)
    assert found["axiom"]["limiting_term"] == "A"
    assert found["axiom"]["shares"]["A"] is None
    assert found["bases"]["C"] == {"of": "passages", "count": 0}
    assert found["history"] == {"items": [], "next_cursor": None}


async def test_a_gem_that_was_never_asked_is_read(client: httpx2.AsyncClient, port: str) -> None:
    found = (await client.get(f"/gems/{port}/axiom")).json()
    terms = found["axiom"]["terms"]
    assert list(terms) == list(TERM_NAMES)
    assert found["passages"] == 3
    assert 0.3 < terms["A"] < 1.0
    assert (terms["B"], terms["E"], terms["F"]) == (1.0, 1.0, 0.0)
    assert terms["X"] > 0.7
    assert (terms["C"], terms["Y"], terms["Z"]) == pytest.approx((1.0, 1.0, 0.9), abs=1e-4)
    assert {name: basis["of"] for name, basis in found["bases"].items()} == {
        **dict.fromkeys("ACXYZ", "passages"),
        "B": "assumed",
        "E": "gem",
        "F": "assumed",
    }
    score = compute_intelligence(*(terms[name] for name in TERM_NAMES))
    assert found["axiom"]["score"] == pytest.approx(score, rel=1e-12)
    least = min(TERM_NAMES, key=lambda name: found["axiom"]["shares"][name])
    assert found["axiom"]["limiting_term"] == least
    assert {each["term"] for each in found["sensitivity"]} == set(TERM_NAMES)


async def test_reflections_tell_the_terms_and_are_the_history(client: httpx2.AsyncClient, port: str) -> None:
    asked = [(await client.post(f"/gems/{port}/reflections", json=each)).json() for each in (FERRY, TELESCOPE)]
    await client.post(f"/reflections/{asked[0]['id']}/feedback", json={"rating": 0.5})
    found = (await client.get(f"/gems/{port}/axiom")).json()
    old, new = (each["axiom"]["terms"] for each in asked)
    for name in ("A", "B", "X"):
        assert found["axiom"]["terms"][name] == pytest.approx((new[name] + 0.7 * old[name]) / 1.7)
        assert found["bases"][name] == {"of": "reflections", "count": 2}
    assert found["axiom"]["terms"]["F"] == 0.5
    assert found["bases"]["F"] == {"of": "ratings", "count": 1}
    history = found["history"]["items"]
    assert [each["reflection_id"] for each in history] == [asked[1]["id"], asked[0]["id"]]
    assert [each["axiom"] for each in history] == [asked[1]["axiom"], asked[0]["axiom"]]


async def test_the_history_is_paged_and_the_score_does_not_depend_on_the_page(
    client: httpx2.AsyncClient, port: str
) -> None:
    asked = [(await client.post(f"/gems/{port}/reflections", json=FERRY)).json()["id"] for _ in range(3)]
    later = (utc_now() + timedelta(days=1)).isoformat()
    first = (await client.get(f"/gems/{port}/axiom", params={"limit": "2", "at": later})).json()
    query = {"limit": "2", "at": later, "cursor": first["history"]["next_cursor"]}
    second = (await client.get(f"/gems/{port}/axiom", params=query)).json()
    listed = first["history"]["items"] + second["history"]["items"]
    assert [each["reflection_id"] for each in listed] == asked[::-1]
    assert second["history"]["next_cursor"] is None
    assert first["axiom"] == second["axiom"]


async def test_a_gem_is_seen_later_as_it_will_be(client: httpx2.AsyncClient, port: str) -> None:
    now = (await client.get(f"/gems/{port}/axiom")).json()
    then = (await client.get(f"/gems/{port}/axiom", params={"at": "2096-01-01"})).json()
    assert then["at"] == "2096-01-01T00:00:00Z"
    assert then["axiom"]["terms"]["C"] < 1e-6
    assert then["axiom"]["terms"]["Z"] == 0.0
    assert then["axiom"]["terms"]["E"] == now["axiom"]["terms"]["E"]


@pytest.mark.parametrize(
    ("params", "field"), [({"at": "2001-01-01"}, "at"), ({"at": "soon"}, "at"), ({"limit": "0"}, "limit")]
)
async def test_a_wrong_parameter_is_named(
    client: httpx2.AsyncClient, port: str, params: dict[str, str], field: str
) -> None:
    answer = await client.get(f"/gems/{port}/axiom", params=params)
    assert check_problem(answer, 422, "invalid_input")["details"]["field"] == field


async def test_a_gem_that_is_not_there(client: httpx2.AsyncClient) -> None:
    check_problem(await client.get(f"/gems/{uuid4()}/axiom"), 404, "gem_not_found")


async def test_another_tenants_gem_is_not_there(client: httpx2.AsyncClient, port: str, service: Service) -> None:
    assert (await client.get(f"/gems/{port}/axiom")).status_code == 200
    stranger, gem_id = uuid4(), UUID(port)
    with pytest.raises(GemNotFoundError):
        await service.gem_axioms.score(stranger, gem_id, service.at())
    with pytest.raises(GemNotFoundError):
        await service.gem_axioms.foresee(stranger, gem_id, service.at())


async def test_a_fresh_gem_fares_in_its_simulation_as_its_state_does(service: Service, port: str) -> None:
    at = service.at()
    scenario = await service.gem_axioms.foresee(service.tenant, UUID(port), at, step_days=2.0, steps=200)
    result = scenario.run()
    assert isinstance(result, SimulationResult)
    assert (scenario.name, result.last_step) == ("port", 200)
    found = await service.gem_axioms.score(service.tenant, UUID(port), at)
    start = QuantumState(1.0, 0.0, found.axiom.terms.C, 1.0 - found.axiom.terms.Z)
    for step in range(0, 201, 10):
        then = evolve(start, 2.0 * step / 30.0)
        assert result.series["C"][step] == pytest.approx(then.coherence, abs=1e-12)
        assert result.series["Z"][step] == pytest.approx(1.0 - then.uncertainty, abs=1e-12)
    assert result.series["score"][0] == pytest.approx(found.axiom.score, rel=1e-12)


async def test_a_simulation_agrees_with_a_later_look_at_a_gem_of_many_energies(
    client: httpx2.AsyncClient, service: Service, port: str
) -> None:
    await client.post(f"/gems/{port}/reflections", json=FERRY)  # measures what it cites
    at = service.at()
    scenario = await service.gem_axioms.foresee(service.tenant, UUID(port), at, steps=80)
    result = scenario.run()
    assert isinstance(result, SimulationResult)
    for step in (0, 2, 40, 80):  # where pieces meet
        then = service.at(at.now + timedelta(days=step))
        terms = (await service.gem_axioms.score(service.tenant, UUID(port), then)).axiom.terms
        assert [result.series[name][step] for name in ("C", "Y", "Z")] == pytest.approx(
            [terms.C, terms.Y, terms.Z], abs=1e-9
        )


@pytest.mark.parametrize("step_days", [0.0, -1.0, float("nan"), float("inf"), 4_000.0])
async def test_a_step_must_be_a_time(service: Service, port: str, step_days: float) -> None:
    with pytest.raises(InvalidInputError, match="step_days"):
        await service.gem_axioms.foresee(service.tenant, UUID(port), service.at(), step_days=step_days)
