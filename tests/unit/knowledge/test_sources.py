import io
import json
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from docx import Document
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from core.errors import InvalidInputError
from knowledge.documents import GivenRelation, SourceDocument
from knowledge.sources import FORMATS, SourceProblem, read_sources

DATA = Path(__file__).parents[2] / "data" / "sources"
Found = SourceDocument | SourceProblem


def documents(found: Iterable[Found]) -> list[SourceDocument]:
    return [item for item in found if isinstance(item, SourceDocument)]


def problems(found: Iterable[Found]) -> list[str]:
    return [str(item) for item in found if isinstance(item, SourceProblem)]


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str, bytes], list[Found]]:
    def write_and_read(name: str, data: bytes) -> list[Found]:
        path = tmp_path / name
        path.write_bytes(data)
        return list(read_sources([path]))

    return write_and_read


Read = Callable[[str, bytes], list[Found]]


def only(found: list[Found]) -> SourceDocument:
    assert len(found) == 1
    assert isinstance(found[0], SourceDocument), found
    return found[0]


def pdf(text: str, title: str | None = None, password: str | None = None) -> bytes:
    writer = PdfWriter()
    page = writer.add_blank_page(300, 300)
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
    )
    page[NameObject("/Resources")] = DictionaryObject(
        {NameObject("/Font"): DictionaryObject({NameObject("/F1"): font})}
    )
    content = DecodedStreamObject()
    content.set_data(f"BT /F1 12 Tf 20 200 Td ({text}) Tj ET".encode() if text else b"")
    page[NameObject("/Contents")] = writer._add_object(content)
    if title:
        writer.add_metadata({"/Title": title})
    if password is not None:
        writer.encrypt(password, algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def docx() -> bytes:
    document = Document()
    document.core_properties.title = "A letter"
    document.add_heading("Greeting", level=1)
    document.add_paragraph("Dear all.")
    document.add_paragraph("first", style="List Bullet")
    table = document.add_table(rows=2, cols=3)
    for cell, text in zip(table.rows[0].cells, "abc", strict=True):
        cell.text = text
    table.rows[1].cells[0].merge(table.rows[1].cells[1]).text = "wide"
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def test_a_folder_is_read_in_order_and_what_cannot_be_read_is_named() -> None:
    found = list(read_sources([DATA]))

    assert [(d.external_id, d.source) for d in documents(found)] == [
        ("sources/note.txt", "sources/note.txt"),
        ("sources/page.html", "sources/page.html"),
        ("1", "sources/rows.csv"),
        ("2", "sources/rows.csv"),
        ("7", "sources/rows.jsonl"),
        ("8", "elsewhere"),
        ("sources/guide/install.md", "sources/guide/install.md"),
    ]
    named = problems(found)
    assert [p.split(":")[0] for p in named] == [
        "sources/drawing.dwg",
        "sources/picture.txt",
        "sources/rows.csv, line 5",
        "sources/rows.csv, line 6",
        "sources/rows.jsonl, line 2",
        "sources/rows.jsonl, line 3",
        "sources/rows.jsonl, line 5",
        "sources/rows.jsonl, line 6",
    ]
    assert ".pdf" in named[0]
    assert "binary" in named[1]
    assert "colour: is not a field" in named[-1]


def test_a_picture_in_a_folder_is_passed_over_and_one_that_is_asked_for_is_named(tmp_path: Path) -> None:
    for name in ("harbour.PNG", "jingle.mp3", "notes.md"):
        (tmp_path / name).write_text("The harbour")
    found = list(read_sources([tmp_path]))
    assert [d.source for d in documents(found)] == [f"{tmp_path.name}/notes.md"]
    assert problems(found) == []
    assert ".pdf" in problems(list(read_sources([tmp_path / "harbour.PNG"])))[0]


def test_folders_within_are_left_out_on_request() -> None:
    assert "sources/guide/install.md" not in [d.external_id for d in documents(read_sources([DATA], recursive=False))]


def test_a_file_has_the_same_name_alone_and_in_its_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(DATA / "guide")
    names = {d.external_id for path in (".", "install.md", DATA / "guide") for d in documents(read_sources([path]))}
    assert names == {"guide/install.md"}


def test_a_file_given_twice_is_read_once_and_another_of_its_name_is_reported(tmp_path: Path) -> None:
    for parent in ("x", "y"):
        (tmp_path / parent / "docs").mkdir(parents=True)
        (tmp_path / parent / "docs" / "a.txt").write_text(parent)
    x, y = tmp_path / "x" / "docs", tmp_path / "y" / "docs"

    found = list(read_sources([x, x / "a.txt", y]))

    assert [d.text for d in documents(found)] == ["x"]
    assert "would replace" in problems(found)[0]


def test_missing_broken_and_special_paths_are_problems(tmp_path: Path) -> None:
    (tmp_path / "broken.txt").symlink_to(tmp_path / "nowhere")
    (tmp_path / "folder.txt").mkdir()
    named = problems(read_sources([tmp_path / "none.txt", "a\x00b", tmp_path]))
    assert len(named) == 3
    assert "does not exist" in named[0]
    assert "not a regular file" in named[2]


def test_standard_input_is_text_or_rows() -> None:
    text = only(list(read_sources(["-"], standard_input=io.BytesIO(b"From a pipe."))))
    assert (text.text, text.external_id, text.source) == ("From a pipe.", None, "standard input")

    stream = io.BytesIO(b'{"text": "a"}\n{"text": "b"}')
    rows = documents(read_sources(["-"], input_format=".jsonl", standard_input=stream))
    assert [row.text for row in rows] == ["a", "b"]

    with pytest.raises(InvalidInputError, match="input_format"):
        read_sources(["-"], input_format=".exe")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("naïve café", "utf-8"),
        ("naïve café", "utf-8-sig"),
        ("naïve café", "utf-16"),
        ("naïve café", "utf-32"),
        ("Der Bär läuft über die Straße – “gut” für €5.", "cp1252"),
        ("Привет, как дела? Это обычный текст о погоде.", "cp1251"),
        ("これは日本語のテキストです。今日は天気がいいですね。", "shift_jis"),
        ("Příliš žluťoučký kůň úpěl ďábelské ódy", "cp1250"),
        ("שלום עולם 😀 مرحبا", "utf-8"),
    ],
)
def test_encodings(read: Read, text: str, encoding: str) -> None:
    assert only(read("a.txt", text.encode(encoding))).text == text


def test_line_breaks_and_nul_are_cleaned(read: Read) -> None:
    assert only(read("a.txt", b"one\r\ntwo\rthree \x00" + b"words " * 9)).text.startswith("one\ntwo\nthree words")


@pytest.mark.parametrize("suffix", sorted(set(FORMATS) - {".jsonl"}))
def test_empty_files_are_problems(read: Read, suffix: str) -> None:
    assert len(problems(read(f"empty{suffix}", b""))) == 1


@pytest.mark.parametrize("suffix", FORMATS)
def test_noise_is_a_problem_in_every_format(read: Read, suffix: str) -> None:
    found = read(f"noise{suffix}", bytes(range(256)) * 64)
    assert len(problems(found)) == len(found) == 1


def test_markdown_is_titled_by_front_matter_then_by_its_first_heading(read: Read) -> None:
    installed = only(list(read_sources([DATA / "guide" / "install.md"])))
    assert installed.title == "How to install"
    assert installed.text.startswith("# Install\n")
    assert "tags" not in installed.text
    assert only(read("b.md", b"```\n# comment\n```\n\nTitle\n=====\nText")).title == "Title"
    assert only(read("c.md", b"+++\ntitle = 'Toml'\n+++\ntext")).title == "Toml"
    assert only(read("d.md", b"---\n\nA rule, no front matter.")).text.startswith("---")


def test_html_is_what_a_reader_sees() -> None:
    page = only(list(read_sources([DATA / "page.html"])))
    assert page.title == "Water & light"
    assert page.text == (
        "# Water\n\nPour two litres a day.\nThen wait.\n\n- roots\n\n- leaves\n\n"
        "plant | litres\nfern | 2\n\n```\n# not a heading\n  indented\n```\n\n## Light\n\nLoose words."
    )


def test_html_of_odd_shape(read: Read) -> None:
    declared = '<meta charset="windows-1251"><p>Привет</p>'.encode("cp1251")
    assert only(read("a.html", declared)).text == "Привет"
    assert only(read("b.htm", b"<div>" * 3000 + b"deep")).text == "deep"
    assert problems(read("c.html", b"<script>only()</script>"))


def test_pdf_text_and_title(read: Read) -> None:
    document = only(read("a.pdf", pdf("Hello from a page", title="Greeting")))
    assert (document.text, document.title) == ("Hello from a page", "Greeting")
    assert only(read("b.pdf", pdf("Hi", title="Microsoft Word - x.doc", password=""))).title is None


def test_pdf_without_text_encrypted_or_cut(read: Read) -> None:
    assert "no text" in problems(read("blank.pdf", pdf("")))[0]
    assert "encrypted" in problems(read("locked.pdf", pdf("Hi", password="secret")))[0]  # noqa: S106
    assert "not a readable PDF" in problems(read("cut.pdf", b"%PDF-1.4\ngarbage"))[0]


def test_docx_keeps_headings_lists_and_tables(read: Read) -> None:
    document = only(read("a.docx", docx()))
    assert document.title == "A letter"
    assert document.text == "# Greeting\n\nDear all.\n\n- first\n\na | b | c\nwide |"


def test_docx_that_is_none_or_a_bomb(read: Read) -> None:
    assert "not a readable Word document" in problems(read("a.docx", b"PK\x03\x04 nonsense"))[0]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"\0" * 20_000_000)
    assert "unpacks to" in problems(read("bomb.docx", out.getvalue()))[0]


def test_rows_keep_their_fields() -> None:
    first, last = documents(read_sources([DATA / "rows.jsonl"]))
    assert (first.external_id, first.title, first.thread, first.speaker) == ("7", "One", "t", "Ann")
    assert first.occurred_at is not None
    assert first.occurred_at.isoformat() == "2023-05-08T00:00:00+00:00"
    assert (last.metadata, last.entities, last.relations) == ({"stars": 5}, ("A",), (GivenRelation("A", "is", "B"),))


def test_a_bad_byte_or_a_deep_row_spoils_only_its_row(read: Read) -> None:
    deep = b'{"text": "x", "metadata": ' + b"[" * 100_000 + b"}"
    rows = b"\n".join([b'{"text": "a"}', b'{"text": "\xff"}', deep, b'{"text": "d\\ud800"}'])
    found = read("a.jsonl", rows)
    assert [d.text for d in documents(found)] == ["a", "d�"]
    assert [item.line for item in found if isinstance(item, SourceProblem)] == [2, 3]


def test_rows_are_streamed() -> None:
    class Endless(io.RawIOBase):
        """More rows than memory holds."""

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            row = json.dumps({"text": "x" * 50}).encode() + b"\n"
            data = (row * (len(buffer) // len(row) + 1))[: len(row) * (len(buffer) // len(row))]
            buffer[: len(data)] = data
            return len(data)

    rows = read_sources(["-"], input_format=".jsonl", standard_input=io.BufferedReader(Endless()))
    assert all(isinstance(next(rows), SourceDocument) for _ in range(1000))


def test_csv_columns_are_checked_and_a_stray_quote_is_told(read: Read) -> None:
    assert "no column 'text'" in problems(read("a.csv", b"body,id\nx,1\n"))[0]
    assert "no fields: colour" in problems(read("b.csv", b"text,colour\nx,red\n"))[0]
    assert "two columns" in problems(read("c.csv", b"text,text\nx,y\n"))[0]
    found = read("d.csv", b'text\ngood\n"never closed\nmore\n')
    assert [d.text for d in documents(found)] == ["good", "more"]
    assert problems(found)[0].endswith("d.csv, line 3: is not CSV: a quote is opened and never closed")
    long = "word " * 60_000
    assert only(read("e.csv", f"Text\tTitle\n{long}\tLong\n".encode())).title == "Long"
