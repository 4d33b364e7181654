"""What is believed of what a model says of a passage. Pure.

A model may say anything. What is kept are names that the passage says, relations between such names, and times that can
be read and are near one that the passage tells; everything else is dropped and counted.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self, TypeVar

from core.clock import parse_moment
from core.errors import InvalidInputError
from core.text import make_storable
from knowledge.documents import GivenRelation
from knowledge.graph.extraction import Extracted, FoundRelation, NamedEntity, ShownPassage
from knowledge.graph.names import normalise
from knowledge.graph.predicates import spell_predicate
from knowledge.graph.wording import Words, has_words, read_words

T = TypeVar("T")

MOST_ENTITIES = 60  # of one passage
MOST_RELATIONS = 100
LONGEST_NAME = 200  # characters
LONGEST_PREDICATE = 80
LONGEST_KIND = 40
CONFIDENCE_LEAST = 0.5
NEAR_YEARS = 10  # "two years later" is reckoned from a year that is said; what is further off is made up

_YEAR = re.compile(r"\d{4}")
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_SAID_YEAR = re.compile(r"(?<!\d)\d{3,4}(?!\d)")


@dataclass(frozen=True, slots=True)
class Believed:
    """What is kept of what a model said of one passage; `dropped` counts the rest by reason."""

    entities: tuple[NamedEntity, ...] = ()
    relations: tuple[GivenRelation, ...] = ()
    dropped: Mapping[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return it in JSON values, without what was dropped."""
        return {
            "entities": [[each.name, each.kind] for each in self.entities],
            "relations": [each.as_row() for each in self.relations],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Return what `as_json` wrote."""
        return cls(
            tuple(NamedEntity(name, kind) for name, kind in value["entities"]),
            tuple(_read_row(row) for row in value["relations"]),
        )


@dataclass(frozen=True, slots=True)
class _Told:
    """What a passage tells that a model could speak of: words, and years."""

    places: tuple[Words, ...]
    years: tuple[int, ...]


def believe(shown: ShownPassage, said: Extracted) -> Believed:
    """Return what of it is believed.

    A name must be said by the passage, its heading, its title or as its speaker, in the words that names are compared
    by. Both ends of a relation must be such names, and differ; its times must be ISO 8601, or years or months of it,
    and within NEAR_YEARS of a year that is said there or of its document's date.
    """
    told = _read(shown)
    dropped: Counter[str] = Counter()
    entities: dict[str, NamedEntity] = {}
    for named in _first(said.entities, MOST_ENTITIES, dropped):
        if (name := _clean_name(named.name, told)) is None:
            dropped["unsaid_entities"] += 1
        else:
            entities.setdefault(normalise(name), NamedEntity(name, _clean_kind(named.kind)))
    relations: dict[object, GivenRelation] = {}
    for found in _first(said.relations, MOST_RELATIONS, dropped):
        relation = _check_relation(found, told)
        if isinstance(relation, str):
            dropped[relation] += 1
            continue
        ends = (normalise(relation.subject), normalise(relation.object))
        for key, name in zip(ends, (relation.subject, relation.object), strict=True):
            entities.setdefault(key, NamedEntity(name))
        claim = (*ends, spell_predicate(relation.predicate), relation.valid_from, relation.valid_to)
        relations.setdefault(claim, relation)
    return Believed(tuple(entities.values()), tuple(relations.values()), dict(dropped))


def read_time(text: str, *, ends: bool) -> datetime:
    """Return the moment at which a year, month or day begins, or the one at which it is over; a moment stays itself.

    Raises:
        InvalidInputError: it is none.
    """
    text = text.strip()
    if _YEAR.fullmatch(text):
        return _month_begin(int(text) * 12 + 12 * ends)
    if (month := _MONTH.fullmatch(text)) and 1 <= int(month[2]) <= 12:
        return _month_begin(int(month[1]) * 12 + int(month[2]) - 1 + ends)
    moment = parse_moment(text, "time")
    try:
        return moment + timedelta(days=1) if ends and _DAY.fullmatch(text) else moment
    except OverflowError as e:
        raise InvalidInputError("time", "is beyond the calendar") from e


def _read(shown: ShownPassage) -> _Told:
    parts = [part for part in (shown.text, shown.heading, shown.title, shown.speaker) if part]
    years = {int(year) for part in parts for year in _SAID_YEAR.findall(part)}
    if shown.occurred_at is not None:
        years.add(shown.occurred_at.year)
    return _Told(tuple(map(read_words, parts)), tuple(years))


def _first(said: Sequence[T], most: int, dropped: Counter[str]) -> Sequence[T]:
    if len(said) > most:
        dropped["surplus"] += len(said) - most
    return said[:most]


def _check_relation(found: FoundRelation, told: _Told) -> GivenRelation | str:
    """Return the relation, or why it is dropped."""
    subject, object_ = _clean_name(found.subject, told), _clean_name(found.object, told)
    if subject is None or object_ is None:
        return "unsaid_relations"
    predicate = _one_line(found.predicate)
    if not spell_predicate(predicate) or len(predicate) > LONGEST_PREDICATE or normalise(subject) == normalise(object_):
        return "empty_relations"
    if not (math.isfinite(found.confidence) and found.confidence >= CONFIDENCE_LEAST):
        return "doubted_relations"
    try:
        begins = _check_time(found.valid_from, told, ends=False)
        ends = _check_time(found.valid_to, told, ends=True)
    except InvalidInputError:
        return "wrong_times"
    if begins is not None and ends is not None and ends < begins:
        return "wrong_times"
    return GivenRelation(subject, predicate, object_, begins, ends)


def _check_time(text: str | None, told: _Told, *, ends: bool) -> datetime | None:
    if text is None or not text.strip():
        return None
    year = read_time(text, ends=False).year
    if not any(abs(year - each) <= NEAR_YEARS for each in told.years):
        raise InvalidInputError("time", "is near none that the passage tells")
    return read_time(text, ends=ends)


def _clean_name(name: str, told: _Told) -> str | None:
    """Return a name on one line; None if the passage does not say it."""
    name = _one_line(name[: 2 * LONGEST_NAME])
    key = normalise(name)
    if not key or len(name) > LONGEST_NAME or not any(has_words(words, key) for words in told.places):
        return None
    return name


def _clean_kind(kind: str | None) -> str | None:
    return None if kind is None else _one_line(kind[: 2 * LONGEST_KIND]).casefold()[:LONGEST_KIND] or None


def _one_line(text: str) -> str:
    return " ".join(make_storable(text).split())


def _month_begin(months: int) -> datetime:
    """Return when a month begins, counted from January of the year 0."""
    try:
        return datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC)
    except ValueError as e:
        raise InvalidInputError("year", "is beyond the calendar") from e


def _read_row(row: Sequence[str | None]) -> GivenRelation:
    subject, predicate, object_, *times = row
    moments = [None if each is None else datetime.fromisoformat(each) for each in times]
    return GivenRelation(str(subject), str(predicate), str(object_), *moments)
