import asyncio
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio
from redis.asyncio import Redis
from structlog.testing import capture_logs

from llm_router.cache import AnswerCache, build_answer_cache
from llm_router.cache.answers import Kept
from llm_router.cache.shared import CONNECTIONS, PREFIX, SharedCache
from llm_router.config import CacheConfig
from llm_router.reply import Answer, Usage
from tests.wire.clock import Clock
from tests.wire.stub import refusing

PASSWORD = "s3cret-pass"  # noqa: S105 - of the server that the test starts
READY = "Ready to accept connections"
ANSWER = Answer(
    "Turin — «sì» [1].\n",
    "gpt",
    "stop",
    Usage(10, 5, 3, 2, 1, 4, estimated=True),
    cost_usd=Decimal("0.000123456789012345"),
    tier="flex",
    response_id="r1",
)


@dataclass(frozen=True)
class Server:
    """A server of our own; stopped, it says nothing until it is continued."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def url(self) -> str:
        return f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    program = shutil.which("valkey-server") or shutil.which("redis-server")
    if program is None:
        pytest.skip("neither valkey-server nor redis-server is installed: apt-get install redis-server")
    folder = tmp_path_factory.mktemp("cache")
    started = None
    while started is None:
        started = _start(program, folder)
    try:
        yield started
    finally:
        started.process.kill()
        started.process.wait()


@pytest_asyncio.fixture
async def raw(server: Server) -> AsyncIterator[Redis]:
    async with Redis.from_url(server.url) as client:
        await client.flushall()
        await client.config_set("maxmemory", "0")
        yield client


@asynccontextmanager
async def sharing(url: str, **settings: object) -> AsyncIterator[SharedCache]:
    cache = SharedCache(url, **{"timeout_s": 10.0, **settings})  # type: ignore[arg-type]
    try:
        yield cache
    finally:
        await cache.aclose()


async def test_an_answer_comes_back_as_it_was_with_the_time_it_has_left(server: Server, raw: Redis) -> None:
    moment = 1_700_000_000.0
    async with sharing(server.url, now=lambda: moment) as one, sharing(server.url, now=lambda: moment + 20) as other:
        await one.keep(Kept("b", ANSWER, 60.0))
        assert await other.find(["a", "b"]) == Kept("b", ANSWER, 40.0)
        assert await other.find(["a"]) is None
    assert 0 < await raw.pttl(f"{PREFIX}b") <= 60_000
    assert b'"0.000123456789012345"' in (await raw.get(f"{PREFIX}b") or b"")


async def test_the_first_of_the_keys_is_preferred_and_one_request_asks_for_all(server: Server, raw: Redis) -> None:
    async with sharing(server.url) as cache:
        for key in ("a", "b"):
            await cache.keep(Kept(key, replace(ANSWER, text=key), 60.0))
        before = (await raw.info("commandstats"))["cmdstat_mget"]["calls"] if await cache.find(["a"]) else 0
        found = await cache.find(["x", "b", "a"])
        assert found is not None
        assert found.key == "b"
    assert (await raw.info("commandstats"))["cmdstat_mget"]["calls"] == before + 1


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b'{"key": "a", "until_s": 1e12, "answer": {"text": 7}}',
        b'{"key": "other", "until_s": 1e12, "answer": {"text": "x", "model": "m", "finish": "stop", '
        b'"usage": {"input_tokens": 1, "output_tokens": 1}}}',
        b'{"key": "a", "until_s": 1, "answer": {"text": "x", "model": "m", "finish": "stop", '
        b'"usage": {"input_tokens": 1, "output_tokens": 1}}}',
    ],
)
async def test_what_is_not_ours_or_for_another_key_or_past_its_time_is_a_miss(
    server: Server, raw: Redis, value: bytes
) -> None:
    await raw.set(f"{PREFIX}a", value)
    async with sharing(server.url) as cache:
        await cache.keep(Kept("b", ANSWER, 60.0))
        assert await cache.find(["a"]) is None
        assert (await cache.find(["a", "b"]) or Kept("", ANSWER, 0.0)).key == "b"


async def test_two_replicas_share_their_answers(server: Server, raw: Redis) -> None:
    config = CacheConfig(size=4, ttl_s=60)
    url = server.url.replace("redis://", "valkey://")
    async with sharing(url) as one, sharing(url) as other:
        here, there = AnswerCache(config, one), AnswerCache(config, other)
        await here.keep("a", replace(ANSWER, raw_usage={"prompt_tokens": 10}))
        assert await there.find(["a"]) == ("a", ANSWER)
        await raw.flushall()
        assert await there.find(["a"]) == ("a", ANSWER)  # kept in the process by now


async def test_the_configuration_names_the_server(server: Server, raw: Redis) -> None:
    cache = build_answer_cache(CacheConfig(size=4, url=server.url))
    assert cache is not None
    try:
        await cache.keep("a", ANSWER)
        assert await raw.exists(f"{PREFIX}a")
    finally:
        await cache.aclose()


async def test_many_calls_at_once_share_few_connections(server: Server, raw: Redis) -> None:
    async with sharing(server.url) as cache:
        await asyncio.gather(*(cache.keep(Kept(str(n), replace(ANSWER, text=str(n)), 60.0)) for n in range(200)))
        found = await asyncio.gather(*(cache.find([str(n)]) for n in range(200)))
        assert [each.answer.text for each in found if each] == [str(n) for n in range(200)]
        assert len(await raw.client_list()) <= CONNECTIONS + 1


async def test_a_cancelled_look_never_gives_its_answer_to_another(server: Server, raw: Redis) -> None:
    async with sharing(server.url) as cache:
        for n in range(20):
            await cache.keep(Kept(str(n), replace(ANSWER, text=str(n)), 60.0))
        for n in range(100):
            look = asyncio.create_task(cache.find([str(n % 20)]))
            for _ in range(n % 8):
                await asyncio.sleep(0)
            look.cancel()
            found = await cache.find([str((n + 1) % 20)])
            assert found is not None
            assert found.answer.text == str((n + 1) % 20)
            await asyncio.gather(look, return_exceptions=True)


async def test_an_unreachable_server_is_a_logged_miss_and_left_alone_for_a_while() -> None:
    clock = Clock()
    with refusing() as nobody:
        url = nobody.replace("http://", f"redis://:{PASSWORD}@")
        async with sharing(url, clock=clock, rest_s=10.0) as cache:
            with capture_logs() as logs:
                assert await asyncio.gather(*(cache.find(["a"]) for _ in range(20))) == [None] * 20
                await cache.keep(Kept("a", ANSWER, 60.0))
                assert await cache.find(["a"]) is None
            assert [(each["event"], each["error"]) for each in logs] == [("shared_cache_failed", "ConnectionError")]
            await clock.sleep(11)
            with capture_logs() as logs:
                await asyncio.gather(*(cache.find(["a"]) for _ in range(20)))  # one of them tries
    assert len(logs) == 1
    assert PASSWORD not in str(logs)


async def test_a_silent_server_costs_one_wait() -> None:
    reached = []

    async def keep_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.append(writer)
        await reader.read()  # whatever is asked, until the client leaves
        writer.close()

    async with await asyncio.start_server(keep_silent, "127.0.0.1", 0) as server:
        url = f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with capture_logs() as logs:
            async with sharing(url, timeout_s=0.05) as cache:
                for _ in range(50):
                    assert await cache.find(["a"]) is None
    assert len(reached) == 1  # the others did not wait at all
    assert [each["error"] for each in logs] == ["TimeoutError"]


async def test_a_server_that_comes_back_is_used_again(server: Server, raw: Redis) -> None:
    clock = Clock()
    async with sharing(server.url, clock=clock, rest_s=10.0) as cache:
        await raw.config_set("maxmemory", "1")  # the server refuses to write
        with capture_logs() as logs:
            await cache.keep(Kept("a", ANSWER, 60.0))
        assert [each["error"] for each in logs] == ["OutOfMemoryError"]
        await raw.config_set("maxmemory", "0")
        await cache.keep(Kept("a", ANSWER, 60.0))
        assert await raw.get(f"{PREFIX}a") is None  # still left alone
        await clock.sleep(11)
        await cache.keep(Kept("a", ANSWER, 60.0))
        await cache.keep(Kept("b", ANSWER, 60.0))
        assert await raw.exists(f"{PREFIX}a", f"{PREFIX}b") == 2


async def test_a_connection_that_the_server_closed_is_no_failure(server: Server, raw: Redis) -> None:
    async with sharing(server.url) as cache:
        await cache.keep(Kept("a", ANSWER, 60.0))
        await raw.client_kill_filter(_type="normal", skipme=True)
        with capture_logs() as logs:
            assert await cache.find(["a"]) is not None
        assert logs == []


async def test_a_wrong_password_is_a_miss_that_tells_nothing(server: Server) -> None:
    async with sharing(server.url.replace(PASSWORD, "wr0ng-pass")) as cache:
        with capture_logs() as logs:
            assert await cache.find(["a"]) is None
    assert [each["error"] for each in logs] == ["AuthenticationError"]
    assert "wr0ng-pass" not in f"{logs}{cache!r}"


def _start(program: str, folder: Path) -> Server | None:
    """Return a server that listens; None if another process was given its port meanwhile."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--requirepass", PASSWORD]
    log = folder / "log"
    with log.open("wb") as file:
        process = subprocess.Popen([*command, "--dir", str(folder)], stdout=file, stderr=file)
    ends_s = time.monotonic() + 60
    while READY not in (said := log.read_text()):
        if process.poll() is not None:
            assert "in use" in said, said
            return None
        assert time.monotonic() < ends_s, said
        time.sleep(0.02)
    return Server(process, port)
