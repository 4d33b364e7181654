"""Simulations told while they run."""

import json
import threading
from typing import Any

import httpx2
import pytest

from api.service import Service
from tests.integration.api.conftest import check_problem, settle

BODY: dict[str, Any] = {"inputs": {"A": 0.5}, "rules": {"A": {"rule": "random_walk", "sd": 0.001}}, "steps": 60_000}
ACCEPT = {"accept": "text/event-stream"}


class WatchedRun:
    """A run that goes on past its first steps only when somebody has seen them."""

    given_up = False

    def __init__(self) -> None:
        self._done = 0
        self._seen = threading.Event()

    @property
    def done(self) -> int:
        if self._done:
            self._seen.set()
        return self._done

    def tell(self, done: int, _: int) -> None:
        self._done = done
        assert not done or self._seen.wait(60)


async def test_events_are_told_while_it_runs(client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reflection.simulations.simulations.LOOK_S", 0.01)
    monkeypatch.setattr("reflection.simulations.simulations._Run", WatchedRun)
    answer = await client.post("/simulations?every=60000", json=BODY, headers=ACCEPT)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    told = read_events(answer.text)
    assert [name for name, _ in told[:-1]] == ["progress"] * (len(told) - 1)
    steps = [view["step"] for _, view in told[:-1]]
    assert steps == sorted(steps)
    assert steps[-1] > 0
    assert {view["steps"] for _, view in told[:-1]} == {60_000}
    name, view = told[-1]
    assert (name, view["last_step"]) == ("done", 60_000)
    assert (await client.get(f"/simulations/{view['id']}?every=60000&trend=false")).json() == view
    again = await client.post("/simulations", json=BODY, headers=ACCEPT)
    assert [name for name, _ in read_events(again.text)] == ["done"]


async def test_what_is_wrong_with_a_stream_is_an_ordinary_error(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/simulations", json=BODY | {"ensemble": {"size": 1_000_000}}, headers=ACCEPT)
    check_problem(answer, 422, "invalid_input")
    answer = await client.post("/simulations", json=BODY, headers=ACCEPT | {"Idempotency-Key": "x"})
    assert check_problem(answer, 422, "invalid_input")["details"]["field"] == "Idempotency-Key"


async def test_a_run_whose_client_leaves_ends(wire: httpx2.AsyncClient, service: Service) -> None:
    walk = {"rule": "random_walk", "sd": 0.001}
    body = {"rules": dict.fromkeys(("A", "B", "C", "X", "Y", "Z", "E_n", "F_n"), walk), "steps": 100_000}
    async with wire.stream("POST", "/simulations", json=body, headers=ACCEPT) as answer:
        async for line in answer.aiter_lines():
            if line == "event: progress":
                break
    assert service.simulations.under_way == 1
    await settle(lambda: not service.simulations.under_way)
    assert (await wire.get("/simulations")).json()["items"] == []


def read_events(text: str) -> list[tuple[str, dict[str, Any]]]:
    pieces = [piece.splitlines() for piece in text.split("\n\n") if piece.startswith("event: ")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in pieces]
