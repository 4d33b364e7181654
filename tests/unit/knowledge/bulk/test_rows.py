"""Reading blocks of rows: the quick way says what the ordinary way says."""

import base64
import json
from dataclasses import replace
from io import BufferedReader, BytesIO, RawIOBase
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from knowledge.bulk.rows import cut_blocks, is_precomputed, read_block, read_lines
from knowledge.documents import SourceDocument
from knowledge.given_vectors import MAX_DIMENSION, scale_to_units
from knowledge.sources import SourceProblem
from knowledge.sources.rows import read_jsonl

RNG = np.random.default_rng(7)


def read_slowly(data: bytes) -> list[SourceDocument | SourceProblem]:
    return list(read_jsonl(BufferedReader(cast("RawIOBase", BytesIO(data))), "rows.jsonl"))


def read_both(data: bytes) -> tuple[list[object], list[object]]:
    quick = read_lines(data, "rows.jsonl")
    slow = read_slowly(data)
    documents = [row for row in slow if isinstance(row, SourceDocument)]
    problems = [row for row in slow if isinstance(row, SourceProblem)]
    return [quick.documents, quick.problems], [documents, problems]


def packed(numbers: object) -> str:
    return base64.b64encode(np.asarray(numbers, "<f4").tobytes()).decode()


GOOD = {"text": "Rain fell.", "embedding": [3.0, 4.0]}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"id": 7},
        {"id": 123456789012345678901234567890},
        {"id": "a", "title": " Two \n lines ", "source": "", "speaker": "Ann", "gem": " x "},
        {"id": ""},
        {"id": 1.5},
        {"id": True},
        {"text": "  \n"},
        {"text": None},
        {"text": "nul \u0000 inside, and \u2028 a separator"},
        {"text": "half a pair \ud800"},
        {"text": "smile \U0001f600"},
        {"title": 3},
        {"occurred_at": "2024-05-08"},
        {"occurred_at": "last May"},
        {"metadata": {"a": [1, 2.5, None, "x\u0000"], "n": 12345678901234567890123}},
        {"metadata": []},
        {"metadata": None},
        {"entities": ["Ann", " ", "Bob  Lee"]},
        {"entities": "Ann"},
        {"relations": [["Ann", "knows", "Bob"]]},
        {"thread": "t1"},
        {"supersedes": ["old"]},
        {"unknown": 1},
        {"embedding": None},
        {"embedding": []},
        {"embedding": [0, 0]},
        {"embedding": [1, 2]},
        {"embedding": [True, 2]},
        {"embedding": ["1", "2"]},
        {"embedding": ["x"]},
        {"embedding": [[1.0, 2.0]]},
        {"embedding": [1e300, 1.0]},
        {"embedding": [float("nan"), 1.0]},
        {"embedding": [1e-30, 1e-30]},
        {"embedding": [0.5] * MAX_DIMENSION},
        {"embedding": [0.5] * (MAX_DIMENSION + 1)},
        {"embedding": packed([3.0, 4.0])},
        {"embedding": packed([np.inf, 4.0])},
        {"embedding": packed([])},
        {"embedding": "AAA"},
        {"embedding": "not base64 at all!"},
        {"embedding": 5},
    ],
)
def test_a_row_is_read_as_the_ordinary_reader_reads_it(change: dict[str, object]) -> None:
    quick, slow = read_both(json.dumps(GOOD | change).encode() + b"\n")
    assert quick == slow
    assert len(cast("list[object]", quick[0])) + len(cast("list[object]", quick[1])) == 1


@pytest.mark.parametrize(
    "line",
    [
        b'{"text": "a", "embedding": [1]',
        b'{"text": "a\xff", "embedding": [1]}',
        b'{"text": "a", "embedding": [NaN]}',
        b'{"text": "a", "text": "b", "embedding": [1]}',
        b'{"text": "a", "embedding": [1], "metadata": {"a": 1, "a": 2}}',
        b"[1, 2]",
        b"no json",
        b"{}",
        '{"text": "\\u00e9t\\u00e9 été", "embedding": [1]}'.encode(),
        "\u00a0".encode(),
        b" \t ",
        b'{"text": "a", "embedding": [1]} ',
        b'{"text": "a", "embedding": [1]}\r',
    ],
)
def test_a_line_is_judged_as_the_ordinary_reader_judges_it(line: bytes) -> None:
    quick, slow = read_both(line + b"\n")
    assert quick == slow


def test_lists_and_packed_numbers_give_the_same_embedding() -> None:
    vector = RNG.normal(size=384).astype("<f4")
    lines = [json.dumps(GOOD | {"embedding": e}) for e in (vector.astype(float).tolist(), packed(vector))]
    one, other = read_lines("\n".join(lines).encode(), "x").documents
    assert one.embedding == other.embedding
    assert np.linalg.norm(np.frombuffer(one.embedding or b"", "<f4")) == pytest.approx(1, abs=1e-6)


def test_a_vector_is_scaled_the_same_alone_and_among_others() -> None:
    vectors = RNG.normal(size=(100, 384)).astype("<f4")
    together, _ = scale_to_units(vectors)
    for i in range(100):
        assert (scale_to_units(vectors[i : i + 1])[0][0] == together[i]).all()


def test_blocks_hold_whole_lines_and_all_of_them(tmp_path: Path) -> None:
    rows = [GOOD | {"text": f"Row {i}. " + "x" * (i % 50)} for i in range(200)]
    path = tmp_path / "rows.jsonl"
    path.write_text("\ufeff" + "\n".join(map(json.dumps, rows)), encoding="utf-8")
    for size in (1, 64, 1_000, 1_000_000):
        blocks = list(cut_blocks(path, "rows.jsonl", size))
        assert sum(block.size for block in blocks) == path.stat().st_size
        read = [read_block(block) for block in blocks]
        assert [d.text for each in read for d in each.documents] == [row["text"] for row in rows]
        assert sum(each.lines for each in read) == 200


def test_problems_are_numbered_from_the_first_line() -> None:
    good = json.dumps(GOOD)
    found = read_lines(f"{good}\n\nnonsense\n{good}\n{{}}\n".encode(), "rows.jsonl")
    assert [problem.line for problem in found.problems] == [3, 5]
    assert len(found.documents) == 2
    assert found.lines == 5


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.jsonl", json.dumps(GOOD), True),
        ("a.jsonl", "\n \n" + json.dumps(GOOD) + "\nnonsense", True),
        ("a.jsonl", json.dumps(GOOD | {"thread": "t"}), False),
        ("a.jsonl", json.dumps({"text": "a"}), False),
        ("a.jsonl", "nonsense", False),
        ("a.jsonl", "", False),
        ("a.txt", json.dumps(GOOD), False),
    ],
)
def test_a_file_is_precomputed_if_its_first_row_brings_an_embedding(
    tmp_path: Path, name: str, content: str, expected: bool
) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    assert is_precomputed(path) is expected


def test_a_folder_is_not_precomputed(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").mkdir()
    assert not is_precomputed(tmp_path / "x.jsonl")


def test_source_is_the_file_unless_the_row_says_otherwise() -> None:
    (document,) = read_lines(json.dumps(GOOD).encode(), "rows.jsonl").documents
    assert document == replace(document, source="rows.jsonl")
