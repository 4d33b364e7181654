import threading
from pathlib import Path
from typing import Any

import pytest
from vcr.cassette import Cassette
from vcr.request import Request
from vcr.serializers import yamlserializer

from core.errors import ConfigurationError
from llm_router.cassettes.storage import (
    CassetteFiles,
    has_content,
    require_content,
    require_writable,
    saving,
)

ASKED = Request("POST", "https://host/v1", b'{"a": 1}', {"content-type": "application/json"})


def answer(body: bytes = b"data: \xc2\x85\r\n\r\n\xe2\x80\xa8 caf\xc3\xa9") -> dict[str, Any]:
    return {"status": {"code": 200, "message": "OK"}, "headers": {"a": ["b"]}, "body": {"string": body}}


def write(file: Path, *answers: dict[str, Any]) -> None:
    CassetteFiles.save_cassette(file, {"requests": [ASKED] * len(answers), "responses": [*answers]}, yamlserializer)


@pytest.mark.parametrize("body", [answer()["body"]["string"], b"", b"\xff\x00 no text", b"x" * 10_000])
def test_what_is_written_is_read(tmp_path: Path, body: bytes) -> None:
    file, told = tmp_path / "new" / "folder" / "c.yaml", answer(body)
    write(file, told, answer())
    assert told == answer(body)  # still bytes, for whoever plays it
    requests, responses = CassetteFiles.load_cassette(file, yamlserializer)
    assert [request.body for request in requests] == [ASKED.body] * 2
    assert responses == [answer(body), answer()]
    assert [path.name for path in file.parent.iterdir()] == ["c.yaml"]


def test_a_cassette_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "c.yaml"
    write(file, answer(b"old"))

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(ConfigurationError, match="No space left"):
        write(file, answer(b"new"))
    assert CassetteFiles.load_cassette(file, yamlserializer)[1] == [answer(b"old")]
    assert [path.name for path in tmp_path.iterdir()] == ["c.yaml"]


@pytest.mark.parametrize(
    "text",
    [
        *("{", "- a", "text", "interactions: 3", "interactions:\n- a: 1", "version: 1", "a: !!python/object:os.x {}"),
        "interactions:\n- request: {method: GET, uri: 'http://h/', body: null, headers: {}}\n  response: {}",
    ],
)
def test_another_file_is_no_cassette(tmp_path: Path, text: str) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(text, "utf-8")
    for check in (require_content, require_writable, has_content):
        with pytest.raises(ConfigurationError, match="is no cassette"):
            check(file)


def test_bytes_are_no_cassette(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match="is no cassette"):
        require_content(file)


def test_there_must_be_something_to_play(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    with pytest.raises(ConfigurationError, match="does not exist"):
        require_content(file)
    for text in ("", "interactions: []\nversion: 1\n"):
        file.write_text(text, "utf-8")
        assert not has_content(file)
        with pytest.raises(ConfigurationError, match="holds no exchange"):
            require_content(file)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        require_content(tmp_path)


def test_a_place_that_cannot_be_written_to_is_told_of_first(tmp_path: Path) -> None:
    require_writable(tmp_path / "not" / "yet" / "there" / "c.yaml")
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be"):
        require_writable(tmp_path / "file" / "c.yaml")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        require_writable(tmp_path)


def test_a_growing_cassette_is_saved_meanwhile(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    cassette = Cassette(str(file))
    before = {*threading.enumerate()}
    with saving(cassette, every_s=0.01):
        for count in (1, 2):
            cassette.append(ASKED, answer())
            wait_for(file, count)
    assert {*threading.enumerate()} <= before


def wait_for(file: Path, count: int) -> None:
    ended = threading.Event()
    for _ in range(1_000):
        if file.exists() and len(CassetteFiles.load_cassette(file, yamlserializer)[0]) == count:
            return
        ended.wait(0.01)
    raise AssertionError(f"{count} exchanges were not saved")
