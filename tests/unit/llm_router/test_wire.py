from decimal import Decimal

import httpx2
import openai
import pytest

from core.errors import CassetteMissError
from llm_router.faults import TargetFault
from llm_router.providers.openai_client import PHASES
from llm_router.providers.wire import as_body, as_count, as_money, as_text, faults_of, read_error_body
from llm_router.reply import NO_USAGE, Usage

REQUEST = httpx2.Request("POST", "http://127.0.0.1/v1")


@pytest.mark.parametrize(
    ("body", "kind", "code", "message"),
    [
        ({"error": {"type": "a", "code": "b", "message": "c"}}, "a", "b", "c"),
        ({"type": "error", "error": {"type": "a", "details": {"error_code": "b"}, "message": "c"}}, "a", "b", "c"),
        ({"error": {"code": 429, "message": "c"}}, None, "429", "c"),
        ({"type": "a", "code": "b", "message": "c"}, "a", "b", "c"),
        ({"error": "c"}, None, None, "c"),
        ("<html>c</html>", None, None, "<html>c</html>"),
        (None, None, None, ""),
        ({"error": {"type": 1, "code": [], "message": {}}}, None, None, ""),
    ],
)
def test_error_bodies_of_all_shapes_are_read(body: object, kind: str | None, code: str | None, message: str) -> None:
    signal = read_error_body("openai", "answer", body, 400)
    assert (signal.type, signal.code, signal.message) == (kind, code, message)


def test_json_that_is_not_what_it_should_be_reads_as_nothing() -> None:
    assert [as_count(value) for value in (3, -1, True, 2.5, "4", None)] == [3, 0, 0, 0, 0, 0]
    assert [as_count(value) for value in (12.0, float("nan"), float("inf"), 10**9, 10**9 + 1)] == [12, 0, 0, 10**9, 0]
    assert [as_body(value) for value in ('{"a": 1}', b'{"a": 1}', b"\xef\xbb\xbf{}", b"\xff")] == [
        {"a": 1},
        {"a": 1},
        {},
        {},
    ]
    assert [as_body(value) for value in ("<html>", "[1]", None, 3, "[" * 100_000)] == [{}, {}, {}, {}, {}]
    assert [as_text(value) for value in ("Zoë", "a\x00b\ud800", 3, None)] == ["Zoë", "ab\ufffd", "", ""]
    assert [as_money(value) for value in (True, "1", None, -1, float("nan"), float("inf"), 1e300)] == [None] * 7
    assert [as_money(value) for value in (0, 0.000103, 1e-8)] == [Decimal(0), Decimal("0.000103"), Decimal("1E-8")]


class CannotOverwriteExistingCassetteException(Exception):  # noqa: N818 - named as vcrpy's own
    pass


def lose(cause: BaseException, *, as_context: bool) -> openai.APIConnectionError:
    lost = openai.APIConnectionError(request=REQUEST)
    lost.__cause__ = None if as_context else cause
    lost.__context__ = cause if as_context else None
    return lost


MISSES = [
    CassetteMissError("no answer"),
    CannotOverwriteExistingCassetteException("POST /v1 sk-secret"),
    lose(CassetteMissError("no answer"), as_context=False),
    lose(CannotOverwriteExistingCassetteException("POST /v1 sk-secret"), as_context=True),
    lose(lose(CannotOverwriteExistingCassetteException("POST /v1 sk-secret"), as_context=True), as_context=False),
]


@pytest.mark.parametrize("error", MISSES)
def test_a_miss_of_a_recording_is_no_fault_of_a_target(error: Exception) -> None:
    with pytest.raises(CassetteMissError) as caught, faults_of("main", "openai", PHASES):
        raise error
    assert "sk-secret" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_chain_of_causes_that_goes_round_has_an_end() -> None:
    lost = openai.APIConnectionError(request=REQUEST)
    lost.__cause__ = httpx2.ConnectError("refused")
    lost.__cause__.__cause__ = lost
    with pytest.raises(TargetFault, match="connection"), faults_of("main", "openai", PHASES):
        raise lost


def test_what_is_no_fault_of_the_other_side_passes() -> None:
    with pytest.raises(KeyError), faults_of("main", "openai", PHASES):
        raise KeyError("a bug of ours")


@pytest.mark.parametrize(
    ("cause", "usage"),
    [
        (httpx2.ConnectTimeout("slow"), NO_USAGE),
        (httpx2.ConnectError("refused"), NO_USAGE),
        (httpx2.ReadTimeout("slow"), Usage(7, 0)),
    ],
)
def test_what_was_never_sent_cost_nothing(cause: Exception, usage: Usage) -> None:
    with pytest.raises(TargetFault) as caught, faults_of("main", "openai", PHASES, lambda: Usage(7, 0)):
        raise lose(cause, as_context=False)
    assert caught.value.usage == usage
