"""From a passage to its sentences, without the markup around them."""

import re
from collections.abc import Iterator

import sentencex

_FENCE = re.compile(r"^\s*(```|~~~)")
_NOT_PROSE = re.compile(
    r"""^\s*(
        \#{1,6}\s.*             # a heading
        | \|.*\|\s*             # a table row
        | [-:|\s]*-{3,}[-:|\s]* # a rule, or the line under a table's head
        | ={3,}\s* | \*{3,}\s*  # other rules
        | !\[[^\]]*\]\([^)]*\)  # an image alone
    )$""",
    re.VERBOSE,
)
_ITEM = re.compile(r"^\s*(?:>\s?)*(?:[-*+•]\s+(?:\[[ xX]\]\s+)?|\d{1,3}[.)]\s+)")
_QUOTE = re.compile(r"^\s*(?:>\s?)+")
_CITATION = re.compile(r"\s?\[[1-9]\d{0,3}(?:\s*[,;]\s*[1-9]\d{0,3})*\]")  # would read as a citation of ours
_LINK = re.compile(r"\[([^\[\]]+)\]\([^()\s]*\)")
_STRONG = re.compile(r"\*\*|(?<!\w)__(?=\S)|(?<=\S)__(?!\w)")
_SPACE = re.compile(r"\s+")
_LETTER = re.compile(r"[^\W\d_]")


def split_sentences(text: str) -> list[str]:
    """Return a passage's sentences in order, each on one line and in the passage's own words.

    Headings, table rows, rules and code are no sentences; list bullets, quote marks, the addresses of links, marks of
    bold type and numbers in brackets are taken off. A passage that has nothing else gives its table rows ("first cell:
    the others") and code lines.
    """
    found = [sentence for block in _list_blocks(text) for sentence in _cut(block)]
    return found or [line for each in text.splitlines() if _LETTER.search(line := _clean(_unframe(each)))]


def _unframe(line: str) -> str:
    """Return a line of a table or of code without its frame."""
    cells = [cell for part in line.strip("#~ ").split("|") if (cell := part.strip(" `"))]
    return f"{cells[0]}: {', '.join(cells[1:])}" if len(cells) > 1 else "".join(cells)


def _list_blocks(text: str) -> Iterator[str]:
    """Yield runs of lines that belong together: a paragraph, a list item or a quotation."""
    block: list[str] = []
    is_code = was_quote = False
    for line in text.splitlines():
        is_fence, quote = _FENCE.match(line) is not None, _QUOTE.match(line)
        is_code ^= is_fence
        is_prose = not (is_code or is_fence or _NOT_PROSE.match(line))
        item = _ITEM.match(line)
        is_quote = quote is not None
        if block and (not is_prose or not line.strip() or item or is_quote > was_quote):
            yield " ".join(block)
            block = []
        marker = item or quote
        rest = line[marker.end() :] if marker else line
        if is_prose and rest.strip():
            block.append(rest)
        was_quote = is_quote
    if block:
        yield " ".join(block)


def _cut(block: str) -> Iterator[str]:
    for sentence in sentencex.segment("en", block):
        clean = _clean(sentence)
        if _LETTER.search(clean):
            yield clean


def _clean(sentence: str) -> str:
    plain = _STRONG.sub("", _LINK.sub(r"\1", sentence))
    return _SPACE.sub(" ", _CITATION.sub("", plain)).strip()
