"""What contexts were read as: found in the lattice, at hand from the batch before, or made by the embedder."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from knowledge.context import Context
from knowledge.embedding import Embedder, TokenEmbedder
from knowledge.passages import Embedded


@dataclass(slots=True)
class Readings:
    """Readings by the key of their context.

    Attributes:
        found: all of them.
        asked: the keys of those that the embedder was asked for.
    """

    found: dict[bytes, Embedded] = field(default_factory=dict)
    asked: set[bytes] = field(default_factory=set)

    def missing(self, contexts: Iterable[Context]) -> dict[bytes, Context]:
        """Return the contexts that are not at hand, by key."""
        keyed = ((context.key, context) for context in contexts)
        return {key: context for key, context in keyed if key not in self.found}


async def embed_missing(embedder: Embedder, contexts: Iterable[Context], readings: Readings) -> None:
    """Embed what is not at hand, the longest first, so that no core is left alone with a long one at the end.

    Raises:
        EmbedderUnavailableError: the same may succeed later.
    """
    ordered = sorted(readings.missing(contexts).items(), key=lambda item: len(item[1].text), reverse=True)
    if not ordered:
        return
    texts = [context.text for _, context in ordered]
    if isinstance(embedder, TokenEmbedder):
        read = await embedder.read(texts, [context.own for _, context in ordered])
        made = [Embedded(each.vector, each.states.tobytes()) for each in read]
    else:
        made = [Embedded(vector, None) for vector in await embedder.embed(texts)]
    keys = [key for key, _ in ordered]
    readings.found.update(zip(keys, made, strict=True))
    readings.asked.update(keys)
