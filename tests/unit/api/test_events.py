from api.events import encode_event, encode_told
from llm_router import TokenEvent


def test_an_event_is_one_block_whatever_its_text() -> None:
    assert encode_told(TokenEvent('a\r\n\n"b"\u2028é')) == (
        'event: token\ndata: {"text":"a\\r\\n\\n\\"b\\"\u2028é"}\n\n'.encode()
    )


def test_an_event_has_its_name() -> None:
    assert encode_event("done", {"id": 1}) == b'event: done\ndata: {"id":1}\n\n'
