"""HTML: what a reader of the page sees, headings kept as Markdown headings."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO

from lxml import etree

from knowledge.documents import MAX_TEXT_CHARS
from knowledge.sources.problem import TimeLimit, UnreadableError
from knowledge.sources.text import Content, first_line, open_text, squeeze, too_long

MOST_DEPTH = 10_000  # tags within tags
_PIECE_CHARS = 65_536
_TITLE_CHARS = 10_000
_DECLARED = re.compile(rb"<(?:\?xml|meta)[^>]*?(?:encoding|charset)\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)

_DROPPED = {
    *("script", "style", "noscript", "template", "nav", "svg", "iframe", "object", "button", "select", "textarea"),
    "head",
}
_HEADINGS = {f"h{level}": "#" * level + " " for level in range(1, 7)}
_PREFIXES = {**_HEADINGS, "li": "- "}
_CELLS = {"td", "th"}
_INLINE = {
    *("a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "del", "dfn", "em", "font", "i", "ins", "kbd", "label"),
    *("mark", "q", "rp", "rt", "ruby", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "time", "tt"),
    *("u", "var", "wbr"),
}
_SPACED = {*_HEADINGS, "p", "pre", "table", "ul", "ol", "blockquote", "section", "article", "div", "main", "figure"}


def read(data: bytes) -> Content:
    """Read a page; the title is <title>, else the first <h1>. No tree is built: a page may be all tags.

    Raises:
        UnreadableError: the bytes are no text, more of it than a document may have, or nested without end.
    """
    declared = _DECLARED.search(data[:4096])
    pieces = open_text(data, declared[1].decode("ascii", "replace") if declared else None)
    page, limit = _Page(), TimeLimit()
    parser = etree.HTMLParser(target=page, huge_tree=True)
    try:
        while piece := pieces.read(_PIECE_CHARS):
            limit.check()
            parser.feed(piece.replace("\0", ""))
        parser.close()
    except etree.LxmlError as error:  # of a page without any text or tag, too
        raise UnreadableError(f"holds no text that HTML could ({error!s:.200})") from error
    return page.content()


@dataclass(slots=True, eq=False)
class _Tag:
    """A tag that is open.

    Attributes:
        block: the nearest block around its text: itself, or a row for what is in a table; None outside of all.
        cell: that its text is in.
        row: the nearest row.
        marked: the nearest heading or list item.
        titling: what its text is the title by: "title", "h1" or nothing.
        is_dropped: whether its text is unseen.
        is_empty: whether no tag has been in it yet.
        has_mark: whether its mark was written, for a heading or list item.
    """

    name: str
    block: "_Tag | None" = None
    cell: "_Tag | None" = None
    row: "_Tag | None" = None
    marked: "_Tag | None" = None
    titling: str | None = None
    is_dropped: bool = False
    is_empty: bool = True
    has_mark: bool = False


class _Page:
    """Collects the strings of a page in order; a border between blocks shows when the next string is in another one.

    Its methods without an underscore, but the last, are called by the parser, which closes whatever it opens.
    """

    def __init__(self) -> None:
        self._open = [_Tag("")]
        self._string = StringIO()  # since the last tag
        self._text = StringIO()
        self._titles = {"title": StringIO(), "h1": StringIO()}
        self._block: _Tag | None = None
        self._cell: _Tag | None = None

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Open a tag."""
        self._end_string()
        parent = self._open[-1]
        if len(self._open) > MOST_DEPTH:
            raise UnreadableError(f"is nested deeper than {MOST_DEPTH:,} tags")
        tag = _Tag(name, parent.block, parent.cell, parent.row, parent.marked, parent.titling, parent.is_dropped)
        tag.is_dropped |= name in _DROPPED or _is_hidden(name, attributes)
        if name in _CELLS:
            tag.block, tag.cell = tag.row, tag
        elif name not in _INLINE and not _lines_cell(name, parent):
            tag.block, tag.cell = tag, None
        if name == "tr":
            tag.row = tag
        if name in _PREFIXES:
            tag.marked = tag
        if name in self._titles and parent.name != "svg" and not self._titles[name].tell():
            tag.titling = name
        parent.is_empty = False
        self._open.append(tag)
        if name == "br" and not tag.is_dropped:
            self._write("\n")

    def end(self, _name: str) -> None:
        """Close the tag that was opened last."""
        self._end_string()
        self._open.pop()

    def data(self, text: str) -> None:
        """Take a piece of a string."""
        tag = self._open[-1]
        if not tag.is_dropped or tag.titling:
            self._string.write(text)
            if self._string.tell() > MAX_TEXT_CHARS:
                raise too_long()

    def close(self) -> None:
        """End the page."""
        self._end_string()
        self._close()

    def content(self) -> Content:
        """Return what was collected."""
        return Content(squeeze(self._text.getvalue()), first_line(*(each.getvalue() for each in self._titles.values())))

    def _end_string(self) -> None:
        if not self._string.tell():
            return
        string, self._string = self._string.getvalue(), StringIO()
        tag = self._open[-1]
        if tag.titling:
            title = self._titles[tag.titling]
            title.write(string.lstrip()[:_TITLE_CHARS] if not title.tell() else string[: _TITLE_CHARS - title.tell()])
        if not tag.is_dropped:
            self._add(string, tag)

    def _add(self, string: str, tag: _Tag) -> None:
        block, cell = tag.block, tag.cell
        verbatim = block is not None and block.name == "pre"
        opens = block is not self._block
        if not string.strip() and (opens or not verbatim):
            if not opens and cell is self._cell and self._text.tell():
                self._write(" ")
            return
        if opens:
            self._open_block(block)
        elif cell is not self._cell and self._text.tell():
            self._write(" | ")
        self._cell = cell
        words = string if verbatim else _collapsed(string)
        self._write(words.lstrip(" ") if opens and not verbatim else words)

    def _open_block(self, block: _Tag | None) -> None:
        spaced = self._close()
        self._block = block
        if block is None:
            return
        self._write("\n\n" if spaced or block.name in _SPACED else "\n")
        if block.name == "pre":
            self._write("```\n")
        elif (marked := block.marked) is not None and not marked.has_mark:
            marked.has_mark = True
            self._write(_PREFIXES[marked.name])

    def _close(self) -> bool:
        """End the block at hand; True if an empty line must follow it."""
        last = self._block
        if last is not None and last.name == "pre":
            self._write("\n```")
        return last is not None and last.name in _SPACED

    def _write(self, text: str) -> None:
        self._text.write(text)
        if self._text.tell() > MAX_TEXT_CHARS:
            raise too_long()


def _lines_cell(name: str, parent: _Tag) -> bool:
    """Tell whether a block is the lining of a table's cell: the first thing in it."""
    return name in {"p", "div"} and parent.name in _CELLS and parent.is_empty


def _collapsed(string: str) -> str:
    words = " ".join(string.split())
    return f"{' ' * string[:1].isspace()}{words}{' ' * string[-1:].isspace()}"


def _is_hidden(name: str, attributes: Mapping[str, str]) -> bool:
    if "hidden" in attributes or attributes.get("aria-hidden") == "true":
        return True
    return name == "a" and "headerlink" in attributes.get("class", "").split()
