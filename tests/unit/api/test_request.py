from typing import Any

import pytest

from api.request import decode_body
from api.schemas.documents import NewDocuments
from api.schemas.recall import RecallBody
from core.errors import InvalidInputError, MalformedBodyError


@pytest.mark.parametrize(
    ("body", "field", "problem"),
    [
        (b'{"documents": [{"text": "a"}, {"text": 5}]}', "documents[1].text", "expected `str`, got `int`"),
        (b'{"documents": [{}]}', "documents[0].text", "is missing"),
        (b'{"documents": [{"text": "a", "x": 1}]}', "documents[0].x", "is not a known field; see /schema"),
        (b'{"x": 1}', "x", "is not a known field; see /schema"),
        (b"{}", "documents", "is missing"),
        (b"[]", "body", "expected `object`, got `array`"),
        (b'{"documents": [{"text": ""}]}', "documents[0].text", "expected `str` of length >= 1"),
    ],
)
def test_a_wrong_value_is_named_by_its_path(body: bytes, field: str, problem: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        decode_body(body, NewDocuments)
    assert (caught.value.field, caught.value.message) == (field, f"{field}: {problem}")


@pytest.mark.parametrize("value", ['"5"', "5.5", "true", "null"])
def test_values_are_not_bent_into_shape(value: str) -> None:
    with pytest.raises(InvalidInputError, match=r"^k: "):
        decode_body(f'{{"question": "x", "k": {value}}}'.encode(), RecallBody)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"'a'", b'{"documents": [}', b"[" * 100_000])
def test_what_is_no_json_is_malformed(body: bytes) -> None:
    type_: type[Any] = object if body.startswith(b"[") else NewDocuments
    with pytest.raises(MalformedBodyError):
        decode_body(body, type_)
