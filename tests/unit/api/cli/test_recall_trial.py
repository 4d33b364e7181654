import json
from pathlib import Path

import pytest

from api.cli.recall_trial import read_trial
from core.errors import InvalidInputError

GOOD_DOCUMENT = {"id": "d1", "text": "words"}
GOOD_QUESTION = {"id": "q1", "question": "which?", "evidence": ["d1"]}


def write(path: Path, *rows: object) -> Path:
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), "utf-8")
    return path


def test_numbers_as_ids_match_their_texts(tmp_path: Path) -> None:
    documents = write(tmp_path / "d", {"id": 1, "text": "words"})
    questions = write(tmp_path / "q", {"question": "which?", "evidence": [1, "1"], "group": 2, "gem": "g"}, "")
    trial = read_trial(documents, questions, (5,), apart=False)
    assert trial.questions[0].evidence == frozenset({trial.documents[0].external_id})
    assert (trial.questions[0].group, trial.questions[0].gem) == ("2", "trial")


def test_rankings_are_deep_enough_for_every_figure(tmp_path: Path) -> None:
    documents, questions = write(tmp_path / "d", GOOD_DOCUMENT), write(tmp_path / "q", GOOD_QUESTION)
    assert read_trial(documents, questions, (1, 5), apart=False).depth == 10
    assert read_trial(documents, questions, (1, 50), apart=False).depth == 50


@pytest.mark.parametrize(
    ("documents", "questions", "problem"),
    [
        ([{"text": "words"}], [GOOD_QUESTION], "row 1 has no id"),
        ([GOOD_DOCUMENT, "{"], [GOOD_QUESTION], "line 2"),
        ([GOOD_DOCUMENT, GOOD_DOCUMENT], [GOOD_QUESTION], "d1 appears more than once"),
        ([GOOD_DOCUMENT], ["{"], "line 1: is not JSON"),
        ([GOOD_DOCUMENT], ["[]"], "needs `question`"),
        ([GOOD_DOCUMENT], [{"question": "which?", "evidence": "d1"}], "needs `question`"),
        ([GOOD_DOCUMENT], [{"question": " ", "evidence": ["d1"]}], "needs `question`"),
        ([GOOD_DOCUMENT], [{"question": "which?", "evidence": []}], "none with evidence"),
    ],
)
def test_wrong_rows_are_named(tmp_path: Path, documents: list[object], questions: list[object], problem: str) -> None:
    with pytest.raises(InvalidInputError, match=problem):
        read_trial(write(tmp_path / "d", *documents), write(tmp_path / "q", *questions), (5,), apart=False)


def test_one_id_in_two_gems_is_fine_where_they_are_apart(tmp_path: Path) -> None:
    documents = write(tmp_path / "d", {**GOOD_DOCUMENT, "gem": "a"}, {**GOOD_DOCUMENT, "gem": "b"})
    questions = write(tmp_path / "q", {**GOOD_QUESTION, "gem": "a"})
    assert [each.gem for each in read_trial(documents, questions, (5,), apart=True).questions] == ["a"]
