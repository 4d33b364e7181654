"""The scale of subjectivity: where a value in [0, 1] stands, in tiers that can be chosen."""

from bisect import bisect_right
from dataclasses import dataclass

from axiom.equation import finite_number
from core.errors import InvalidTermError


@dataclass(frozen=True, slots=True)
class Subjectivity:
    """A place on the scale: a value in [0, 1], 0 objective, and the name of its tier."""

    value: float
    tier: str


@dataclass(frozen=True, slots=True)
class SubjectivityScale:
    """Tiers from objective to subjective.

    A tier holds the values from the end of the one before it up to below its own end; the last one is exactly 1.

    Attributes:
        bounds: where tiers end, rising from above 0 to exactly 1.
        labels: their names, one more than bounds.

    Raises:
        TypeError: a bound is not a number, or a label no text.
        InvalidTermError: the bounds do not rise to 1, or the labels are not as many as the tiers or not distinct.
    """

    bounds: tuple[float, ...] = (0.15, 0.33, 0.50, 0.67, 0.85, 1.0)
    labels: tuple[str, ...] = (
        "apex-objective",
        "objective",
        "base-static",
        "mid-dynamic",
        "high-subjective",
        "apex-dynamic",
        "apex-subjective",
    )

    def __post_init__(self) -> None:
        before = 0.0
        for at, given in enumerate(self.bounds):
            bound = finite_number(f"scale.bounds[{at}]", given)
            if bound <= before:
                raise InvalidTermError(f"scale.bounds[{at}]", f"must be above {before:g}, not {bound:g}: bounds rise")
            before = bound
        if before != 1.0:
            raise InvalidTermError("scale.bounds", "must end with exactly 1")
        if len(self.labels) != len(self.bounds) + 1:
            wanted = len(self.bounds) + 1
            raise InvalidTermError("scale.labels", f"must be {wanted}, one more than bounds, not {len(self.labels)}")
        for at, label in enumerate(self.labels):
            if not isinstance(label, str):
                raise TypeError(f"scale.labels[{at}]: must be a text, not {type(label).__name__}")
            if not label.strip() or label in self.labels[:at]:
                raise InvalidTermError(f"scale.labels[{at}]", f"must be a name of its own, not {label!r}")
        object.__setattr__(self, "bounds", tuple(map(float, self.bounds)))
        object.__setattr__(self, "labels", tuple(self.labels))

    def place(self, value: float) -> Subjectivity:
        """Return a value with its tier; one outside [0, 1] is moved to the nearer end.

        Raises:
            TypeError: it is not a number.
            InvalidTermError: it is NaN or infinite.
        """
        kept = min(max(finite_number("value", value), 0.0), 1.0)
        return Subjectivity(kept, self.labels[bisect_right(self.bounds, kept)])


DEFAULT_SCALE = SubjectivityScale()
