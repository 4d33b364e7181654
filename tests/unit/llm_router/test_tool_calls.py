import json

import pytest

from llm_router.faults import TargetFault
from llm_router.prompt import ToolCall
from llm_router.providers.tool_calls import ToolCallDrafts

Piece = tuple[object, str, str, object]

TURIN, ROME = {"city": "Turin"}, {"city": "Rome"}
TWO = (ToolCall("a", "find", TURIN), ToolCall("b", "find", ROME))


def read(*pieces: Piece) -> tuple[ToolCall, ...]:
    drafts = ToolCallDrafts()
    for piece in pieces:
        drafts.take(*piece)
    return drafts.finish("main")


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param(
            [
                (0, "a", "find", ""),
                (0, "", "", '{"city": '),
                (0, "", "", '"Turin"}'),
                (1, "b", "find", ""),
                (1, "", "", '{"city": "Ro'),
                (1, "", "", 'me"}'),
            ],
            id="as the protocol says",
        ),
        pytest.param(
            [
                (0, "a", "find", ""),
                (1, "b", "find", ""),
                (0, "", "", '{"city": "Tur'),
                (1, "", "", '{"city": "R'),
                (0, "", "", 'in"}'),
                (1, "", "", 'ome"}'),
            ],
            id="interleaved",
        ),
        pytest.param(
            [
                (None, "a", "find", '{"city": '),
                (None, "", "", '"Turin"}'),
                (None, "b", "find", '{"city": '),
                (None, "", "", '"Rome"}'),
            ],
            id="no numbers",
        ),
        pytest.param(
            [
                (0, "a", "find", '{"city": '),
                (None, "", "", '"Turin"}'),
                (1, "b", "find", '{"city": '),
                (None, "", "", '"Rome"}'),
            ],
            id="the number once",
        ),
        pytest.param(
            [
                (0, "a", "find", '{"city": '),
                (0, "a", "find", '"Turin"}'),
                (1, "b", "find", '{"city": '),
                (1, "b", "find", '"Rome"}'),
            ],
            id="id and name repeated",
        ),
        pytest.param(
            [
                (None, "a", "find", '{"city": '),
                (None, "a", "find", '"Turin"}'),
                (None, "b", "find", '{"city": '),
                (None, "b", "find", '"Rome"}'),
            ],
            id="id and name repeated without numbers",
        ),
        pytest.param([(0, "a", "find", json.dumps(TURIN)), (0, "b", "find", json.dumps(ROME))], id="all have number 0"),
        pytest.param([(0, "a", "find", TURIN), (1, "b", "find", ROME)], id="arguments as objects"),
        pytest.param(
            [(0, "a", "fi", ""), (0, "", "nd", ""), (0, "", "", json.dumps(TURIN)), (1, "b", "find", json.dumps(ROME))],
            id="a name in pieces",
        ),
    ],
)
def test_two_calls_are_told_apart(pieces: list[Piece]) -> None:
    assert read(*pieces) == TWO


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([(0, "", "find", json.dumps(TURIN)), (0, "", "find", json.dumps(ROME))], id="all have number 0"),
        pytest.param([(None, "", "find", json.dumps(TURIN)), (None, "", "find", json.dumps(ROME))], id="no numbers"),
    ],
)
def test_calls_without_ids_are_given_some(pieces: list[Piece]) -> None:
    first, second = read(*pieces)
    assert (first.arguments, second.arguments) == (TURIN, ROME)
    assert first.call_id
    assert first.call_id != second.call_id


def test_an_id_that_changes_with_each_piece_begins_no_call() -> None:
    [call] = read((0, "a", "find", '{"city": '), (0, "x", "", '"Turin"}'))
    assert call == TWO[0]
    [call] = read((None, "a", "find", '{"city": '), (None, "x", "", '"Turin"}'))
    assert call == TWO[0]


@pytest.mark.parametrize("arguments", ["", " ", "{}", {}])
def test_no_arguments_are_an_empty_object(arguments: object) -> None:
    assert read((0, "a", "now", arguments)) == (ToolCall("a", "now", {}),)


@pytest.mark.parametrize("arguments", ['{"city": "Tu', "[]", "null", '"Turin"', "3", "{}{}", "[" * 100_000])
def test_arguments_that_are_no_object_are_malformed(arguments: str) -> None:
    with pytest.raises(TargetFault, match="malformed"):
        read((0, "a", "find", arguments))


def test_a_call_without_a_name_is_malformed() -> None:
    with pytest.raises(TargetFault, match="malformed"):
        read((0, "a", "", "{}"))


def test_settling_puts_the_whole_in_the_place_of_the_pieces() -> None:
    drafts = ToolCallDrafts()
    drafts.take(3, "a", "find", '{"ci')
    drafts.settle(3, "")
    drafts.settle(3, json.dumps(TURIN))
    assert drafts.finish("main") == TWO[:1]
    assert (drafts.knows(3), drafts.knows(0), bool(drafts), bool(ToolCallDrafts())) == (True, False, True, False)
