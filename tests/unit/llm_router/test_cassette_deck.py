import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx2
import pytest
from vcr.cassette import Cassette
from vcr.request import Request

from core.errors import CassetteMissError
from llm_router.cassettes.deck import Deck, DeckTransport
from llm_router.cassettes.filtering import Filter
from llm_router.cassettes.matching import ANY_SERVER, EVERYWHERE, digest_of

ADDRESS = "https://host/v1/chat"
KEY = "sk-0123456789abcdef"


class Pieces(httpx2.AsyncByteStream):
    """A body that comes in pieces, and says whether it was closed; None never comes, an error is raised."""

    def __init__(self, *pieces: bytes | Exception | None) -> None:
        self.pieces = pieces
        self.is_closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            if piece is None:
                await asyncio.Event().wait()
            elif isinstance(piece, Exception):
                raise piece
            else:
                yield piece

    async def aclose(self) -> None:
        self.is_closed = True


class Server:
    """A transport's way to send: answers with its bodies in order."""

    def __init__(self, *bodies: Pieces) -> None:
        self.bodies = iter(bodies)
        self.asked: list[httpx2.Request] = []

    async def send(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        headers = {"content-type": "text/event-stream", "set-cookie": "a=b"}
        return httpx2.Response(200, headers=headers, stream=next(self.bodies))


def deck_on(cassette: Cassette, **how: bool) -> Deck:
    return Deck(cassette, **{"plays": True, "records": False, "repeats": False, **how}, filtering=Filter())


def cassette_of(*exchanges: tuple[object, bytes], match_on: Sequence[Any] = EVERYWHERE) -> Cassette:
    """A cassette with answers to bodies."""
    filtering = Filter()
    cassette = Cassette("some.yaml", match_on=match_on, before_record_request=filtering.clean_request)
    for asked, answer in exchanges:
        response = {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": answer}}
        cassette.append(Request("POST", ADDRESS, json.dumps(asked).encode(), {}), response)
    return cassette


async def ask(deck: Deck, body: object, server: Server | None = None, address: str = ADDRESS) -> httpx2.Response:
    request = httpx2.Request("POST", address, json=body, headers={"authorization": f"Bearer {KEY}"})
    return await deck.answer(request, (server or Server()).send)


async def read(deck: Deck, body: object, **kwargs: Any) -> bytes:
    return await (await ask(deck, body, **kwargs)).aread()


async def test_answers_come_in_their_order_and_the_last_again() -> None:
    deck = deck_on(cassette_of(({"a": 1}, b"busy"), ({"b": 1}, b"other"), ({"a": 1}, b"good")), repeats=True)
    assert [await read(deck, {"a": 1}) for _ in range(4)] == [b"busy", b"good", b"good", b"good"]
    assert deck.list_unplayed() == [f"POST {ADDRESS}"]
    assert await read(deck, {"b": 1}) == b"other"
    assert not deck.list_unplayed()


async def test_without_repeats_each_answer_is_given_once() -> None:
    deck = deck_on(cassette_of(({"a": 1}, b"good")))
    assert await read(deck, {"a": 1}) == b"good"
    with pytest.raises(CassetteMissError, match=r"asked for more often than it was recorded \(1 times\)"):
        await ask(deck, {"a": 1})


async def test_the_order_of_keys_does_not_matter() -> None:
    deck = deck_on(cassette_of(({"a": 1, "b": {"c": 2, "d": [3]}}, b"good")))
    assert await read(deck, {"b": {"d": [3], "c": 2}, "a": 1}) == b"good"


@pytest.mark.parametrize(
    ("address", "differs"),
    [
        ("https://host/v1/other", ["path"]),
        ("https://host:444/v1/chat", ["port"]),
        ("http://host/v1/chat", ["scheme", "port"]),
        ("https://other/v1/chat", ["host"]),
        ("https://host/v1/chat?a=1", ["query"]),
    ],
)
async def test_another_address_is_a_miss(address: str, differs: list[str]) -> None:
    deck = deck_on(cassette_of(({"a": 1}, b"good")), repeats=True)
    with pytest.raises(CassetteMissError) as caught:
        await ask(deck, {"a": 1}, address=address)
    assert caught.value.details["differs"] == differs


async def test_any_server_may_be_meant() -> None:
    deck = deck_on(cassette_of(({"a": 1}, b"good"), match_on=ANY_SERVER))
    assert await read(deck, {"a": 1}, address="http://other:1/v1/chat?api-version=1") == b"good"


async def test_a_miss_says_what_differs_and_quotes_neither_prompt_nor_key() -> None:
    deck = deck_on(cassette_of(({"messages": ["a secret plan"], "model": "m", "n": 1}, b"good")))
    with pytest.raises(CassetteMissError) as caught:
        await ask(deck, {"messages": ["another plan", KEY], "model": "m"}, address=f"{ADDRESS}?key={KEY}")
    miss = caught.value
    digest = miss.details["body"]
    assert miss.message == (
        f"the cassette some.yaml has no answer to POST host/v1/chat (body {digest}): "
        "the nearest recorded request differs in body (messages, n)"
    )
    assert (miss.details["method"], miss.details["host"], miss.details["path"]) == ("POST", "host", "/v1/chat")
    assert len(str(digest)) == 12
    assert deck.misses == [miss]


async def test_a_miss_sends_nothing() -> None:
    server = Server(Pieces(b"fresh"))
    with pytest.raises(CassetteMissError, match="it holds nothing"):
        await ask(deck_on(cassette_of()), {}, server)
    assert not server.asked
    transport = DeckTransport(deck_on(cassette_of(({}, b"good"))))
    async with httpx2.AsyncClient(transport=transport) as client:
        assert (await client.post(ADDRESS, json={})).content == b"good"
        with pytest.raises(CassetteMissError):
            await client.post(ADDRESS, json={"a": 1})


async def test_what_is_recorded_is_handed_on_piece_by_piece_and_kept_clean() -> None:
    cassette = cassette_of()
    body = Pieces(b"data: 1\n\n", f"data: {KEY}\n\n".encode())
    server = Server(body)
    deck = deck_on(cassette, plays=False, records=True)
    response = await ask(deck, {"a": 1}, server)
    pieces = [piece async for piece in response.aiter_raw()]
    assert pieces == [b"data: 1\n\n", f"data: {KEY}\n\n".encode()]
    await response.aclose()
    assert body.is_closed
    assert (deck.held, deck.recorded) == (1, 1)
    assert server.asked[0].headers["accept-encoding"] == "identity"
    assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
    [told] = cassette.responses
    assert told["body"]["string"] == b"data: 1\n\ndata: [filtered]\n\n"
    assert told["headers"] == {"content-type": ["text/event-stream"]}
    assert "authorization" not in cassette.requests[0].headers


async def test_a_compressed_answer_is_kept_in_clear_and_clean() -> None:
    class Compressing(Server):
        async def send(self, request: httpx2.Request) -> httpx2.Response:
            response = await super().send(request)
            response.headers["content-encoding"] = "gzip"
            return response

    cassette = cassette_of()
    server = Compressing(Pieces(gzip.compress(f"no such key: {KEY}".encode())))
    assert await read(deck_on(cassette, plays=False, records=True), {}, server=server) == f"no such key: {KEY}".encode()
    assert cassette.responses[0]["body"]["string"] == b"no such key: [filtered]"
    assert await read(deck_on(cassette, repeats=True), {}) == b"no such key: [filtered]"


async def test_a_stream_that_its_reader_closes_at_its_end_marker_is_whole() -> None:
    cassette = cassette_of()
    response = await ask(deck_on(cassette, records=True), {}, Server(Pieces(b"data: [DONE]\n\n", b"\n")))
    async for _ in response.aiter_raw():
        break
    await response.aclose()
    assert cassette.responses[0]["body"]["string"] == b"data: [DONE]\n\n\n"


@pytest.mark.parametrize("last", [None, httpx2.ReadError("gone")])
async def test_a_stream_that_does_not_end_is_not_kept(last: Exception | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llm_router.cassettes.deck.REST_S", 0.01)
    cassette, body = cassette_of(), Pieces(b"data: 1\n\n", last)
    response = await ask(deck_on(cassette, records=True), {}, Server(body))
    async for _ in response.aiter_raw():
        break
    await response.aclose()
    assert body.is_closed
    assert not len(cassette)


async def test_new_exchanges_are_added_to_what_is_played() -> None:
    cassette = cassette_of(({"a": 1}, b"old"))
    deck = deck_on(cassette, records=True)
    server = Server(Pieces(b"new"), Pieces(b"newer"))
    assert await read(deck, {"a": 1}, server=server) == b"old"
    assert [await read(deck, {"b": 1}, server=server) for _ in range(2)] == [b"new", b"newer"]
    assert (deck.held, deck.recorded, deck.list_unplayed()) == (3, 2, [])


def test_digests_tell_bodies_apart() -> None:
    assert digest_of(b'{"a": 1, "b": 2}') == digest_of(b'{"b":2,"a":1}') != digest_of(b'{"a": 2, "b": 1}')
    assert digest_of(b"text") != digest_of(b"text ")
    assert digest_of(None) == digest_of(b"") == "none"
    assert len(digest_of(b"\xff\xfe")) == 12
