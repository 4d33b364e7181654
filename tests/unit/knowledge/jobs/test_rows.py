from collections.abc import Iterator
from itertools import count
from pathlib import Path

from knowledge import SourceDocument, SourceProblem
from knowledge.jobs.feeding import sort_by_gem
from knowledge.jobs.rows import OpenSource, estimate, number_rows, read_all, survey
from knowledge.jobs.tally import digest_row

TURN = SourceDocument(text="Yes.", thread="talk")
BAD = SourceProblem("talk.jsonl", "is not JSON", 2)


def numbered(*rows: SourceDocument | SourceProblem) -> Iterator[tuple[int, SourceDocument | SourceProblem]]:
    return number_rows(iter(rows), lambda: None)


def test_what_was_dealt_with_is_passed_over_and_what_was_said_is_remembered() -> None:
    rows = numbered(TURN, BAD, TURN, TURN)
    seen = survey(rows, 3, frozenset({1}), lambda _: "")
    assert seen.read == 3
    assert seen.fingerprint == (digest_row(0, TURN) + digest_row(2, TURN)) % 2**128
    assert [*seen.said[""].values()] == [2]
    assert [number for number, _ in rows] == [3]


def test_a_row_that_failed_counts_for_nothing_though_it_is_mended_now() -> None:
    failed = survey(numbered(TURN, BAD), 2, frozenset({1}), lambda _: "")
    mended = survey(numbered(TURN, TURN), 2, frozenset({1}), lambda _: "")
    assert (failed.fingerprint, failed.said) == (mended.fingerprint, mended.said)


def test_an_input_that_became_shorter_is_noticed() -> None:
    assert survey(numbered(TURN), 5, frozenset(), lambda _: "").read == 1


def test_bodies_and_paths_are_read_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("first")
    (tmp_path / "0.jsonl").write_text('{"text": "second"}\n{"text": "third"}\n')
    (tmp_path / "b.txt").write_text("fourth")
    sources = [
        OpenSource("a", None, tmp_path / "a.txt"),
        OpenSource("request body", ".jsonl", tmp_path / "0.jsonl"),
        OpenSource("b", None, tmp_path / "b.txt"),
    ]
    texts = [row.text for row in read_all(sources, None) if isinstance(row, SourceDocument)]
    assert texts == ["first", "second", "third", "fourth"]
    assert estimate(sources) == 4


def test_links_that_lead_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    root = tmp_path / "root"
    root.mkdir()
    (root / "open.txt").write_text("open")
    (root / "link.txt").symlink_to(tmp_path / "secret.txt")
    rows = [*read_all([OpenSource("root", None, root)], root.resolve())]
    assert [row.text if isinstance(row, SourceDocument) else row.problem for row in rows] == [
        "leads out of the folder that may be read",
        "open",
    ]


def test_documents_keep_their_order_within_a_gem() -> None:
    documents = [SourceDocument(text=text, gem=gem) for text, gem in [("1", "a"), ("2", None), ("3", "a")]]
    parts = sort_by_gem(zip(count(), documents, strict=False), lambda document: document.gem or "rest")
    assert {name: [number for number, _ in part] for name, part in parts.items()} == {"a": [0, 2], "rest": [1]}
