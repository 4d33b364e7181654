from typing import Any

import httpx2
import pytest

from tests.integration.api.conftest import check_problem

PARTS = {"dense", "lexical", "speaker", "coherence", "interference"}


async def ask(client: httpx2.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    answer = await client.post("/recall", json={"question": "When does the ferry leave?", **query})
    assert answer.status_code == 200, answer.text
    passages: list[dict[str, Any]] = answer.json()["passages"]
    return passages


async def test_passages_come_best_first_with_their_scores_taken_apart(client: httpx2.AsyncClient, port: str) -> None:
    passages = await ask(client)
    assert passages[0]["external_id"] == "ferry"
    assert passages[0]["gem_id"] == port
    assert passages[0]["title"] == "ferry"
    assert [each["score"] for each in passages] == sorted((each["score"] for each in passages), reverse=True)
    for passage in passages:
        assert set(passage["scores"]) == PARTS
        assert sum(passage["scores"].values()) == pytest.approx(passage["score"])
        assert passage["explanation"] is None


async def test_an_explanation_tells_what_was_computed(client: httpx2.AsyncClient, port: str) -> None:
    (passage,) = await ask(client, gem_ids=[port, port], k=1, explain=True)
    told = passage["explanation"]
    assert 0 < told["cosine"] <= 1
    assert told["bm25"] > 0
    assert -1 <= told["field"] <= 1
    assert set(told["state"]) == {"energy", "phase", "coherence", "uncertainty"}


async def test_recall_is_cut_and_filtered(client: httpx2.AsyncClient) -> None:
    gem = (await client.post("/gems", json={"name": "days"})).json()["id"]
    days = [
        {"id": str(day), "text": f"Ferry log {day}.", "source": f"s{day}", "occurred_at": f"2024-01-0{day}"}
        | {"metadata": {"even": day % 2 == 0}}
        for day in range(1, 5)
    ]
    await client.post(f"/gems/{gem}/documents", json={"documents": days})

    async def found(**query: Any) -> set[str]:
        return {each["external_id"] for each in await ask(client, **query)}

    assert await found() == {"1", "2", "3", "4"}
    assert len(await found(k=2)) == 2
    assert len(await found(max_tokens=1)) == 0
    assert await found(filters={"sources": ["s1", "s3\u0000"]}) == {"1", "3"}
    assert await found(filters={"since": "2024-01-02T00:00:00", "until": "2024-01-04T00:00:00Z"}) == {"2", "3"}
    assert await found(filters={"since": "2024-01-03"}) == {"3", "4"}
    assert await found(filters={"metadata": {"even": True}}) == {"2", "4"}
    assert await found(filters={"metadata": {"even": True}, "sources": ["s1"]}) == set()


async def test_a_wrong_question_is_told_by_its_field(subtests: pytest.Subtests, client: httpx2.AsyncClient) -> None:
    for query, field in [
        ({}, "question"),
        ({"question": ""}, "question"),
        ({"question": " \u0000"}, "question"),
        ({"question": "x" * 10_001}, "question"),
        ({"question": "x", "k": 0}, "k"),
        ({"question": "x", "k": "5"}, "k"),
        ({"question": "x", "k": 201}, "k"),
        ({"question": "x", "max_tokens": 0}, "max_tokens"),
        ({"question": "x", "gem_ids": ["port"]}, "gem_ids[0]"),
        ({"question": "x", "filters": {"since": "monday"}}, "filters.since"),
        ({"question": "x", "filters": {"until": "9999-12-31T23:59:59-14:00"}}, "filters.until"),
        ({"question": "x", "filters": {"until": 5}}, "filters.until"),
        ({"question": "x", "filters": {"colour": 1}}, "filters.colour"),
        ({"question": "x", "limit": 5}, "limit"),
        ([], "body"),
    ]:
        with subtests.test(repr(query)[:60]):
            problem = check_problem(await client.post("/recall", json=query), 422, "invalid_input")
            assert problem["details"]["field"] == field


async def test_a_gem_that_is_not_there_is_named(client: httpx2.AsyncClient) -> None:
    missing = "00000000-0000-0000-0000-00000000beef"
    answer = await client.post("/recall", json={"question": "x", "gem_ids": [missing]})
    problem = check_problem(answer, 404, "gem_not_found")
    assert problem["details"] == {"gem_ids": [missing]}
