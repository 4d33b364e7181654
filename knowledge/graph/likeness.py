"""Which passages are nearest to which, by exact comparison in blocks. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Passages that are compared together.

    Attributes:
        slots: shape (n,).
        documents: n ids: passages of one document are not compared.
        vectors: shape (n, d), each of length 1.
    """

    slots: NDArray[np.int64]
    documents: Sequence[UUID]
    vectors: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.slots)


@dataclass(frozen=True, slots=True)
class Likeness:
    """How near one passage is to another, both by their slots."""

    slot: int
    target: int
    cosine: float


def find_nearest(sources: Block, targets: Block, threshold: float, most: int) -> list[Likeness]:
    """Return for each source the targets of other documents with a cosine from `threshold` up, `most` at the most.

    The nearest are kept; ties go to the lower slot.
    """
    if not len(sources) or not len(targets):
        return []
    codes: dict[UUID, int] = {}
    source_codes, target_codes = (
        np.array([codes.setdefault(each, len(codes)) for each in block.documents]) for block in (sources, targets)
    )
    cosines = sources.vectors @ targets.vectors.T
    rows, columns = np.nonzero((cosines >= threshold) & (source_codes[:, None] != target_codes))
    near = cosines[rows, columns]
    order = np.lexsort((targets.slots[columns], -near, rows))
    rows, columns, near = rows[order], columns[order], near[order]
    first = np.searchsorted(rows, rows)  # where the run of each row begins
    kept = np.arange(len(rows)) - first < most
    return [
        Likeness(int(sources.slots[row]), int(targets.slots[column]), min(1.0, float(cosine)))
        for row, column, cosine in zip(rows[kept], columns[kept], near[kept], strict=True)
    ]
