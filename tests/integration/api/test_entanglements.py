from typing import Any
from uuid import uuid4

import httpx2
import pytest

from api.service import Service
from llm_router import TokenEvent
from tests.integration.api.conftest import Script, check_problem, whole

ISLAND = {"boats": "The island ferry leaves at nine and at four.", "goats": "Goats graze on the northern cliffs."}


@pytest.fixture
async def island(client: httpx2.AsyncClient) -> str:
    """The id of a second gem."""
    gem = (await client.post("/gems", json={"name": "island"})).json()["id"]
    documents = [{"id": name, "text": text} for name, text in ISLAND.items()]
    assert (await client.post(f"/gems/{gem}/documents", json={"documents": documents})).status_code == 201
    return str(gem)


async def entangle(client: httpx2.AsyncClient, one: str, other: str, strength: float) -> dict[str, Any]:
    answer = await client.post(f"/gems/{one}/entanglements", json={"gem_id": other, "strength": strength})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_gems_are_entangled_changed_listed_and_taken_apart(
    client: httpx2.AsyncClient, port: str, island: str
) -> None:
    made = await entangle(client, port, island, 0.5)
    assert (made["gem_id"], made["name"], made["strength"]) == (island, "island", 0.5)
    assert (await entangle(client, island, port, 0.7))["created_at"] == made["created_at"]
    (listed,) = (await client.get(f"/gems/{port}/entanglements")).json()["entanglements"]
    assert (listed["gem_id"], listed["name"]) == (island, "island")
    assert listed["strength"] == 0.7
    assert 0 < listed["coherence"] <= 1
    assert 0 < listed["interference"] <= 1
    assert set(listed) == {"gem_id", "name", "strength", "coherence", "interference", "created_at"}
    everything = (await client.get("/lattice/entanglements")).json()["entanglements"]
    first, second = sorted((port, island))
    assert everything == [{"gem_id": first, "other_id": second, "strength": 0.7}]
    assert (await client.delete(f"/gems/{island}/entanglements/{port}")).status_code == 204
    check_problem(await client.delete(f"/gems/{island}/entanglements/{port}"), 404, "entanglement_not_found")
    assert (await client.get(f"/gems/{port}/entanglements")).json() == {"entanglements": []}


async def test_what_cannot_be_entangled_is_refused(client: httpx2.AsyncClient, port: str, island: str) -> None:
    path = f"/gems/{port}/entanglements"
    check_problem(await client.post(path, json={"gem_id": port, "strength": 0.5}), 422, "invalid_input")
    check_problem(await client.post(path, json={"gem_id": island, "strength": 1.5}), 422, "invalid_input")
    check_problem(await client.post(path, json={"gem_id": island}), 422, "invalid_input")
    check_problem(await client.post(path, json={"gem_id": str(uuid4()), "strength": 0.5}), 404, "gem_not_found")
    await client.post(f"/gems/{island}/archive")
    check_problem(await client.post(path, json={"gem_id": island, "strength": 0.5}), 409, "gem_archived")
    for tail in ("entanglements", "entanglements/suggestions", "neighbours"):
        check_problem(await client.get(f"/gems/{uuid4()}/{tail}"), 404, "gem_not_found")


async def test_neighbours_and_suggestions_name_gems(client: httpx2.AsyncClient, port: str, island: str) -> None:
    (neighbour,) = (await client.get(f"/gems/{port}/neighbours")).json()["neighbours"]
    assert (neighbour["gem_id"], neighbour["name"]) == (island, "island")
    assert 0 < neighbour["resonance"] <= 1
    suggestions = (await client.get(f"/gems/{port}/entanglements/suggestions", params={"limit": 1})).json()[
        "suggestions"
    ]
    for each in suggestions:
        assert set(each) == {"gem_id", "name", "resonance", "interference", "strength", "reason"}
        assert each["resonance"] == neighbour["resonance"] >= 0.5
    assert len(suggestions) == (neighbour["resonance"] >= 0.5)
    check_problem(await client.get(f"/gems/{port}/neighbours", params={"limit": 0}), 422, "invalid_input")


async def test_recall_reaches_as_far_as_it_is_asked_to(client: httpx2.AsyncClient, port: str, island: str) -> None:
    await entangle(client, port, island, 0.5)
    question = {"question": "When does the ferry leave?", "gem_ids": [port]}
    own = (await client.post("/recall", json=question)).json()["passages"]
    assert {(each["gem_name"], each["entanglement"]) for each in own} == {("port", None)}
    reached = (await client.post("/recall", json=question | {"reach": "entangled"})).json()["passages"]
    assert {(each["gem_name"], each["entanglement"]) for each in reached} == {("port", None), ("island", 0.5)}
    for each in reached:
        assert sum(each["scores"].values()) == pytest.approx(each["score"])
        assert each["scores"]["reach"] == pytest.approx(0 if each["gem_id"] == port else -each["score"])
    check_problem(await client.post("/recall", json=question | {"reach": "all"}), 422, "invalid_input")


async def test_recall_measures_only_when_it_is_asked_to(client: httpx2.AsyncClient, port: str, island: str) -> None:
    await entangle(client, port, island, 0.5)
    question = {"question": "When does the ferry leave?", "gem_ids": [port]}

    async def causes(gem: str) -> set[str]:
        return {each["cause"] for each in (await client.get(f"/gems/{gem}/measurements")).json()["items"]}

    await client.post("/recall", json=question)
    assert "recall" not in await causes(port)
    assert (await client.post("/recall", json=question | {"measure": True})).status_code == 200
    assert "recall" in await causes(port)
    assert "entanglement" in await causes(island)


async def test_a_reflection_reaches_partners_and_measures_what_it_cites_of_them(
    client: httpx2.AsyncClient, port: str, island: str, script: Script, service: Service
) -> None:
    await entangle(client, port, island, 0.5)
    body = {"question": "When does the ferry leave the island?", "reach": "entangled", "k": 10}
    script(whole("nothing"))
    evidence = (await client.post(f"/gems/{port}/reflections", json=body)).json()["evidence"]
    label = next(each["label"] for each in evidence if each["gem_id"] == island)
    script(TokenEvent(f"At nine. [{label}]"), whole(f"At nine. [{label}]"))
    told = (await client.post(f"/gems/{port}/reflections", json=body)).json()
    again = (await client.get(f"/reflections/{told['id']}")).json()
    assert again["evidence"] == told["evidence"]
    (cited,) = [each for each in told["evidence"] if each["cited"]]
    assert (cited["gem_id"], cited["gem_name"], cited["entanglement"]) == (island, "island", 0.5)
    assert {each["entanglement"] for each in told["evidence"] if each["gem_id"] == port} == {None}
    log = (await client.get(f"/gems/{island}/measurements")).json()["items"]
    by_reflection = [each for each in log if each["reflection_id"] == told["id"]]
    assert {(each["passage_id"], each["cause"]) for each in by_reflection} == {
        (None, "reflection"),
        (cited["passage_id"], "reflection"),
    }
    assert (await client.get(f"/gems/{port}/measurements")).json()["items"][0]["cause"] == "reflection"


async def test_evidence_that_was_reached_stays_behind_when_either_gem_is_exported(
    client: httpx2.AsyncClient, port: str, island: str
) -> None:
    await entangle(client, port, island, 1.0)
    body = {"question": "When does the ferry leave the island?", "reach": "entangled", "k": 10}
    evidence = (await client.post(f"/gems/{port}/reflections", json=body)).json()["evidence"]
    own = [each["label"] for each in evidence if each["gem_id"] == port]
    assert 0 < len(own) < len(evidence)
    for gem, name in ((island, "island copy"), (port, "port copy")):
        file = (await client.get(f"/gems/{gem}/export")).content
        answer = await client.post("/imports", params={"rename": name}, content=file)
        assert answer.status_code == 201, answer.text
    copy = next(each for each in (await client.get("/gems")).json()["items"] if each["name"] == "port copy")["id"]
    (reflection,) = (await client.get(f"/gems/{copy}/reflections")).json()["items"]
    told = (await client.get(f"/reflections/{reflection['id']}")).json()["evidence"]
    assert [each["label"] for each in told] == own
