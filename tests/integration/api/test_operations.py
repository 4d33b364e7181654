from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from tests.integration.api.conftest import NOTES


async def make(client: httpx2.AsyncClient, name: str, texts: dict[str, str]) -> str:
    gem: str = (await client.post("/gems", json={"name": name})).json()["id"]
    documents = [{"id": each, "text": text, "source": name} for each, text in texts.items()]
    (await client.post(f"/gems/{gem}/documents", json={"documents": documents})).raise_for_status()
    return gem


async def recalled(client: httpx2.AsyncClient, gem: str, question: str) -> set[str]:
    answer = await client.post("/recall", json={"question": question, "gem_ids": [gem]})
    answer.raise_for_status()
    return {each["external_id"] for each in answer.json()["passages"]}


async def merge(client: httpx2.AsyncClient, gem: str, *sources: str, dry_run: bool = False) -> dict[str, Any]:
    answer = await client.post(f"/gems/{gem}/merges", json={"from": list(sources), "dry_run": dry_run})
    assert answer.status_code == 200, answer.text
    merged: dict[str, Any] = answer.json()
    return merged


@pytest.fixture
async def island(client: httpx2.AsyncClient) -> str:
    return await make(client, "island", {"beacon": "The beacon on the island burns green. It was lit in 1907."})


async def test_a_merge_is_told_then_done_then_undone(client: httpx2.AsyncClient, port: str, island: str) -> None:
    before = await recalled(client, port, "What burns green on the island?")
    planned = await merge(client, port, island, dry_run=True)
    assert (planned["dry_run"], planned["undoable"], planned["operation_id"]) == (True, True, None)
    assert (planned["documents"], planned["passages"]) == (1, 1)
    assert await recalled(client, port, "What burns green on the island?") == before

    (await client.post(f"/gems/{island}/reflections", json={"question": "What burns green?"})).raise_for_status()
    merged = await merge(client, port, island)
    assert {**planned, "dry_run": False, "operation_id": merged["operation_id"]} == merged
    assert "beacon" in await recalled(client, port, "What burns green on the island?")
    assert await recalled(client, island, "What burns green on the island?") == set()
    assert (await client.get(f"/gems/{island}")).json()["archived_at"] is not None
    for gem in (port, island):
        assert (await client.get(f"/gems/{gem}/replay")).json()["agrees"]

    (listed,) = (await client.get("/operations")).json()["items"]
    assert (listed["id"], listed["kind"], listed["others"]) == (merged["operation_id"], "merge", ["island"])
    undone = await client.post(f"/operations/{merged['operation_id']}/undo")
    assert undone.status_code == 200, undone.text
    assert undone.json()["undone_at"] is not None
    assert await recalled(client, port, "What burns green on the island?") == before
    assert await recalled(client, island, "What burns green on the island?") == {"beacon"}
    assert (await client.get(f"/gems/{island}")).json()["archived_at"] is None
    again = await client.post(f"/operations/{merged['operation_id']}/undo")
    assert (again.status_code, again.json()["code"]) == (409, "operation_followed")
    assert (await client.get("/lattice/replay")).json()["agrees"]


async def test_a_split_takes_what_it_names_and_goes_back(client: httpx2.AsyncClient, port: str) -> None:
    listed = (await client.get(f"/gems/{port}/documents")).json()["items"]
    (crane,) = [each["id"] for each in listed if each["external_id"] == "crane"]
    wish = {"name": "cranes", "document_ids": [crane]}
    planned = (await client.post(f"/gems/{port}/splits", json=wish)).json()
    assert (planned["dry_run"], planned["documents"], planned["gem_id"]) == (True, 1, None)
    done = (await client.post(f"/gems/{port}/splits", json={**wish, "dry_run": False})).json()
    assert await recalled(client, done["gem_id"], "What lifts forty tonnes?") == {"crane"}
    assert "crane" not in await recalled(client, port, "What lifts forty tonnes?")
    (await client.post(f"/operations/{done['operation_id']}/undo")).raise_for_status()
    assert "crane" in await recalled(client, port, "What lifts forty tonnes?")
    assert (await client.get(f"/gems/{done['gem_id']}")).status_code == 404


async def test_archiving_and_restoring_are_listed_and_undone(client: httpx2.AsyncClient, port: str) -> None:
    await client.post(f"/gems/{port}/archive")
    ((archived,)) = (await client.get("/operations")).json()["items"]
    assert (archived["kind"], archived["gem_id"]) == ("archive", port)
    (await client.post(f"/operations/{archived['id']}/undo")).raise_for_status()
    assert (await client.get(f"/gems/{port}")).json()["archived_at"] is None


async def test_undoing_a_restore_leaves_a_merged_gem_as_the_merge_did(
    client: httpx2.AsyncClient, port: str, island: str
) -> None:
    merged = await merge(client, port, island)
    (await client.post(f"/gems/{island}/restore")).raise_for_status()
    restored = (await client.get("/operations")).json()["items"][0]
    (await client.post(f"/operations/{restored['id']}/undo")).raise_for_status()
    assert (await client.get(f"/gems/{island}")).json()["merged_into"] == port
    (await client.post(f"/operations/{merged['operation_id']}/undo")).raise_for_status()
    gem = (await client.get(f"/gems/{island}")).json()
    assert (gem["archived_at"], gem["merged_into"]) == (None, None)


async def test_a_deletion_is_told_without_being_done(client: httpx2.AsyncClient, port: str, island: str) -> None:
    (await client.post(f"/gems/{port}/entanglements", json={"gem_id": island, "strength": 0.5})).raise_for_status()
    told = await client.delete(f"/gems/{port}", params={"dry_run": "true"})
    assert told.status_code == 200
    assert (told.json()["dry_run"], told.json()["undoable"]) == (True, False)
    assert told.json()["rows"]["document"] == len(NOTES)
    assert told.json()["rows"]["entanglement"] == 1
    other = await client.delete(f"/gems/{island}", params={"dry_run": "true"})
    assert other.json()["rows"]["entanglement"] == 1
    assert (await client.get(f"/gems/{port}")).status_code == 200
    assert (await client.delete(f"/gems/{port}")).status_code == 204
    assert (await client.get(f"/gems/{port}")).status_code == 404


@pytest.mark.parametrize(
    ("sources", "status", "code"),
    [([], 422, "invalid_input"), (["itself"], 422, "invalid_input"), ([str(uuid4())], 404, "gem_not_found")],
)
async def test_what_cannot_be_merged_is_refused(
    client: httpx2.AsyncClient, port: str, sources: list[str], status: int, code: str
) -> None:
    named = [port if each == "itself" else each for each in sources]
    for dry_run in (True, False):
        answer = await client.post(f"/gems/{port}/merges", json={"from": named, "dry_run": dry_run})
        assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("wish", "status", "code"),
    [
        ({"name": "new"}, 422, "invalid_input"),
        ({"name": "new", "source": "nowhere"}, 422, "invalid_input"),
        ({"name": "new", "document_ids": [str(uuid4())]}, 404, "document_not_found"),
        ({"name": "island", "metadata": {"a": 1}}, 409, "gem_name_taken"),
    ],
)
async def test_what_cannot_be_split_is_refused(
    client: httpx2.AsyncClient, port: str, island: str, wish: dict[str, Any], status: int, code: str
) -> None:
    document = {"id": "noted", "text": "The tide table hangs by the door.", "metadata": {"a": 1}}
    (await client.post(f"/gems/{port}/documents", json={"documents": [document]})).raise_for_status()
    for dry_run in (True, False):
        answer = await client.post(f"/gems/{port}/splits", json={**wish, "dry_run": dry_run})
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert (await client.get("/operations")).json()["items"] == []


async def test_an_archived_gem_is_neither_merged_nor_split(client: httpx2.AsyncClient, port: str, island: str) -> None:
    await client.post(f"/gems/{island}/archive")
    answers = [
        await client.post(f"/gems/{port}/merges", json={"from": [island], "dry_run": False}),
        await client.post(f"/gems/{island}/splits", json={"name": "new", "source": "island", "dry_run": False}),
    ]
    assert [(each.status_code, each.json()["code"]) for each in answers] == [(409, "gem_archived")] * 2
    assert (await client.post(f"/operations/{UUID(int=3)}/undo")).status_code == 404
