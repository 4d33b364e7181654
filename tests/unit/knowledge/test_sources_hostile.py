"""Whole files made to be unreadable, endless or huge: each a clear answer, in little time and memory."""

import io
import random
import zipfile
import zlib
from collections.abc import Callable
from functools import cache

import pytest
from docx import Document

from knowledge.documents import SourceDocument
from knowledge.sources import FORMATS, SourceProblem, problem, read_upload

WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
PARAGRAPH = "<w:p><w:r><w:t>{}</w:t></w:r></w:p>"
PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >>"


def read(data: bytes, suffix: str) -> str | SourceProblem:
    """Return what one file says, or why it says nothing."""
    (found,) = read_upload(io.BytesIO(data), f"file{suffix}", suffix, external_id="file")
    return found.text if isinstance(found, SourceDocument) else found


def refusal(data: bytes, suffix: str) -> str:
    found = read(data, suffix)
    assert isinstance(found, SourceProblem), found
    assert found.name == f"file{suffix}"
    return found.problem


def packed(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return out.getvalue()


def docx(body: str, dtd: str = "", **more: bytes) -> bytes:
    """Make a Word document of this body, as little as is needed."""
    document = f'<?xml version="1.0"?>{dtd}<w:document {WORD}><w:body>{body}</w:body></w:document>'.encode()
    return packed(blank_docx() | {"word/document.xml": document} | more)


@cache
def blank_docx() -> dict[str, bytes]:
    whole = io.BytesIO()
    Document().save(whole)
    with zipfile.ZipFile(whole) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pdf(*objects: bytes, trailer: bytes = b"") -> bytes:
    """Make a PDF of a catalogue and these objects, numbered from 2; 2 must be the tree of pages."""
    out, offsets = b"%PDF-1.4\n", []
    for number, each in enumerate((b"<< /Type /Catalog /Pages 2 0 R >>", *objects), 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(offsets) + 1
    end = b"xref\n0 %d\n0000000000 65535 f \n%strailer << /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF"
    return out + end % (size, table, size, trailer, len(out))


def kids(*numbers: int) -> bytes:
    return b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(b"%d 0 R" % n for n in numbers), len(numbers))


def stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), entries, data)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("Grüße aus Köln. " * 9, "utf-16-le"),
        ("Grüße aus Köln. " * 9, "utf-16-be"),
        ("Привет, как дела?\n" * 9, "utf-16-le"),
        ("Привет, как дела?\n" * 9, "utf-16-be"),
    ],
)
def test_utf16_is_known_without_its_mark(data: str, text: str) -> None:
    assert read(data.encode(text), ".txt") == data
    assert read(f"<p>{data}".encode(text), ".html") == data.strip().replace("\n", " ")


def test_a_line_of_another_encoding_spoils_no_other() -> None:
    unicode, other = "naïve café ☕\n", "déjà vu\n"
    mixed = unicode.encode() * 2_000 + other.encode("cp1252") + unicode.encode() * 2_000
    assert read(mixed, ".txt") == unicode * 2_000 + other + unicode * 2_000
    assert read(unicode.encode() * 9 + b"caf\xc3", ".txt") == unicode * 9 + "caf\ufffd"
    assert read("text".encode("utf-16") + b"\x41", ".txt") == "text\ufffd"


@pytest.mark.parametrize(
    "text",
    [
        "\u202eright to left\u202c שלום \u2066עולם\u2069 مرحبا",
        "👨‍👩‍👧‍👦🏳️‍🌈👍🏽" * 500,
        "e" + "\u0301" * 5_000 + " Z̷̢̈a̵l̶g̴o̸",
        "word",
        "𝕳𝖊𝖑𝖑𝖔 \U0010fffd",
    ],
)
@pytest.mark.parametrize("suffix", [".txt", ".md", ".html"])
def test_rare_characters_are_kept_as_they_are(text: str, suffix: str) -> None:
    assert read(text.encode(), suffix) == text


@pytest.mark.parametrize("data", [b"", b" \r\n\t", "\ufeff\u200b\u200e\u2060\n".encode(), b"\x07\n" * 2, b"\0" * 99])
@pytest.mark.parametrize("suffix", sorted({*FORMATS} - {".jsonl", ".csv"}))
def test_what_shows_nothing_is_no_document(data: bytes, suffix: str) -> None:
    assert refusal(data, suffix)


@pytest.mark.parametrize("suffix", FORMATS)
def test_noise_ends_in_problems_whatever_it_begins_with(suffix: str) -> None:
    chance = random.Random(7)
    for head in (
        b"",
        b"%PDF-1.4\n",
        b"PK\x03\x04",
        b"<html>",
        b"text,id\n",
        b'{"text": "',
        b"\xff\xfe",
        b"\xef\xbb\xbf",
    ):
        found = list(read_upload(io.BytesIO(head + chance.randbytes(4_000)), "noise", suffix))
        assert found or suffix == ".jsonl"


@pytest.mark.parametrize(("suffix", "make"), [(".docx", lambda: docx(PARAGRAPH.format("text"))), (".pdf", lambda: pdf(
    kids(3), PAGE, stream(b"BT /F 9 Tf (text) Tj ET")))])  # fmt: skip
def test_a_damaged_file_is_read_or_told_of(suffix: str, make: Callable[[], bytes]) -> None:
    whole, chance = make(), random.Random(11)
    for _ in range(60):
        damaged = bytearray(whole)
        for _ in range(8):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        for data in (bytes(damaged), whole[: chance.randrange(len(whole))]):
            found = read(data, suffix)
            assert isinstance(found, str) or found.problem


def test_html_shows_neither_scripts_nor_comments_nor_what_was_left_open() -> None:
    page = """<title>T</title><style>p {}</style><p onclick="steal()">seen<!-- <p>not</p> --><script>"</p>not"</script>
    <noscript>not</noscript><template>not</template><iframe srcdoc="<p>not</p>">not</iframe><?php not ?>
    <p hidden>not</p>
    <p>also<svg><title>not</title><text>not</text></svg></p><p title="not"><a href="javascript:not()">link</a>
    """
    assert str(read(page.encode(), ".html")).split() == ["seen", "also", "link"]
    for opened in (b"<script>", b"<!-- ", b'<a href="', b"<style>", b"<textarea>"):
        assert read(b"<p>seen</p>" + opened + b"not " * 99, ".html") == "seen"
    outside = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><p>a&e;b'
    assert "a&e;b" in str(read(outside, ".html"))


def test_html_made_to_take_for_ever_does_not() -> None:
    assert "nested deeper" in refusal(b"<div>" * 1_000_000, ".html")
    assert read(b"<div>t" * 9_000, ".html") == "\n\n".join(["t"] * 9_000)
    assert read(b"<b>" * 9_000 + b"t" + b"</i>" * 20_000, ".html") == "t"
    assert read(b'<p title="' + b"x" * 5_000_000 + b'">t', ".html") == "t"
    assert read(b"<p " + b" ".join(b"a%d=1" % i for i in range(50_000)) + b">t", ".html") == "t"
    assert read(b"&amp;" * 200_000, ".html") == "&" * 200_000
    assert read(b"<script>x</script>" * 50_000 + b"t", ".html") == "t"
    assert "characters" in refusal(b"<p>" + b"t " * 10_000_100, ".html")


def test_docx_reads_nothing_from_elsewhere_and_expands_no_entities_without_end() -> None:
    outside = '<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    found = read(docx(PARAGRAPH.format("&e;") + PARAGRAPH.format("text"), outside), ".docx")
    assert found == "text"
    laughs = "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9))
    dtd = f'<!DOCTYPE d [<!ENTITY a "lol">{laughs}]>'
    assert "not a readable Word document" in refusal(docx(PARAGRAPH.format("&j;"), dtd), ".docx")


def test_docx_that_unpacks_to_too_much_is_refused_before_it_is_parsed() -> None:
    assert "unpacks to" in refusal(docx(PARAGRAPH.format("a" * 20_000_000)), ".docx")
    assert "parts" in refusal(packed({f"{i}": b"" for i in range(10_001)}), ".docx")
    paragraphs, padding = "<w:p/>" * 5_100_000, random.Random(3).randbytes(300_000)
    assert "tags" in refusal(docx(paragraphs, pad=padding), ".docx")
    inner = docx(PARAGRAPH.format("inner"))
    assert read(docx(PARAGRAPH.format("outer"), nested=inner), ".docx") == "outer"


def test_docx_with_tables_of_claimed_size_is_read_once() -> None:
    cell = "<w:tc><w:tcPr>{}</w:tcPr>" + PARAGRAPH + "</w:tc>"
    wide = cell.format('<w:gridSpan w:val="1000000000"/>', "wide") + cell.format("", "end")
    assert read(docx(f"<w:tbl><w:tr>{wide}</w:tr></w:tbl>"), ".docx") == "wide | end"
    first = cell.format('<w:vMerge w:val="restart"/>', "all") + cell.format("", "0")
    rest = "".join(f"<w:tr>{cell.format('<w:vMerge/>', '')}{cell.format('', i)}</w:tr>" for i in range(1, 2_000))
    merged = read(docx(f"<w:tbl><w:tr>{first}</w:tr>{rest}</w:tbl>"), ".docx")
    assert merged == "\n".join(f"all | {i}" for i in range(2_000))


def test_docx_that_is_something_else_says_what_to_do() -> None:
    assert "password" in refusal(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), ".docx")
    assert "not a readable Word document" in refusal(b"plain text", ".docx")
    assert "not a readable Word document" in refusal(packed({"a.txt": b"text"}), ".docx")
    locked = bytearray(docx(PARAGRAPH.format("text")))
    for mark, place in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        at = locked.find(mark)
        while at >= 0:
            locked[at + place] |= 1
            at = locked.find(mark, at + 1)
    assert "encrypted" in refusal(bytes(locked), ".docx")


FORM = b"/Type /XObject /Subtype /Form /BBox [0 0 1 1] /Resources << /XObject << /X 4 0 R >> >>"
PDFS: dict[str, Callable[[], bytes]] = {  # by what is wrong with them
    "pages within themselves": lambda: pdf(kids(2, 2)),
    "pages within each other": lambda: pdf(kids(3, 3), kids(2, 2)),
    "pages doubled thirty times": lambda: pdf(*(kids(i + 1, i + 1) for i in range(2, 32)), PAGE),
    "a tree that is its own parent": lambda: pdf(
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 /Parent 2 0 R >>", PAGE, stream(b"")
    ),
    "states without text": lambda: pdf(kids(3), PAGE, stream(b"q Q " * 200_000)),
    "arrays without end": lambda: pdf(kids(3), PAGE, stream(b"[" * 100_000)),
    "a bomb": lambda: pdf(kids(3), PAGE, stream(zlib.compress(bytes(200_000_000), 9), b"/Filter /FlateDecode")),
    "contents that are themselves": lambda: pdf(kids(3), PAGE, b"4 0 R"),
    "deep dictionaries": lambda: pdf(b"<< /A " * 5_000 + b">>" * 5_000),
    "a trailer before the start": lambda: pdf(kids(), trailer=b"/Prev 9"),
    "a form within itself": lambda: pdf(
        kids(3), PAGE.replace(b">>", b"/Resources << /XObject << /X 4 0 R >> >> >>"), stream(b"/X Do /X Do", FORM)
    ),
    "a picture, cut off": lambda: pdf(kids(3), PAGE, stream(b"q 9 0 0 9 0 0 cm /I Do Q"))[:-60],
    "nothing but lines": lambda: b"%PDF-1.4" + b"\n" * 5_000_000,
}


@pytest.mark.parametrize("make", PDFS.values(), ids=PDFS)
def test_pdf_that_loops_grows_or_shows_only_pictures_is_a_problem(
    make: Callable[[], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    assert refusal(make(), ".pdf")
    assert not caplog.records  # one problem, not a line for each broken object


@pytest.mark.parametrize("suffix", [".pdf", ".html", ".docx"])
def test_a_file_that_takes_too_long_is_given_up(suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(problem, "MOST_SECONDS", -1.0)
    data = {".pdf": pdf(kids(3), PAGE, stream(b"")), ".html": b"<p>text", ".docx": docx(PARAGRAPH.format("text"))}
    assert "takes longer" in refusal(data[suffix], suffix)
