import pytest

from llm_router import NO_ANSWER
from reflection.prompt import SYSTEM, check_grounding, find_citations


@pytest.mark.parametrize(
    ("answer", "labels"),
    [
        ("The ferry leaves at seven [2]. It is red [1][2].", (2, 1)),
        ("Both [1, 3] and [2;4].", (1, 3, 2, 4)),
        ("No marker at all.", ()),
        ("An array a[0], an interval [0, 1] and a year [2023].", (2023,)),
        ("[x] [] [1a] [-1]", ()),
    ],
)
def test_citations_are_read_in_every_common_form(answer: str, labels: tuple[int, ...]) -> None:
    assert find_citations(answer) == labels


@pytest.mark.parametrize(
    ("answer", "grounding"),
    [
        ("It leaves at seven [1].", "grounded"),
        ("It leaves at seven.", "uncited"),
        ("It leaves at seven [1], from pier nine [4].", "invented"),
        ("It leaves at seven [0].", "uncited"),
        ("It lies in [0, 1] [2].", "grounded"),
        (NO_ANSWER, "unanswered"),
        (f"{NO_ANSWER} They tell of gulls [2].", "unanswered"),
        (f"{NO_ANSWER} They tell of gulls [9].", "invented"),
        ("", "uncited"),
    ],
)
def test_an_answer_is_held_against_what_it_was_given(answer: str, grounding: str) -> None:
    assert check_grounding(answer, evidence=3) == grounding


def test_the_model_is_told_the_very_words_by_which_it_declines() -> None:
    assert NO_ANSWER in SYSTEM
