import math
from typing import Any

import pytest

from axiom import DEFAULT_SCALE, SubjectivityScale
from core.errors import InvalidTermError


def test_the_default_tiers() -> None:
    assert DEFAULT_SCALE.bounds == (0.15, 0.33, 0.50, 0.67, 0.85, 1.0)
    tiers = [DEFAULT_SCALE.place(value).tier for value in (0.0, 0.15, 0.33, 0.5, 0.67, 0.85, 1.0)]
    assert tuple(tiers) == DEFAULT_SCALE.labels
    assert DEFAULT_SCALE.labels[0] == "apex-objective"
    assert DEFAULT_SCALE.labels[-1] == "apex-subjective"


def test_values_outside_are_moved_to_the_ends() -> None:
    assert (DEFAULT_SCALE.place(-3).value, DEFAULT_SCALE.place(-3).tier) == (0.0, "apex-objective")
    assert (DEFAULT_SCALE.place(3).value, DEFAULT_SCALE.place(3).tier) == (1.0, "apex-subjective")


@pytest.mark.parametrize("bad", [math.nan, math.inf, 10**400])
def test_a_value_must_be_finite(bad: float) -> None:
    with pytest.raises(InvalidTermError, match=r"^value: must be a finite number"):
        DEFAULT_SCALE.place(bad)


def test_whole_numbers_and_lists_are_taken() -> None:
    scale = SubjectivityScale([0.5, 1], ["a", "b", "c"])  # type: ignore[arg-type]
    assert (scale.bounds, scale.labels) == ((0.5, 1.0), ("a", "b", "c"))
    assert scale == SubjectivityScale((0.5, 1.0), ("a", "b", "c"))


@pytest.mark.parametrize(
    ("bounds", "labels", "problem"),
    [
        ((), ("a",), r"^scale.bounds: must end with exactly 1"),
        ((0.5,), ("a", "b"), r"^scale.bounds: must end with exactly 1"),
        ((0.5, 1.5), ("a", "b", "c"), r"^scale.bounds: must end with exactly 1"),
        ((0.0, 1.0), ("a", "b", "c"), r"^scale.bounds\[0\]: must be above 0, not 0"),
        ((0.5, 0.4, 1.0), ("a", "b", "c", "d"), r"^scale.bounds\[1\]: must be above 0.5, not 0.4"),
        ((0.5, math.nan), ("a", "b", "c"), r"^scale.bounds\[1\]: must be a finite number"),
        ((0.5, 1.0), ("a", "b"), r"^scale.labels: must be 3, one more than bounds, not 2"),
        ((0.5, 1.0), ("a", "b", "a"), r"^scale.labels\[2\]: must be a name of its own"),
        ((0.5, 1.0), ("a", " ", "c"), r"^scale.labels\[1\]: must be a name of its own"),
    ],
)
def test_a_scale_that_cannot_be_is_refused_by_name(bounds: Any, labels: Any, problem: str) -> None:
    with pytest.raises(InvalidTermError, match=problem):
        SubjectivityScale(bounds, labels)


@pytest.mark.parametrize(
    ("bounds", "labels", "problem"),
    [
        (("0.5", 1.0), ("a", "b", "c"), r"^scale.bounds\[0\]: must be a number"),
        ((True,), ("a", "b"), r"^scale.bounds\[0\]: must be a number"),
        ((0.5, 1.0), ("a", 2, "c"), r"^scale.labels\[1\]: must be a text"),
    ],
)
def test_bounds_are_numbers_and_labels_texts(bounds: Any, labels: Any, problem: str) -> None:
    with pytest.raises(TypeError, match=problem):
        SubjectivityScale(bounds, labels)
