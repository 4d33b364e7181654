from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx2
import pytest

from api.service import Service
from knowledge import parse_document
from tests.integration.api.conftest import check_problem

PARTS = {
    "late",
    "dense",
    "lexical",
    "speaker",
    "title",
    "link",
    "coherence",
    "interference",
    "novelty",
    "reach",
}


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


RULES = [
    {"id": "old", "text": "The harbour fee is nine crowns.", "occurred_at": "2025-05-10"},
    {"id": "copy", "text": "The harbour fee is nine crowns.", "occurred_at": "2025-05-11"},
    {"id": "june", "text": "The harbour master counts boats.", "occurred_at": "2025-06-10"},
]


async def put(client: httpx2.AsyncClient, gem: str, *rows: dict[str, Any]) -> None:
    answer = await client.post(f"/gems/{gem}/documents", json={"documents": rows})
    assert answer.status_code < 300, answer.text


@pytest.fixture
async def harbour(client: httpx2.AsyncClient) -> str:
    gem: str = (await client.post("/gems", json={"name": "harbour"})).json()["id"]
    await put(client, gem, *RULES)
    return gem


async def test_what_says_the_same_is_shown_once_unless_it_is_asked_for(
    client: httpx2.AsyncClient, harbour: str
) -> None:
    first, other = await ask(client, question="What is the harbour fee?")
    assert {first["external_id"], other["external_id"]} < {"old", "copy", "june"}
    assert len(first["also_in"]) == 1
    assert other["also_in"] == []
    assert len(await ask(client, question="What is the harbour fee?", fold=False)) == 3


async def test_a_time_in_the_question_is_told_as_the_window_it_was_read_as(
    client: httpx2.AsyncClient, harbour: str
) -> None:
    asked = {"question": "What did the harbour master do in June 2025?"}
    plain = (await client.post("/recall", json=asked)).json()
    assert plain["window"] is None
    assert len(plain["passages"]) == 2
    dated = (await client.post("/recall", json=asked | {"dates": True})).json()
    assert [each["external_id"] for each in dated["passages"]] == ["june"]
    assert dated["window"]["phrase"] == "in June 2025"
    assert dated["window"]["since"].startswith("2025-06-01T00:00:00")
    assert dated["window"]["until"].startswith("2025-07-01T00:00:00")
    none = (await client.post("/recall", json={"question": "What did he do?", "dates": True})).json()
    assert none["window"] is None


async def test_what_was_superseded_is_recalled_as_of_then(
    client: httpx2.AsyncClient, service: Service, tenant: UUID, harbour: str
) -> None:
    before = datetime.now(UTC).isoformat()
    new = parse_document({"id": "new", "text": "The harbour fee is ten crowns.", "supersedes": ["old", "copy"]})
    await service.ingestion.ingest(tenant, UUID(harbour), [new], service.at())
    now = {each["external_id"] for each in await ask(client, question="What is the harbour fee?")}
    assert now == {"new", "june"}
    then = {each["external_id"] for each in await ask(client, question="What is the harbour fee?", as_of=before)}
    assert then in ({"old", "june"}, {"copy", "june"})


async def test_every_passage_tells_how_probably_it_matters(client: httpx2.AsyncClient, harbour: str) -> None:
    passages = await ask(client, question="What is the harbour fee?", fold=False)
    chances = [each["probability"] for each in passages]
    assert all(0 <= chance <= 1 for chance in chances)
    least = sorted(chances)[1]
    kept = await ask(client, question="What is the harbour fee?", fold=False, min_score=least)
    assert [each["id"] for each in kept] == [each["id"] for each in passages if each["probability"] >= least]


async def test_the_document_around_a_passage_is_shown_in_parts(client: httpx2.AsyncClient) -> None:
    gem = (await client.post("/gems", json={"name": "talk"})).json()["id"]
    turns = [
        {"id": str(i), "thread": "t", "speaker": who, "text": text}
        for i, (who, text) in enumerate([("Ann", "I sold the boat."), ("Ben", "Who bought it?"), ("Ann", "A teacher.")])
    ]
    await put(client, gem, *turns)
    (passage,) = await ask(client, question="Who bought the boat?", k=1, expand="section")
    around = passage["around"]
    assert around["text"] == "Ann: I sold the boat.\nBen: Who bought it?\nAnn: A teacher."
    assert around["found"] == [passage["id"]]
    assert [part["speaker"] for part in around["parts"]] == ["Ann", "Ben", "Ann"]
    assert [len(part["passage_ids"]) for part in around["parts"]] == [1, 1, 1]
    assert [(part["start"], part["end"]) for part in around["parts"]] == [
        (0, len(part["text"])) for part in around["parts"]
    ]
    assert (await ask(client, question="Who bought the boat?", k=1))[0]["around"] is None
    assert len(await ask(client, question="Who bought the boat?", diversity=0.5)) == 3


async def test_a_cross_encoder_that_is_not_there_is_told(client: httpx2.AsyncClient, harbour: str) -> None:
    answer = await client.post("/recall", json={"question": "What is the fee?", "rerank": True})
    problem = check_problem(answer, 422, "invalid_input")
    assert problem["details"]["field"] == "rerank"
    assert "LATTICE_RECALL__RERANKER" in problem["detail"]


async def test_an_option_out_of_bounds_is_told_by_its_field(
    subtests: pytest.Subtests, client: httpx2.AsyncClient
) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"as_of": "monday"}, "as_of"),
        ({"min_score": 1.1}, "min_score"),
        ({"min_score": -0.1}, "min_score"),
        ({"diversity": 1}, "diversity"),
        ({"diversity": -0.1}, "diversity"),
        ({"expand": "chapter"}, "expand"),
        ({"dates": "yes"}, "dates"),
        ({"fold": None}, "fold"),
    ]
    for query, field in wrong:
        with subtests.test(repr(query)):
            problem = check_problem(await client.post("/recall", json={"question": "x", **query}), 422, "invalid_input")
            assert problem["details"]["field"] == field
