"""Synthetic text of a fixed seed: words by Zipf's law, in sentences, so that scale can be measured without any data."""

import random
from collections.abc import Iterator

from knowledge import SourceDocument

SYLLABLES = [f"{a}{b}" for a in "bdfgklmnprst" for b in ("a", "e", "i", "o", "u", "an", "er", "in", "ol", "us")]
VOCABULARY = 20_000


def make_words(rng: random.Random) -> list[str]:
    """Return distinct words of two to four syllables, the commonest first."""
    words: dict[str, None] = {}
    while len(words) < VOCABULARY:
        words["".join(rng.choices(SYLLABLES, k=rng.randint(2, 4)))] = None
    return list(words)


class Writer:
    """Writes sentences of a made-up language."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._words = make_words(random.Random(0))
        total = 0.0
        self._weights = [total := total + 1.0 / (rank + 3) for rank in range(VOCABULARY)]

    def sentence(self, words: int) -> str:
        """Return one sentence."""
        said = self._rng.choices(self._words, cum_weights=self._weights, k=words)
        return f"{' '.join(said).capitalize()}."

    def text(self, sentences: int, words: int = 9) -> str:
        """Return a paragraph."""
        return " ".join(self.sentence(words) for _ in range(sentences))

    def documents(self, count: int, sentences: int) -> Iterator[SourceDocument]:
        """Yield documents of one passage each."""
        for number in range(count):
            yield SourceDocument(self.text(sentences), external_id=f"{sentences}-{number}", title=self.sentence(2))
