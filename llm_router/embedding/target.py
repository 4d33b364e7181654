"""The seam: what the router of embeddings needs of one model behind one address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from llm_router.reply import Usage
from llm_router.target import Clocks

FloatArray: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Embedded:
    """What a target gave for n texts.

    Attributes:
        vectors: shape (n, d), each of length 1, in the order of the texts.
        model: as the provider names it.
        usage: normalised; `raw_usage` is what the provider sent.
        cost_usd: what the provider itself says that it charged; None if it does not say.
    """

    vectors: FloatArray
    model: str
    usage: Usage
    raw_usage: Mapping[str, object] | None = field(default=None, repr=False)
    cost_usd: Decimal | None = None


class EmbeddingTarget(Protocol):
    """One embedding model behind one address."""

    @property
    def name(self) -> str:
        """Unique in a router."""

    async def embed(self, texts: Sequence[str], clocks: Clocks) -> Embedded:
        """Embed at least one text, by one request.

        Raises:
            TargetFault: for whatever the other side does wrong, and nothing else for it.
        """

    async def aclose(self) -> None:
        """Close the connections."""
