from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.integration.api.conftest import check_problem


@pytest.fixture
async def gem(client: httpx2.AsyncClient) -> str:
    return str((await client.post("/gems", json={"name": "talk"})).json()["id"])


async def send(client: httpx2.AsyncClient, gem: str, *documents: dict[str, Any]) -> httpx2.Response:
    return await client.post(f"/gems/{gem}/documents", json={"documents": [*documents]})


async def test_documents_are_stored_skipped_and_replaced(client: httpx2.AsyncClient, gem: str) -> None:
    first = {"id": "a", "text": "The ferry leaves at seven."}
    answer = await send(client, gem, first, {"id": 2, "text": "Gulls nest in May."})
    assert answer.status_code == 201
    counts = answer.json()
    assert counts.pop("seconds") >= 0
    assert counts == {"stored": 2, "replaced": 0, "skipped": 0, "passages": 2}
    assert (await send(client, gem, first)).json()["skipped"] == 1
    again = (await send(client, gem, {"id": "a", "text": "The ferry leaves at eight."})).json()
    assert (again["stored"], again["replaced"]) == (1, 1)
    listed = (await client.get(f"/gems/{gem}/documents")).json()
    assert {each["external_id"] for each in listed["items"]} == {"a", "2"}


async def test_a_document_keeps_what_it_was_sent_with(client: httpx2.AsyncClient, gem: str) -> None:
    sent = {
        "id": "m1",
        "text": "I saw the crane.",
        "title": "Monday",
        "source": "chat",
        "occurred_at": "2023-05-08",
        "metadata": {"room": [1, {"x": None}]},
        "thread": "t",
        "speaker": "Ada",
    }
    await send(client, gem, sent)
    (stored,) = (await client.get(f"/gems/{gem}/documents")).json()["items"]
    assert stored["gem_id"] == gem
    assert (stored["external_id"], stored["occurred_at"]) == ("m1", "2023-05-08T00:00:00Z")
    assert {name: stored[name] for name in ("title", "source", "metadata", "thread", "speaker")} == {
        name: sent[name] for name in ("title", "source", "metadata", "thread", "speaker")
    }
    assert (stored["passages"], stored["characters"]) == (1, len(str(sent["text"])))
    assert (await client.get(f"/gems/{gem}")).json()["speakers"] == ["Ada"]


async def test_a_document_is_deleted_by_its_own_id(client: httpx2.AsyncClient, gem: str) -> None:
    await send(client, gem, {"id": "a", "text": "The ferry leaves at seven."})
    (stored,) = (await client.get(f"/gems/{gem}/documents")).json()["items"]
    path = f"/gems/{gem}/documents/{stored['id']}"
    assert (await client.delete(path)).status_code == 204
    check_problem(await client.delete(path), 404, "document_not_found")
    assert (await client.post("/recall", json={"question": "When does the ferry leave?"})).json()["passages"] == []


async def test_documents_are_paged(client: httpx2.AsyncClient, gem: str) -> None:
    await send(client, gem, *({"id": str(i), "text": f"Note {i}."} for i in range(5)))
    seen, cursor = [], None
    for size in (2, 2, 1):
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await client.get(f"/gems/{gem}/documents", params=query)).json()
        assert len(page["items"]) == size
        seen += [each["external_id"] for each in page["items"]]
        cursor = page["next_cursor"]
    assert cursor is None
    assert sorted(seen) == ["0", "1", "2", "3", "4"]


async def test_a_wrong_document_is_named_and_none_is_stored(
    subtests: pytest.Subtests, client: httpx2.AsyncClient, gem: str
) -> None:
    for documents, field in [
        ([{"text": "a"}, {"text": "b"}, {"text": "c"}, {"text": 5}], "documents[3].text"),
        ([{"text": "a"}, {"title": "b"}], "documents[1].text"),
        ([{"text": "a"}, {"text": "   "}], "documents[1].text"),
        ([{"text": "a", "colour": "red"}], "documents[0].colour"),
        ([{"text": "a", "occurred_at": "yesterday"}], "documents[0].occurred_at"),
        ([{"text": "a", "id": " "}], "documents[0].id"),
        ([{"text": "a", "metadata": {"x": "y" * 70_000}}], "documents[0].metadata"),
        ([{"text": "a", "title": "t" * 1_001}], "documents[0].title"),
        ([], "documents"),
        ("text", "documents"),
    ]:
        with subtests.test(repr(documents)[:60]):
            answer = await client.post(f"/gems/{gem}/documents", json={"documents": documents})
            problem = check_problem(answer, 422, "invalid_input")
            assert problem["details"]["field"] == field
            assert problem["detail"].startswith(f"{field}: ")
            assert (await client.get(f"/gems/{gem}/documents")).json()["items"] == []


async def test_a_document_supersedes_others_and_tells_what_relates_names(client: httpx2.AsyncClient, gem: str) -> None:
    old = {"id": "old", "text": "Ann lives in Oslo.", "entities": ["Ann"], "relations": [["Ann", "lives in", "Oslo"]]}
    begins = {"subject": "Ann", "predicate": "lives in", "object": "Rome", "valid_from": "2025-03-01"}
    new = {"id": "new", "text": "Ann lives in Rome.", "relations": [begins], "supersedes": ["old"]}
    assert (await send(client, gem, old)).status_code == 201
    assert (await send(client, gem, new)).status_code == 201
    stored = {each["external_id"]: each for each in (await client.get(f"/gems/{gem}/documents")).json()["items"]}
    assert (stored["new"]["closed_at"], stored["new"]["closed_reason"]) == (None, None)
    assert stored["old"]["closed_at"] is not None
    assert stored["old"]["closed_reason"] == "superseded"
    found = (await client.post("/recall", json={"question": "Where does Ann live?", "gem_ids": [gem]})).json()
    assert [each["external_id"] for each in found["passages"]] == ["new"]
    relations = (await client.get(f"/gems/{gem}/relations")).json()["items"]
    assert [(each["subject"], each["object"]) for each in relations] == [("Ann", "Rome")]


async def test_a_wrong_embedding_or_relation_is_told_by_its_field(client: httpx2.AsyncClient, gem: str) -> None:
    for wrong, field in (
        ({"embedding": [0.0, 0.0]}, "documents[0].embedding"),
        ({"relations": [["a", "b"]]}, "documents[0].relations[0]"),
        ({"relations": [{"subject": "a", "predicate": "b", "object": "c", "valid_to": "soon"}]}, "valid_to"),
    ):
        answer = await send(client, gem, {"text": "x", **wrong})
        assert answer.status_code in {400, 422}
        assert field in answer.text


async def test_a_document_is_read_around_a_passage(client: httpx2.AsyncClient, port: str) -> None:
    text = "\n\n".join(f"Part {n}. " + "The tide table of this harbour is long. " * 30 for n in range(6))
    told = {"documents": [{"id": "tides", "text": text}]}
    assert (await client.post(f"/gems/{port}/documents", json=told)).status_code == 201
    listed = (await client.get(f"/gems/{port}/documents")).json()["items"]
    document = next(each for each in listed if each["external_id"] == "tides")
    path = f"/gems/{port}/documents/{document['id']}"

    whole = (await client.get(path)).json()
    assert (whole["start"], whole["end"], whole["text"]) == (0, len(text), text)
    assert len(whole["passages"]) == document["passages"] > 1
    middle = whole["passages"][len(whole["passages"]) // 2]
    near = (await client.get(path, params={"passage": middle["id"], "characters": 10})).json()
    assert near["text"] == text[middle["start"] : middle["end"]]
    assert middle in near["passages"]
    beyond = (await client.get(path, params={"start": len(text) + 5})).json()
    assert (beyond["text"], beyond["passages"]) == ("", [])


async def test_a_document_that_is_not_there_is_not_read(client: httpx2.AsyncClient, port: str) -> None:
    check_problem(await client.get(f"/gems/{port}/documents/{uuid4()}"), 404, "document_not_found")
    document = (await client.get(f"/gems/{port}/documents")).json()["items"][0]
    gone = await client.get(f"/gems/{port}/documents/{document['id']}", params={"passage": str(uuid4())})
    check_problem(gone, 404, "passage_not_found")
