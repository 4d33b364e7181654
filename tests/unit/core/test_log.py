import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from core.log import HIDDEN, configure_logging, hide_secrets, request_context


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def events(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return [json.loads(line) for line in captured.err.splitlines()]


def test_events_go_to_standard_error_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", json=True)
    structlog.get_logger("x").info("gem_created", gem="g")
    structlog.get_logger("x").debug("not_shown")
    [event] = events(capsys)
    assert event.pop("timestamp")
    assert event == {"event": "gem_created", "gem": "g", "level": "info"}


def test_libraries_speak_the_same_way(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO", json=True)
    logging.getLogger("some.package").warning("odd %s", "thing")
    logging.getLogger("httpx2").info("HTTP Request: not shown")
    assert [event["event"] for event in events(capsys)] == ["odd thing"]


def test_the_request_id_is_on_every_event_of_the_request(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO", json=True)
    with request_context("r-1"):
        structlog.get_logger().info("inside")
        logging.getLogger("some.package").warning("inside too")
    structlog.get_logger().info("outside")
    assert [event.get("request_id") for event in events(capsys)] == ["r-1", "r-1", None]


def break_down(password: str) -> None:
    raise RuntimeError(f"broke after {len(password)}")


@pytest.mark.parametrize("json", [True, False])
def test_a_traceback_is_told_but_not_the_values_in_it(capsys: pytest.CaptureFixture[str], json: bool) -> None:
    configure_logging("INFO", json=json)
    try:
        break_down("hunter" + str(3 - 1))
    except RuntimeError:
        structlog.get_logger().exception("request_failed")
    printed = capsys.readouterr().err
    assert "RuntimeError" in printed
    assert "broke after 7" in printed
    assert "hunter2" not in printed


@pytest.mark.parametrize("name", ["openai._base_client", "anthropic._base_client", "httpcore2.http11", "httpx2"])
def test_no_level_makes_libraries_tell_prompts_and_headers(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("DEBUG")
    logging.getLogger(name).debug("Request options: %s", {"json_data": {"messages": ["the prompt"]}})
    logging.getLogger(name).warning("told")
    assert "the prompt" not in (told := capsys.readouterr().err)
    assert "told" in told


def test_text_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO")
    structlog.get_logger().info("gem_created", gem="g")
    assert "gem_created" in capsys.readouterr().err


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="LOUD"):
        configure_logging("LOUD")


@pytest.mark.parametrize("name", ["api_key", "OPENAI_API_KEY", "Authorization", "token", "client_secret", "password"])
def test_values_named_like_secrets_are_hidden(name: str) -> None:
    event = {"event": "e", name: "s", "inner": [{name: "s", "n": 1}]}
    assert hide_secrets(None, "info", event) == {"event": "e", name: HIDDEN, "inner": [{name: HIDDEN, "n": 1}]}


def test_counts_of_tokens_are_no_secret() -> None:
    event = {"event": "e", "input_tokens": 3, "max_tokens": 4}
    assert hide_secrets(None, "info", event) == event
