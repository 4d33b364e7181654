from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest

from api.service import Service
from core.clock import utc_now
from core.pg import Database
from gems import Moment
from knowledge import RecallQuery
from tests.integration.api.conftest import check_problem

QUESTION = "When does the ferry leave?"
CHANNELS = ("late", "dense", "lexical", "speaker", "title", "link")


async def unfold(client: httpx2.AsyncClient, **more: Any) -> dict[str, Any]:
    answer = await client.post("/recall/channels", json={"question": QUESTION, **more})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def by_name(told: dict[str, Any]) -> dict[str, Any]:
    return {each["name"]: each for each in told["lists"]}


async def test_each_list_is_ranked_and_agrees_with_the_passages(client: httpx2.AsyncClient, port: str) -> None:
    told = await unfold(client, gem_ids=[port])
    lists = by_name(told)
    assert list(lists) == [
        "late",
        "dense",
        "lexical",
        "speaker",
        "title",
        "link",
        "fused",
        "linked",
        "modulated",
        "stateless",
        "final",
    ]
    shown = {each["passage"]["id"]: each for each in told["passages"]}
    for name, ranked in lists.items():
        places = ranked["places"]
        assert [each["rank"] for each in places] == list(range(1, len(places) + 1))
        assert [each["score"] for each in places] == sorted((each["score"] for each in places), reverse=True)
        for place in places:
            assert shown[place["passage_id"]]["ranks"][name] == place["rank"]
    assert told["candidates"] == 3
    assert lists["title"]["size"] == 1  # the question says "ferry"
    assert shown[lists["title"]["places"][0]["passage_id"]]["passage"]["title"] == "ferry"


async def test_the_final_list_is_what_recall_answers(
    client: httpx2.AsyncClient, port: str, service: Service, tenant: UUID
) -> None:
    told = await unfold(client, gem_ids=[port])
    recalled = await service.recall.recall(tenant, RecallQuery(QUESTION, (UUID(port),), fold=False), service.at())
    final = by_name(told)["final"]["places"]
    assert [each["passage_id"] for each in final] == [str(each.passage_id) for each in recalled]
    assert [each["score"] for each in final] == pytest.approx([each.score.score for each in recalled], abs=1e-6)
    fused = by_name(told)["fused"]["places"]
    parts = {each["passage"]["id"]: each["passage"]["scores"] for each in told["passages"]}
    for place in fused:
        own = parts[place["passage_id"]]
        assert place["score"] == pytest.approx(sum(own[n] for n in ("late", "dense", "lexical", "speaker", "title")))


async def test_what_states_change_shows_between_two_lists(
    client: httpx2.AsyncClient, database: Database, tenant: UUID
) -> None:
    gem = (await client.post("/gems", json={"name": "twins"})).json()["id"]
    texts = [{"id": n, "text": f"The ferry leaves at {n}."} for n in ("seven", "eight")]
    texts.append({"id": "gulls", "text": "Herring gulls nest on the warehouse roof in May."})
    await client.post(f"/gems/{gem}/documents", json={"documents": texts})
    first = by_name(await unfold(client, gem_ids=[gem]))["stateless"]["places"]
    async with database.transaction(tenant) as conn:  # what was best has faded
        await conn.execute(
            "UPDATE passage SET coherence = 0, uncertainty = 1 WHERE passage_id = %s", (first[0]["passage_id"],)
        )
    lists = by_name(await unfold(client, gem_ids=[gem]))
    assert lists["stateless"]["places"][0]["passage_id"] == first[0]["passage_id"]
    assert lists["modulated"]["places"][0]["passage_id"] == first[1]["passage_id"]


async def test_nothing_is_changed_and_the_past_is_seen(
    client: httpx2.AsyncClient, port: str, service: Service, tenant: UUID
) -> None:
    before = await service.gems.get(tenant, UUID(port), Moment(utc_now(), timedelta(days=30)))
    told = await unfold(client, gem_ids=[port], as_of="2020-01-01", shown=1)
    assert (told["lists"][0]["places"], told["passages"]) == ([], [])
    assert len(by_name(await unfold(client, shown=1))["dense"]["places"]) == 1
    after = await service.gems.get(tenant, UUID(port), Moment(utc_now(), timedelta(days=30)))
    assert after.measured_at == before.measured_at


async def test_an_empty_lattice_has_no_lists(client: httpx2.AsyncClient) -> None:
    assert await unfold(client) == {"candidates": 0, "linked": 0, "lists": [], "passages": []}
    answer = await client.post("/recall/channels", json={"question": "x", "gem_ids": [str(UUID(int=1))]})
    check_problem(answer, 404, "gem_not_found")
