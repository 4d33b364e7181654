"""Extraction over REST: estimated, asked for, carried out by a worker, watched, cancelled; and links of passages."""

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from litestar import Litestar

from api.service import Service
from core.errors import StoreUnavailableError
from llm_router import Prices, RouterConfig, ScriptedTarget, TargetConfig, TargetFault, build_router, build_router_of
from tests.integration.api.conftest import check_problem
from tests.wire import openai_chat
from tests.wire.stub import serving

PRICES = Prices(Decimal(1), Decimal(1))
FOUND = {
    "passage": 1,
    "entities": [{"name": "Ann", "kind": "person"}, {"name": "Atlantis", "kind": "place"}],
    "relations": [
        {"subject": "Ann", "predicate": "lives in", "object": "Oslo", "valid_from": "2019", "confidence": 1.0},
        {"subject": "Ann", "predicate": "rules", "object": "Atlantis", "valid_from": None, "confidence": 1.0},
        {"subject": "Ann", "predicate": "likes", "object": "Oslo", "valid_from": "once upon", "confidence": 1.0},
    ],
}
ANSWER = json.dumps({"passages": [FOUND]})

Scripted = Callable[..., ScriptedTarget]


@pytest.fixture
def scripted(app: Litestar, service: Service) -> Scripted:
    """Let a scripted model answer, with prices; for the time after the application has started."""

    def install(*scripts: Any, prices: Prices | None = PRICES) -> ScriptedTarget:
        target = ScriptedTarget(scripts or [ANSWER])
        config = RouterConfig((TargetConfig("scripted", "scripted", "m", prices=prices),))
        app.state.service = replace(service, llm=replace(service.llm, router=build_router_of([target], config)))
        return target

    return install


@pytest.fixture
async def gem(client: httpx2.AsyncClient) -> str:
    gem = str((await client.post("/gems", json={"name": "people"})).json()["id"])
    documents = {"documents": [{"id": "oslo", "text": "Ann has lived in Oslo since 2019."}]}
    assert (await client.post(f"/gems/{gem}/documents", json=documents)).status_code == 201
    return gem


async def ask(client: httpx2.AsyncClient, gem: str, **body: Any) -> dict[str, Any]:
    answer = await client.post(f"/gems/{gem}/extractions", json=body)
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/api/v1/extractions/{answer.json()['id']}"
    return dict(answer.json())


async def carry_out(app: Litestar, run: dict[str, Any]) -> None:
    service: Service = app.state.service
    await service.extractions.carry_out(service.tenant, UUID(run["id"]))


async def read(client: httpx2.AsyncClient, path: str, **query: Any) -> Any:
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_an_estimate_does_nothing(client: httpx2.AsyncClient, gem: str, scripted: Scripted) -> None:
    target = scripted()
    answer = await client.post(f"/gems/{gem}/extractions", json={"dry_run": True})
    assert answer.status_code == 200
    estimate = answer.json()
    assert (estimate["passages"], estimate["known"], estimate["calls"]) == (1, 0, 1)
    assert 0 < Decimal(estimate["cost_usd"]) < Decimal(estimate["most_usd"])
    assert not target.asked
    assert (await read(client, f"/gems/{gem}/extractions"))["items"] == []
    scripted(prices=None)
    unpriced = (await client.post(f"/gems/{gem}/extractions", json={"dry_run": True})).json()
    assert (unpriced["cost_usd"], unpriced["most_usd"]) == (None, None)


async def test_an_extraction_is_carried_out_by_a_worker(
    app: Litestar, client: httpx2.AsyncClient, gem: str, scripted: Scripted
) -> None:
    target = scripted()
    run = await ask(client, gem, max_usd="0.5")
    assert (run["state"], run["passages"], run["max_usd"]) == ("queued", 0, "0.5")
    service: Service = app.state.service
    await service.workers().run(until_idle=True)
    done = await read(client, f"/extractions/{run['id']}")
    assert (done["state"], done["passages"], done["calls"], done["relations"]) == ("done", 1, 1, 1)
    assert done["dropped"] == {"unsaid_entities": 1, "unsaid_relations": 1, "wrong_times": 1}
    assert Decimal(done["cost_usd"]) > 0
    assert done["finished_at"]
    (relation,) = (await read(client, f"/gems/{gem}/relations"))["items"]
    assert (relation["subject"], relation["object"], relation["origin"]) == ("Ann", "Oslo", "llm")
    again = await ask(client, gem)
    await carry_out(app, again)
    assert (await read(client, f"/extractions/{again['id']}"))["calls"] == 0
    assert len(target.asked) == 1
    listed = (await read(client, f"/gems/{gem}/extractions"))["items"]
    assert [each["id"] for each in listed] == [again["id"], run["id"]]


async def test_a_real_wire_is_asked_for_a_form(app: Litestar, client: httpx2.AsyncClient, gem: str) -> None:
    async with serving(openai_chat.whole(ANSWER)) as stub:
        config = RouterConfig((TargetConfig("main", "openai", "gpt-stub", f"{stub.address}/v1", "sk-1"),))
        router = build_router(config, None)
        service: Service = app.state.service
        app.state.service = replace(service, llm=replace(service.llm, router=router))
        run = await ask(client, gem)
        await carry_out(app, run)
        await router.aclose()
    (asked,) = stub.asked
    form: Any = asked.body["response_format"]
    assert form["json_schema"]["strict"] is True
    assert form["json_schema"]["name"] == "KnowledgeGraph"
    done = await read(client, f"/extractions/{run['id']}")
    assert (done["state"], done["cost_usd"]) == ("done", None)
    assert len((await read(client, f"/gems/{gem}/relations"))["items"]) == 1


async def test_an_extraction_that_failed_says_why(
    app: Litestar, client: httpx2.AsyncClient, gem: str, scripted: Scripted
) -> None:
    scripted([TargetFault("scripted", "unauthenticated")])
    run = await ask(client, gem)
    await carry_out(app, run)
    failed = await read(client, f"/extractions/{run['id']}")
    assert (failed["state"], failed["error"]["code"]) == ("failed", "all_targets_failed")
    scripted("I would rather not.")
    run = await ask(client, gem)
    await carry_out(app, run)
    unread = await read(client, f"/extractions/{run['id']}")
    assert (unread["state"], unread["failed"], unread["passages"]) == ("done", 1, 0)


async def test_while_something_does_not_answer_it_waits(
    app: Litestar, client: httpx2.AsyncClient, gem: str, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted()
    run = await ask(client, gem)
    with monkeypatch.context() as patch:

        async def fail(*_: object) -> None:
            raise StoreUnavailableError("gone")

        patch.setattr("knowledge.graph.extraction_store.write_found", fail)
        with pytest.raises(StoreUnavailableError):
            await carry_out(app, run)
    waiting = await read(client, f"/extractions/{run['id']}")
    assert (waiting["state"], waiting["error"]["code"]) == ("queued", "store_unavailable")
    await carry_out(app, run)
    assert (await read(client, f"/extractions/{run['id']}"))["state"] == "done"


async def test_one_that_comes_no_further_fails_in_the_end(
    app: Litestar, client: httpx2.AsyncClient, gem: str, scripted: Scripted, service: Service
) -> None:
    scripted()
    run = await ask(client, gem)
    async with service.database.transaction(service.tenant) as conn:
        await conn.execute("UPDATE extraction_run SET attempts = 50, state = 'running'")
    await carry_out(app, run)
    failed = await read(client, f"/extractions/{run['id']}")
    assert (failed["state"], failed["error"]["code"]) == ("failed", "interrupted")


async def test_a_cancelled_extraction_does_no_more(
    app: Litestar, client: httpx2.AsyncClient, gem: str, scripted: Scripted
) -> None:
    target = scripted()
    run = await ask(client, gem)
    cancelled = await client.post(f"/extractions/{run['id']}/cancel")
    assert cancelled.json()["state"] == "cancelled"
    await carry_out(app, run)
    assert not target.asked
    assert (await client.post(f"/extractions/{run['id']}/cancel")).json()["state"] == "cancelled"


async def test_a_run_cancelled_under_way_keeps_what_was_paid_for(
    app: Litestar, client: httpx2.AsyncClient, gem: str, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = scripted()
    run = await ask(client, gem)
    answer = target.ask

    async def cancel_first(*arguments: Any) -> Any:
        await client.post(f"/extractions/{run['id']}/cancel")
        return await answer(*arguments)

    monkeypatch.setattr(target, "ask", cancel_first)
    await carry_out(app, run)
    assert (await read(client, f"/extractions/{run['id']}"))["state"] == "cancelled"
    assert len((await read(client, f"/gems/{gem}/relations"))["items"]) == 1


async def test_what_may_not_be_spent_stops_it(
    app: Litestar, client: httpx2.AsyncClient, gem: str, scripted: Scripted
) -> None:
    target = scripted()
    run = await ask(client, gem, max_usd=0.000001)
    await carry_out(app, run)
    assert (await read(client, f"/extractions/{run['id']}"))["state"] == "stopped"
    assert not target.asked


async def test_what_is_wrong_is_said(client: httpx2.AsyncClient, gem: str, scripted: Scripted) -> None:
    path = f"/gems/{gem}/extractions"
    check_problem(await client.post(path, json={}), 422, "prompt_unsupported")  # the extractive model has no forms
    scripted(prices=None)
    check_problem(await client.post(path, json={"max_usd": 1}), 422, "invalid_input")
    scripted()
    for body in ({"max_usd": 0}, {"max_usd": "much"}, {"max_usd": "NaN"}, {"limit": 0}, {"model": ""}, {"modal": "x"}):
        assert (await client.post(path, json=body)).status_code in {400, 422}, body
    check_problem(await client.post(path, json={"model": "unheard of"}), 404, "model_not_found")
    check_problem(await client.post(f"/gems/{uuid4()}/extractions", json={}), 404, "gem_not_found")
    check_problem(await client.get(f"/extractions/{uuid4()}"), 404, "extraction_not_found")
    check_problem(await client.post(f"/extractions/{uuid4()}/cancel"), 404, "extraction_not_found")


async def test_sent_twice_under_one_key_it_is_asked_for_once(
    client: httpx2.AsyncClient, gem: str, scripted: Scripted
) -> None:
    scripted()
    sent = [await client.post(f"/gems/{gem}/extractions", json={}, headers={"Idempotency-Key": "k"}) for _ in "ab"]
    assert sent[0].json() == sent[1].json()
    assert len((await read(client, f"/gems/{gem}/extractions"))["items"]) == 1


async def test_passages_that_are_alike_are_linked_and_shown(
    app: Litestar, client: httpx2.AsyncClient, gem: str
) -> None:
    path = f"/gems/{gem}/graph/resonance"
    documents = [{"id": "other", "text": "Ann has been living in Oslo since 2019."}]
    await client.post(f"/gems/{gem}/documents", json={"documents": documents})
    before = await read(client, path)
    assert (before["threshold"], before["pending"], before["links"]) == (None, 2, 0)
    assert (await client.post(path, json={})).status_code == 202
    service: Service = app.state.service
    await service.workers().run(until_idle=True)
    linked = await read(client, path)
    assert (linked["threshold"], linked["most"], linked["pending"], linked["links"]) == (0.8, 5, 0, 2)
    found = (await client.post("/recall", json={"question": "Where does Ann live?", "k": 2})).json()["passages"]
    near = (await read(client, f"/gems/{gem}/graph/neighbours", passage=found[0]["id"]))["passages"]
    assert [each["id"] for each in near] == [found[1]["id"]]
    assert near[0]["cosine"] > 0.8
    neighbours = f"/gems/{gem}/graph/neighbours"
    check_problem(await client.get(neighbours, params={"passage": str(uuid4())}), 404, "passage_not_found")
    check_problem(await client.get(neighbours), 422, "invalid_input")
    check_problem(await client.post(path, json={"threshold": 2}), 422, "invalid_input")
