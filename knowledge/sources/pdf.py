"""PDF: the text layer of its pages."""

import logging
from io import BytesIO

from pypdf import PdfReader
from pypdf.errors import DependencyError, FileNotDecryptedError

from knowledge.documents import MAX_TEXT_CHARS
from knowledge.sources.problem import TimeLimit, UnreadableError
from knowledge.sources.text import Content, first_line, squeeze, too_long

# It logs a line for each object of a broken file; what is wrong is told once, by the problem.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)

_NO_TITLES = ("untitled", "microsoft word - ", "microsoft powerpoint - ")


def read(data: bytes) -> Content:
    """Read the pages in order, an empty line between two; the title is that of the metadata.

    Raises:
        UnreadableError: no PDF, damaged, encrypted, or without text.
    """
    try:
        return _read(data)
    except (DependencyError, FileNotDecryptedError) as error:
        raise UnreadableError("is encrypted; save a copy without a password") from error
    except UnreadableError:
        raise
    except Exception as error:  # pypdf names no closed list, and one file must not end the others
        raise UnreadableError(f"is not a readable PDF ({type(error).__name__}: {error!s:.200})") from error


def _read(data: bytes) -> Content:
    reader = PdfReader(BytesIO(data))
    if reader.is_encrypted and not reader.decrypt(""):  # many need no password to be read
        raise FileNotDecryptedError
    pages: list[str] = []
    size = 0
    limit = TimeLimit()
    for page in reader.pages:
        limit.check()
        pages.append(page.extract_text())
        size += len(pages[-1])
        if size > MAX_TEXT_CHARS:
            raise too_long()
    text = squeeze("\n\n".join(pages))
    if not text:
        raise UnreadableError("holds no text; scanned pages need text recognition first")
    title = first_line(reader.metadata.title if reader.metadata else None)
    return Content(text, None if title and title.casefold().startswith(_NO_TITLES) else title)
