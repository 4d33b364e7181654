"""What happens to reflections, told once it is committed."""

from dataclasses import dataclass

from reflection.prompt import Grounding


@dataclass(frozen=True, slots=True)
class ReflectionStored:
    """A question was answered.

    Attributes:
        grounding: whether the answer cites what it was given.
        seconds: from the question until the answer was stored.
    """

    grounding: Grounding
    seconds: float
