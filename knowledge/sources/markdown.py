"""Markdown: its text as it is, without front matter."""

import re

from knowledge.headings import find_headings
from knowledge.sources.text import Content, decode, first_line

_FRONT_MATTER = re.compile(r"\A(?P<mark>---|\+\+\+)[ \t]*\n(?P<fields>.*?\n)?(?P=mark)[ \t]*(?:\n|\Z)", re.DOTALL)
_TITLE = re.compile(r"^title[ \t]*[:=][ \t]*(?P<quote>[\"']?)(?P<title>.+?)(?P=quote)[ \t]*$", re.MULTILINE)


def read(data: bytes) -> Content:
    """Read Markdown; the title is that of the front matter, else the first heading of level 1.

    Raises:
        UnreadableError: the bytes are no text.
    """
    text = decode(data)
    named = None
    if front := _FRONT_MATTER.match(text):
        text = text[front.end() :].lstrip("\n")
        named = _TITLE.search(front["fields"] or "")
    heading = next((heading.name for heading in find_headings(text) if heading.level == 1), None)
    return Content(text, first_line(named["title"] if named else None, heading))
