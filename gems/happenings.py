"""What happens to gems, told once it is committed."""

from dataclasses import dataclass
from uuid import UUID

from gems.state import QuantumState


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The state of a gem is another one than time alone would have made of it.

    Attributes:
        cause: as the log has it.
        before: the state just before, evolved to the same moment.
        after: the state since.
        via_gem_id: the gem whose use reached this one; None for one that was used itself.
    """

    gem_id: UUID
    cause: str
    before: QuantumState[float]
    after: QuantumState[float]
    via_gem_id: UUID | None = None
