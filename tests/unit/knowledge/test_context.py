from datetime import UTC, datetime, timedelta, timezone

import pytest

from knowledge.context import context_text, own_text


@pytest.mark.parametrize(
    ("text", "title", "heading", "speaker", "expected"),
    [
        ("Hello.", None, None, None, "Hello."),
        ("Hello.", None, None, "Ann", "Ann: Hello."),
        ("Hello.", "Title", "Heading", "Ann", "Ann: Hello."),
        ("Born in 1932.", "Pál Gábor", None, None, "Pál Gábor. Born in 1932."),
        ("Run it.", "Guide", "Install > Docker", None, "Guide. Install. Docker. Run it."),
        ("Run it.", "Install", "install > Docker", None, "Install. Docker. Run it."),
        ("## Docker\nRun it.", "Guide", "Install > Docker", None, "Guide. Install. ## Docker\nRun it."),
        ("# Guide\n\n## Docker\nRun it.", "Guide", "Guide > Docker", None, "# Guide\n\n## Docker\nRun it."),
        ("Run it.\n## Docker", None, "Docker", None, "Docker. Run it.\n## Docker"),
        ("Because.", "Why?", None, None, "Why? Because."),
    ],
)
def test_own_text(text: str, title: str | None, heading: str | None, speaker: str | None, expected: str) -> None:
    assert own_text(text, title, heading, speaker) == expected


def test_context_follows_the_own_text_nearest_last_then_the_day() -> None:
    when = datetime(2023, 5, 8, 13, 56, tzinfo=UTC)
    assert context_text("Ann: c", ["Ann: 0", "Ann: a", "Bob: b"], when) == "Ann: c Ann: a Bob: b [8 May 2023]"
    assert context_text("Ann: c", ["Bob: b"], None) == "Ann: c Bob: b"
    assert context_text("Ann: c", [], None) == "Ann: c"


def test_the_day_is_that_of_utc() -> None:
    when = datetime(2024, 1, 1, 1, tzinfo=timezone(timedelta(hours=3)))
    assert context_text("x", [], when) == "x [31 December 2023]"
