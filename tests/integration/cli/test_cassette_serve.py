"""A service that is recorded with its provider, and then runs without it."""

import asyncio
import re
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
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
WORDS: dict[str, Any] = {"openai": openai_chat, "anthropic": anthropic_messages}
FILE = """
[targets.openai]
provider = "openai"
model = "m"
base_url = "{openai}/v1"
api_key_env = "STUB_KEY"

[targets.anthropic]
provider = "anthropic"
model = "m"
base_url = "{anthropic}"
api_key_env = "STUB_KEY"

[models.default]
targets = ["openai"]

[models.openai]
targets = ["openai"]

[models.anthropic]
targets = ["anthropic"]
"""
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

    def reflect(self, gem: str, model: str, question: str = QUESTION, **others: object) -> httpx2.Response:
        return self.post(f"/gems/{gem}/reflections", {"question": question, "model": model, **others})


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
        said.append(process.communicate(timeout=60)[1])
        assert (process.returncode == 0) is ends_well, said
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def cassette(tmp_path: Path) -> Path:
    return tmp_path / "monday.yaml"


@pytest.fixture
async def stubs() -> AsyncIterator[Mapping[str, Stub]]:
    """A server for each provider."""
    async with AsyncExitStack() as stack:
        found = {}
        for provider, words in WORDS.items():
            responses: tuple[Response, ...] = (words.whole(ANSWER), words.streamed(*re.split(r"(?= )", ANSWER)))
            found[provider] = await stack.enter_async_context(serving(*responses))
        yield found


@pytest.fixture
def routed(lattice: Lattice, stubs: Mapping[str, Stub], tmp_path: Path) -> Lattice:
    """The program with a model of each provider, and no key for them."""
    file = tmp_path / "llm.toml"
    file.write_text(FILE.format(**{provider: stub.address for provider, stub in stubs.items()}), "utf-8")
    return replace(lattice, settings={**lattice.settings, "LATTICE_LLM__CONFIG": str(file)})


def with_key(routed: Lattice) -> Lattice:
    return replace(routed, settings={**routed.settings, "STUB_KEY": KEY})


def record(lattice: Lattice, cassette: Path) -> str:
    """Ask each provider once whole and once streamed; return the gem."""
    with running(lattice, "--cassette", str(cassette), "--record") as service:
        assert "records" in "".join(service.said)
        gem = service.make_gem()
        for provider in WORDS:
            reflection = service.reflect(gem, provider).raise_for_status().json()
            assert reflection["answer"] == ANSWER
            assert "event: done" in service.reflect(gem, provider, stream=True).raise_for_status().text
    assert "recorded 4 exchanges" in service.said[-1]
    return gem


def replay(lattice: Lattice, cassette: Path, gem: str) -> None:
    """Ask the same again, and something else."""
    with running(lattice, "--cassette", str(cassette), "--replay") as service:
        assert "4 exchanges" in "".join(service.said)
        for provider in WORDS:
            ask_again(service, gem, provider)
    log = "".join(service.said)
    for path in ("chat/completions", "messages"):
        assert f"{cassette} has no answer to POST 127.0.0.1/v1/{path}" in log
    assert "differs in body (messages)" in log
    assert QUESTION not in log
    assert ANOTHER not in log


def ask_again(service: Running, gem: str, provider: str) -> None:
    for _ in range(2):
        reflection = service.reflect(gem, provider).raise_for_status().json()
        assert reflection["answer"] == ANSWER
        assert [attempt["error"] for attempt in reflection["attempts"]] == [None]
    streamed = service.reflect(gem, provider, stream=True).raise_for_status().text
    assert "event: done" in streamed
    assert ANSWER in streamed
    missed = service.reflect(gem, provider, ANOTHER)
    assert (missed.status_code, missed.json()["code"]) == (502, "cassette_miss")
    failed = service.reflect(gem, provider, ANOTHER, stream=True).text
    assert "cassette_miss" in failed
    assert "event: done" not in failed


async def test_a_service_runs_on_what_was_recorded(routed: Lattice, cassette: Path, stubs: Mapping[str, Stub]) -> None:
    gem = await asyncio.to_thread(record, with_key(routed), cassette)
    for stub in stubs.values():
        assert len(stub.asked) == 2
        assert KEY in str(stub.asked[0].headers)
        await stub.close()
    await asyncio.to_thread(replay, routed, cassette, gem)
    assert [len(stub.asked) for stub in stubs.values()] == [2, 2]
    text = await asyncio.to_thread(cassette.read_text, "utf-8")
    assert KEY not in re.sub(r"\\?\n\s*\\?", "", text)
    assert "uthorization" not in text


async def test_a_crash_loses_little(routed: Lattice, cassette: Path) -> None:
    def crash() -> None:
        with running(with_key(routed), "--cassette", str(cassette), "--record", ends_well=False) as service:
            service.reflect(service.make_gem(), "openai").raise_for_status()
            last = time.monotonic() + 60
            while not cassette.exists() and time.monotonic() < last:
                time.sleep(0.05)
            service.process.kill()

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
