"""A value that is none of those a field may have: the error lists them, wherever in a body the field is."""

from enum import Enum
from typing import Annotated, Literal

import msgspec
import pytest

from api.choices import tell_choices
from api.request import decode_body
from core.errors import InvalidInputError


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Wave(msgspec.Struct, frozen=True, tag="wave", tag_field="kind"):
    period: float = 1.0


class Pulse(msgspec.Struct, frozen=True, tag="pulse", tag_field="kind"):
    width: float = 1.0


class Row(msgspec.Struct):
    op: Annotated[Literal["above", "below"], msgspec.Meta(description="Which side.")] | None = None
    colour: Colour = Colour.RED
    by_name: dict[str, "Row"] = {}
    pair: tuple[int, Literal[1, 2]] = (0, 1)
    shape: Wave | Pulse = Wave()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('[{"op":"beside"}]', "[0].op: is 'beside', not one of above, below"),
        ('[{"colour":"green"}]', "[0].colour: is 'green', not one of red, blue"),
        ('[{}, {"by_name":{"x":{"op":""}}}]', "[1].by_name[...].op: is '', not one of above, below"),
        ('[{"pair":[5,3]}]', "[0].pair[1]: is 3, not one of 1, 2"),
        ('[{"shape":{"kind":"saw"}}]', "[0].shape.kind: is 'saw', not one of wave, pulse"),
        ('[{"op":5}]', "[0].op: expected `str | null`, got `int`"),
    ],
)
def test_a_body_is_told_what_its_field_may_be(body: str, message: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        decode_body(body.encode(), list[Row])
    assert caught.value.message == message


def test_what_no_list_of_values_explains_is_told_as_it_is() -> None:
    assert tell_choices("invalid value 'x'", list[int], "[0]") == "invalid value 'x'"
    assert tell_choices("expected `int`, got `str`", Literal[1]) == "expected `int`, got `str`"
