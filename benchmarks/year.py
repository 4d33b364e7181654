"""A synthetic year of use, of a fixed seed: what is stored when, and who asks for what.

Whether a memory is needed again depends on how often and how recently it was: need falls with time as a power of it,
in the headlines of newspapers, in what children hear and in mail alike (Anderson and Schooler, "Reflections of the
Environment in Memory", 1991). The year has the three causes of this, each of which can be switched off: some topics and
facts are wanted far more often than others (`skew`), interest wanders from topic to topic (`drift`), and for a few days
at a time one topic is wanted by everybody (`bursts`).
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from math import exp
from typing import Literal

DAYS = 365
TOPICS = (
    *("Aurora", "Basalt", "Cinder", "Dovetail", "Ember", "Falcon", "Granite", "Harbour", "Indigo", "Juniper"),
    *("Kestrel", "Lantern", "Meridian", "Nimbus", "Orchard", "Pelican", "Quarry", "Redwood", "Saffron", "Tundra"),
)
TEAMS = ("north", "south", "harbour", "airport", "laboratory", "night")
VALUES = {
    "lead": ("Ann Sato", "Bela Ruiz", "Chidi Obi", "Dana Kim", "Emil Roth", "Farah Aziz", "Goran Ilic", "Hana Mori"),
    "meeting room": ("the attic", "the blue room", "room 4", "room 17", "the annex", "the library", "the gallery"),
    "weekly call": ("Monday at nine", "Tuesday at noon", "Wednesday at four", "Thursday at ten", "Friday at two"),
    "budget": ("40,000 euros", "75,000 euros", "120,000 euros", "260,000 euros", "310,000 euros", "90,000 euros"),
    "database": ("Postgres", "SQLite", "MariaDB", "DuckDB", "Oracle", "Redis"),
    "supplier": ("Halden Tools", "Nordic Freight", "Brightwater", "Castell and Sons", "Ortega Parts", "Lumen Works"),
    "deadline": ("the third of March", "the end of May", "midsummer", "the first of October", "the week of Advent"),
    "password policy": ("ninety days", "a hardware key", "two factors", "a passphrase", "single sign-on"),
}
SAYINGS = (
    "The {attribute} of the {team} team of project {topic} is {value}.",
    "For project {topic}, the {team} team has settled on {value} as its {attribute}.",
    "Project {topic}: the {attribute} of the {team} team was changed to {value}.",
)

Kind = Literal["named", "half named", "bare"]
ASKED: dict[Kind, str] = {
    "named": "What is the {attribute} of the {team} team of project {topic}?",
    "half named": "What is the {attribute} of project {topic}?",
    "bare": "What is the {attribute}?",
}
SHARES: dict[Kind, float] = {"named": 0.5, "half named": 0.3, "bare": 0.2}


@dataclass(frozen=True, slots=True)
class Fact:
    """One passage.

    Attributes:
        number: by which it is known.
        subject: topic, team and attribute; a later fact of the same subject takes its place.
        day: when it is stored, in days from the start of the year.
    """

    number: int
    subject: tuple[str, str, str]
    text: str
    day: float


@dataclass(frozen=True, slots=True)
class Question:
    """One question and the fact that whoever asks has in mind: the newest of its subject.

    Attributes:
        day: when it is asked, in days from the start of the year.
        uses: how often that subject was asked for before.
    """

    text: str
    kind: Kind
    fact: int
    day: float
    uses: int


@dataclass(frozen=True, slots=True)
class Habits:
    """How a year is used.

    Attributes:
        skew: exponent of Zipf's law over topics and over the subjects of each; 0 wants all alike.
        drift: how far the logarithm of a topic's weight wanders in a day (standard deviation), drawn back to its start
            within about a month.
        bursts: how many times a year a topic is wanted twenty times as much for a week.
        daily: how many questions a day.
    """

    skew: float = 1.0
    drift: float = 0.25
    bursts: int = 24
    daily: int = 24


class Year:
    """Facts and questions of one year."""

    def __init__(self, seed: int, habits: Habits | None = None) -> None:
        self._rng = random.Random(seed)
        self._habits = habits or Habits()
        self.facts = tuple(self._write())
        self.questions = tuple(self._ask())

    def _write(self) -> Iterator[Fact]:
        """Half of the subjects are told on the first day, the others through the year; a third is changed once."""
        rng, told = self._rng, list[tuple[float, tuple[str, str, str], int]]()
        for topic in TOPICS:
            for team in TEAMS:
                for attribute in VALUES:
                    day = 0.0 if rng.random() < 0.5 else rng.uniform(0, 300)
                    told.append((day, (topic, team, attribute), rng.randrange(2)))
                    if rng.random() < 1 / 3:
                        told.append((rng.uniform(day + 20, DAYS), (topic, team, attribute), 2))
        for number, (day, (topic, team, attribute), saying) in enumerate(sorted(told)):
            value = rng.choice(VALUES[attribute])
            text = SAYINGS[saying].format(topic=topic, team=team, attribute=attribute, value=value)
            yield Fact(number, (topic, team, attribute), text, day)

    def _ask(self) -> Iterator[Question]:
        rng, habits = self._rng, self._habits
        subjects = {topic: [(topic, team, attribute) for team in TEAMS for attribute in VALUES] for topic in TOPICS}
        for each in subjects.values():
            rng.shuffle(each)
        topics = rng.sample(TOPICS, len(TOPICS))
        wander = dict.fromkeys(topics, 0.0)
        bursts = [(rng.uniform(0, DAYS), rng.choice(topics)) for _ in range(habits.bursts)]
        within = [1.0 / (rank + 1) ** habits.skew for rank in range(len(TEAMS) * len(VALUES))]
        newest, uses, upcoming = dict[tuple[str, str, str], int](), dict[tuple[str, str, str], int](), 0
        for day in range(DAYS):
            for topic in topics:
                wander[topic] = wander[topic] * (1 - 1 / 30) + rng.gauss(0, habits.drift)
            hot = {topic for start, topic in bursts if start <= day < start + 7}
            weights = [
                exp(wander[topic]) * (20 if topic in hot else 1) / (rank + 1) ** habits.skew
                for rank, topic in enumerate(topics)
            ]
            for moment in sorted(day + rng.random() for _ in range(habits.daily)):
                while upcoming < len(self.facts) and self.facts[upcoming].day <= moment:
                    newest[self.facts[upcoming].subject] = upcoming
                    upcoming += 1
                subject = rng.choices(subjects[rng.choices(topics, weights)[0]], within)[0]
                if subject not in newest:  # nobody asks for what was never told
                    continue
                (kind,) = rng.choices(list(SHARES), list(SHARES.values()))
                topic, team, attribute = subject
                text = ASKED[kind].format(topic=topic, team=team, attribute=attribute)
                yield Question(text, kind, newest[subject], moment, uses.get(subject, 0))
                uses[subject] = uses.get(subject, 0) + 1
