"""Rows made to spoil others: each a problem of its own line, and all that stand beside it are read."""

import io
import json
from typing import Any

import pytest

from core.errors import InvalidInputError
from knowledge.documents import SourceDocument, parse_document
from knowledge.sources import SourceProblem, read_upload


def read(data: bytes, suffix: str) -> tuple[list[str], dict[int | None, str]]:
    """Return the texts that were read, and what is wrong with the other lines."""
    found = list(read_upload(io.BytesIO(data), "rows", suffix))
    texts = [each.text for each in found if isinstance(each, SourceDocument)]
    return texts, {each.line: each.problem for each in found if isinstance(each, SourceProblem)}


def line(**fields: Any) -> bytes:
    return json.dumps({"text": "row", **fields}).encode()


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (b"[" * 100_000, "too deep"),
        (b'{"a":' * 100_000, "too deep"),
        (b'{"text": "x", "metadata": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001, "too deep"),
        (b'{"text": "x", "metadata": {"n": ' + b"9" * 10_000 + b"}}", "number too long"),
        (b'{"text": "x", "metadata": {"n": 1e99999}}', "metadata: holds a number"),
        (b'{"text": "x", "id": ' + b"9" * 10_000 + b"}", "number too long"),
        (bytes(set(range(256)) - {10}), "is not JSON"),
        (b"\0\0\0", "is not JSON"),
        (b'{"text": "caf\xe9"}', "save the file as UTF-8"),
        (b'{"text": "x"', "is not JSON"),
        (b'[{"text": "x"}]', "each line must be one JSON object"),
        (b"null", "each line must be one JSON object"),
        (b'"text"', "each line must be one JSON object"),
        (line(colour=1), "colour: is not a field of a document"),
        (line(**{"k" * 1_000_000: 1}), "k: is not a field of a document"),
        (line(**{"\x1b[2J\ud800": 1}), "\ufffd[2J\ufffd: is not a field"),
        (line(entities=["e" * 1_000_000]), "entities[0]: must have at most 1,000"),
        (line(entities=["e"] * 10_001), "entities: must have at most 10,000"),
        (line(relations=[["a", "is", "b"]] * 10_001), "relations: must have at most 10,000"),
        (line(relations=[["a", " ", "b"]]), "relations[0].predicate: must not be empty"),
        (line(relations=[{"subject": "a", "predicate": "is"}]), "relations[0].object: is missing"),
        (line(relations=[{"subject": 1}]), "relations[0].subject: must be a string, not a number"),
        (line(relations=[{"subject": "a", "k" * 5_000: "is"}]), "k: is not known"),
        (line(embedding=[float("nan"), 1]), "embedding: must be finite"),
        (line(embedding=[0, 0]), "embedding: must be finite"),
        (line(embedding=[1e400, 1]), "embedding: must be finite"),
        (line(embedding=["1", "2"]), "embedding: must be a list of numbers"),
        (line(embedding=[True, False]), "embedding: must be a list of numbers"),
        (line(embedding=[None, 1]), "embedding: must be a list of numbers"),
        (line(embedding=[[1, 2]]), "embedding: must be a list of numbers"),
        (line(embedding=[1] * 4_001), "embedding: must be a list of 1 to 4,000"),
        (line(embedding="AAA"), "embedding: must be a list of numbers"),
        (line(embedding={}), "embedding: must be a list of numbers"),
        (line(id="a\x00b"), "id: must hold neither NUL"),
        (line(id="\ud800"), "id: must hold neither NUL"),
        (line(id=1.5), "id: must be a string or a whole number, not a number"),
        (line(supersedes=["\x00"]), "supersedes[0]: must hold neither NUL"),
        (line(text="\u200b\ufeff"), "text: must not be empty"),
    ],
    ids=lambda each: each[:40] if isinstance(each, str) else "",
)
def test_a_bad_row_between_two_good_ones_spoils_neither(row: bytes, told: str) -> None:
    texts, problems = read(b"\n".join([line(text="before"), row, line(text="after")]), ".jsonl")
    assert texts == ["before", "after"]
    assert list(problems) == [2]
    assert told in problems[2]
    assert len(problems[2]) <= 1_000
    assert problems[2].isprintable()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_rows_in_any_unicode_are_read_and_a_broken_character_spoils_only_its_row(encoding: str) -> None:
    begin, end = '{"text": "première"}\n' * 9 + '{"text": "', '"}\n{"text": "dernière"}\n'
    broken = b"\xff" if encoding.startswith("utf-8") else "\ud800".encode(encoding[:6] + "-le", "surrogatepass")
    if encoding == "utf-16-be":
        broken = broken[::-1]
    rest = encoding if encoding.endswith("e") else f"{encoding}-le" if "utf-8" not in encoding else "utf-8"
    texts, problems = read(begin.encode(encoding) + broken + end.encode(rest), ".jsonl")
    assert texts == ["première"] * 9 + ["dernière"]
    assert list(problems) == [10]


@pytest.mark.parametrize(
    ("table", "texts", "lines"),
    [
        (b'id,text\n1,one\n2,"two\n3,three\n4,four\n', ["one", "three", "four"], [3]),
        (b'id,text\n1,"one\n2,"two, too"\n3,three\n', ["two, too", "three"], [2]),
        (b'id,text\n1,"a\nb"\n2,"a ""word"" \n3"\n', ["a\nb", 'a "word" \n3'], []),
        (b'id,text\n1,"cut in the\nmiddle of\nits text', [], [2, 3, 4]),
        (b'id,text\n1,"one"x\n2,two\n', ["two"], [2]),
        (b"id,text\n1,one,three\n2,two\n", ["two"], [2]),
        (b"id,text\n1,one" + b"," * 100_000 + b"x\n2,two\n", ["two"], [2]),
        (b"id,text\n1,one" + b"," * 100_000 + b"\n2,two\n", ["one", "two"], []),
        (b"\xef\xbb\xbfid;text\n1;one, one\n2;two\n", ["one, one", "two"], []),
        (b"id\ttext\r\n1\tone\r\n\r\n2\ttwo", ["one", "two"], []),
        (b"id,text\n1,o\0ne\n\0\x01\x02\x03,\n2,two\n", ["one", "two"], [3]),
        (b"id,text,metadata\n1,one," + b"[" * 100_000 + b"\n2,two,\n", ["two"], [2]),
        (b'id,text,relations\n1,one,"[[""a""]]"\n2,two,\n', ["two"], [2]),
    ],
    ids=lambda each: str(each)[:60],
)
def test_a_bad_row_of_a_table_spoils_no_other(table: bytes, texts: list[str], lines: list[int]) -> None:
    found, problems = read(table, ".csv")
    assert (found, list(problems)) == (texts, lines)


def test_a_table_whose_head_is_no_head_is_told_so_whatever_it_holds() -> None:
    for table in (b"x" * 100_000 + b",text\nx", b"c," * 100_000 + b"c\nx", b"\n\ntext\nx", bytes(500)):
        texts, problems = read(table, ".csv")
        assert not texts
        assert list(problems) == [None]


@pytest.mark.parametrize("quotes", [b'"x\n', b'"x""\n', b'",x"",\n', b'"""\n', b'a"b\n', b'"",x"\n', b'",""",""\n'])
def test_a_table_of_nothing_but_quotes_ends(quotes: bytes) -> None:
    assert sum(1 for _ in read_upload(io.BytesIO(b"text\n" + quotes * 150_001), "rows", ".csv"))


def test_ids_are_kept_as_they_are_or_refused_so_that_no_two_become_one() -> None:
    for each in ("a\x00", "\ud800"):
        with pytest.raises(InvalidInputError, match="cannot be stored"):
            parse_document({"text": "x", "id": each})
    assert parse_document({"text": "x", "id": "a\n\x1b\u202eb"}).external_id == "a\n\x1b\u202eb"
