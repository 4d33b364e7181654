"""The questions of the field over REST."""

import math
from typing import Any
from uuid import uuid4

import httpx2
import pytest

LATER = "2090-01-01T00:00:00Z"


async def ask(client: httpx2.AsyncClient, path: str, **parameters: Any) -> Any:
    answer = await client.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def refuse(client: httpx2.AsyncClient, path: str, **parameters: Any) -> Any:
    answer = await client.get(path, params=parameters)
    assert answer.status_code >= 400
    return answer.status_code, answer.json()["code"], answer.json()["details"].get("field")


async def reflect(client: httpx2.AsyncClient, gem: str) -> str:
    answer = await client.post(f"/gems/{gem}/reflections", json={"question": "When does the ferry leave?"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_a_gems_state_curve_and_forecast_agree(client: httpx2.AsyncClient, port: str) -> None:
    reflection = await reflect(client, port)
    state = await ask(client, f"/gems/{port}/state", below=0.5)
    assert (state["gem_id"], state["name"], state["below"]) == (port, "port", 0.5)
    assert state["field"] == pytest.approx(state["state"]["coherence"])  # it is the only gem
    history = await ask(client, f"/gems/{port}/history", points=10)
    assert [mark["cause"] for mark in history["measurements"]] == ["ingest", "reflection"]
    mark = history["measurements"][1]
    assert mark["reflection_id"] == reflection
    assert mark["after"]["uncertainty"] < mark["before"]["uncertainty"]
    assert history["points"][-1]["at"] == history["now"]
    assert len(history["points"]) == 10 + 1 + 1  # at the measurement the curve has two more; the first one is the birth
    forecast = await ask(client, f"/gems/{port}/forecast", below=0.5, points=3)
    assert forecast["falls_at"] == state["falls_at"]
    then = await ask(client, f"/gems/{port}/state", at=forecast["falls_at"])
    assert then["state"]["coherence"] == pytest.approx(0.5, abs=1e-9)
    long_after = await ask(client, f"/gems/{port}/history", until=LATER, points=2)
    assert long_after["points"][-1]["coherence"] == pytest.approx(0.0, abs=1e-9)


async def test_a_rehearsal_is_told_before_it_is_done(client: httpx2.AsyncClient, port: str) -> None:
    other = (await client.post("/gems", json={"name": "quay"})).json()["id"]
    tied = await client.post(f"/gems/{port}/entanglements", json={"gem_id": other, "strength": 0.5})
    assert tied.status_code in {200, 201}, tied.text
    (passage, *_) = (await ask(client, f"/gems/{port}/passages"))["passages"]
    body = {"gain": 0.4, "passage_ids": [passage["passage_id"]]}
    told = (await client.post(f"/gems/{port}/rehearsals", json=body)).json()
    assert (told["dry_run"], told["passages"]) == (True, 1)
    assert (await ask(client, f"/gems/{port}/measurements"))["items"][0]["cause"] == "ingest"
    done = await client.post(f"/gems/{port}/rehearsals", json=body | {"dry_run": False})
    assert done.status_code == 200, done.text
    after = done.json()
    assert after["after"]["uncertainty"] == pytest.approx(told["after"]["uncertainty"], rel=1e-3)
    assert after["after"]["uncertainty"] == pytest.approx(after["before"]["uncertainty"] * 0.6)
    assert told["falls_at_before"] < after["falls_at_after"]
    (partner,) = after["partners"]
    assert (partner["gem_id"], partner["name"], partner["strength"]) == (other, "quay", pytest.approx(0.5))
    assert partner["after"]["uncertainty"] == pytest.approx(partner["before"]["uncertainty"] * 0.8)
    log = (await ask(client, f"/gems/{port}/measurements"))["items"]
    assert [entry["cause"] for entry in log[:2]] == ["manual", "manual"]
    assert {entry["passage_id"] for entry in log[:2]} == {None, passage["passage_id"]}
    assert (await ask(client, "/lattice/replay"))["agrees"] is True
    await client.post(f"/gems/{port}/archive")
    refused = await client.post(f"/gems/{port}/rehearsals", json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "gem_archived")


async def test_a_rehearsal_of_passages_that_are_elsewhere_is_refused(client: httpx2.AsyncClient, port: str) -> None:
    answer = await client.post(f"/gems/{port}/rehearsals", json={"passage_ids": [str(uuid4())], "dry_run": False})
    assert (answer.status_code, answer.json()["code"]) == (404, "passage_not_found")
    for body in ({"gain": 0}, {"gain": 1.5}, {"below": 0}, {"passage_ids": ["x"]}, {"more": 1}):
        answer = await client.post(f"/gems/{port}/rehearsals", json=body)
        assert answer.status_code == 422, body


@pytest.mark.parametrize("order", ["coherence", "-coherence", "position"])
async def test_passages_are_paged_in_one_order(client: httpx2.AsyncClient, port: str, order: str) -> None:
    await reflect(client, port)
    whole = await ask(client, f"/gems/{port}/passages", order=order, at=LATER)
    assert (whole["at"], whole["next_cursor"], len(whole["passages"])) == (LATER, None, 3)
    coherences = [each["state"]["coherence"] for each in whole["passages"]]
    if order != "position":
        assert coherences == sorted(coherences, reverse=order == "-coherence")
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        place = {"at": LATER} if cursor is None else {"cursor": cursor}
        page = await ask(client, f"/gems/{port}/passages", order=order, limit=1, **place)
        assert page["at"] == LATER
        seen += [each["passage_id"] for each in page["passages"]]
        cursor = page["next_cursor"]
    assert (cursor, seen) == (None, [each["passage_id"] for each in whole["passages"]])


async def test_a_page_of_passages_needs_a_cursor_of_its_order_and_a_moment_to_come(
    client: httpx2.AsyncClient, port: str
) -> None:
    cursor = (await ask(client, f"/gems/{port}/passages", limit=1))["next_cursor"]
    path = f"/gems/{port}/passages"
    invalid = (400, "invalid_cursor", "cursor")
    assert await refuse(client, path, cursor=cursor, order="position") == invalid
    assert await refuse(client, path, cursor="x") == invalid
    assert await refuse(client, path, cursor="A" * 44) == invalid
    assert await refuse(client, path, at="2001-01-01") == (422, "invalid_input", "at")
    assert (await refuse(client, path, order="name"))[0] in {400, 422}


async def test_passages_interfere_as_their_states_say(client: httpx2.AsyncClient, port: str) -> None:
    await reflect(client, port)
    found = await ask(client, f"/gems/{port}/interference")
    labels = found["labels"]
    assert [label["phase"] for label in labels] == sorted(label["phase"] for label in labels)
    for row, first in zip(found["matrix"], labels, strict=True):
        for overlap, second in zip(row, labels, strict=True):
            waves = first["coherence"] * second["coherence"]
            assert overlap == pytest.approx(waves * math.cos(first["phase"] - second["phase"]), abs=1e-9)
    assert 0 <= found["order_parameter"] <= 1
    assert len((await ask(client, f"/gems/{port}/interference", limit=2))["labels"]) == 2
    empty = (await client.post("/gems", json={"name": "empty"})).json()["id"]
    assert await ask(client, f"/gems/{empty}/interference") == {"labels": [], "matrix": [], "order_parameter": 0.0}


async def test_the_lattice_is_told_as_a_whole(client: httpx2.AsyncClient, port: str) -> None:
    field = await ask(client, "/lattice/field", buckets=4, at=LATER)
    assert (field["gems"], field["below_threshold"], field["at"]) == (1, 1, LATER)
    assert field["histogram"] == {
        "edges": [0.0, 0.25, 0.5, 0.75, 1.0],
        "coherence": [1, 0, 0, 0],
        "uncertainty": [0, 0, 0, 1],
    }
    history = await ask(client, "/lattice/history", points=5)
    assert [point["gems"] for point in history["points"]] == [0, 0, 0, 0, 1]
    assert history["points"][0]["coherence"] is None
    assert await ask(client, "/lattice/risk", within_days=30) == {"below": 0.1, "gems": []}
    (risk,) = (await ask(client, "/lattice/risk", within_days=365))["gems"]
    assert (risk["gem_id"], risk["name"]) == (port, "port")
    assert risk["falls_at"] == (await ask(client, f"/gems/{port}/state"))["falls_at"]
    (mode,) = (await ask(client, "/lattice/modes"))["modes"]
    assert (mode["gems"], mode["size"]) == ([{"gem_id": port, "name": "port"}], 1)
    answer = await client.post("/lattice/interference", json={"gem_ids": [port, port]})
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["matrix"]) == 2
    missing = await client.post("/lattice/interference", json={"gem_ids": [str(uuid4())]})
    assert missing.status_code == 404


async def test_an_empty_lattice_has_no_means(client: httpx2.AsyncClient) -> None:
    field = await ask(client, "/lattice/field")
    assert (field["gems"], field["coherence"], field["order_parameter"]) == (0, {"mean": None}, 0.0)
    assert await ask(client, "/lattice/modes") == {"modes": []}


async def test_reflections_of_all_gems_are_listed_newest_first(client: httpx2.AsyncClient, port: str) -> None:
    made = [await reflect(client, port) for _ in range(3)]
    page = await ask(client, "/lattice/reflections", limit=2)
    assert [each["id"] for each in page["items"]] == made[:0:-1]
    assert {each["gem_name"] for each in page["items"]} == {"port"}
    rest = await ask(client, "/lattice/reflections", limit=2, cursor=page["next_cursor"])
    assert [each["id"] for each in rest["items"]] == made[:1]
    assert rest["next_cursor"] is None


async def test_what_cannot_be_read_is_refused(client: httpx2.AsyncClient, port: str) -> None:
    for path, parameters in (
        ("state", {"at": "yesterday"}),
        ("state", {"at": "1999-01-01"}),
        ("state", {"below": "0"}),
        ("history", {"since": "2090-01-01"}),
        ("history", {"points": "1"}),
        ("history", {"points": "2001"}),
        ("forecast", {"until": "1999-01-01"}),
        ("interference", {"limit": "201"}),
    ):
        status, code, _ = await refuse(client, f"/gems/{port}/{path}", **parameters)
        assert (status, code) == (422, "invalid_input"), (path, parameters)


async def test_a_gem_that_is_not_there_is_told(client: httpx2.AsyncClient) -> None:
    for path in ("state", "history", "forecast", "interference", "passages"):
        assert (await refuse(client, f"/gems/{uuid4()}/{path}"))[:2] == (404, "gem_not_found"), path
