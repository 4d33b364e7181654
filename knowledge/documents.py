"""The document as it is taken in: the one place where a row from outside is checked and cleaned."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from core.clock import parse_moment
from core.errors import InvalidInputError
from core.text import JSON, clean_object, clean_string, make_storable, name_kind
from knowledge.given_vectors import parse_vector

MAX_TEXT_CHARS = 20_000_000
MAX_LINKS = 10_000
MAX_KEY_BYTES = 2_000  # of what is looked up by an index: Postgres puts at most 2,700 bytes into an entry

FIELDS = (
    "text",
    "id",
    "title",
    "source",
    "occurred_at",
    "metadata",
    "gem",
    "thread",
    "speaker",
    "entities",
    "relations",
    "supersedes",
    "embedding",
)
_KNOWN = frozenset(FIELDS)
RELATION_FIELDS = ("subject", "predicate", "object", "valid_from", "valid_to")
_SHOWN_CHARS = 100  # of a field's name that nobody knows

# Controls, marks of direction and width, soft hyphens: a text of nothing else says nothing.
_SEEN = re.compile("[^\\s\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")


@dataclass(frozen=True, slots=True)
class GivenRelation:
    """A relation that the caller found in a document; when it began and ceased to hold, as far as is known."""

    subject: str
    predicate: str
    object: str
    valid_from: datetime | None = None
    valid_to: datetime | None = None

    def as_row(self) -> list[str | None]:
        """Return it as JSON values: three names, and the two moments if one is known."""
        moments = (self.valid_from, self.valid_to)
        told = [each.astimezone(UTC).isoformat() if each else None for each in moments]
        return [self.subject, self.predicate, self.object, *(told if any(told) else ())]


@dataclass(frozen=True, slots=True)
class RowPlace:
    """Where a row stands: in the file of this name, at this line, counted from 1."""

    name: str
    line: int


@dataclass(frozen=True, slots=True)
class SourceDocument:
    """One document, checked: what is stored and cut into passages.

    Attributes:
        text: not blank, storable as it is, at most MAX_TEXT_CHARS characters.
        external_id: the caller's name for it; the same id again replaces the document.
        title: one line.
        source: where it came from, a path or an address.
        occurred_at: when what it tells happened, in UTC; None if unknown.
        metadata: JSON values.
        gem: the gem it asks for; None leaves that to the caller.
        thread: the conversation or log it belongs to, in the order of arrival.
        speaker: who says it.
        entities: names that the caller found in it.
        relations: that the caller found in it.
        supersedes: ids of documents that this one takes the place of; they stay, closed.
        embedding: of its whole text by the lattice's model, little-endian float32 of length 1; the text is then one
            passage.
        place: of the row that it was; None if it is a whole file, or came by itself. It is no part of the document.
    """

    text: str
    external_id: str | None = None
    title: str | None = None
    source: str | None = None
    occurred_at: datetime | None = None
    metadata: Mapping[str, JSON] = field(default_factory=dict)
    gem: str | None = None
    thread: str | None = None
    speaker: str | None = None
    entities: tuple[str, ...] = ()
    relations: tuple[GivenRelation, ...] = ()
    supersedes: tuple[str, ...] = ()
    embedding: bytes | None = field(default=None, repr=False)
    place: RowPlace | None = field(default=None, repr=False, compare=False)


def parse_document(row: Mapping[str, object], where: str = "", place: RowPlace | None = None) -> SourceDocument:
    """Check and clean one row of FIELDS.

    Absent and null are the same. NUL characters are removed, lone surrogates become U+FFFD. Blank titles,
    sources, gems, threads and speakers count as absent; a blank text or id is an error.

    Args:
        row: the fields by name; only `text` is required.
        where: what stands before a field's name in an error, as in "documents[3]"; may be empty.
        place: of the row, if it is one of a file.

    Raises:
        InvalidInputError: naming the first field that is wrong, missing or not known.
    """
    prefix = f"{where}." if where else ""
    for name in row:
        if name not in _KNOWN:
            known = ", ".join(FIELDS)
            raise InvalidInputError(
                f"{prefix}{_shown(name)}",
                f"is not a field of a document; known are {known}; other facts go into metadata",
            )
    text = _text(row.get("text"), f"{prefix}text")
    given = {
        attribute: read(row[name], f"{prefix}{name}")
        for name, attribute, read in _READERS
        if row.get(name) is not None  # most rows have but a few, and there may be millions
    }
    return SourceDocument(text, **given, place=place)


def content_hash(document: SourceDocument, repeat: int = 0) -> bytes:
    """Return the SHA-256 (32 bytes) of everything that shapes the stored document, save its id and gem.

    Two documents of one id (or both of none) in one gem with equal hashes are the same document.

    Args:
        document: what is stored.
        repeat: how often the same was said before it in the same thread and ingestion; each "Yes." is one of its own.
    """
    when = document.occurred_at
    content = [
        document.text,
        document.title,
        document.source,
        when.astimezone(UTC).isoformat() if when else None,
        document.metadata,
        document.thread,
        document.speaker,
        document.entities,
        [relation.as_row() for relation in document.relations],
        *([[*document.supersedes]] if document.supersedes else []),
        *([repeat] if repeat else []),
    ]
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("ascii") + (document.embedding or b"")).digest()


def _text(value: object, name: str) -> str:
    if value is None:
        raise InvalidInputError(name, "is missing")
    text = clean_string(value, name, MAX_TEXT_CHARS)
    if not _SEEN.search(text):
        raise InvalidInputError(name, "must not be empty")
    return text


def _external_id(value: object, name: str) -> str | None:
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            value = str(value)
        except ValueError as error:  # Python refuses to print a number of more than 4,300 digits
            raise InvalidInputError(name, "is too long a number") from error
    if not isinstance(value, str):
        raise InvalidInputError(name, f"must be a string or a whole number, not {name_kind(value)}")
    external_id = clean_string(value, name)
    if external_id != value:  # cleaned, two ids might become one, and one document replace the other
        raise InvalidInputError(name, "must hold neither NUL nor half of a surrogate pair, which cannot be stored")
    if not external_id.strip():
        raise InvalidInputError(name, "must not be empty; leave it out if there is none")
    return _fit_for_key(external_id, name)


def _thread(value: object, name: str) -> str | None:
    thread = _label(value, name)
    return None if thread is None else _fit_for_key(thread, name)


def _fit_for_key(text: str, name: str) -> str:
    if (size := len(text.encode())) > MAX_KEY_BYTES:
        raise InvalidInputError(name, f"must have at most {MAX_KEY_BYTES:,} bytes as UTF-8, has {size:,}")
    return text


def _label(value: object, name: str) -> str | None:
    return None if value is None else clean_string(value, name).strip() or None


def _line(value: object, name: str) -> str | None:
    return None if value is None else " ".join(clean_string(value, name).split()) or None


def _moment(value: object, name: str) -> datetime | None:
    if value is None:
        return None
    if isinstance(value, datetime):  # its text in ISO 8601 is read by the same rule
        value = value.isoformat()
    if not isinstance(value, str):
        raise InvalidInputError(name, f"must be an ISO 8601 date or time, not {name_kind(value)}")
    return parse_moment(value, name)


def _list(value: object, name: str) -> Sequence[object]:
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise InvalidInputError(name, f"must be a list, not {name_kind(value)}")
    if len(value) > MAX_LINKS:
        raise InvalidInputError(name, f"must have at most {MAX_LINKS:,} entries, has {len(value):,}")
    return value


def _names(value: object, name: str) -> tuple[str, ...]:
    lines = (_line(item, f"{name}[{i}]") for i, item in enumerate(_list(value, name)))
    return tuple(line for line in lines if line)


def _ids(value: object, name: str) -> tuple[str, ...]:
    ids = (_external_id(item, f"{name}[{i}]") for i, item in enumerate(_list(value, name)))
    return tuple(dict.fromkeys(each for each in ids if each is not None))


def _relations(value: object, name: str) -> tuple[GivenRelation, ...]:
    return tuple(_relation(item, f"{name}[{i}]") for i, item in enumerate(_list(value, name)))


def _relation(value: object, name: str) -> GivenRelation:
    if isinstance(value, Mapping):
        if unknown := [str(key) for key in value if key not in RELATION_FIELDS]:
            raise InvalidInputError(
                f"{name}.{_shown(unknown[0])}", f"is not known; known are {', '.join(RELATION_FIELDS)}"
            )
        parts = [value.get(key) for key in RELATION_FIELDS[:3]]
        begins, ends = (_moment(value.get(key), f"{name}.{key}") for key in RELATION_FIELDS[3:])
    else:
        parts, begins, ends = list(_list(value, name)), None, None
        if len(parts) != 3:
            raise InvalidInputError(name, f"must be [subject, predicate, object], has {len(parts)} parts")
    subject, predicate, object_ = map(_relation_part, parts, [f"{name}.{each}" for each in RELATION_FIELDS[:3]])
    if begins is not None and ends is not None and ends < begins:
        raise InvalidInputError(f"{name}.valid_to", "must not be before valid_from")
    return GivenRelation(subject, predicate, object_, begins, ends)


def _relation_part(value: object, name: str) -> str:
    part = _line(value, name)
    if part is None:
        raise InvalidInputError(name, "is missing" if value is None else "must not be empty")
    return part


def _shown(name: str) -> str:
    return make_storable(name[:_SHOWN_CHARS])


_READERS: tuple[tuple[str, str, Callable[[object, str], Any]], ...] = (
    ("id", "external_id", _external_id),
    ("title", "title", _line),
    ("source", "source", _label),
    ("occurred_at", "occurred_at", _moment),
    ("metadata", "metadata", clean_object),
    ("gem", "gem", _label),
    ("thread", "thread", _thread),
    ("speaker", "speaker", _line),
    ("entities", "entities", _names),
    ("relations", "relations", _relations),
    ("supersedes", "supersedes", _ids),
    ("embedding", "embedding", parse_vector),
)
