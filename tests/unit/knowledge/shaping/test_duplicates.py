import random

import pytest

from knowledge.shaping.duplicates import fold_duplicates

STORY = (
    "On the eighth of the month Ann took the early ferry to the island, met Ben at the old pier, and walked with him "
    "along the northern shore until the rain drove them into a small inn, where they ate fried herring with dill and "
    "talked about the boat that her uncle had left behind, the leaking roof of the shed, and whether it would be wise "
    "to sell both of them before the winter storms come in from the sea and make the road hard to pass."
)


def test_texts_that_differ_stay() -> None:
    assert fold_duplicates(["one tree", "two trees", STORY]) == [0, 1, 2]
    assert fold_duplicates([]) == []


@pytest.mark.parametrize("copy", ["Yes,  I do.", "YES, I DO.", "\tyes, i do.\n", "Ｙes, I do."])
def test_case_and_space_make_no_difference_even_to_short_texts(copy: str) -> None:
    assert fold_duplicates(["Yes, I do.", "No.", copy]) == [0, 1, 0]


def test_short_texts_fold_only_when_equal() -> None:
    assert fold_duplicates(["I like it", "I like it!", "I like it."]) == [0, 1, 2]


@pytest.mark.parametrize(
    ("old", "new"), [("small inn", "tiny inn"), (" and talked", ", talked"), ("the leaking roof", "leaking roof")]
)
def test_a_long_text_with_a_word_changed_folds(old: str, new: str) -> None:
    assert fold_duplicates(["Nothing like it was ever seen.", STORY, STORY.replace(old, new)]) == [0, 1, 1]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("eighth of the month", "8 of the month"),
        ("early ferry", "9:30 ferry"),
        ("winter storms", "summer storms"),
        ("would be wise", "would not be wise"),
        ("would be wise", "wouldn't be wise"),
        ("met Ben", "met Carl"),
        ("before the winter", "after the winter"),
    ],
)
def test_a_changed_number_date_negation_or_name_keeps_a_text(old: str, new: str) -> None:
    assert fold_duplicates([STORY, STORY.replace(old, new)]) == [0, 1]


def test_numbers_in_another_order_keep_a_text() -> None:
    assert fold_duplicates([f"{STORY} From 5 to 6.", f"{STORY} From 6 to 5."]) == [0, 1]
    assert fold_duplicates(["Our meeting is at 5.", "Our meeting is at 6."]) == [0, 1]


def test_a_copy_of_a_copy_names_the_first() -> None:
    near = STORY.replace("small inn", "tiny inn")
    assert fold_duplicates([STORY, near, near.upper(), f"  {near}"]) == [0, 0, 0, 0]


def test_folding_equals_comparing_all_pairs() -> None:
    rng = random.Random(4)
    words = [f"word{chr(97 + i)}" for i in range(12)]
    texts = [" ".join(rng.choices(words, k=rng.randint(5, 40))) for _ in range(60)]
    for text in texts[:30]:
        tokens = text.split()
        tokens[rng.randrange(len(tokens))] = "changed"
        texts.append(" ".join(tokens))
    texts += ["same same same same same", "same same same same same same"]
    triples = [{*zip(t.split(), t.split()[1:], t.split()[2:], strict=False)} for t in texts]
    expected: list[int] = []
    for i, mine in enumerate(triples):
        first = (j for j in range(i) if expected[j] == j and len(mine & triples[j]) >= 0.9 * len(mine | triples[j]))
        expected.append(next(first, i))
    assert fold_duplicates(texts) == expected
    assert expected != list(range(len(texts)))
