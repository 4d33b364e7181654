"""How much memory reading takes at the most, and folders and files that are not what they seem."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from knowledge.documents import SourceDocument
from knowledge.sources import SourceProblem, read_sources

MEASURE = """
import io, resource, sys
from knowledge.sources import read_upload, SourceProblem
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
data, suffix = eval(sys.argv[1]), sys.argv[2]
list(read_upload(io.BytesIO(b"{}"), "warm", suffix))
before = peak()
read = read_upload(io.BytesIO(data), "x", suffix)
found = [str(each) if isinstance(each, SourceProblem) else len(each.text) for each in read]
print(peak() - before, len(found), found[:2])
"""


@pytest.mark.parametrize(
    ("data", "suffix", "told", "most_mb"),
    [
        ("b'word ' * 20_000_000", ".txt", "characters", 250),
        ("b'word ' * 19_999_999 + '😀'.encode()", ".txt", "characters", 250),
        ("b'# a\\n' * 25_000_000", ".md", "characters", 250),
        ("b'<b></b>' * 3_000_000 + b'text'", ".html", "[4]", 100),
        ('b\'{"text": "\' + b\'x\' * 100_000_000 + b\'"}\\n{"text": "y"}\'', ".jsonl", "2 ['x, line 1: is longer", 200),
        ('b\'{"text": "row"}\\n\' * 100_000', ".jsonl", "100000", 50),
        ("b'text\\n\"' + b'word ' * 20_000_000", ".csv", "not CSV", 250),
        ("b'text\\n' + b'\"never' + b'\\nrow' * 300_000", ".csv", "300001", 150),
        ("b'text' + b',' * 5_000_000 + b'\\ny'", ".csv", "[1]", 100),
    ],
)
def test_memory_is_bounded_whatever_comes(data: str, suffix: str, told: str, most_mb: int) -> None:
    run = [sys.executable, "-c", MEASURE, data, suffix]
    out = subprocess.run(run, capture_output=True, text=True, check=True, timeout=60, cwd=Path(__file__).parents[3])
    grown, rest = out.stdout.split(" ", 1)
    assert told in rest
    assert int(grown) <= most_mb, out.stdout


def test_a_folder_of_links_pipes_and_locks_ends_and_tells_of_each(tmp_path: Path) -> None:
    (tmp_path / "ok.txt").write_text("text")
    (tmp_path / "self.txt").symlink_to("self.txt")
    (tmp_path / "there.txt").symlink_to("back.txt")
    (tmp_path / "back.txt").symlink_to("there.txt")
    (tmp_path / "endless.txt").symlink_to("/dev/zero")
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "up").symlink_to("..")
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "locked.txt").write_text("text")
    (tmp_path / "locked.txt").chmod(0)
    for within in (None, tmp_path.resolve()):
        found = list(read_sources([tmp_path], within=within))
        told = {Path(each.name).name for each in found if isinstance(each, SourceProblem)}
        assert told >= {"self.txt", "there.txt", "back.txt", "endless.txt", "pipe.txt"}
        read_too = {each.external_id for each in found if isinstance(each, SourceDocument)}
        assert f"{tmp_path.name}/ok.txt" in read_too
        assert ("locked.txt" in told) != (f"{tmp_path.name}/locked.txt" in read_too)  # root may read anything


def test_a_file_that_shrinks_while_it_is_read_ends_where_it_ends(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(b'{"text": "a row"}\n' * 200_000)
    rows = read_sources([file])
    first = next(rows)
    os.truncate(file, 1_000_000)
    rest = list(rows)
    assert isinstance(first, SourceDocument)
    assert all(isinstance(each, SourceDocument) for each in rest[:50_000])
    assert sum(isinstance(each, SourceProblem) for each in rest) <= 1  # the row that was cut


def test_odd_names_of_files_are_shown_without_their_controls(tmp_path: Path) -> None:
    (tmp_path / "new\nline\x1b[2J\u202e.txt").write_bytes(b"")
    (found,) = read_sources([tmp_path])
    assert str(found) == f"{tmp_path.name}/new\ufffdline\ufffd[2J\ufffd.txt: holds no text"
