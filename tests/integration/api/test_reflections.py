import json
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from core.errors import StoreUnavailableError
from llm_router import TargetFault
from tests.integration.api.conftest import Script, check_problem

FERRY = {"question": "When does the ferry leave?"}


def read_events(text: str) -> list[tuple[str, Any]]:
    blocks = [block.split("\n") for block in text.strip().split("\n\n") if not block.startswith(":")]
    return [(event.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for event, data in blocks]


async def test_an_answer_is_stored_with_all_that_it_rests_on(client: httpx2.AsyncClient, port: str) -> None:
    answer = await client.post(f"/gems/{port}/reflections", json=FERRY)
    assert answer.status_code == 201
    made = answer.json()
    assert "leaves at seven" in made["answer"]
    assert (made["grounding"], made["provider"], made["cost_usd"]) == ("grounded", "extractive", 0.0)
    assert next(each["external_id"] for each in made["evidence"] if each["cited"]) == "ferry"
    assert set(made["axiom"]["terms"]) == set(made["axiom"]["shares"]) == set("ABCXYZEF")
    assert made["attempts"][0]["outcome"] == "answered"
    assert made["change"]["after"]["uncertainty"] < made["change"]["before"]["uncertainty"]
    assert answer.headers["location"] == f"/api/v1/reflections/{made['id']}"
    read = (await client.get(f"/reflections/{made['id']}")).json()
    assert {**read, "change": made["change"]} == made
    (listed,) = (await client.get(f"/gems/{port}/reflections")).json()["items"]
    assert (listed["id"], listed["score"]) == (made["id"], made["axiom"]["score"])


async def test_reflections_are_paged(client: httpx2.AsyncClient, port: str) -> None:
    asked = [(await client.post(f"/gems/{port}/reflections", json=FERRY)).json()["id"] for _ in range(3)]
    first = (await client.get(f"/gems/{port}/reflections", params={"limit": "2"})).json()
    query = {"limit": "2", "cursor": first["next_cursor"]}
    second = (await client.get(f"/gems/{port}/reflections", params=query)).json()
    assert [each["id"] for each in first["items"] + second["items"]] == asked[::-1]
    assert second["next_cursor"] is None


async def test_feedback_moves_the_gem(client: httpx2.AsyncClient, port: str) -> None:
    made = (await client.post(f"/gems/{port}/reflections", json=FERRY)).json()["id"]
    rated = await client.post(f"/reflections/{made}/feedback", json={"rating": -0.5})
    assert rated.status_code == 200
    assert (rated.json()["id"], rated.json()["feedback"], rated.json()["ratings"]) == (port, -0.5, 1)
    assert (await client.get(f"/reflections/{made}")).json()["rating"] == -0.5
    for rating in (1.01, -2, "1", None):
        answer = await client.post(f"/reflections/{made}/feedback", json={"rating": rating})
        assert check_problem(answer, 422, "invalid_input")["details"]["field"] == "rating"


async def test_reflections_that_are_not_there(client: httpx2.AsyncClient) -> None:
    check_problem(await client.get(f"/reflections/{uuid4()}"), 404, "reflection_not_found")
    answer = await client.post(f"/reflections/{uuid4()}/feedback", json={"rating": 1})
    check_problem(answer, 404, "reflection_not_found")
    check_problem(await client.post(f"/gems/{uuid4()}/reflections", json=FERRY), 404, "gem_not_found")


@pytest.mark.parametrize(
    ("body", "headers"),
    [({"stream": True}, {}), ({}, {"accept": "text/event-stream"})],
)
async def test_an_answer_is_streamed(
    client: httpx2.AsyncClient, port: str, body: dict[str, Any], headers: dict[str, str]
) -> None:
    answer = await client.post(f"/gems/{port}/reflections", json=FERRY | body, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["x-request-id"]
    events = read_events(answer.text)
    assert [name for name, _ in events] == ["evidence", *["token"] * (len(events) - 2), "done"]
    assert events[0][1]["passages"][0]["external_id"] == "ferry"
    done = events[-1][1]
    assert "".join(data["text"] for name, data in events if name == "token") == done["answer"]
    assert (await client.get(f"/reflections/{done['id']}")).json()["answer"] == done["answer"]


async def test_what_is_wrong_with_the_question_is_no_stream(client: httpx2.AsyncClient) -> None:
    answer = await client.post(f"/gems/{uuid4()}/reflections", json=FERRY | {"stream": True})
    check_problem(answer, 404, "gem_not_found")


async def test_a_stream_may_be_declined(client: httpx2.AsyncClient, port: str) -> None:
    headers = {"accept": "text/event-stream, application/json"}
    answer = await client.post(f"/gems/{port}/reflections", json=FERRY | {"stream": False}, headers=headers)
    assert answer.status_code == 201


async def test_a_stream_that_breaks_ends_with_its_error(client: httpx2.AsyncClient, port: str, script: Script) -> None:
    script("It leaves ", TargetFault("scripted", "connection"))
    answer = await client.post(f"/gems/{port}/reflections", json=FERRY | {"stream": True})
    events = read_events(answer.text)
    assert [name for name, _ in events] == ["evidence", "token", "error"]
    assert (events[-1][1]["code"], events[-1][1]["status"]) == ("stream_broken", 502)
    assert events[-1][1]["request_id"] == answer.headers["x-request-id"]
    assert (await client.get(f"/gems/{port}/reflections")).json()["items"] == []


async def test_a_model_that_fails_is_a_502_without_its_words(
    client: httpx2.AsyncClient, port: str, script: Script
) -> None:
    script(TargetFault("scripted", "forbidden", cause="secret_cause"))
    answer = await client.post(f"/gems/{port}/reflections", json=FERRY)
    problem = check_problem(answer, 502, "all_targets_failed")
    assert "secret_cause" not in answer.text
    assert "details" not in problem


async def test_a_fault_of_ours_in_a_stream_is_an_error_event(
    client: httpx2.AsyncClient, port: str, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("reflection.reflect.store.insert_reflection", fail)
    script("It leaves at seven [1].")
    answer = await client.post(f"/gems/{port}/reflections", json=FERRY | {"stream": True})
    name, problem = read_events(answer.text)[-1]
    assert (name, problem["code"]) == ("error", "internal_error")
    assert "secret" not in answer.text


async def test_a_store_that_is_away_is_a_503_that_may_be_repeated(
    client: httpx2.AsyncClient, port: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise StoreUnavailableError("secret address")

    monkeypatch.setattr("reflection.reflect.store.insert_reflection", fail)
    answer = await client.post(f"/gems/{port}/reflections", json=FERRY)
    check_problem(answer, 503, "store_unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert "secret" not in answer.text
