from uuid import UUID, uuid4

import httpx2
import pytest

from tests.integration.api.conftest import check_problem


async def test_a_gem_is_made_read_changed_and_deleted(client: httpx2.AsyncClient) -> None:
    made = await client.post("/gems", json={"name": "Ada", "description": "a person", "metadata": {"born": 1815}})
    assert made.status_code == 201
    gem = made.json()
    assert made.headers["location"] == f"/api/v1/gems/{gem['id']}"
    assert gem["state"] == {"energy": 1.0, "phase": 0.0, "coherence": 1.0, "uncertainty": 0.1}
    assert (gem["archived_at"], gem["ratings"], gem["version"]) == (None, 0, 0)
    read = (await client.get(f"/gems/{gem['id']}")).json()
    assert {**read, "state": None} == {**gem, "state": None}
    assert read["state"]["coherence"] == pytest.approx(1.0, abs=1e-3)
    changed = await client.patch(f"/gems/{gem['id']}", json={"description": "a mathematician"})
    assert changed.status_code == 200
    assert changed.json()["name"] == "Ada"
    assert changed.json()["description"] == "a mathematician"
    assert changed.json()["metadata"] == {"born": 1815}
    gone = await client.delete(f"/gems/{gem['id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    check_problem(await client.get(f"/gems/{gem['id']}"), 404, "gem_not_found")


async def test_a_name_is_taken_once(client: httpx2.AsyncClient) -> None:
    first = (await client.post("/gems", json={"name": "one"})).json()
    check_problem(await client.post("/gems", json={"name": "one"}), 409, "gem_name_taken")
    other = (await client.post("/gems", json={"name": "two"})).json()
    check_problem(await client.patch(f"/gems/{other['id']}", json={"name": "one"}), 409, "gem_name_taken")
    assert (await client.patch(f"/gems/{first['id']}", json={"name": "one"})).status_code == 200


async def test_an_archived_gem_is_read_only_and_left_out_of_recall(client: httpx2.AsyncClient, port: str) -> None:
    archived = await client.post(f"/gems/{port}/archive")
    assert archived.status_code == 200
    assert archived.json()["archived_at"] is not None
    check_problem(await client.patch(f"/gems/{port}", json={"name": "x"}), 409, "gem_archived")
    check_problem(
        await client.post(f"/gems/{port}/documents", json={"documents": [{"text": "x"}]}), 409, "gem_archived"
    )
    check_problem(await client.post(f"/gems/{port}/reflections", json={"question": "x"}), 409, "gem_archived")
    assert len((await client.get("/gems", params={"archived": "true"})).json()["items"]) == 1
    assert len((await client.get("/gems")).json()["items"]) == 1
    assert (await client.get("/gems", params={"archived": "false"})).json()["items"] == []
    assert (await client.post("/recall", json={"question": "When does the ferry leave?"})).json()["passages"] == []
    assert (await client.post(f"/gems/{port}/restore")).json()["archived_at"] is None
    assert len((await client.get("/gems", params={"archived": "false"})).json()["items"]) == 1


async def test_pages_show_every_gem_once_also_while_others_are_made(client: httpx2.AsyncClient) -> None:
    made = [(await client.post("/gems", json={"name": f"gem {i}"})).json()["id"] for i in range(5)]
    seen, cursor = [], None
    while True:
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/gems", params=query)).json()
        seen += [gem["id"] for gem in page["items"]]
        await client.post("/gems", json={"name": f"late {len(seen)}"})
        if (cursor := page["next_cursor"]) is None:
            break
        assert len(page["items"]) == 2
    assert seen == made[::-1]


async def test_a_page_that_ends_exactly_is_known_as_the_last(client: httpx2.AsyncClient) -> None:
    for i in range(2):
        await client.post("/gems", json={"name": f"gem {i}"})
    assert (await client.get("/gems", params={"limit": "2"})).json()["next_cursor"] is None


async def test_a_limit_out_of_bounds_is_named(subtests: pytest.Subtests, client: httpx2.AsyncClient) -> None:
    for limit in ("0", "201", "many", "-1"):
        with subtests.test(limit[:40]):
            problem = check_problem(await client.get("/gems", params={"limit": limit}), 422, "invalid_input")
            assert problem["details"]["field"] == "limit"


async def test_a_foreign_cursor_is_refused(subtests: pytest.Subtests, client: httpx2.AsyncClient) -> None:
    for cursor in ("x", "AAAA", "*" * 32, "f" * 32, "A" * 1_000, "ä"):
        with subtests.test(cursor[:40]):
            check_problem(await client.get("/gems", params={"cursor": cursor}), 400, "invalid_cursor")


async def test_unknown_and_impossible_ids_are_told_apart(client: httpx2.AsyncClient) -> None:
    for method, path in [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/archive"), ("POST", "/restore")]:
        answer = await client.request(method, f"/gems/{uuid4()}{path}", json={})
        check_problem(answer, 404, "gem_not_found")
    for path in ("measurements", "documents", "reflections"):
        check_problem(await client.get(f"/gems/{uuid4()}/{path}"), 404, "gem_not_found")
    problem = check_problem(await client.get("/gems/port"), 422, "invalid_input")
    assert problem["details"]["field"] == "gem_id"


async def test_use_is_in_the_log(client: httpx2.AsyncClient, port: str) -> None:
    (birth,) = (await client.get(f"/gems/{port}/measurements")).json()["items"]
    assert (birth["cause"], birth["gain"], birth["coherence"]) == ("ingest", 0.0, 1.0)
    asked = (await client.post(f"/gems/{port}/reflections", json={"question": "When does the ferry leave?"})).json()
    *log, last = (await client.get(f"/gems/{port}/measurements")).json()["items"]
    assert last == birth
    assert {entry["reflection_id"] for entry in log} == {asked["id"]}
    assert {entry["cause"] for entry in log} == {"reflection"}
    assert None in {entry["passage_id"] for entry in log}
    paged: list[object] = []
    cursor = None
    while cursor is not None or not paged:
        page = await client.get(
            f"/gems/{port}/measurements", params={"limit": "1"} | ({"cursor": cursor} if cursor else {})
        )
        paged += page.json()["items"]
        cursor = page.json()["next_cursor"]
    assert paged == [*log, last]
    check_problem(await client.get(f"/gems/{port}/measurements", params={"cursor": "x"}), 400, "invalid_cursor")


async def test_a_log_is_replayed(client: httpx2.AsyncClient, port: str) -> None:
    (await client.post(f"/gems/{port}/reflections", json={"question": "When does the ferry leave?"})).raise_for_status()
    found = (await client.get(f"/gems/{port}/replay")).json()
    assert (found["agrees"], found["faults"], found["shown"]) == (True, 0, [])
    assert found["subjects"] == 4  # the gem and three passages
    assert found["steps"] >= 3  # its birth, its use, and the use of a passage
    assert (await client.get("/lattice/replay")).json() == found
    assert (await client.get(f"/gems/{UUID(int=7)}/replay")).status_code == 404
