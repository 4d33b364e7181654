"""Which embedding model a lattice has, and which one it moves to."""

from dataclasses import dataclass
from typing import Literal

from psycopg.rows import class_row

from core.errors import ConflictError
from core.pg import Connection
from core.sql import load_queries
from knowledge.passages import COLUMNS

_SQL = load_queries("knowledge.sql", "reembed.sql")


@dataclass(frozen=True, slots=True)
class LatticeModels:
    """The embedding models of a lattice.

    Attributes:
        model: of what is stored; None while nothing is.
        column: where its vectors are.
        next_model: that the lattice moves to; its vectors go into the other column. None if it stays.
    """

    model: str | None
    dimension: int | None
    column: str
    next_model: str | None
    next_dimension: int | None

    @property
    def other(self) -> str:
        """The column that is not current."""
        return COLUMNS[1 - COLUMNS.index(self.column)]


Task = Literal["nothing", "move", "complete"]


def choose_task(models: LatticeModels | None, model: str, dimension: int) -> Task:
    """Say what it takes for a lattice to have this model: a move, or what an older version left out, or nothing.

    Raises:
        ConflictError: it is on its way to yet another model.
    """
    if models is None or models.model is None:
        return "nothing"
    if models.next_model is not None and (models.next_model, models.next_dimension) != (model, dimension):
        raise ConflictError(
            f"this lattice is moving to {models.next_model} ({models.next_dimension} dimensions): finish that with "
            f"`lattice reembed --model {models.next_model}`, or give it up with `lattice reembed --abandon`",
            moving_to=models.next_model,
        )
    if models.next_model is None and (models.model, models.dimension) == (model, dimension):
        return "complete"
    return "move"


Hold = Literal["find_models", "hold_models", "lock_models"]


async def find_models(conn: Connection, hold: Hold = "find_models") -> LatticeModels | None:
    """Return the models of a lattice, held until the transaction ends if that is asked for; None if it is new."""
    async with conn.cursor(row_factory=class_row(LatticeModels)) as cursor:
        await cursor.execute(_SQL[hold])
        return await cursor.fetchone()


def check_models(found: LatticeModels | None, expected: LatticeModels) -> None:
    """Check that nobody changed a lattice's models meanwhile.

    Raises:
        ConflictError: somebody did.
    """
    if found != expected:
        raise ConflictError("another process moved this lattice to another embedding model meanwhile; run again")
