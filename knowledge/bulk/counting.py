"""Counting tokens quickly: a plain word has as many wherever it stands, so that each is looked up once."""

import re
from collections.abc import Sequence

from tokenizers import Tokenizer

# what the tokenizer takes as it is: no control characters, nothing to be decomposed, no special token such as [SEP]
_PLAIN = re.compile(r"[\t\n\r -Z\\-~]*")
_WORD = re.compile(r"[a-z0-9]+|[!-/:-@\\-`{-~]")
MOST_WORDS = 500_000  # remembered; random identifiers must not fill the memory


class TokenCounter:
    """Counts as `Chunker.count` does, for many texts; not to be shared between threads."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = Tokenizer.from_str(tokenizer.to_str())
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._is_by_word = _is_by_word(self._tokenizer)
        self._known: dict[str, int] = {}

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text, special tokens not counted."""
        return [self._count(text) for text in texts]

    def _count(self, text: str) -> int:
        if not self._is_by_word or not _PLAIN.fullmatch(text):
            return self._encode(text)
        words = _WORD.findall(text.lower())
        try:
            return sum(map(self._known.__getitem__, words))
        except KeyError:
            if len(self._known) >= MOST_WORDS:
                self._known.clear()
            self._known |= {word: self._encode(word) for word in words if word not in self._known}
            return self._count(text)

    def _encode(self, text: str) -> int:
        return len(self._tokenizer.encode(text, add_special_tokens=False))


def _is_by_word(tokenizer: Tokenizer) -> bool:
    """Tell whether it is an uncased BERT tokenizer: it lowers, parts at white space and signs, then cuts each word."""
    kinds = (tokenizer.normalizer, tokenizer.pre_tokenizer, tokenizer.model)
    names = [type(kind).__name__ for kind in kinds]
    return names == ["BertNormalizer", "BertPreTokenizer", "WordPiece"] and bool(tokenizer.normalizer.lowercase)
