"""What a move to another embedding model will do, and how far it has come."""

from dataclasses import dataclass
from typing import Literal

from knowledge.keeping.models import Task

Stage = Literal["embedding", "indexing", "switching", "emptying"]


@dataclass(frozen=True, slots=True)
class ReembedPlan:
    """What there is to do.

    Attributes:
        task: "move" to another model, "complete" what an older version left out, or "nothing".
        model: that is stored; None in a new lattice.
        texts: passages to be embedded, or only completed.
        tokens: about how many tokens these have with their contexts, by the local tokenizer; what is paid for.
    """

    task: Task
    model: str | None
    next_model: str
    texts: int
    tokens: int


@dataclass(frozen=True, slots=True)
class ReembedProgress:
    """How far it has come.

    Attributes:
        stage: what is being done.
        done: passages embedded or completed by this run.
        total: of how many, as counted at its start.
        emptied: passages whose old vector is gone.
        seconds: since the start.
    """

    stage: Stage = "embedding"
    done: int = 0
    total: int = 0
    emptied: int = 0
    seconds: float = 0.0

    @property
    def left_s(self) -> float | None:
        """Seconds that embedding will still take at this rate; None if nothing tells."""
        return None if not self.done else self.seconds / self.done * max(0, self.total - self.done)
