import os
from pathlib import Path

import pytest

from core.postmaster import explain_failure, find_programs, is_ready, running_pid

LINES = ["{pid}", "{data}", "1795203253", "5432", "{data}", "", "  2146452        14", "ready   "]


def test_the_programs_are_there() -> None:
    assert (find_programs() / "pg_ctl").is_file()


@pytest.mark.parametrize("pid", [os.getpid(), 2**22 + 1], ids=["somebody else's", "nobody's"])
def test_a_pid_file_whose_number_is_not_a_postgres_is_stale(tmp_path: Path, pid: int) -> None:
    (tmp_path / "postmaster.pid").write_text("\n".join(LINES).format(pid=pid, data=tmp_path))
    assert running_pid(tmp_path) is None
    assert not is_ready(tmp_path)


@pytest.mark.parametrize("text", ["", "nonsense", "-1\n", "1"])
def test_a_torn_pid_file_is_stale(tmp_path: Path, text: str) -> None:
    (tmp_path / "postmaster.pid").write_text(text)
    assert running_pid(tmp_path) is None
    assert not is_ready(tmp_path)


def test_a_path_of_any_encoding_in_a_pid_file_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "postmaster.pid").write_bytes(
        "\n".join(LINES).format(pid=2**22 + 1, data="/home/zoë").encode("latin-1")
    )
    assert not is_ready(tmp_path)


def test_no_pid_file_no_server(tmp_path: Path) -> None:
    assert running_pid(tmp_path) is None


def test_a_full_disk_is_named() -> None:
    said = 'FATAL:  could not write to file "pg_wal/xlogtemp.31": No space left on device'
    assert explain_failure("initdb", said).message.startswith("the disk is full")


def test_the_last_words_are_passed_on() -> None:
    message = explain_failure("pg_ctl", "one\ntwo\nthree\nfour\nFATAL:  out of luck\n").message
    assert message.endswith("two / three / four / FATAL:  out of luck")
    assert "it said nothing" in explain_failure("pg_ctl", "").message
