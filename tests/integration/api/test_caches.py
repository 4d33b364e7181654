"""The caches of the process tell how they do."""

from dataclasses import replace

import httpx2

from api.service import Service
from api.settings import Settings
from llm_router import AnswerCache, CacheConfig, Telemetry, build_registry
from tests.integration.api.conftest import build_app, connect

BODY = {"rules": {"A": {"rule": "linear", "slope": 0.001}}, "steps": 250}


async def test_the_caches_tell_how_they_do(client: httpx2.AsyncClient) -> None:
    before = (await client.get("/cache/stats")).json()["caches"]
    assert [each["name"] for each in before] == ["simulations", "resonance"]
    assert before[0] | {"most_bytes": 0} == {
        "name": "simulations",
        "entries": 0,
        "most": 1_000,
        "bytes": 0,
        "most_bytes": 0,
        "ttl_s": 3_600.0,
        "hits": 0,
        "misses": 0,
        "hit_ratio": None,
    }
    for _ in range(4):
        await client.post("/simulations", json=BODY)
    after = (await client.get("/cache/stats")).json()["caches"][0]
    assert (after["entries"], after["hits"], after["misses"], after["hit_ratio"]) == (1, 3, 1, 0.75)
    assert 2 * 251 * 8 < after["bytes"] < after["most_bytes"]


async def test_the_cache_of_answers_tells_what_the_metrics_count(settings: Settings, service: Service) -> None:
    registry = build_registry()
    observer = Telemetry(registry)
    for hit in (True, False, True):
        observer.see_lookup("answers", hit=hit)
    llm = replace(service.llm, cache=AnswerCache(CacheConfig(size=50, ttl_s=60.0)))
    async with connect(build_app(settings, replace(service, llm=llm, metrics_registry=registry))) as client:
        caches = {each["name"]: each for each in (await client.get("/cache/stats")).json()["caches"]}
    assert caches["answers"] == {
        "name": "answers",
        "entries": 0,
        "most": 50,
        "bytes": None,
        "most_bytes": None,
        "ttl_s": 60.0,
        "hits": 2,
        "misses": 1,
        "hit_ratio": 2 / 3,
    }
