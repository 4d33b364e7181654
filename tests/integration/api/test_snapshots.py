from uuid import uuid4

import httpx2

from tests.integration.api.conftest import check_problem

QUESTION = {"question": "When does the ferry leave?"}


async def take(client: httpx2.AsyncClient, path: str, note: str = "") -> str:
    answer = await client.post(path, json={"note": note})
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/api/v1/snapshots/{answer.json()['id']}"
    return str(answer.json()["id"])


async def test_a_gem_is_kept_compared_and_brought_back_after_it_was_deleted(
    client: httpx2.AsyncClient, port: str
) -> None:
    found = [each["id"] for each in (await client.post("/recall", json=QUESTION)).json()["passages"]]
    snapshot = await take(client, f"/gems/{port}/snapshots", "before the move")
    shown = (await client.get(f"/snapshots/{snapshot}")).json()
    assert (shown["scope"], shown["reason"], shown["note"]) == ("gem", "asked", "before the move")
    assert (shown["gem_count"], shown["documents"], shown["passages"]) == (1, 3, 3)
    assert shown["gems"][0]["counts"]["passage"] == 3
    assert len(shown["sha256"]) == 64

    await client.patch(f"/gems/{port}", json={"description": "By the sea", "metadata": {"n": 1}})
    note = {"id": "tide", "text": "The tide turns at six."}
    await client.post(f"/gems/{port}/documents", json={"documents": [note]})
    (changed,) = (await client.get(f"/snapshots/{snapshot}/diff")).json()["gems"]
    assert changed["gem"]["description"] == {"before": "", "after": "By the sea"}
    assert changed["gem"]["metadata"] == {"before": {}, "after": {"n": 1}}
    documents = changed["documents"]
    assert (documents["added"], documents["removed"], documents["shown"][0]["external_id"]) == (1, 0, "tide")
    assert changed["relations"]["added"] == 0

    told = (await client.post(f"/snapshots/{snapshot}/restores", json={})).json()
    assert (told["dry_run"], told["safety_id"], told["gems"][0]["documents"]["removed"]) == (True, None, 1)
    done = (await client.post(f"/snapshots/{snapshot}/restores", json={"dry_run": False})).json()
    assert done["gems"] == told["gems"]
    assert (await client.get(f"/gems/{port}")).json()["description"] == ""
    against = {"against": done["safety_id"]}
    assert (await client.get(f"/snapshots/{snapshot}/diff", params=against)).json()["gems"][0]["documents"] == documents

    assert (await client.delete(f"/gems/{port}")).status_code == 204
    back = (await client.post(f"/snapshots/{snapshot}/restores", json={"dry_run": False})).json()
    assert (back["safety_id"], back["gems"][0]["change"]) == (None, "added")
    assert [each["id"] for each in (await client.post("/recall", json=QUESTION)).json()["passages"]] == found
    replayed = (await client.get(f"/gems/{port}/replay")).json()
    assert replayed["agrees"]


async def test_the_lattice_is_kept_and_lists_are_pages(client: httpx2.AsyncClient, port: str) -> None:
    taken = [await take(client, "/lattice/snapshots") for _ in range(2)] + [
        await take(client, f"/gems/{port}/snapshots")
    ]
    first = (await client.get(f"/gems/{port}/snapshots", params={"limit": 2})).json()
    rest = (await client.get(f"/gems/{port}/snapshots", params={"cursor": first["next_cursor"]})).json()
    assert [each["id"] for each in (*first["items"], *rest["items"])] == taken[::-1]
    assert rest["next_cursor"] is None
    listed = (await client.get("/lattice/snapshots")).json()["items"]
    assert [(each["id"], each["gem_count"], each["documents"]) for each in listed] == [
        (taken[1], 1, 3),
        (taken[0], 1, 3),
    ]
    again = await client.post("/lattice/snapshots", json={}, headers={"Idempotency-Key": "k"})
    assert (await client.post("/lattice/snapshots", json={}, headers={"Idempotency-Key": "k"})).json() == again.json()


async def test_snapshots_are_verified_deleted_and_kept_to_a_policy(client: httpx2.AsyncClient, port: str) -> None:
    taken = [await take(client, f"/gems/{port}/snapshots") for _ in range(3)]
    verified = (await client.post(f"/snapshots/{taken[0]}/verifications")).json()
    assert (verified["sound"], verified["problem_count"], verified["problems"]) == (True, 0, [])
    assert verified["contents"] >= 9
    told = (await client.post("/snapshots/retention", json={"keep_last": 2})).json()
    assert (told["dry_run"], told["kept"], told["gone"], told["freed_bytes"], told["undoable"]) == (
        True,
        2,
        1,
        0,
        False,
    )
    assert [each["kept_by"] for each in told["snapshots"]] == [["last"], ["last"], []]
    done = (await client.post("/snapshots/retention", json={"keep_last": 2, "gem_id": port, "dry_run": False})).json()
    assert (done["gone"], done["snapshots"][2]["id"]) == (1, taken[0])
    check_problem(await client.get(f"/snapshots/{taken[0]}"), 404, "snapshot_not_found")
    deleted = await client.delete(f"/snapshots/{taken[1]}")
    assert deleted.json() == {"id": taken[1], "freed_bytes": 0, "undoable": False}
    assert (await client.delete(f"/snapshots/{taken[2]}")).json()["freed_bytes"] > 0
    check_problem(await client.post("/snapshots/retention", json={}), 422, "invalid_input")


async def test_what_is_asked_wrongly_is_told(client: httpx2.AsyncClient, port: str) -> None:
    snapshot = await take(client, f"/gems/{port}/snapshots")
    other = (await client.post("/gems", json={"name": "other"})).json()["id"]
    against = {"against": await take(client, f"/gems/{other}/snapshots")}
    problem = check_problem(await client.get(f"/snapshots/{snapshot}/diff", params=against), 422, "invalid_input")
    assert problem["details"]["field"] == "against"
    check_problem(await client.get(f"/snapshots/{snapshot}/diff", params={"against": "x"}), 422, "invalid_input")
    check_problem(await client.post(f"/gems/{uuid4()}/snapshots", json={}), 404, "gem_not_found")
    elsewhere = {"gem_id": other, "dry_run": True}
    check_problem(await client.post(f"/snapshots/{snapshot}/restores", json=elsewhere), 404, "snapshot_not_found")
    for method, path in (
        ("GET", ""),
        ("GET", "/diff"),
        ("POST", "/restores"),
        ("POST", "/verifications"),
        ("DELETE", ""),
    ):
        body: dict[str, str] | None = {} if path == "/restores" else None
        answer = await client.request(method, f"/snapshots/{uuid4()}{path}", json=body)
        check_problem(answer, 404, "snapshot_not_found")
