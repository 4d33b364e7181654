"""Plain text: bytes of an unknown encoding into characters."""

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass

from charset_normalizer import from_bytes

from core.text import MAX_LABEL_CHARS
from knowledge.sources.problem import UnreadableError

_BOMS = (  # UTF-32 before UTF-16: its mark begins with the other's
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

# What is met in the wild beside Unicode; offered all it knows, the detector takes short French for Urdu.
_LEGACY = (
    "cp1252 cp1250 cp1251 cp1253 cp1254 cp1255 cp1256 cp932 gb18030 cp949 big5 euc_jp koi8_r".split()  # noqa: SIM905
)

_CONTROL = bytes({*range(9), *range(14, 27), *range(28, 32), 127})
_MAX_CONTROL_SHARE = {"utf-8": 0.1, "legacy": 0.005}
_SAMPLE = 32_768


@dataclass(frozen=True, slots=True)
class Content:
    """What a whole file says: its text, and its title if it names one."""

    text: str
    title: str | None = None


def read(data: bytes) -> Content:
    """Read a plain text.

    Raises:
        UnreadableError: the bytes are no text.
    """
    return Content(decode(data))


def decode(data: bytes, declared: str | None = None) -> str:
    """Decode by mark, as UTF-8, as declared, or as the legacy encoding that fits best; all line breaks become newlines.

    Raises:
        UnreadableError: the bytes are no text.
    """
    encoding = detect_encoding(data, declared)
    return data.decode(encoding, errors="replace").replace("\r\n", "\n").replace("\r", "\n")


def detect_encoding(data: bytes, declared: str | None = None) -> str:
    """Return the codec that reads the bytes, which may be the head of a longer file.

    Raises:
        UnreadableError: the bytes are no text.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return encoding
    try:
        # Not final: the head of a file may end within a character.
        codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError as error:
        _refuse_binary(data, _MAX_CONTROL_SHARE["legacy"])
        return _known(declared) or _guess(data[max(0, error.start - _SAMPLE // 2) :][:_SAMPLE])
    _refuse_binary(data, _MAX_CONTROL_SHARE["utf-8"])
    return "utf-8"


def first_line(*candidates: str | None) -> str | None:
    """Return the first candidate for a title that is not blank, on one line, cut to what a title may have."""
    lines = (" ".join(candidate.split()) for candidate in candidates if candidate)
    return next((line[:MAX_LABEL_CHARS] for line in lines if line), None)


def table_row(cells: Iterable[str]) -> str:
    """Return one line for a table's row, its cells parted by bars; empty if all are."""
    line = " | ".join(" ".join(cell.split()) for cell in cells)
    return line if line.strip(" |") else ""


def squeeze(text: str) -> str:
    """Return the text without blank edges and with at most one empty line in a row."""
    return re.sub(r"\n[ \t]*\n\s*\n", "\n\n", text).strip()


def _refuse_binary(data: bytes, share: float) -> None:
    sample = data[: 2 * _SAMPLE]
    if len(sample) - len(sample.translate(None, _CONTROL)) > share * len(sample):
        raise UnreadableError("is binary, not text")


def _known(declared: str | None) -> str | None:
    try:
        name = codecs.lookup(declared or "").name
    except LookupError:
        return None
    # A page that is declared UTF-8 and is not, was written in something else; codecs like base64 are no encodings.
    return name if name in {codecs.lookup(legacy).name for legacy in _LEGACY} or name.startswith("iso8859") else None


def _guess(sample: bytes) -> str:
    matches = list(from_bytes(sample, cp_isolation=list(_LEGACY)))
    if not matches:
        return "cp1252"
    fitting = {name for match in matches for name in (match.encoding, *match.could_be_from_charset)}
    # Western text passes for Central European too and is far more common.
    return "cp1252" if matches[0].encoding == "cp1250" and "cp1252" in fitting else matches[0].encoding
