"""Where texts say the words of a title, in whatever case. Pure.

A title is looked for in new texts by `KeySearch`, among all keys that are stored, and in older ones by `says_key`; both
find the same.
"""

import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from knowledge.graph.names import LONGEST_KEY, LONGEST_TEXT, WORD, fold_word
from knowledge.lexical.terms import STOP_WORDS

MOST_WORDS = 12  # of a title that is looked for
LEAST_LETTERS = 4


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a text.

    Attributes:
        lower: as they are compared.
        folded: the same without possessive and plural, as the last word of a key.
        stop: whether each is a stop word.
        capital: whether each has a capital or a digit at its head.
    """

    lower: list[str]
    folded: list[str]
    stop: list[bool]
    capital: list[bool]


def read_words(text: str) -> Words:
    """Read the words of a text, of a very long one those at its beginning."""
    text = text[:LONGEST_TEXT]
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    raw = WORD.findall(text)
    lower = [word.casefold().replace("’", "'") for word in raw]
    return Words(
        lower=lower,
        folded=[fold_word(word) for word in lower],
        stop=[word in STOP_WORDS for word in lower],
        capital=[word[0].isupper() or word[0].isdigit() for word in raw],
    )


def is_searchable(key: str) -> bool:
    """Say whether a title of this key is looked for in texts: not too short, too long, or of stop words only."""
    parts = key.split(" ")
    return (
        len(parts) <= MOST_WORDS
        and sum(map(str.isalpha, key)) >= LEAST_LETTERS
        and not all(part in STOP_WORDS for part in parts)
    )


def says_key(words: Words, key: str) -> bool:
    """Say whether a text has the words of a key in a row, where a title may stand.

    A title neither begins nor ends with a stop word in lower case, though one may stand before a capital.
    """
    further = key.count(" ")
    return any(_may_begin(words, start) and _may_end(words, start + further) for start in _places(words, key))


def has_words(words: Words, key: str) -> bool:
    """Say whether a text has the words of a key in a row."""
    return any(True for _ in _places(words, key))


class _Run(NamedTuple):  # made by the ten thousand: a dataclass takes thrice the time
    """Words in a row of a text: as they are said, and as a key if a title may end with the last of them."""

    said: str
    key: str | None
    text: int
    end: int
    last: int  # where the longest run from its start would end


class KeySearch:
    """A search of texts for stored keys, one word further with each answer, so that few of many runs are asked for.

    The first question is for single words, each once; only where one may begin a key, a run does.

    Attributes:
        said: the stored keys found so far, as `says_key` sees them, each with the numbers of the texts that say it.
    """

    def __init__(self, texts: Sequence[Words]) -> None:
        self.said: dict[str, set[int]] = {}
        self._texts = texts
        self._runs: list[_Run] | None = None

    def ask(self) -> set[str]:
        """Return what to look up next; nothing at the end.

        Of each: whether it is a stored key, and whether it is the beginning of one that goes on with another word.
        """
        if self._runs is None:
            return {word for words in self._texts for spelt in (words.lower, words.folded) for word in spelt}
        return {run.said for run in self._runs} | {run.key for run in self._runs if run.key is not None}

    def tell(self, stored: Collection[str], longer: Collection[str]) -> None:
        """Take the answer: which are stored, and which are the beginning of a stored one."""
        further = []
        for run in self._begin(stored, longer) if self._runs is None else self._runs:
            if run.key in stored and run.key is not None:
                self.said.setdefault(run.key, set()).add(run.text)
            if run.said in longer and run.end < run.last and len(run.said) < LONGEST_KEY:
                further.append(self._run(f"{run.said} ", run.text, run.end + 1, run.last))
        self._runs = further

    def _begin(self, stored: Collection[str], longer: Collection[str]) -> Iterator[_Run]:
        for i, words in enumerate(self._texts):
            for start, (word, folded) in enumerate(zip(words.lower, words.folded, strict=True)):
                if (word in longer or folded in stored) and _may_begin(words, start):
                    yield self._run("", i, start, min(start + MOST_WORDS, len(words.lower)) - 1)

    def _run(self, head: str, text: int, end: int, last: int) -> _Run:
        words = self._texts[text]
        key = head + words.folded[end] if _may_end(words, end) else None
        return _Run(head + words.lower[end], key, text, end, last)


def _may_begin(words: Words, start: int) -> bool:
    return not words.stop[start] or any(words.capital[start : start + 2])


def _may_end(words: Words, end: int) -> bool:
    return not words.stop[end] or words.capital[end]


def _places(words: Words, key: str) -> Iterator[int]:
    """Yield where a text has the words of a key in a row."""
    *head, last = key.split(" ")
    for end, word in enumerate(words.folded):
        if word == last and end >= len(head) and words.lower[end - len(head) : end] == head:
            yield end - len(head)
