from datetime import UTC, datetime

import pytest

from llm_router.wire import as_body, as_count, read_error_body, read_retry_after

NOW = datetime(2026, 10, 21, 7, 28, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.25"}, 0.25),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "86400"}, 86_400.0),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT"}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 -0000"}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:00:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": ""}, None),
    ],
)
def test_every_form_of_retry_after_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert read_retry_after(headers, NOW) == seconds


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
    assert as_body('{"a": 1}') == {"a": 1}
    assert [as_body(value) for value in ("<html>", "[1]", None, 3)] == [{}, {}, {}, {}]
