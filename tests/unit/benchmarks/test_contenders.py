import asyncio
from collections.abc import AsyncIterator

import pytest

from benchmarks.chat_server import Answering
from benchmarks.contenders import bare, bare_json, ours, ours_watched
from benchmarks.contenders.__main__ import run_block
from benchmarks.contenders.conversation import TEXT, Contender, Heard


@pytest.fixture
async def address() -> AsyncIterator[str]:
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


class Silent:
    """Says nothing."""

    async def ask(self) -> str:
        return ""

    async def stream(self) -> Heard:
        return Heard("", 0.0)

    async def aclose(self) -> None:
        pass


@pytest.mark.parametrize("module", [bare, bare_json, ours, ours_watched], ids=lambda module: module.__name__)
async def test_every_contender_hears_the_whole_answer(module: object, address: str) -> None:
    contender: Contender = module.build(address)  # type: ignore[attr-defined]
    try:
        assert await contender.ask() == TEXT
        assert (await contender.stream()).text == TEXT
        took = await run_block(contender, calls=6, at_once=3, streamed=True, drain_s=0.0)
    finally:
        await contender.aclose()
    assert len(took.seconds) == len(took.first_s) == 6
    assert all(0 < first_s <= whole_s for first_s, whole_s in zip(took.first_s, took.seconds, strict=True))
    assert took.cpu_s > 0


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_contender_that_does_less_is_found_out(streamed: bool) -> None:
    with pytest.raises(ValueError, match="the answer was ''"):
        await run_block(Silent(), calls=1, at_once=1, streamed=streamed, drain_s=0.0)
