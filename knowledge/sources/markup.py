"""HTML: what a reader of the page sees, headings kept as Markdown headings."""

from itertools import chain

from bs4 import BeautifulSoup
from bs4.dammit import EncodingDetector
from bs4.element import NavigableString, Tag

from knowledge.sources.text import Content, decode, first_line, squeeze

_DROPPED = [
    *("script", "style", "noscript", "template", "nav", "svg", "iframe", "object", "button", "select", "textarea"),
    "head",
]
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
    """Read a page; the title is <title>, else the first <h1>.

    Raises:
        UnreadableError: the bytes are no text.
    """
    declared = EncodingDetector.find_declared_encoding(data[:4096], is_html=True, search_entire_document=True)
    soup = BeautifulSoup(decode(data, declared), "lxml")
    heading = soup.find("h1")
    title = first_line(soup.title.get_text() if soup.title else None, heading.get_text(" ") if heading else None)
    unseen = (soup.find_all(_DROPPED), soup.find_all(hidden=True), soup.find_all(True, {"aria-hidden": "true"}))
    for tag in (*chain(*unseen), *soup.find_all("a", class_="headerlink")):
        tag.extract()
    return Content(squeeze(_Page().write(soup)), title)


class _Page:
    """Collects the strings of a page in order; a border between blocks shows when the next string is in another one."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._block: Tag | None = None
        self._cell: Tag | None = None
        self._marked = set[int]()  # list items and headings that have their mark

    def write(self, soup: BeautifulSoup) -> str:
        for node in soup.descendants:
            if isinstance(node, Tag):
                if node.name == "br":
                    self._parts.append("\n")
            elif type(node) is NavigableString:  # its subclasses are comments, declarations and the like
                self._add(node)
        self._close()
        return "".join(self._parts)

    def _add(self, string: NavigableString) -> None:
        block, cell = _block_of(string)
        verbatim = block is not None and block.name == "pre"
        if not string.strip() and (block is not self._block or not verbatim):
            if block is self._block and cell is self._cell and self._parts:
                self._parts.append(" ")
            return
        opens = block is not self._block
        if opens:
            self._open(block)
        elif cell is not self._cell:
            self._parts.append(" | ")
        self._cell = cell
        words = str(string) if verbatim else _collapsed(string)
        self._parts.append(words.lstrip(" ") if opens and not verbatim else words)

    def _open(self, block: Tag | None) -> None:
        spaced = self._close()
        self._block = block
        if block is None:
            return
        self._parts.append("\n\n" if spaced or block.name in _SPACED else "\n")
        if block.name == "pre":
            self._parts.append("```\n")
            return
        marked = block if block.name in _PREFIXES else block.find_parent(list(_PREFIXES))
        if marked is not None and id(marked) not in self._marked:
            self._marked.add(id(marked))
            self._parts.append(_PREFIXES[marked.name])

    def _close(self) -> bool:
        """End the block at hand; True if an empty line must follow it."""
        last = self._block
        if last is not None and last.name == "pre":
            self._parts.append("\n```")
        return last is not None and last.name in _SPACED


def _block_of(string: NavigableString) -> tuple[Tag | None, Tag | None]:
    """Return the nearest block around a string (a row for what is in a table) and its cell, if any."""
    cell = None
    for parent in string.parents:
        if parent.name in _CELLS:
            cell = cell or parent
        elif parent.name == "tr" if cell else not (parent.name in _INLINE or _fills_cell(parent)):
            return parent, cell
    return None, cell


def _fills_cell(tag: Tag) -> bool:
    """Tell whether a block is nothing but the lining of a table's cell."""
    if tag.name not in {"p", "div"} or tag.parent is None or tag.parent.name not in _CELLS:
        return False
    return tag.find_next_sibling() is None and tag.find_previous_sibling() is None


def _collapsed(string: str) -> str:
    words = " ".join(string.split())
    return f"{' ' * string[:1].isspace()}{words}{' ' * string[-1:].isspace()}"
