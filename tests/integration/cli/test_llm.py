"""`lattice llm …`: who answers, one question to them, what it cost, and their switches."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from core.clock import utc_now
from llm_router import PostgresAccounts
from tests.integration.cli.process import Finished, Lattice
from tests.wire import openai_chat
from tests.wire.stub import Response, Stub, serving

KEY, OLD_KEY = "sk-stub-0123456789", "sk-stub-old"
ANSWER = "It leaves at seven and at noon [1]."
FILE = """
deadline_s = 20

[targets."stub/main"]
provider = "openai"
model = "main"
base_url = "{address}/v1"
api_key_env = "STUB_KEY"
prices = {{ input_usd = 1, output_usd = 10, version = "2026" }}

[targets.refused]
provider = "openai"
model = "refused"
base_url = "{address}/v1"
api_key_env = "OLD_KEY"

[models.default]
targets = ["refused", "stub/main"]

[models.default.experiment]
name = "tone"
variants = [{{ name = "brief", system = "Be brief." }}, {{ name = "plain" }}]

[[budgets]]
name = "daily"
limit_usd = 2
"""


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all that is spent and told be of one day."""
    noon = utc_now().replace(hour=12)
    asked = noon - timedelta(minutes=1)
    monkeypatch.setattr("api.service.utc_now", lambda: noon)
    monkeypatch.setattr("llm_router.ledger.utc_now", lambda: asked)
    monkeypatch.setitem(PostgresAccounts.__init__.__kwdefaults__ or {}, "clock", lambda: asked)


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    refusal: Response = openai_chat.error(401, code="invalid_api_key")
    async with serving(openai_chat.whole(ANSWER), by_model={"refused": refusal}) as stub:
        yield stub


@pytest.fixture
def routed(lattice: Lattice, stub: Stub, tmp_path: Path) -> Lattice:
    """The program with two targets behind the stub, of which one refuses its key."""
    file = tmp_path / "llm.toml"
    file.write_text(FILE.format(address=stub.address), "utf-8")
    return replace(
        lattice, settings={**lattice.settings, "LATTICE_LLM__CONFIG": str(file), "STUB_KEY": KEY, "OLD_KEY": OLD_KEY}
    )


async def run(lattice: Lattice, *arguments: str) -> Finished:
    """Run a command beside the stub, which lives in this loop."""
    return await asyncio.to_thread(lattice, "llm", *arguments)


async def test_one_target_is_tried_and_its_cost_is_kept(routed: Lattice, stub: Stub) -> None:
    done = await run(routed, "try", "stub/main", "--json")
    assert done.code == 0, done.err
    reply = done.json
    assert (reply["text"], reply["target"]) == (ANSWER, "stub/main")
    (attempt,) = reply["attempts"]
    assert attempt["outcome"] == "answered"
    # 36 uncached and 64 cached tokens in, 20 out
    assert reply["cost_usd"] == pytest.approx((100 * 1 + 20 * 10) / 1e6)
    assert "ferry" in json.dumps(stub.asked[0].body)
    assert (await run(routed, "try", "stub/main", "--prompt", "Who are you?")).code == 0
    assert "ferry" not in json.dumps(stub.asked[1].body["messages"])
    assert "Who are you?" in json.dumps(stub.asked[1].body["messages"])

    cost = (await run(routed, "cost", "--by", "model", "--json")).json
    assert [(item["part"], item["calls"], item["answered"]) for item in cost["items"]] == [("try", 2, 2)]
    assert cost["total_usd"] == pytest.approx(600e-6)
    (budget,) = cost["budgets"]
    assert (budget["name"], budget["spent_usd"]) == ("daily", pytest.approx(600e-6))
    shown = await run(routed, "cost")
    assert re.search(r"stub/main +2 +0 +200 +40 .* 0\.000600", shown.out)
    assert re.search(r"daily +2\.00 +0\.000600 +0\.00 +2\.00 +20", shown.out)


async def test_a_model_is_tried_as_it_is_configured(routed: Lattice, stub: Stub) -> None:
    done = await run(routed, "try", "default")
    assert done.code == 0, done.err
    assert done.out.startswith(ANSWER)
    assert re.search(r"refused +unauthenticated, HTTP 401", done.out)
    assert re.search(r"stub/main +answered", done.out)
    assert "variant tone/" in done.out
    assert len(stub.asked) == 2
    assert "sk-stub" not in done.out + done.err
    (found,) = (await run(routed, "experiments", "--json")).json["items"]
    assert [(each["name"], each["trials"], each["share"]) for each in found["variants"]] == [
        ("brief", 0, 0.5),
        ("plain", 0, 0.5),
    ]
    assert re.search(r"plain +0 +0\.500 .* 50\.0%", (await run(routed, "experiments")).out)


async def test_a_stream_tells_when_it_began(lattice: Lattice, tmp_path: Path) -> None:
    async with serving(openai_chat.streamed("It ", "leaves.")) as stub:
        target = {"provider": "openai", "model": "m", "base_url": f"{stub.address}/v1", "name": "main"}
        routed = replace(lattice, settings={**lattice.settings, "LATTICE_LLM__TARGETS": json.dumps([target])})
        done = await run(routed, "try", "main", "--stream")
    assert done.code == 0, done.err
    assert done.out.startswith("It leaves.\n")
    assert re.search(r"main +answered +\d\.\d\d s +\d\.\d\d s +100 +20 +unknown", done.out)
    assert (await run(routed, "try", "main", "--stream", "--json")).code == 2


async def test_a_failure_is_named_plainly(routed: Lattice, stub: Stub) -> None:
    done = await run(routed, "try", "refused")
    assert (done.code, done.out, len(stub.asked)) == (8, "", 1)
    assert re.fullmatch(
        r"refused: unauthenticated, HTTP 401, after \d+\.\d\d s\n"
        r"error: no LLM target answered \(refused: unauthenticated\)\n"
        r"(  retry_after_s: \d+\n)?",
        done.err,
    )
    as_json = await run(routed, "try", "refused", "--json")
    assert as_json.code == 8
    assert as_json.error["code"] == "all_targets_failed"
    assert as_json.error["details"]["attempts"][0]["status"] == 401
    unknown = await run(routed, "try", "nobody")
    assert unknown.code == 4
    assert "targets are stub/main, refused, extractive; models are default" in unknown.err


async def test_switches_stay_turned(routed: Lattice) -> None:
    off = await run(routed, "disable", "stub/main", "--json")
    assert (off.code, off.json["enabled"]) == (0, False)
    shown = await run(routed, "targets")
    assert re.search(r"stub/main +disabled +openai main", shown.out)
    assert re.search(r"refused +on +openai refused", shown.out)
    assert re.search(r"default +ordered +refused, stub/main, extractive +tone", shown.out)
    assert "--url" in shown.out
    assert not re.search("sk-stub|127.0.0.1", shown.out + off.out)
    assert (await run(routed, "try", "stub/main")).code == 0  # to see whether it may be switched on again
    without = await run(routed, "try", "default", "--json")
    assert [(each["target"], each["outcome"]) for each in without.json["attempts"]] == [
        ("refused", "failed"),
        ("extractive", "answered"),
    ]
    assert without.json["text"] == "The island ferry leaves at seven and at noon. [1]"
    assert "stub/main is enabled" in (await run(routed, "enable", "stub/main")).out
    assert (await run(routed, "enable", "nobody")).code == 4


def test_a_question_is_judged_alone_and_beside_what_a_gem_knows(lattice: Lattice) -> None:
    alone = lattice("llm", "difficulty", "Why did the ferry stop?", "--json").json
    easy = 1.0
    for term in alone["terms"]:
        easy *= 1 - term["effect"]
    assert alone["score"] == pytest.approx(1 - easy)
    lattice("ingest", "-", "--gem", "port", given='{"text": "The ferry stops at noon."}\n')
    beside = lattice("llm", "difficulty", "Why did the crane stop?", "--gem", "port", "--json").json
    assert {term["name"]: term["effect"] for term in beside["terms"]}["uncovered"] > 0
    assert "reasoning" in lattice("llm", "difficulty", "Why did the ferry stop?").out


async def test_a_running_service_is_asked(routed: Lattice) -> None:
    def ask() -> None:
        settings = {**routed.settings, "LATTICE_API_TOKEN": "s3cret"}
        guarded = replace(routed, settings=settings)
        process = guarded.start("serve", "--port", "0")
        try:
            assert process.stderr is not None
            url = next(found[0] for line in process.stderr if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
            listing = guarded("llm", "targets", "--url", url, "--json")
            assert [each["breaker"] for each in listing.json["targets"]] == ["closed"] * 3
            shown = guarded("llm", "targets", "--url", f"{url}/api/v1/")
            assert re.search(r"stub/main +on +0 +0 +0\.00 +0\.00", shown.out)
            assert "p95" in shown.out
            stranger = replace(routed, settings={**settings, "LATTICE_API_TOKEN": "other"})
            refused = stranger("llm", "targets", "--url", url)
            assert refused.code == 6
            assert "answered 401" in refused.err
        finally:
            process.terminate()
            process.communicate(timeout=60)
        gone = guarded("llm", "targets", "--url", url)
        assert gone.code == 7
        assert f"{url} did not answer" in gone.err
        assert guarded("llm", "targets", "--url", "nowhere").code == 2

    await asyncio.to_thread(ask)
