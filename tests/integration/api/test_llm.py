"""The LLM router over REST: targets and their switches, cost, experiments."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx2
import pytest

from api.llm_reports import report_cost, report_targets, switch_target
from api.llm_wiring import Llm
from api.service import Service
from api.settings import Settings
from core.clock import utc_now
from core.pg import DEFAULT_TENANT, Database
from llm_router import (
    Attempt,
    BudgetConfig,
    Caller,
    Capabilities,
    ExperimentConfig,
    ModelConfig,
    PostgresAccounts,
    Prices,
    Prompt,
    RouterConfig,
    ScriptedTarget,
    TargetConfig,
    TargetFault,
    Usage,
    Variant,
    build_config,
    build_embedder,
    build_router,
    build_router_of,
    read_switches,
)
from tests.integration.api.conftest import build_app, check_problem, connect

MAIN, SPARE = "openai/vendor/main", "spare"
SECRETS = ("sk-secret", "10.1.2.3", "x-hidden")
TARGETS = (
    TargetConfig(
        MAIN,
        "openai",
        "main",
        base_url="http://10.1.2.3/v1",
        api_key="sk-secret",
        headers={"x-hidden": "1"},
        prices=Prices(Decimal(1), Decimal("2.5"), version="2026"),
        capabilities=Capabilities(context_tokens=1_000, vision=False, refuses=frozenset({"top_p", "seed"})),
    ),
    TargetConfig(SPARE, "anthropic", "spare", api_key="sk-secret-2"),
)
MODELS = (
    ModelConfig("default", (MAIN,), extractive=False),
    ModelConfig(
        "smart",
        (MAIN,),
        policy="weighted",
        experiment=ExperimentConfig("tone", (Variant("brief", (SPARE,)), Variant("plain"))),
    ),
)
BUDGETS = (BudgetConfig("mine", Decimal(2)), BudgetConfig("theirs", Decimal(3), "total", each="target", only=SPARE))
PROMPT = Prompt("", "Who?", (), 10)


@pytest.fixture
def main_target() -> ScriptedTarget:
    return ScriptedTarget([["Ada.", TargetFault(MAIN, "truncated")], "Ada."], MAIN)


@pytest.fixture
def service(service: Service, main_target: ScriptedTarget, monkeypatch: pytest.MonkeyPatch) -> Service:
    noon = utc_now().replace(hour=12)  # no test is of two days
    monkeypatch.setattr("api.service.utc_now", lambda: noon)
    config = RouterConfig(TARGETS, MODELS, budgets=BUDGETS, backoff_initial_s=0.0)
    router = build_router_of([main_target, ScriptedTarget(["Bob."], SPARE)], config)
    accounts = PostgresAccounts(service.database, BUDGETS, clock=lambda: noon)
    return replace(service, llm=Llm(router, accounts, service.llm.experiments))


@pytest.fixture
async def client(settings: Settings, service: Service) -> AsyncIterator[httpx2.AsyncClient]:
    async with connect(build_app(settings, service)) as client:
        yield client


async def spend(service: Service, target: str, cost: str | None, *, key: str = "", days_ago: int = 0) -> None:
    """Enter an attempt into the accounts."""
    attempt = Attempt(
        target=target,
        provider="openai",
        model="main",
        outcome="answered",
        error=None,
        status=None,
        started_at=service.at().now - timedelta(days=days_ago, minutes=1),
        seconds=1.5,
        usage=Usage(10, 20),
        cost_usd=None if cost is None else Decimal(cost),
    )
    await service.llm.accounts.settle(Caller(key=key), "smart", attempt, None)


async def list_targets(client: httpx2.AsyncClient) -> dict[str, Any]:
    answer = await client.get("/llm/targets")
    assert answer.status_code == 200, answer.text
    assert not [secret for secret in SECRETS if secret in answer.text]
    return {target["name"]: target for target in answer.json()["targets"]}


async def test_targets_are_told_with_health_and_spending(client: httpx2.AsyncClient, service: Service) -> None:
    await service.llm.router.ask(PROMPT)
    await spend(service, MAIN, "0.25")
    await spend(service, MAIN, "9", days_ago=40)
    main = (await list_targets(client))[MAIN]
    assert main["latency_p50_s"] >= 0
    assert {**main, "latency_p50_s": None, "latency_p95_s": None} == {
        "name": MAIN,
        "provider": "openai",
        "model": "main",
        "models": ["default", "smart"],
        "embeds": False,
        "local": False,
        "enabled": True,
        "breaker": "closed",
        "reopens_in_s": 0.0,
        "busy": 0,
        "calls": 2,
        "failures": 1,
        "latency_p50_s": None,
        "latency_p95_s": None,
        "samples": 1,
        "capabilities": {
            "context_tokens": 1_000,
            "max_output_tokens": None,
            "tools": True,
            "schema": True,
            "vision": False,
            "streaming": True,
            "refuses": ["seed", "top_p"],
        },
        "prices": {
            "input_usd": 1.0,
            "output_usd": 2.5,
            "cache_read_usd": None,
            "cache_write_usd": None,
            "cache_write_1h_usd": None,
            "version": "2026",
        },
        "spent_today_usd": 0.25,
        "spent_month_usd": 0.25,
    }
    spare = (await list_targets(client))[SPARE]
    assert (spare["models"], spare["prices"], spare["latency_p50_s"]) == (["smart"], None, None)
    assert (await client.get("/llm/targets")).json()["models"] == [
        {"name": "default", "policy": "ordered", "targets": [MAIN], "experiment": None},
        {"name": "smart", "policy": "weighted", "targets": [MAIN], "experiment": "tone"},
    ]


async def test_an_open_breaker_tells_when_it_ends(client: httpx2.AsyncClient, service: Service) -> None:
    service.llm.router.routes[0].health.breaker.trip(60.0)
    main = (await list_targets(client))[MAIN]
    assert main["breaker"] == "open"
    assert 50 < main["reopens_in_s"] <= 60


async def test_a_switch_turns_at_once_and_stays_turned(
    client: httpx2.AsyncClient, service: Service, main_target: ScriptedTarget, database: Database
) -> None:
    path = f"/llm/targets/{MAIN.replace('/', '%2F')}"
    for _ in range(2):
        off = await client.post(f"{path}/disable")
        assert (off.status_code, off.json()["name"], off.json()["enabled"]) == (200, MAIN, False)
    with pytest.raises(Exception, match="could be asked"):
        await service.llm.router.ask(PROMPT)
    assert not main_target.asked
    turned = (await read_switches(database))[MAIN]
    assert not turned.enabled
    assert (await list_targets(client))[SPARE]["enabled"]
    for _ in range(2):
        assert (await client.post(f"{path}/enable")).json()["enabled"]
    assert (await service.llm.router.ask(PROMPT)).text == "Ada."
    assert (await read_switches(database))[MAIN].enabled


async def test_a_target_that_is_not_there_cannot_be_switched(client: httpx2.AsyncClient, database: Database) -> None:
    for name in ("nobody", "%2F", "a%252Fb", "..%2F..%2Fgems"):
        problem = check_problem(await client.post(f"/llm/targets/{name}/disable"), 404, "target_not_found")
        assert problem["details"]["known"] == [MAIN, SPARE]
    check_problem(await client.post(f"/llm/targets/{MAIN}/disable"), 404, "route_not_found")
    assert not await read_switches(database)


async def test_cost_is_told_by_what_is_asked(client: httpx2.AsyncClient, service: Service) -> None:
    await spend(service, MAIN, "0.5", key="anne")
    await spend(service, SPARE, "0.25")
    await spend(service, SPARE, None, key="anne")
    await spend(service, MAIN, "7", days_ago=400)
    told = (await client.get("/llm/cost")).json()
    assert (told["by"], told["total_usd"]) == ("target", 0.75)
    main, spare = told["items"]
    assert (main["part"], main["calls"], main["cost_usd"], main["seconds_p50"]) == (MAIN, 1, 0.5, 1.5)
    assert (spare["part"], spare["calls"], spare["cost_usd"], spare["unpriced"]) == (SPARE, 2, 0.25, 1)
    assert (spare["usage"]["input_tokens"], spare["usage"]["output_tokens"]) == (20, 40)
    keys = (await client.get("/llm/cost", params={"by": "key"})).json()["items"]
    assert {each["part"]: each["cost_usd"] for each in keys} == {"": 0.25, "anne": 0.5}
    past = {"since": "2020-01-01", "until": (utc_now() - timedelta(days=300)).isoformat(), "by": "model"}
    assert [each["part"] for each in (await client.get("/llm/cost", params=past)).json()["items"]] == ["smart"]


async def test_budgets_are_told_beside_the_cost(client: httpx2.AsyncClient, service: Service) -> None:
    await spend(service, SPARE, "0.5")
    assert await service.llm.accounts.reserve(Caller(), "smart", SPARE, Decimal("0.25"))
    mine, theirs = (await client.get("/llm/cost")).json()["budgets"]
    assert (mine["name"], mine["subject"], mine["window"]) == ("mine", str(DEFAULT_TENANT), "day")
    assert (mine["spent_usd"], mine["reserved_usd"], mine["left_usd"]) == (0.5, 0.25, 1.25)
    assert mine["window_end"].endswith("T00:00:00Z")
    assert (theirs["subject"], theirs["left_usd"], theirs["window_end"]) == (SPARE, 2.25, None)
    strangers = await report_cost(service, UUID(int=2), since=None, until=None, by="target")
    assert ([budget.name for budget in strangers.budgets], strangers.total_usd) == (["mine"], 0.0)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"since": "yesterday"}, "since"),
        ({"until": ""}, "until"),
        ({"since": "2026-02-01", "until": "2026-01-01"}, "since"),
        ({"by": "colour"}, "by"),
    ],
)
async def test_a_wrong_question_about_cost_is_named(
    client: httpx2.AsyncClient, query: dict[str, str], field: str
) -> None:
    problem = check_problem(await client.get("/llm/cost", params=query), 422, "invalid_input")
    assert problem["details"]["field"] == field


async def test_experiments_are_told_by_what_was_rewarded(client: httpx2.AsyncClient, service: Service) -> None:
    for _ in range(3):
        await service.llm.experiments.reward(DEFAULT_TENANT, "tone", "plain", 1.0)
    (tone,) = (await client.get("/llm/experiments")).json()["items"]
    assert (tone["name"], tone["model"], tone["method"]) == ("tone", "smart", "thompson")
    brief, plain = tone["variants"]
    assert (brief["name"], brief["trials"], brief["mean_reward"]) == ("brief", 0, 0.5)
    assert (plain["name"], plain["trials"], plain["mean_reward"]) == ("plain", 3, 0.8)
    assert plain["best"] > brief["best"]
    assert plain["share"] + brief["share"] == pytest.approx(1)


async def test_a_target_that_embeds_is_told_and_switched_where_it_is_asked(service: Service) -> None:
    targets = {"vectors": {"provider": "openai", "model": "small", "base_url": "http://127.0.0.1:1/v1"}}
    embedding = {"model": "small", "dimension": 8, "targets": ["vectors"]}
    config = build_config({"targets": targets, "embedding": embedding}, {})
    embedder, router = build_embedder(config), build_router(config, None)
    service = replace(service, embedder=embedder, llm=replace(service.llm, router=router))
    found = {each.name: each for each in (await report_targets(service, DEFAULT_TENANT)).targets}
    assert (found["vectors"].embeds, found["vectors"].models) == (True, [])
    assert (found["extractive"].embeds, found["extractive"].models) == (False, ["default"])
    await switch_target(service, DEFAULT_TENANT, "vectors", enabled=False)
    assert not embedder.routes[0].health.enabled
    await embedder.aclose()
    await router.aclose()
