"""Predicates: their one spelling, and how many objects each takes of one subject."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, TypeAlias
from uuid import UUID

from core.errors import InvalidInputError
from core.text import clean_string
from knowledge.graph.rows import Connection, fetch, load

Cardinality: TypeAlias = Literal["one", "one_at_a_time", "many"]

CARDINALITIES: tuple[Cardinality, ...] = ("one", "one_at_a_time", "many")
MOST_MARKS = 1_000
# how few subjects, and which share of them with one object, make a predicate nobody spoke of look single-valued
SUBJECTS_LEAST = 20
SHARE_LEAST = 0.95

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_JOINED = re.compile(r"[\s_]+")
_SQL = load("graph.sql")


def spell_predicate(text: str) -> str:
    """Return the one spelling of a predicate: "livesIn", "LIVES_IN" and "lives in" are one."""
    return _JOINED.sub(" ", _CAMEL.sub(" ", text)).strip().casefold()


# what a subject has one of at a time: something later takes its place
_ONE_AT_A_TIME = """
lives in, lives at, resides in, resides at, residence, home address, works at, works for, employed by,
is employed by, employer, job title, married to, is married to, spouse, is engaged to, engaged to, phone number,
email address, headquartered in, is headquartered in, headquarters location, capital, has capital, chief executive
officer, ceo, has ceo, head of state, head of government, capital of, is the capital of, is capital of
"""
# what a subject has one of for ever: two differing ones cannot both be right
_ONE = """
born in, was born in, born on, was born on, place of birth, birthplace, date of birth, died in, died on, place of death,
date of death, mother, father, has mother, has father
"""
_KINDS: tuple[tuple[Cardinality, str], ...] = (("one_at_a_time", _ONE_AT_A_TIME), ("one", _ONE))
DEFAULTS: Mapping[str, Cardinality] = MappingProxyType(
    {spell_predicate(each): kind for kind, listed in _KINDS for each in listed.split(",")}
)


@dataclass(frozen=True, slots=True)
class Predicates:
    """How many objects the predicates of a gem take: what its users marked, else the defaults."""

    marked: Mapping[str, Cardinality] = field(default_factory=dict)

    def find(self, predicate: str) -> Cardinality | None:
        """Return what is known of a predicate in its one spelling; None if nobody said."""
        return self.marked.get(predicate) or DEFAULTS.get(predicate)

    def of(self, cardinality: Cardinality) -> list[str]:
        """Return the predicates of one kind, sorted."""
        return sorted(each for each in {*DEFAULTS, *self.marked} if self.find(each) == cardinality)


@dataclass(frozen=True, slots=True)
class PredicateUse:
    """How a gem uses a predicate: of how many subjects, and how many of those have more than one object."""

    predicate: str
    subjects: int
    with_several: int

    @property
    def seems_single(self) -> bool:
        """Whether so many subjects have but one object that a second one is worth a look."""
        return self.subjects >= SUBJECTS_LEAST and self.with_several <= (1 - SHARE_LEAST) * self.subjects


def check_marks(marks: Mapping[str, str]) -> dict[str, Cardinality]:
    """Return marks of predicates in their one spelling.

    Raises:
        InvalidInputError: a predicate is blank or marked twice, a cardinality is not known, or there are too many.
    """
    if len(marks) > MOST_MARKS:
        raise InvalidInputError("predicates", f"must be at most {MOST_MARKS:,}, are {len(marks):,}")
    checked: dict[str, Cardinality] = {}
    for given, cardinality in marks.items():
        where = f"predicates.{given:.40}"
        predicate = spell_predicate(clean_string(given, where))
        if not predicate:
            raise InvalidInputError("predicates", "must not be blank")
        if predicate in checked:
            raise InvalidInputError(where, f"is marked twice: {predicate!r} is its one spelling")
        known = next((each for each in CARDINALITIES if each == cardinality), None)
        if known is None:
            raise InvalidInputError(where, f"must be one of {', '.join(CARDINALITIES)}, not {cardinality!r:.40}")
        checked[predicate] = known
    return checked


async def get_predicates(conn: Connection, gem_id: UUID) -> Predicates:
    """Return how many objects the predicates of a gem take."""
    rows = await fetch(conn, _SQL["get_marks"], {"gem_id": gem_id})
    return Predicates({row["predicate"]: row["cardinality"] for row in rows})


async def put_marks(conn: Connection, gem_id: UUID, marks: Mapping[str, Cardinality]) -> None:
    """Let marks take the place of all that a gem had."""
    await conn.execute(_SQL["delete_marks"], {"gem_id": gem_id})
    values = {"gem_id": gem_id, "predicates": list(marks), "cardinalities": list(marks.values())}
    await conn.execute(_SQL["insert_marks"], values)


async def list_uses(conn: Connection, gem_id: UUID, besides: Collection[str]) -> list[PredicateUse]:
    """Return how a gem uses its predicates, as far as relations stand open; those `besides` are left out."""
    rows = await fetch(conn, _SQL["list_uses"], {"gem_id": gem_id, "besides": list(besides)})
    return [PredicateUse(**row) for row in rows]
