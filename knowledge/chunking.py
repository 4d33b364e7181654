"""Cutting a document into passages at the borders of headings, paragraphs and sentences."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from semantic_text_splitter import TextSplitter
from tokenizers import Tokenizer

from knowledge.context import PATH_SEPARATOR
from knowledge.headings import Heading, find_headings

# The splitter looks ahead over all it is given; in blocks of this size its time stays linear and its memory small.
BLOCK_CHARS = 20_000

# A word of a hundred letters or a thousand is one unknown token to a word-piece tokenizer: without a bound in
# characters, a megabyte of base64 would be one passage. Prose has 4 to 6 characters a token.
CHARS_PER_TOKEN = 8

# Most tokens that one character becomes: a Hangul syllable is decomposed into three letters.
TOKENS_PER_CHAR = 3

TINY_TOKENS = 20
OVERFULL = 1.1
MAX_HEADING_RUN_CHARS = 400

# The break of a hard-wrapped line: a long line that ends within a sentence, and a next one that goes on with it.
_WRAPPED = re.compile(r"(?m)^([^\n|]{45,400}[\w,;)\"'’”`*])(\r?\n[ ]{0,6})(?=[^\W\d_]|[`(\"“*](?=\w))")


@dataclass(frozen=True, slots=True)
class Chunk:
    """One passage of a text.

    Attributes:
        text: equal to the document's text[start:end], without blank edges.
        heading: path of the headings it stands under, highest first, joined by PATH_SEPARATOR.
        start: offset of its first character.
        end: offset behind its last character.
    """

    text: str
    heading: str | None
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Section:
    start: int  # of its heading lines
    body: int  # of what follows them
    end: int
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int
    path: tuple[str, ...]


class Chunker:
    """Cuts texts into passages of at most about `max_tokens`; safe to share between threads.

    Args:
        tokenizer: counts the tokens; it is copied, so its own truncation and padding stay as they are. Or what loads
            it, as soon as a text is to be cut or counted.
        max_tokens: of one passage, special tokens not counted; a heading or a tiny rest may add a tenth.
    """

    def __init__(self, tokenizer: Tokenizer | Callable[[], Tokenizer], max_tokens: int = 200) -> None:
        self._given = tokenizer
        self._max_tokens = max_tokens
        self._max_chars = max_tokens * CHARS_PER_TOKEN
        self._by_length = TextSplitter(self._max_chars)

    @property
    def tokenizer(self) -> Tokenizer:
        """What counts the tokens; it neither truncates nor pads."""
        return self._tokenizer

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        given = self._given if isinstance(self._given, Tokenizer) else self._given()
        tokenizer = Tokenizer.from_str(given.to_str())
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    @cached_property
    def _by_tokens(self) -> TextSplitter:
        # Not MarkdownSplitter: it cuts at a code span or a bold word sooner than at the end of a sentence.
        return TextSplitter.from_huggingface_tokenizer(self._tokenizer, self._max_tokens)

    def split(self, text: str) -> list[Chunk]:
        """Return the passages of a text in order; none for a blank text. Time is linear in its length.

        Every character that is not white space is in exactly one passage. A heading opens the passage that follows
        it; a text that fits into one passage stays whole.
        """
        if not text or text.isspace():
            return []
        headings = list(find_headings(text))
        if self._fits(text, self._max_tokens):
            paths: list[tuple[str, ...]] = [path for _, path in _paths(headings)] or [()]
            opens = not text[: headings[0].start].strip() if headings else True
            path = _common(paths) if opens else ()
            return [_chunk(text, _Span(0, len(text), path))]
        spans = [span for section in _sections(text, headings) for span in self._split_section(text, section)]
        return [_chunk(text, span) for span in self._merge_tiny(text, spans)]

    def count(self, text: str) -> int:
        """Return the number of tokens of a text, special tokens not counted."""
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def _fits(self, text: str, max_tokens: int) -> bool:
        if len(text) * TOKENS_PER_CHAR <= max_tokens:
            return True
        return len(text) <= self._max_chars and self.count(text) <= max_tokens

    def _split_section(self, text: str, section: _Section) -> list[_Span]:
        spans: list[_Span] = []
        for start, end in _blocks(text, section.body, section.end):
            for offset, piece in self._by_tokens.chunk_indices(_unwrapped(text[start:end])):
                spans += self._bounded(text, start + offset, start + offset + len(piece), section.path)
        if spans and section.start < section.body:
            spans[0] = _Span(section.start, spans[0].end, section.path)
        return spans

    def _bounded(self, text: str, start: int, end: int, path: tuple[str, ...]) -> Iterator[_Span]:
        if end - start <= self._max_chars:
            yield _Span(start, end, path)
            return
        for offset, piece in self._by_length.chunk_indices(text[start:end]):
            yield _Span(start + offset, start + offset + len(piece), path)

    def _merge_tiny(self, text: str, spans: list[_Span]) -> list[_Span]:
        """Join a span of a few words to the one before it, or the first to the one behind it, if both fit."""
        cap = int(self._max_tokens * OVERFULL)
        merged: list[_Span] = []
        size: int | None = None  # tokens of the last one in merged, once somebody asked
        for span in spans:
            tiny = self._size_if_tiny(text, span)
            if merged and (tiny is not None or (len(merged) == 1 and self._size_if_tiny(text, merged[0]) is not None)):
                last = merged[-1]
                size = self._size(text, last) if size is None else size
                added = self._size(text, span) if tiny is None else tiny
                if size + added <= cap and span.end - last.start <= self._max_chars:
                    merged[-1] = _Span(last.start, span.end, _common([last.path, span.path]))
                    size += added
                    continue
            merged.append(span)
            size = tiny
        return merged

    def _size(self, text: str, span: _Span) -> int:
        return self.count(text[span.start : span.end])

    def _size_if_tiny(self, text: str, span: _Span) -> int | None:
        """Return the tokens of a tiny span, None for any other; long ones are not counted."""
        if span.end - span.start > TINY_TOKENS * CHARS_PER_TOKEN:
            return None
        size = self._size(text, span)
        return size if size < min(TINY_TOKENS, self._max_tokens // 2) else None


def _paths(headings: list[Heading]) -> Iterator[tuple[Heading, tuple[str, ...]]]:
    """Pair each heading with the path down to it."""
    stack: list[Heading] = []
    for heading in headings:
        while stack and stack[-1].level >= heading.level:
            stack.pop()
        stack.append(heading)
        yield heading, tuple(above.name for above in stack)


def _sections(text: str, headings: list[Heading]) -> Iterator[_Section]:
    """Cut a text at its headings; a heading without a text of its own opens the section of the next one."""
    first = headings[0].start if headings else len(text)
    if text[:first].strip():
        yield _Section(0, 0, first, ())
    ends = [*(heading.start for heading in headings[1:]), len(text)] if headings else []
    pending: int | None = None
    path: tuple[str, ...] = ()
    for (heading, path), end in zip(_paths(headings), ends, strict=True):
        start = heading.start if pending is None else pending
        if text[heading.end : end].strip():
            yield _Section(start, heading.end, end, path)
            pending = None
        elif end - start > MAX_HEADING_RUN_CHARS:  # a bare outline is a text like any other
            yield _Section(start, start, end, path)
            pending = None
        else:
            pending = start
    if pending is not None:
        yield _Section(pending, pending, len(text), path)


def _blocks(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Cut text[start:end] into blocks of at most BLOCK_CHARS, at the last empty line, line or word of each."""
    while end - start > BLOCK_CHARS:
        limit = start + BLOCK_CHARS
        cut = limit
        for border in ("\n\n", "\n", ". ", " "):
            found = text.rfind(border, start + BLOCK_CHARS // 2, limit)
            if found >= 0:
                cut = found + len(border)
                break
        yield start, cut
        start = cut
    yield start, end


def _unwrapped(text: str) -> str:
    """Return the text, equally long, with the breaks of hard-wrapped lines made spaces.

    Splitters take every line break for a stronger border than the end of a sentence; in a wrapped paragraph it
    is none.
    """
    return _WRAPPED.sub(lambda line: line[1] + " " * len(line[2]), text)


def _common(paths: list[tuple[str, ...]]) -> tuple[str, ...]:
    """Return what all paths begin with."""
    shared = paths[0]
    for path in paths[1:]:
        length = next((i for i, (a, b) in enumerate(zip(shared, path, strict=False)) if a != b), None)
        shared = shared[:length] if length is not None else min(shared, path, key=len)
    return shared


def _chunk(text: str, span: _Span) -> Chunk:
    piece = text[span.start : span.end]
    start = span.start + len(piece) - len(piece.lstrip())
    piece = piece.strip()
    return Chunk(piece, PATH_SEPARATOR.join(span.path) or None, start, start + len(piece))
