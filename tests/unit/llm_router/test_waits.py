from datetime import UTC, datetime

import pytest

from llm_router.providers.waits import read_retry_after

NOW = datetime(2026, 10, 21, 7, 28, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "1795000000"}, None),
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
    assert read_retry_after(headers, NOW, 503) == seconds


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("8.64s", 8.64),
        ("120ms", 0.12),
        ("6m0s", 360.0),
        ("1h2m3s", 3723.0),
        ("2m", 120.0),
        ("0s", 0.0),
        ("", None),
        ("soon", None),
        ("1731456255", None),
        ("-5s", None),
    ],
)
def test_a_quota_that_is_used_up_says_when_it_begins_anew(told: str, seconds: float | None) -> None:
    headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": told}
    waited = read_retry_after(headers, NOW, 429)
    assert waited == (None if seconds is None else pytest.approx(seconds, abs=1e-9))


def test_the_last_quota_to_begin_anew_counts_and_one_with_something_left_does_not() -> None:
    headers = {
        "anthropic-ratelimit-requests-remaining": "0",
        "anthropic-ratelimit-requests-reset": "2026-10-21T07:28:05Z",
        "anthropic-ratelimit-input-tokens-remaining": "0",
        "anthropic-ratelimit-input-tokens-reset": "2026-10-21T07:28:20Z",
        "anthropic-ratelimit-output-tokens-remaining": "9",
        "anthropic-ratelimit-output-tokens-reset": "2026-10-21T08:00:00Z",
        "x-ratelimit-remaining-tokens": "1",
        "x-ratelimit-reset-tokens": "2h",
    }
    assert read_retry_after(headers, NOW, 429) == 20.0
    assert read_retry_after({**headers, "retry-after": "3"}, NOW, 429) == 3.0
    assert read_retry_after(headers, NOW, 503) is None
    assert read_retry_after({"anthropic-ratelimit-tokens-remaining": "0"}, NOW, 429) is None
