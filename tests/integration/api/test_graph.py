"""The graph over REST: what documents claim is listed, asked, set right and undone."""

from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from api.service import Service
from gems import GemChange
from knowledge import parse_document
from knowledge.graph.catalogue import Graph
from tests.integration.api.conftest import check_problem

DOCUMENTS = [
    {
        "id": "oslo",
        "text": "Ann lives in Oslo. She has a cat.",
        "title": "Ann",
        "relations": [{"subject": "Ann", "predicate": "lives in", "object": "Oslo", "valid_from": "2010-01-01"}],
    },
    {
        "id": "bergen",
        "text": "Ann moved to Bergen. Robert helped Ann.",
        "relations": [
            {"subject": "Ann", "predicate": "lives in", "object": "Bergen", "valid_from": "2020-01-01"},
            {"subject": "Ann", "predicate": "knows", "object": "Robert"},
        ],
    },
    {
        "id": "rome",
        "text": "We heard from Bob that Ann has lived in Rome since 2020.",
        "relations": [
            {"subject": "Ann", "predicate": "lives in", "object": "Rome", "valid_from": "2020-01-01"},
            {"subject": "Bob", "predicate": "knows", "object": "Cy"},
        ],
    },
]


@pytest.fixture
async def gem(client: httpx2.AsyncClient, service: Service) -> str:
    gem = str((await client.post("/gems", json={"name": "people"})).json()["id"])
    documents = [parse_document(each) for each in DOCUMENTS]
    await service.ingestion.ingest(service.tenant, UUID(gem), documents, service.at())
    return gem


async def read(client: httpx2.AsyncClient, path: str, **query: Any) -> Any:
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def entity(client: httpx2.AsyncClient, gem: str, name: str) -> str:
    (found,) = [
        each for each in (await read(client, f"/gems/{gem}/entities", name=name))["items"] if each["name"] == name
    ]
    return str(found["id"])


async def test_entities_are_listed_and_shown_with_what_is_known(client: httpx2.AsyncClient, gem: str) -> None:
    ann = await entity(client, gem, "Ann")
    told = await read(client, f"/gems/{gem}/entities/{ann}", passages=2)
    assert told["entity"]["names"] == ["ann"]
    assert {(each["predicate"], each["object"]) for each in told["relations"]} == {
        ("lives in", "Oslo"),
        ("lives in", "Bergen"),
        ("lives in", "Rome"),
        ("knows", "Robert"),
    }
    assert len(told["passages"]) == 2
    seen, cursor = set(), None
    while True:
        page = await read(client, f"/gems/{gem}/entities", limit=2, **({"cursor": cursor} if cursor else {}))
        seen |= {each["name"] for each in page["items"]}
        if (cursor := page["next_cursor"]) is None:
            break
    assert {"Ann", "Bob", "Bergen", "Oslo", "Rome", "Robert", "Cy"} <= seen


async def test_relations_are_asked_in_two_times(client: httpx2.AsyncClient, gem: str) -> None:
    path = f"/gems/{gem}/relations"
    (oslo,) = (await read(client, path, valid_at="2015-01-01", predicate="livesIn"))["items"]
    assert (oslo["object"], oslo["valid_to"], oslo["closed_reason"]) == ("Oslo", "2020-01-01T00:00:00Z", "replaced")
    assert (await read(client, path, as_of="2000-01-01"))["items"] == []
    bob = await entity(client, gem, "Bob")
    cy = await entity(client, gem, "Cy")
    assert [each["object"] for each in (await read(client, path, subject=bob))["items"]] == ["Cy"]
    assert [each["subject"] for each in (await read(client, path, object=cy))["items"]] == ["Bob"]
    check_problem(await client.get(path, params={"as_of": "soon"}), 422, "invalid_input")
    first = await read(client, path, limit=1)
    assert first["next_cursor"] is not None


async def test_a_name_that_no_text_can_have_is_found_nowhere(client: httpx2.AsyncClient, gem: str) -> None:
    assert (await read(client, f"/gems/{gem}/relations", predicate="\x00lives\x00in"))["items"] == []
    assert (await read(client, f"/gems/{gem}/entities", name="An\x00x"))["items"] == []


async def test_a_contradiction_is_shown_resolved_and_undone(client: httpx2.AsyncClient, gem: str) -> None:
    path = f"/gems/{gem}/contradictions"
    told = await read(client, path)
    (found,) = told["items"]
    assert not told["more"]
    sides = {found[side]["relation"]["object"]: found[side] for side in ("newer", "older")}
    assert "Rome since 2020" in sides["Rome"]["text"]
    choice = {"keep": sides["Bergen"]["relation"]["id"], "close": sides["Rome"]["relation"]["id"]}
    change = await client.post(f"{path}/resolve", json=choice)
    assert change.json()["kind"] == "resolve"
    assert (await read(client, path))["items"] == []
    check_problem(await client.post(f"{path}/resolve", json=choice), 409, "conflict")
    gone = choice | {"keep": str(uuid4())}
    check_problem(await client.post(f"{path}/resolve", json=gone), 404, "relation_not_found")
    undone = await client.post(f"/gems/{gem}/graph/undo", json={"change": change.json()["id"]})
    assert undone.json()["undone_at"] is not None
    assert len((await read(client, path))["items"]) == 1


async def test_entities_are_merged_once_split_and_named(client: httpx2.AsyncClient, gem: str) -> None:
    robert, bob = await entity(client, gem, "Robert"), await entity(client, gem, "Bob")
    path, body, key = f"/gems/{gem}/entities", {"into": robert, "entities": [bob]}, {"Idempotency-Key": "m1"}
    merged = await client.post(f"{path}/merge", json=body, headers=key)
    assert merged.status_code == 201
    assert merged.headers["location"] == f"/api/v1/gems/{gem}/entities/{robert}"
    assert merged.json()["entity"]["names"] == ["bob", "robert"]
    again = await client.post(f"{path}/merge", json=body, headers=key)
    assert (again.json(), again.headers["idempotency-replayed"]) == (merged.json(), "true")
    check_problem(await client.get(f"{path}/{bob}"), 404, "entity_not_found")
    split = await client.post(f"{path}/split", json={"entity": robert, "name": "Bob Berg", "names": ["Bob"]})
    assert split.json()["entity"]["names"] == ["bob", "bob berg"]
    taken = {"entity": robert, "names": ["Ann"]}
    check_problem(await client.post(f"{path}/aliases", json=taken), 409, "entity_name_taken")
    named = await client.post(f"{path}/aliases", json={"entity": robert, "names": ["Bobby"]})
    assert named.json()["entity"]["names"] == ["bobby", "robert"]
    listed = (await read(client, f"/gems/{gem}/graph/changes"))["items"]
    assert [each["kind"] for each in listed] == ["alias", "split", "merge"]
    check_problem(
        await client.post(f"/gems/{gem}/graph/undo", json={"change": listed[2]["id"]}), 409, "change_followed"
    )
    for _ in range(3):
        assert (await client.post(f"/gems/{gem}/graph/undo", json={})).status_code == 200
    check_problem(await client.post(f"/gems/{gem}/graph/undo", json={}), 404, "change_not_found")
    assert await entity(client, gem, "Bob") == bob
    found = await client.post(f"{path}/suggestions", json={"threshold": 0.99})
    assert found.json()["waiting"] == 0


async def test_the_graph_is_asked(client: httpx2.AsyncClient, gem: str) -> None:
    ids = {name: await entity(client, gem, name) for name in ("Ann", "Bob", "Cy")}
    path = f"/gems/{gem}/graph"
    near = await read(client, f"{path}/neighbours", entity=ids["Bob"])
    assert {"Bob", "Ann", "Cy"} <= {node["name"] for node in near["nodes"]}
    (way, *_) = (await read(client, f"{path}/paths", source=ids["Ann"], target=ids["Cy"]))["items"]
    assert [node["name"] for node in way["nodes"]] in (["Ann", "Bob", "Cy"], ["Ann", "Cy"])
    central = await read(client, f"{path}/central", by="degree", limit=1)
    assert [each["node"]["name"] for each in central["items"]] == ["Ann"]
    assert (await read(client, f"{path}/communities"))["items"]
    wrong: list[dict[str, Any]] = [{"entity": ids["Bob"], "depth": 4}, {"entity": "x"}, {}]
    for query in wrong:
        check_problem(await client.get(f"{path}/neighbours", params=query), 422, "invalid_input")
    check_problem(await client.get(f"{path}/neighbours", params={"entity": str(uuid4())}), 404, "entity_not_found")


async def test_predicates_are_marked(client: httpx2.AsyncClient, gem: str) -> None:
    path = f"/gems/{gem}/graph/predicates"
    assert (await read(client, path))["defaults"]["lives in"] == "one_at_a_time"
    marked = await client.put(path, json={"predicates": {"Lives_In": "many"}})
    assert marked.json()["predicates"] == {"lives in": "many"}
    assert (await read(client, f"/gems/{gem}/contradictions"))["items"] == []
    check_problem(await client.put(path, json={"predicates": {"owns": "two"}}), 422, "invalid_input")


async def test_another_tenants_graph_is_not_there(client: httpx2.AsyncClient, service: Service) -> None:
    other, at = uuid4(), service.at()
    theirs = await service.gems.create(other, GemChange("people"), at)
    await service.ingestion.ingest(other, theirs.gem_id, [parse_document(each) for each in DOCUMENTS], at)
    some, base = str(uuid4()), f"/gems/{theirs.gem_id}"
    for path in (
        "/entities",
        f"/entities/{some}",
        "/relations",
        "/contradictions",
        "/graph/predicates",
        "/graph/changes",
        f"/graph/neighbours?entity={some}",
        f"/graph/paths?source={some}&target={some}",
        "/graph/communities",
        "/graph/central",
    ):
        check_problem(await client.get(base + path), 404, "gem_not_found")
    for path, body in (
        ("/entities/merge", {"into": some, "entities": [some]}),
        ("/entities/split", {"entity": some, "name": "x", "names": ["y"]}),
        ("/entities/aliases", {"entity": some, "names": ["y"]}),
        ("/entities/suggestions", {}),
        ("/contradictions/resolve", {"keep": some, "close": some}),
        ("/graph/undo", {}),
    ):
        check_problem(await client.post(base + path, json=body), 404, "gem_not_found")
    check_problem(await client.put(f"{base}/graph/predicates", json={"predicates": {}}), 404, "gem_not_found")


async def test_ids_of_another_tenants_graph_lead_nowhere(
    client: httpx2.AsyncClient, gem: str, service: Service
) -> None:
    other, at = uuid4(), service.at()
    theirs = await service.gems.create(other, GemChange("people"), at)
    await service.ingestion.ingest(other, theirs.gem_id, [parse_document(each) for each in DOCUMENTS], at)
    graph = Graph(service.database, service.embedder)
    alien = str(await graph.resolve_entity(other, theirs.gem_id, "Ann", at))
    mine = await entity(client, gem, "Ann")
    base = f"/gems/{gem}"
    for path in (
        f"/entities/{alien}",
        f"/graph/neighbours?entity={alien}",
        f"/graph/paths?source={mine}&target={alien}",
    ):
        check_problem(await client.get(base + path), 404, "entity_not_found")
    for path, body in (
        ("/entities/merge", {"into": mine, "entities": [alien]}),
        ("/entities/merge", {"into": alien, "entities": [mine]}),
        ("/entities/split", {"entity": alien, "name": "x", "names": ["Ann"]}),
        ("/entities/aliases", {"entity": alien, "names": ["y"]}),
    ):
        check_problem(await client.post(base + path, json=body), 404, "entity_not_found")
    assert (await read(client, f"{base}/relations", subject=alien))["items"] == []
    assert (await read(client, f"{base}/graph/changes"))["items"] == []


async def test_an_archived_gem_can_be_read_but_not_changed(client: httpx2.AsyncClient, gem: str) -> None:
    ann, bob = await entity(client, gem, "Ann"), await entity(client, gem, "Bob")
    await client.post(f"/gems/{gem}/archive")
    assert (await read(client, f"/gems/{gem}/relations"))["items"]
    answer = await client.post(f"/gems/{gem}/entities/merge", json={"into": ann, "entities": [bob]})
    check_problem(answer, 409, "gem_archived")
