"""Predicates in their one spelling, and how many objects they take."""

import pytest

from core.errors import InvalidInputError
from knowledge.graph.predicates import DEFAULTS, Predicates, PredicateUse, check_marks, spell_predicate


@pytest.mark.parametrize("text", ["lives in", "livesIn", "LIVES_IN", "  Lives \t in ", "lives__in"])
def test_one_predicate_has_one_spelling(text: str) -> None:
    assert spell_predicate(text) == "lives in"


def test_the_defaults_are_in_their_one_spelling_and_of_one_kind() -> None:
    assert all(spell_predicate(each) == each for each in DEFAULTS)
    assert (DEFAULTS["lives in"], DEFAULTS["born in"]) == ("one_at_a_time", "one")


def test_a_mark_goes_before_a_default() -> None:
    predicates = Predicates(check_marks({"worksAt": "many", "owns": "one"}))
    assert predicates.find("works at") == "many"
    assert predicates.find("lives in") == "one_at_a_time"
    assert predicates.find("likes") is None
    assert predicates.of("many") == ["works at"]
    assert "owns" in predicates.of("one")


@pytest.mark.parametrize(
    "marks",
    [{" ": "one"}, {"owns": "two"}, {"lives in": "one", "LivesIn": "many"}, {f"p{i}": "one" for i in range(1_001)}],
)
def test_wrong_marks_are_told(marks: dict[str, str]) -> None:
    with pytest.raises(InvalidInputError):
        check_marks(marks)


def test_a_predicate_seems_single_only_with_evidence() -> None:
    assert PredicateUse("flag", 20, 1).seems_single
    assert not PredicateUse("flag", 20, 2).seems_single
    assert not PredicateUse("flag", 19, 0).seems_single
