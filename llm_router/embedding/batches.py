"""Texts divided into batches that a provider takes. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

BYTES_A_TOKEN = 4
"""Of UTF-8, by estimate: of English as the providers advise; other scripts have more bytes and more tokens alike."""


@dataclass(frozen=True, slots=True)
class Item:
    """A text to embed.

    Attributes:
        digest: of the text and the model; equal for equal texts.
    """

    digest: bytes
    text: str

    @property
    def tokens(self) -> int:
        """A guess of how many tokens the text has."""
        return len(self.text.encode("utf-8", "surrogatepass")) // BYTES_A_TOKEN + 1


Batch = tuple[Item, ...]


def plan_batches(items: Iterable[Item], most_texts: int, most_tokens: int) -> Iterator[Batch]:
    """Yield the items in batches, in their order; one that is too long for any batch is alone in its own."""
    batch: list[Item] = []
    tokens = 0
    for item in items:
        if batch and (len(batch) == most_texts or tokens + item.tokens > most_tokens):
            yield tuple(batch)
            batch, tokens = [], 0
        batch.append(item)
        tokens += item.tokens
    if batch:
        yield tuple(batch)


def halve(batch: Batch) -> tuple[Batch, Batch]:
    """Return the two halves of a batch of at least two."""
    middle = len(batch) // 2
    return batch[:middle], batch[middle:]
