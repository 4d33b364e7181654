"""Headings in plain and Markdown-like text, with their places."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_HEADING_CHARS = 200

# A fence opens or closes a block in which '#' is a comment; an underlined line must follow a blank one, else a
# table or a quoted mail would be full of headings.
_LINES = re.compile(
    rf"""^(?:
        [ ]{{0,3}}(?P<fence>`{{3,}}|~{{3,}})(?P<info>[^\n]*)
      | [ ]{{0,3}}(?P<marks>\#{{1,6}})[ \t]+(?P<name>[^\s][^\n]{{0,{MAX_HEADING_CHARS - 1}}})$
      | (?:(?<=\A)|(?<=\n\n))(?P<over>[^\W_][^\n]{{0,{MAX_HEADING_CHARS - 1}}})\n(?P<under>={{3,}}|-{{3,}})[ \t]*$
    )""",
    re.MULTILINE | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Heading:
    """One heading line (or line and underline) of a text.

    Attributes:
        level: 1 for the highest.
        name: without marks.
        start: offset of its first character in the text.
        end: offset behind its last character, before the line break.
    """

    level: int
    name: str
    start: int
    end: int


def find_headings(text: str) -> Iterator[Heading]:
    """Find the headings of a text in order, those in fenced code left out; line breaks are newlines."""
    fence = ""
    for line in _LINES.finditer(text):
        if mark := line["fence"]:
            if not fence:
                fence = mark
            elif mark.startswith(fence) and not line["info"].strip():
                fence = ""
        elif not fence and (heading := _heading(line)):
            yield heading


def _heading(line: re.Match[str]) -> Heading | None:
    if line["over"]:
        name, level = line["over"], 1 if line["under"].startswith("=") else 2
    else:
        name, level = re.sub(r"(?:^|\s)#+\s*$", "", line["name"]), len(line["marks"])
    name = " ".join(re.sub(r"[*`]", "", name).split())
    return Heading(level, name, line.start(), line.end()) if name else None
