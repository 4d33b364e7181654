"""Word documents: paragraphs, headings, lists and tables in their order."""

import re
from collections.abc import Iterator
from io import BytesIO
from zipfile import ZipFile

from docx import Document
from docx.document import Document as WordDocument
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.table import Table, _Cell
from docx.text.paragraph import Paragraph

from knowledge.sources.problem import TimeLimit, UnreadableError
from knowledge.sources.text import Content, first_line, squeeze, table_row

MAX_UNPACKED_BYTES = 200_000_000
MAX_RATIO = 200
MAX_PARTS = 10_000
MAX_MARKS = 5_000_000  # tags and attributes: as a tree each takes a hundred bytes or more
_RATIO_FROM_BYTES = 10_000_000
_PIECE_BYTES = 1_000_000
_OLD_WORD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # the container of .doc, and of a .docx behind a password
_ENTRY = b"PK\x01\x02"
_HEADING = re.compile(r"heading ([1-9])$", re.IGNORECASE)


def read(data: bytes) -> Content:
    """Read a document; the title is that of its properties, else its first paragraph of style Title.

    Raises:
        UnreadableError: no Word document, damaged, encrypted, or unpacking to far more than it should.
    """
    if data.startswith(_OLD_WORD):
        raise UnreadableError("is encrypted or of Word's old format; save a copy as .docx without a password")
    try:
        _refuse_bomb(data)
        document = Document(BytesIO(data))
        limit, styles = TimeLimit(), _Styles()
        blocks = list(document.iter_inner_content())
        titles = (block.text for block in blocks if isinstance(block, Paragraph) and styles.name(block) == "Title")
        text = squeeze("\n".join(_lines(blocks, limit, styles)))
        return Content(text, first_line(_named(document), next(titles, None)))
    except UnreadableError:
        raise
    except Exception as error:  # its libraries name no closed list, and one file must not end the others
        problem = f"is not a readable Word document ({type(error).__name__}: {error!s:.200})"
        raise UnreadableError(problem) from error


class _Styles:
    """The names of styles, each looked up but once: the library goes through all of them for every paragraph."""

    def __init__(self) -> None:
        self._names: dict[str | None, str] = {}

    def name(self, paragraph: Paragraph) -> str:
        """Return the name of a paragraph's style, empty if it has none."""
        key = paragraph._p.style
        if key not in self._names:
            style = paragraph.style
            self._names[key] = (style.name or "") if style is not None else ""
        return self._names[key]


def _refuse_bomb(data: bytes) -> None:
    if (parts := data.count(_ENTRY)) > MAX_PARTS:
        raise UnreadableError(f"has {parts:,} parts, more than is sane")
    with ZipFile(BytesIO(data)) as archive:
        # The sizes are what the archive says of itself; its reader stops there, so a lie gains nothing.
        unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > MAX_UNPACKED_BYTES or (unpacked > _RATIO_FROM_BYTES and unpacked > MAX_RATIO * len(data)):
            raise UnreadableError(f"unpacks to {unpacked:,} bytes from {len(data):,}, more than is sane")
        if unpacked > MAX_MARKS and (marks := _count_marks(archive)) > MAX_MARKS:
            raise UnreadableError(f"has {marks:,} tags and attributes, more than is sane; split it")


def _count_marks(archive: ZipFile) -> int:
    marks = 0
    for entry in archive.infolist():
        with archive.open(entry) as part:
            while piece := part.read(_PIECE_BYTES):
                marks += piece.count(b"<") + piece.count(b"=")
    return marks


def _named(document: WordDocument) -> str | None:
    """Return the title of the properties; the library would make some up for a document without any."""
    relations = document.part.package.rels.values() if document.part.package else ()
    has_properties = any(each.reltype == RELATIONSHIP_TYPE.CORE_PROPERTIES for each in relations)
    return document.core_properties.title if has_properties else None


def _lines(blocks: list[Paragraph | Table], limit: TimeLimit, styles: _Styles) -> Iterator[str]:
    for block in blocks:
        limit.check()
        if isinstance(block, Table):
            yield from ("", *_rows(block, limit, styles), "")
            continue
        text, style = block.text.strip(), styles.name(block)
        heading = _HEADING.match(style)
        if not text:
            yield ""
        elif heading or style == "Title":
            yield f"\n{'#' * min(6, int(heading[1]) if heading else 1)} {' '.join(text.split())}\n"
        elif style.startswith("List"):
            yield f"- {text}"
        else:
            yield f"{text}\n"


def _rows(table: Table, limit: TimeLimit, styles: _Styles) -> Iterator[str]:
    """Yield the rows of a table; one cell merged over many columns is told once, over many rows in each of them."""
    above: dict[int, str] = {}  # by column
    for row in table._tbl.tr_lst:  # a row's own list of cells repeats one for as many columns as the file claims
        column, here = 0, dict[int, str]()
        for element in row.tc_lst:
            if element.vMerge == "continue":
                here[column] = above.get(column, "")
            else:
                cell = _Cell(element, table)
                here[column] = " ".join(_lines(list(cell.iter_inner_content()), limit, styles))
            column += element.grid_span
        above = here
        yield table_row(here.values())
