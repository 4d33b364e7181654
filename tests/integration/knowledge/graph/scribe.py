"""A model for tests that reads "Ann lives in Oslo since 2010." and the like, and remembers what it was asked."""

import re
from collections.abc import Sequence
from decimal import Decimal

from core.errors import LatticeError, StructureInvalidError
from knowledge.graph.extraction import CallEstimate, Extracted, Extraction, FoundRelation, NamedEntity, ShownPassage

CLAIM = re.compile(r"(\w+) (lives in|likes) (\w+)(?: since (\d+))?")
CALL_USD = Decimal("0.01")


class Scribe:
    """Extracts what is plain to see.

    Attributes:
        asked: the texts of each call.
        fails: what a call raises, by its number from 0.
        unreadable: texts about which it talks nonsense.
        silent: texts that it passes over once.
        invents: whether it also tells what nobody said.
    """

    version = "1"

    def __init__(self, model: str = "scribe", cost_usd: Decimal | None = CALL_USD) -> None:
        self.model, self.cost_usd = model, cost_usd
        self.asked: list[list[str]] = []
        self.fails: dict[int, LatticeError] = {}
        self.unreadable: set[str] = set()
        self.silent: set[str] = set()
        self.invents = False
        self.says = CLAIM

    @property
    def texts(self) -> list[str]:
        return [text for call in self.asked for text in call]

    def estimate(self, passages: Sequence[ShownPassage]) -> CallEstimate:
        tokens = sum(each.tokens for each in passages)
        return CallEstimate(tokens, 2 * tokens, self.cost_usd, self.cost_usd and 2 * self.cost_usd)

    async def extract(self, passages: Sequence[ShownPassage]) -> Extraction:
        texts = [each.text for each in passages]
        self.asked.append(texts)
        if error := self.fails.pop(len(self.asked) - 1, None):
            raise error
        if self.unreadable & {*texts}:
            raise StructureInvalidError("nonsense")
        found = [None if text in self.silent else self._read(text) for text in texts]
        self.silent -= {*texts}
        return Extraction(found, 10, 20, self.cost_usd)

    def _read(self, text: str) -> Extracted:
        claims = [FoundRelation(match[1], match[2], match[3], match[4]) for match in self.says.finditer(text)]
        entities = [NamedEntity(each.subject, "person") for each in claims]
        if self.invents:
            entities.append(NamedEntity("Atlantis", "place"))
            claims.append(FoundRelation("Ann", "lives in", "Atlantis"))
        return Extracted(entities, claims)
