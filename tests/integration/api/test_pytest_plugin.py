"""The plug-in in a stranger's test suite: recorded from a provider once, then played without it."""

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.wire import openai_chat
from tests.wire.stub import Stub, serving

pytest_plugins = ["pytester"]
PLUGINS = ("pytest_asyncio.plugin", "pytest_recording.plugin", "api.pytest_plugin")

KEY = "sk-stub-0123456789"

SUITE = """
import asyncio

import httpx2
import pytest

async def ask(question):
    async with httpx2.AsyncClient(headers={"authorization": "Bearer KEY"}) as client:
        response = await client.post("STUB/v1/chat/completions", json={"messages": [question]})
        return response.json()["choices"][0]["message"]["content"]

async def test_async(lattice_cassette):
    assert await ask("one") == "In 2019."
    assert await ask("two") == "In 2019."

class TestSync:
    @pytest.mark.parametrize("question", ["a/b c", "a/b-c"])
    def test_sync(self, question, lattice_cassette):
        assert asyncio.run(ask(question)) == "In 2019."

@pytest.mark.lattice_cassette(name="shared")
async def test_marked():
    assert await ask("three") == "In 2019."

def test_other():
    pass
"""


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    async with serving(openai_chat.whole("In 2019.")) as stub:
        yield stub


class Suite:
    """A folder with one test module; what is run in it sees nothing of this run."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self._pytester = pytester

    @property
    def cassettes(self) -> Path:
        return self._pytester.path / "cassettes" / "test_suite"

    def write(self, address: str, text: str = SUITE) -> None:
        (self._pytester.path / "test_suite.py").write_text(text.replace("STUB", address).replace("KEY", KEY), "utf-8")

    async def run(self, *arguments: str) -> pytest.RunResult:
        settings = ("-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function")
        plugins = (f"-p{name}" for name in ("no:cacheprovider", *PLUGINS))
        options = ("-W", "error", *settings, *plugins, "--strict-markers")
        return await asyncio.to_thread(self._pytester.runpytest_subprocess, *options, *arguments)

    async def assert_outcomes(self, *arguments: str, **outcomes: int) -> str:
        result = await self.run(*arguments)
        result.assert_outcomes(**outcomes)
        return result.stdout.str()


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Suite:
    """Those of our own plug-ins that are not meant here would take a second to load, each time."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return Suite(pytester)


def test_pytest_finds_it_where_it_is_installed(pytester: pytest.Pytester) -> None:
    shown = pytester.runpytest_subprocess("--markers", "-p", "no:xdist", "-p", "no:hypothesispytest")
    assert "@pytest.mark.lattice_cassette" in shown.stdout.str()


async def test_traffic_is_recorded_once_and_played_without_its_provider_and_what_is_new_is_added(
    suite: Suite, stub: Stub
) -> None:
    suite.write(stub.address)
    await suite.assert_outcomes("--lattice-record=once", passed=5)
    assert len(stub.asked) == 5
    await suite.assert_outcomes("--block-network", passed=5)

    files = sorted(suite.cassettes.iterdir())
    assert len(files) == 4
    names = [re.sub(r"-[0-9a-f]{8}$", "", file.stem) for file in files]
    assert names == ["TestSync.test_sync[a-b-c]"] * 2 + ["shared", "test_async"]
    for file in files:
        text = re.sub(r"\\?\n\s*\\?", "", file.read_text("utf-8"))
        assert KEY not in text
        assert "uthorization" not in text

    suite.write(stub.address, SUITE.replace('await ask("two")', 'await ask("two") == await ask("more")'))
    said = await suite.assert_outcomes("--lattice-record=once", "--block-network", passed=4, failed=1)
    assert "body (messages)" in said
    assert len(stub.asked) == 5
    await suite.assert_outcomes("--lattice-record=new", passed=5)
    assert len(stub.asked) == 6
    await suite.assert_outcomes("--block-network", passed=5)


async def test_what_was_never_recorded_or_is_marked_wrongly_fails_and_sends_nothing(suite: Suite, stub: Stub) -> None:
    more = """
async def test_that_swallows_its_failure(lattice_cassette):
    try:
        await ask("one")
    except Exception:
        pass

@pytest.mark.lattice_cassette(named="shared")
async def test_marked_wrongly():
    pass
"""
    suite.write(stub.address, SUITE + more)
    said = await suite.assert_outcomes(passed=1, failed=5, errors=1)
    assert "CassetteMissError" in said
    assert "--lattice-record" in said
    _, swallowed = re.split("_+ test_that_swallows_its_failure _+", said)
    assert "has no answer to POST 127.0.0.1/v1/chat/completions" in swallowed.split("\n___", 1)[0]
    assert "lattice_cassette takes name and allow_unplayed" in said
    assert not stub.asked
    assert not suite.cassettes.exists()


async def test_what_is_left_unplayed_fails_unless_it_is_allowed(suite: Suite, stub: Stub) -> None:
    suite.write(stub.address)
    await suite.assert_outcomes("--lattice-record=once", passed=5)
    shorter = SUITE.replace('    assert await ask("two") == "In 2019."\n', "")
    allowed = """
@pytest.mark.lattice_cassette(name="test_async", allow_unplayed=True)
async def test_allowed():
    assert await ask("one") == "In 2019."
"""
    suite.write(stub.address, shorter + allowed)
    said = await suite.assert_outcomes(passed=5, failed=1)
    assert "_ test_async _" in said
    assert f"POST {stub.address}/v1/chat/completions" in said
    assert "allow_unplayed=True" in said
    suite.write(stub.address, shorter)
    await suite.assert_outcomes("--lattice-record=all", passed=5)
    await suite.assert_outcomes(passed=5)


async def test_a_wrong_option_is_told_of(suite: Suite, stub: Stub) -> None:
    suite.write(stub.address)
    result = await suite.run("--lattice-record=never")
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_nothing_is_imported_until_it_is_used() -> None:
    code = (
        "import sys; before = {*sys.modules}; import pytest; known = {*sys.modules}; import api.pytest_plugin; "
        "print(sorted({*sys.modules} - known))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['api', 'api.pytest_plugin']"
