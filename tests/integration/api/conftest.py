"""The REST API on this test's database: in process for most, and behind a real server where the wire matters."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from litestar import Litestar
from pydantic import SecretStr

from api.app import create_app
from api.llm_wiring import Llm
from api.service import Service
from api.settings import Settings
from core.pg import Database
from gems import Gems
from knowledge import Ingestion, Recall
from llm_router import Answer, Clocks, Experiments, PostgresAccounts, Prompt, ScriptedTarget, Usage, build_router_of
from reflection import Reflections
from reflection.simulations import Simulations
from tests.integration.api.receiving import Receiver, receiving

Script = Callable[..., ScriptedTarget]

NOTES = {
    "crane": "The gantry crane at pier nine lifts forty tonnes. It was built in 1962.",
    "ferry": "The island ferry leaves at seven and at noon. Tickets are sold on board.",
    "gulls": "Herring gulls nest on the warehouse roof in May.",
}


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(database_url=SecretStr(database_url), data_dir=tmp_path, max_body_bytes=200_000)


@pytest.fixture
def service(
    settings: Settings,
    database: Database,
    local: Any,
    gems: Gems,
    ingestion: Ingestion,
    recall: Recall,
    reflections: Reflections,
) -> Service:
    accounts, experiments = PostgresAccounts(database, ()), Experiments(database)
    llm = Llm(reflections.router, accounts, experiments)
    return Service(settings, database, local, gems, ingestion, recall, reflections, llm, Simulations(database))


@pytest.fixture
def app(settings: Settings, service: Service) -> Litestar:
    return build_app(settings, service)


def build_app(settings: Settings, service: Service) -> Litestar:
    @asynccontextmanager
    async def opening(_: Settings) -> AsyncIterator[Service]:
        yield service

    return create_app(settings, opening)


@asynccontextmanager
async def connect(app: Litestar, **headers: str) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)  # type: ignore[arg-type]
    base = "http://localhost/api/v1"
    async with running(app), httpx2.AsyncClient(transport=transport, base_url=base, headers=headers) as client:
        yield client


@asynccontextmanager
async def running(app: Litestar) -> AsyncIterator[None]:
    """Start the application and stop it, in one task: a fixture's two halves may run in two."""
    started, stop = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        try:
            async with app.lifespan():
                started.set()
                await stop.wait()
        finally:
            started.set()

    life = asyncio.create_task(live())
    await started.wait()
    if life.done():
        await life
    yield
    stop.set()
    await life


@pytest.fixture
async def client(app: Litestar) -> AsyncIterator[httpx2.AsyncClient]:
    async with connect(app) as client:
        yield client


@pytest.fixture
async def address(app: Litestar) -> AsyncIterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=2))
        serving = asyncio.create_task(server.serve([listener]))
        await settle(lambda: server.started or serving.done())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await serving


@pytest.fixture
async def wire(address: str) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=f"{address}/api/v1", timeout=60) as client:
        yield client


class HeldTarget(ScriptedTarget):
    """A scripted model; where an event stands in its script, it waits for that."""

    async def stream(self, prompt: Prompt, clocks: Clocks) -> AsyncIterator[str | Answer]:
        async for step in super().stream(prompt, clocks):
            if isinstance(step, asyncio.Event):
                await step.wait()
            else:
                yield step


@pytest.fixture
def script(app: Litestar, service: Service) -> Script:
    """Let a scripted model answer instead of the extractive one; for the time after the application has started."""

    def install(*steps: Any) -> ScriptedTarget:
        target = HeldTarget([[*steps]])
        router = build_router_of([target])
        told = replace(
            service,
            llm=replace(service.llm, router=router),
            reflections=replace(service.reflections, router=router),
        )
        app.state.service = told
        return target

    return install


@pytest.fixture
async def port(client: httpx2.AsyncClient) -> str:
    """The id of a gem that holds the notes."""
    gem = (await client.post("/gems", json={"name": "port"})).json()["id"]
    notes = [{"id": name, "text": text, "title": name} for name, text in NOTES.items()]
    answer = await client.post(f"/gems/{gem}/documents", json={"documents": notes})
    assert answer.status_code == 201, answer.text
    return str(gem)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A server that webhooks are sent to."""
    async with receiving() as receiver:
        yield receiver


def whole(text: str) -> Answer:
    """The end of a scripted answer of this text."""
    return Answer(text, "scripted", "stop", Usage(1, 1))


def check_problem(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """Check that an answer is a problem of this kind, and return it."""
    problem: dict[str, Any] = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["status"] == status
    assert problem["type"] == f"urn:crystal-lattice:error:{code}"
    assert problem["request_id"] == answer.headers["x-request-id"]
    return problem


async def settle(condition: Callable[[], bool], within_s: float = 60) -> None:
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - what is waited for knows nothing of us
            await asyncio.sleep(0.01)
