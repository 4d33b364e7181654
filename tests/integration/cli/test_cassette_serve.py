"""A service that is recorded with its provider, and then runs without it."""

import asyncio
import json
import re
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.integration.cli.process import Lattice
from tests.wire import anthropic_messages, openai_chat
from tests.wire.stub import Response, Stub, serving

KEY = "sk-odd/key+0123456789"
QUESTION, ANOTHER = "When does the ferry leave?", "Who built the ferry?"
ANSWER = "It leaves at seven [1]."
WORDS = {"openai": openai_chat, "anthropic": anthropic_messages}
DOCUMENT = {"text": "The island ferry leaves at seven and at noon. Tickets are sold on board.", "id": "ferry"}


@dataclass(frozen=True, slots=True)
class Running:
    """A service in its process, and a client of it."""

    process: subprocess.Popen[str]
    url: str
    said: list[str]

    def post(self, path: str, body: object) -> httpx2.Response:
        return httpx2.post(f"{self.url}/api/v1{path}", json=body, timeout=60)

    def make_gem(self) -> str:
        gem: str = self.post("/gems", {"name": "harbour"}).raise_for_status().json()["id"]
        self.post(f"/gems/{gem}/documents", {"documents": [DOCUMENT]}).raise_for_status()
        return gem

    def reflect(self, gem: str, question: str = QUESTION, **others: object) -> httpx2.Response:
        return self.post(f"/gems/{gem}/reflections", {"question": question, **others})


@contextmanager
def running(lattice: Lattice, *arguments: str, ends_well: bool = True) -> Iterator[Running]:
    process = lattice.start("serve", "--port", "0", *arguments)
    try:
        assert process.stderr is not None
        said, found = [], None
        for line in process.stderr:
            said.append(line)
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            if found:
                break
        assert found is not None, said
        yield Running(process, found[0], said)
        process.terminate()
        said.append(process.communicate(timeout=30)[1])
        assert (process.returncode == 0) is ends_well, said
    finally:
        process.kill()
        process.communicate()


def with_target(lattice: Lattice, provider: str, address: str, key: str | None = KEY) -> Lattice:
    base = f"{address}/v1" if provider == "openai" else address
    target = {"provider": provider, "model": "m", "base_url": base, "api_key_env": "STUB_KEY"}
    settings = {**lattice.settings, "LATTICE_LLM__TARGETS": json.dumps([target])}
    return replace(lattice, settings={**settings, "STUB_KEY": key} if key else settings)


@pytest.fixture
def cassette(tmp_path: Path) -> Path:
    return tmp_path / "monday.yaml"


@pytest.fixture(params=[*WORDS])
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def stub(provider: str) -> AsyncIterator[Stub]:
    words: Any = WORDS[provider]
    responses: tuple[Response, ...] = (words.whole(ANSWER), words.streamed(*re.split(r"(?= )", ANSWER)))
    async with serving(*responses) as stub:
        yield stub


def record(lattice: Lattice, cassette: Path) -> str:
    """Ask once whole and once streamed; return the gem."""
    with running(lattice, "--cassette", str(cassette), "--record") as service:
        assert "records" in "".join(service.said)
        gem = service.make_gem()
        reflection = service.reflect(gem).raise_for_status().json()
        assert reflection["answer"] == ANSWER
        assert "event: done" in service.reflect(gem, stream=True).raise_for_status().text
    assert "recorded 2 exchanges" in service.said[-1]
    return gem


def replay(lattice: Lattice, cassette: Path, gem: str) -> None:
    """Ask the same again, and something else."""
    with running(lattice, "--cassette", str(cassette), "--replay") as service:
        assert "2 exchanges" in "".join(service.said)
        for _ in range(2):
            reflection = service.reflect(gem).raise_for_status().json()
            assert reflection["answer"] == ANSWER
            assert [attempt["error"] for attempt in reflection["attempts"]] == [None]
        streamed = service.reflect(gem, stream=True).raise_for_status().text
        assert "event: done" in streamed
        assert ANSWER in streamed
        missed = service.reflect(gem, ANOTHER)
        assert (missed.status_code, missed.json()["code"]) == (502, "cassette_miss")
        failed = service.reflect(gem, ANOTHER, stream=True).text
        assert "cassette_miss" in failed
        assert "event: done" not in failed
    log = "".join(service.said)
    assert f"{cassette} has no answer to POST 127.0.0.1/v1/" in log
    assert "differs in body (messages)" in log
    assert QUESTION not in log
    assert ANOTHER not in log


async def test_a_service_runs_on_what_was_recorded(lattice: Lattice, provider: str, cassette: Path, stub: Stub) -> None:
    gem = await asyncio.to_thread(record, with_target(lattice, provider, stub.address), cassette)
    assert len(stub.asked) == 2
    assert KEY in str(stub.asked[0].headers)
    await stub.close()
    await asyncio.to_thread(replay, with_target(lattice, provider, stub.address, key=None), cassette, gem)
    assert len(stub.asked) == 2
    text = await asyncio.to_thread(cassette.read_text, "utf-8")
    assert KEY not in re.sub(r"\\?\n\s*\\?", "", text)
    assert "uthorization" not in text


@pytest.mark.parametrize("provider", ["openai"], indirect=True)
async def test_a_crash_loses_little(lattice: Lattice, provider: str, cassette: Path, stub: Stub) -> None:
    def crash() -> None:
        with running(target, "--cassette", str(cassette), "--record", ends_well=False) as service:
            service.reflect(service.make_gem()).raise_for_status()
            last = time.monotonic() + 30
            while not cassette.exists() and time.monotonic() < last:
                time.sleep(0.05)
            service.process.kill()

    target = with_target(lattice, provider, stub.address)
    await asyncio.to_thread(crash)
    text = await asyncio.to_thread(cassette.read_text, "utf-8")
    assert "It leaves at seven" in text


@pytest.mark.parametrize(
    ("text", "told"), [(None, "does not exist"), ("", "holds no exchange"), ("no cassette", "is no cassette")]
)
def test_what_cannot_be_played_is_told_of_before_the_service_starts(
    lattice: Lattice, cassette: Path, text: str | None, told: str
) -> None:
    if text is not None:
        cassette.write_text(text, "utf-8")
    done = lattice("serve", "--port", "0", "--cassette", str(cassette), "--replay")
    assert done.code == 6
    assert told in done.err
    assert "serves" not in done.err


def test_nothing_that_is_no_cassette_is_written_over(lattice: Lattice, cassette: Path) -> None:
    cassette.write_text("my diary", "utf-8")
    done = lattice("serve", "--port", "0", "--cassette", str(cassette), "--record")
    assert done.code == 6
    assert "is no cassette" in done.err
    assert cassette.read_text("utf-8") == "my diary"


@pytest.mark.parametrize(
    "options", [["--record"], ["--replay"], ["--cassette", "f", "--record", "--replay"], ["--cassette", "f"]]
)
def test_options_that_do_not_fit_together_are_refused(lattice: Lattice, options: list[str]) -> None:
    assert lattice("serve", *options).code == 2
