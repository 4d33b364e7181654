"""How much memory reading takes at the most, and folders and files that are not what they seem."""

import os
import subprocess
import sys
from pathlib import Path

from knowledge.documents import SourceDocument
from knowledge.sources import SourceProblem, read_sources

MEASURE = """
import io, os, resource, sys
from knowledge.sources import read_upload, SourceProblem
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
for data, suffix in eval(sys.stdin.read()):
    if os.fork():  # each is measured in a process of its own, as peaks never fall
        if os.wait()[1]:
            sys.exit("reading failed")
        continue
    data = eval(data)
    list(read_upload(io.BytesIO(b"{}"), "warm", suffix))
    before = peak()
    read = read_upload(io.BytesIO(data), "x", suffix)
    found = [str(each) if isinstance(each, SourceProblem) else len(each.text) for each in read]
    print(peak() - before, len(found), found[:2], flush=True)
    os._exit(0)
"""

HOSTILE = [  # what it is, its format, what is told of it, and how many MB reading may take at the most
    ("b'word ' * 20_000_000", ".txt", "characters", 250),
    ("b'word ' * 19_999_999 + '😀'.encode()", ".txt", "characters", 250),
    ("b'# a\\n' * 25_000_000", ".md", "characters", 250),
    ("b'<b></b>' * 1_000_000 + b'text'", ".html", "[4]", 50),
    ('b\'{"text": "\' + b\'x\' * 100_000_000 + b\'"}\\n{"text": "y"}\'', ".jsonl", "2 ['x, line 1: is longer", 200),
    ('b\'{"text": "row"}\\n\' * 50_000', ".jsonl", "50000", 20),
    ("b'text\\n\"' + b'word ' * 20_000_000", ".csv", "not CSV", 250),
    ("b'text\\n' + b'\"never' + b'\\nrow' * 150_000", ".csv", "150001", 75),
    ("b'text' + b',' * 5_000_000 + b'\\ny'", ".csv", "[1]", 100),
]


def test_memory_is_bounded_whatever_comes() -> None:
    out = subprocess.run(
        [sys.executable, "-c", MEASURE],
        input=repr([(data, suffix) for data, suffix, _, _ in HOSTILE]),
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # a process of one thread may fork
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
        cwd=Path(__file__).parents[3],
    )
    for (data, _, told, most_mb), line in zip(HOSTILE, out.stdout.splitlines(), strict=True):
        grown, rest = line.split(" ", 1)
        assert told in rest, data
        assert int(grown) <= most_mb, (data, line)


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
    file.write_bytes(b'{"text": "a row"}\n' * 20_000)
    rows = read_sources([file])
    first = next(rows)
    os.truncate(file, 100_000)  # more than was read at once
    rest = list(rows)
    assert isinstance(first, SourceDocument)
    assert all(isinstance(each, SourceDocument) for each in rest[:5_000])
    assert sum(isinstance(each, SourceProblem) for each in rest) <= 1  # the row that was cut


def test_odd_names_of_files_are_shown_without_their_controls(tmp_path: Path) -> None:
    (tmp_path / "new\nline\x1b[2J\u202e.txt").write_bytes(b"")
    (found,) = read_sources([tmp_path])
    assert str(found) == f"{tmp_path.name}/new\ufffdline\ufffd[2J\ufffd.txt: holds no text"
