import itertools
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from core.pg import Database
from gems import set_entanglement
from tests.integration.api.conftest import check_problem

PIER = {
    "text": "Mara Lind runs the Old Pier.",
    "entities": ["Mara Lind", "Old Pier"],
    "relations": [["Mara Lind", "runs", "Old Pier"]],
}
MILL = {
    "text": "Tom Berg owns the Wind Mill.",
    "entities": ["Tom Berg", "Wind Mill"],
    "relations": [["Tom Berg", "owns", "Wind Mill"]],
}


async def fill(client: httpx2.AsyncClient, name: str, *documents: dict[str, Any]) -> str:
    gem = (await client.post("/gems", json={"name": name})).json()["id"]
    answer = await client.post(f"/gems/{gem}/documents", json={"documents": list(documents)})
    assert answer.status_code == 201, answer.text
    return str(gem)


async def look(client: httpx2.AsyncClient, **query: Any) -> dict[str, Any]:
    answer = await client.get("/lattice/graph", params=query)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_gems_entities_relations_and_entanglements_are_one_graph(
    client: httpx2.AsyncClient, database: Database, tenant: UUID
) -> None:
    pier, mill = await fill(client, "pier", PIER), await fill(client, "mill", MILL)
    async with database.transaction(tenant) as conn:
        await set_entanglement(conn, UUID(pier), UUID(mill), 0.4, datetime.now(UTC))
    told = await look(client)
    assert {each["id"] for each in told["gems"]} == {pier, mill}
    assert all(0.9 < each["state"]["coherence"] <= 1 and each["passages"] == 1 for each in told["gems"])
    names = {each["id"]: each["name"] for each in told["entities"]}
    assert set(names.values()) == {"Mara Lind", "Old Pier", "Tom Berg", "Wind Mill"}
    related = {(names[e["source"]], *e["predicates"], names[e["target"]], e["gem_id"]) for e in told["relations"]}
    assert related == {("Mara Lind", "runs", "Old Pier", pier), ("Tom Berg", "owns", "Wind Mill", mill)}
    (pair,) = told["entanglements"]
    assert ({pair["gem_id"], pair["other_id"]}, pair["strength"]) == ({pier, mill}, 0.4)
    assert told["cut"] is False
    assert told["since"] == min(each["created_at"] for each in told["gems"])


async def test_one_gem_or_a_part_of_a_name_can_be_asked_for(client: httpx2.AsyncClient) -> None:
    pier, _ = await fill(client, "pier", PIER), await fill(client, "mill", MILL)
    own = await look(client, gem_id=pier)
    assert [each["id"] for each in own["gems"]] == [pier]
    assert {each["name"] for each in own["entities"]} == {"Mara Lind", "Old Pier"}
    found = await look(client, name="BERG")
    assert [each["name"] for each in found["entities"]] == ["Tom Berg"]
    check_problem(await client.get("/lattice/graph", params={"gem_id": str(uuid4())}), 404, "gem_not_found")


async def test_the_past_is_shown_as_it_was(client: httpx2.AsyncClient, database: Database, tenant: UUID) -> None:
    gem = await fill(client, "pier", PIER)
    assert (await look(client, as_of="2001-01-01"))["gems"] == []
    long_ago = datetime(2024, 1, 1, tzinfo=UTC)
    async with database.transaction(tenant) as conn:  # a gem that was born then, and used today
        await conn.execute("UPDATE gem SET created_at = %s", (long_ago,))
        await conn.execute(
            "INSERT INTO measurement (gem_id, cause, gain, energy, phase, coherence, uncertainty, measured_at) "
            "VALUES (%s, 'ingest', 0, 1, 0, 1, 0.1, %s)",
            (gem, long_ago),
        )
    (then,) = (await look(client, as_of=(long_ago + timedelta(days=30)).isoformat()))["gems"]
    assert then["id"] == gem
    assert then["state"]["coherence"] == pytest.approx(0.36788, abs=1e-4)  # exp(−1): one τ after its birth
    assert (await look(client, as_of=(long_ago + timedelta(days=30)).isoformat()))["entities"] == []


async def test_the_budget_bounds_nodes_and_says_so(client: httpx2.AsyncClient) -> None:
    names = [f"Number {n}" for n in range(40)]
    relations = [[a, "precedes", b] for a, b in itertools.pairwise(names)]
    await fill(client, "numbers", {"text": "Many numbers.", "entities": names, "relations": relations})
    told = await look(client, nodes=10)
    assert len(told["entities"]) <= 10
    assert told["cut"] is True
    shown = {each["id"] for each in told["entities"]}
    assert all({each["source"], each["target"]} <= shown for each in told["relations"])
    assert (await look(client, nodes=100))["cut"] is False
