"""Plain text: bytes of an unknown encoding into characters."""

import codecs
import io
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from charset_normalizer import from_bytes

from core.text import MAX_LABEL_CHARS
from knowledge.documents import MAX_TEXT_CHARS
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

# How a stray byte in what else is UTF-8 is read: mostly a line of an older file was pasted in.
STRAY_BYTES = "lattice-stray-bytes"

_CONTROL = bytes({*range(9), *range(14, 27), *range(28, 32), 127})
_MAX_CONTROL_SHARE = {"utf-8": 0.1, "legacy": 0.005}
_MAX_ODD_SHARE = 0.02  # of UTF-16 without a mark
_ODD = {"Cc", "Cn", "Co"}
_MIN_VALID_SHARE = 0.8  # of the characters beyond ASCII: other encodings rarely look like UTF-8 by chance
_MAX_BINARY_LINES = 0.5
_SAMPLE = 32_768
_PIECE = 1_000_000


@dataclass(frozen=True, slots=True)
class Content:
    """What a whole file says: its text, and its title if it names one."""

    text: str
    title: str | None = None


def read(data: bytes) -> Content:
    """Read a plain text.

    Raises:
        UnreadableError: the bytes are no text, or more of it than a document may have.
    """
    return Content(decode(data))


def decode(data: bytes) -> str:
    """Decode by mark, as UTF-8, or as the legacy encoding that fits best; all line breaks become newlines.

    Raises:
        UnreadableError: the bytes are no text, or more of it than a document may have.
    """
    text = open_text(data).read(MAX_TEXT_CHARS + 1)
    if len(text) > MAX_TEXT_CHARS:
        raise too_long()
    return text


def open_text(data: bytes, declared: str | None = None) -> io.TextIOWrapper:
    """Return a reader that decodes as it goes, since text may take four times the memory of its bytes.

    Raises:
        UnreadableError: the bytes are no text.
    """
    return io.TextIOWrapper(io.BytesIO(data), encoding=detect_encoding(data, declared), errors=STRAY_BYTES)


def too_long() -> UnreadableError:
    """Return what to raise for more text than a document may have."""
    return UnreadableError(f"holds more than {MAX_TEXT_CHARS:,} characters; split it")


def detect_encoding(data: bytes, declared: str | None = None, *, by_line: bool = False) -> str:
    """Return the codec that reads the bytes, which may be the head of a longer file.

    Args:
        data: the bytes.
        declared: what they say of themselves, if anything.
        by_line: whether each line stands for itself, so that a few of noise do not make binary of all.

    Raises:
        UnreadableError: the bytes are no text.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return encoding
    stray = _find_stray(data)
    if _is_binary(data[: 2 * _SAMPLE], _MAX_CONTROL_SHARE["utf-8" if stray is None else "legacy"], by_line=by_line):
        if wide := _find_wide(data[:_SAMPLE]):
            return wide
        raise UnreadableError("is binary, not text; give it the ending of its format, or save it as UTF-8 text")
    if stray is None:
        return "utf-8"
    sample = data[max(0, stray - _SAMPLE // 2) :][:_SAMPLE]
    return "utf-8" if _is_nearly_utf8(sample) else _known(declared) or _guess(sample)


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


def _find_stray(data: bytes) -> int | None:
    """Return where the first byte is that is no UTF-8, None if there is none; piece by piece, to spare memory."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(data), _PIECE):
        held = len(decoder.getstate()[0])
        try:
            # Never final: the head of a file may end within a character.
            decoder.decode(data[start : start + _PIECE])
        except UnicodeDecodeError as error:
            return start - held + error.start
    return None


def _find_wide(sample: bytes) -> str | None:
    """Return the UTF-16 without a mark that reads a sample as text, if one does."""
    for encoding in ("utf-16-le", "utf-16-be"):
        text = codecs.getincrementaldecoder(encoding)("replace").decode(sample)
        odd = sum(unicodedata.category(char) in _ODD or char == "\ufffd" for char in text if char not in "\t\n\r\f")
        # Read with its bytes the wrong way round, a Western text is full of rare ideographs but has no space.
        if text and odd <= _MAX_ODD_SHARE * len(text) and any(char in " \t\n" for char in text):
            return encoding
    return None


def _is_nearly_utf8(sample: bytes) -> bool:
    text = sample.decode("utf-8", errors="replace")
    strays = text.count("\ufffd")
    beyond = sum(char > "\x7f" for char in text)
    return beyond - strays >= _MIN_VALID_SHARE * beyond


def _is_binary(sample: bytes, share: float, *, by_line: bool = False) -> bool:
    if by_line:
        lines = sample.split(b"\n")
        return sum(_is_binary(line, share) for line in lines) > _MAX_BINARY_LINES * len(lines)
    return len(sample) - len(sample.translate(None, _CONTROL)) > share * len(sample)


def _known(declared: str | None) -> str | None:
    try:
        name = codecs.lookup(declared or "").name
    except (LookupError, ValueError):  # ValueError: a NUL in the name
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


def _read_stray(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    strays = error.object[error.start : error.end]
    # More than one, or one at the end, is the head of a character that was cut off.
    is_cut = len(strays) > 1 or error.reason == "unexpected end of data"
    is_one = error.encoding == "utf-8" and not is_cut
    return strays.decode("cp1252", errors="replace") if is_one else "\ufffd", error.end


codecs.register_error(STRAY_BYTES, _read_stray)
