"""Word documents: paragraphs, headings, lists and tables in their order."""

import re
from collections.abc import Iterator
from io import BytesIO
from zipfile import BadZipFile, ZipFile

from docx import Document
from docx.opc.exceptions import OpcError
from docx.table import Table
from docx.text.paragraph import Paragraph

from knowledge.sources.problem import UnreadableError
from knowledge.sources.text import Content, first_line, squeeze, table_row

MAX_UNPACKED_BYTES = 200_000_000
MAX_RATIO = 200
_RATIO_FROM_BYTES = 10_000_000

# SyntaxError is what lxml's parser raises; the rest is what python-docx lets through for parts that are missing or odd.
_BROKEN = (
    OpcError,
    BadZipFile,
    AssertionError,
    AttributeError,
    LookupError,
    NotImplementedError,
    OSError,
    RecursionError,
    SyntaxError,
    TypeError,
    ValueError,
)
_HEADING = re.compile(r"heading ([1-9])$", re.IGNORECASE)


def read(data: bytes) -> Content:
    """Read a document; the title is that of its properties, else its first paragraph of style Title.

    Raises:
        UnreadableError: no Word document, damaged, encrypted, or unpacking to far more than it should.
    """
    try:
        _refuse_bomb(data)
        document = Document(BytesIO(data))
        blocks = list(document.iter_inner_content())
        titles = (block.text for block in blocks if isinstance(block, Paragraph) and _style(block) == "Title")
        text = squeeze("\n".join(_lines(blocks)))
        return Content(text, first_line(document.core_properties.title, next(titles, None)))
    except _BROKEN as error:
        problem = f"is not a readable Word document ({type(error).__name__}: {error!s:.200})"
        raise UnreadableError(problem) from error


def _refuse_bomb(data: bytes) -> None:
    with ZipFile(BytesIO(data)) as archive:
        entries = archive.infolist()
    # The sizes are what the archive says of itself; its reader stops there, so a lie gains nothing.
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > MAX_UNPACKED_BYTES or (unpacked > _RATIO_FROM_BYTES and unpacked > MAX_RATIO * len(data)):
        raise UnreadableError(f"unpacks to {unpacked:,} bytes from {len(data):,}, more than is sane")


def _lines(blocks: list[Paragraph | Table]) -> Iterator[str]:
    for block in blocks:
        if isinstance(block, Table):
            yield from ("", *_rows(block), "")
            continue
        text, style = block.text.strip(), _style(block)
        heading = _HEADING.match(style)
        if not text:
            yield ""
        elif heading or style == "Title":
            yield f"\n{'#' * min(6, int(heading[1]) if heading else 1)} {' '.join(text.split())}\n"
        elif style.startswith("List"):
            yield f"- {text}"
        else:
            yield f"{text}\n"


def _rows(table: Table) -> Iterator[str]:
    for row in table.rows:
        cells, last = [], None
        for cell in row.cells:
            if cell._tc is not last:  # a merged cell is listed once for each column it spans
                cells.append(" ".join(_lines(list(cell.iter_inner_content()))))
            last = cell._tc
        yield table_row(cells)


def _style(paragraph: Paragraph) -> str:
    style = paragraph.style
    return (style.name or "") if style is not None else ""
