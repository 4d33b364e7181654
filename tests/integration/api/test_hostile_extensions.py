"""Extensions that hang, exit or answer rubbish: what the requests of others feel of it."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api.service import Service
from api.settings import Settings
from tests.integration.api.conftest import build_app, check_problem, connect

RULE = """
import threading
from dataclasses import dataclass
from axiom.simulation import Rule
from core.extensions import Plugin
{above}
@dataclass(frozen=True, slots=True)
class Thing(Plugin, Rule):
    kind = name = {name!r}

    @classmethod
    def from_dict(cls, given, path):
        {reading}
        return cls()

    def __call__(self, state, step, /):
        {moving}
        return 0.5
"""
MODEL = """
from core.extensions import Plugin

class Thing(Plugin):
    name = {name!r}

    @classmethod
    def from_dict(cls, given, path):
        return cls()

    def scenario(self):
        {making}
"""
PLAIN = {"rules": {"A": {"rule": "linear", "slope": 0.001}}, "steps": 10}

Add = Callable[..., None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "extensions"
    made.mkdir()
    return made


@pytest.fixture
def add(folder: Path) -> Add:
    def add_extension(name: str, kind: str = "update_rule", **parts: str) -> None:
        made = folder / name
        made.mkdir()
        manifest = {"name": name, "kind": kind, "version": "1.0.0", "entry": "thing:Thing"}
        (made / "extension.toml").write_text("\n".join(f'{key} = "{value}"' for key, value in manifest.items()))
        told = {"above": "", "reading": "pass", "moving": "pass", "making": "pass", **parts}
        (made / "thing.py").write_text((RULE if kind == "update_rule" else MODEL).format(name=name, **told))

    return add_extension


@pytest.fixture
async def client(settings: Settings, service: Service, folder: Path, add: Add) -> AsyncIterator[httpx2.AsyncClient]:
    add("quits", moving="raise SystemExit(3)")
    add("quits_early", reading="raise SystemExit(3)")
    add("stops", "domain_model", making="raise SystemExit(3)")
    for name, where in (("hangs", "moving"), ("hangs_early", "reading"), ("hangs_first", "above")):
        add(name, **{where: "threading.held.wait(120)"})
    async with connect(build_app(settings.model_copy(update={"extensions_dir": folder}), service)) as client:
        yield client


def told(rule: str) -> dict[str, Any]:
    return {"rules": {"A": {"rule": rule}}, "steps": 5}


async def test_a_rule_that_asks_the_process_to_end_stops_its_run_alone(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/simulations", json=told("quits"))
    assert answer.status_code == 201
    assert answer.json()["stopped"]["problem"] == "its rule failed: SystemExit: 3"
    assert (await client.post("/simulations", json=PLAIN)).status_code == 201


async def test_one_that_asks_the_process_to_end_as_it_is_read_ends_its_request_alone(
    client: httpx2.AsyncClient,
) -> None:
    check_problem(await client.post("/simulations", json=told("quits_early")), 500, "internal_error")
    assert (await client.post("/simulations", json=PLAIN)).status_code == 201


async def test_a_model_that_asks_the_process_to_end_is_told_of(client: httpx2.AsyncClient) -> None:
    check_problem(await client.post("/presets/stops", json={}), 500, "configuration_invalid")
    assert (await client.post("/simulations", json=PLAIN)).status_code == 201


@pytest.mark.parametrize("rule", ["hangs", "hangs_early", "hangs_first"])
async def test_one_that_hangs_holds_up_nobody_else(
    client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch, rule: str
) -> None:
    held = threading.Event()
    monkeypatch.setattr(threading, "held", held, raising=False)
    waiting = asyncio.create_task(client.post("/simulations", json=told(rule)))
    try:
        async with asyncio.timeout(60):
            assert (await client.post("/simulations", json=PLAIN)).status_code == 201
            assert (await client.get("/extensions")).status_code == 200
            assert (await client.post("/presets/burnout", json={})).status_code == 201
        assert not waiting.done()
    finally:
        held.set()
    assert (await waiting).status_code == 201
