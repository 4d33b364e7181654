"""What an extraction is asked for, what it would take, and how far it has come."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from decimal import Decimal
from typing import Any, Self

from core.errors import InvalidInputError
from knowledge.graph.belief import Believed
from knowledge.graph.purse import NOTHING


@dataclass(frozen=True, slots=True)
class ExtractionWish:
    """What is asked for.

    Attributes:
        max_usd: that may be spent.
        most: passages that are dealt with at the most.

    Raises:
        InvalidInputError: one of them is not above 0.
    """

    max_usd: Decimal | None = None
    most: int | None = None

    def __post_init__(self) -> None:
        if self.max_usd is not None and not (self.max_usd.is_finite() and self.max_usd > 0):
            raise InvalidInputError("max_usd", "must be an amount above 0")
        if self.most is not None and self.most < 1:
            raise InvalidInputError("limit", "must be at least 1")


@dataclass(frozen=True, slots=True)
class ExtractionPlan:
    """What an extraction would take.

    Attributes:
        passages: that are still to be dealt with.
        known: of these, those of which it is known already what is in them.
        calls: of the model.
        cost_usd: likely; None if the model's prices are not known.
        most_usd: if each call is answered at once, at the most.
    """

    passages: int
    known: int
    calls: int
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal | None
    most_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How far an extraction has come.

    Attributes:
        passages: dealt with; `known` of them without asking.
        failed: passages of which the model gave no answer that can be read.
        calls: that were answered.
        entities, relations: found, counted in each passage.
        dropped: of what the model said, by reason.
        cost_usd: of all calls whose cost is known; an answer that cannot be read counts as dear as may be.
        unpriced: calls whose cost is not known.
    """

    passages: int = 0
    known: int = 0
    failed: int = 0
    calls: int = 0
    entities: int = 0
    relations: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: Decimal = NOTHING
    unpriced: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return it in JSON values."""
        return {**asdict(self), "cost_usd": str(self.cost_usd)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Return what `as_json` wrote; what is not there is 0."""
        known = {each.name for each in fields(cls)}
        told = {name: part for name, part in value.items() if name in known}
        return cls(**{**told, "cost_usd": Decimal(told.get("cost_usd", "0"))})

    def add(self, found: Sequence[Believed], *, known: int) -> Self:
        """Count passages whose graph has now what was found in them."""
        return replace(
            self,
            passages=self.passages + len(found),
            known=self.known + known,
            entities=self.entities + sum(len(each.entities) for each in found),
            relations=self.relations + sum(len(each.relations) for each in found),
            dropped=dict(sum((Counter(each.dropped) for each in found), Counter(self.dropped))),
        )
