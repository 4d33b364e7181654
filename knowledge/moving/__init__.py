"""Moving: merging and splitting gems, and undoing what was done to gems."""

from knowledge.moving.choosing import Amount, SplitWish
from knowledge.moving.moves import Moved, Moves

__all__ = ["Amount", "Moved", "Moves", "SplitWish"]
