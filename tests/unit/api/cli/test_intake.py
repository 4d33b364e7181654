from api.cli import intake
from api.cli.intake import read_windows, sort_by_gem
from knowledge import SourceDocument, SourceProblem


def rows(count: int) -> list[SourceDocument | SourceProblem]:
    return [SourceDocument(text=f"text {i}", external_id=str(i)) for i in range(count)]


def test_sources_are_read_by_the_window_and_the_last_one_says_so() -> None:
    windows = list(read_windows(rows(2 * intake.WINDOW_DOCUMENTS + 1)))
    assert [(len(window.documents), window.is_last) for window in windows] == [
        (intake.WINDOW_DOCUMENTS, False),
        (intake.WINDOW_DOCUMENTS, False),
        (1, True),
    ]


def test_long_texts_fill_a_window_sooner() -> None:
    long = SourceDocument(text="x" * intake.WINDOW_CHARACTERS)
    assert [len(window.documents) for window in read_windows([long, *rows(1)])] == [1, 1]


def test_problems_stay_with_their_window() -> None:
    (window,) = read_windows([*rows(1), SourceProblem("a.bin", "is of no known format")])
    assert [problem.name for problem in window.problems] == ["a.bin"]


def test_documents_keep_their_order_within_a_gem() -> None:
    documents = [SourceDocument(text=text, gem=gem) for text, gem in [("1", "a"), ("2", None), ("3", "a")]]
    parts = sort_by_gem(documents, lambda document: document.gem or "rest")
    assert {name: [each.text for each in part] for name, part in parts.items()} == {"a": ["1", "3"], "rest": ["2"]}
