"""What is believed of what a model says."""

from datetime import UTC, datetime

import pytest

from core.errors import InvalidInputError
from knowledge.documents import GivenRelation
from knowledge.graph.belief import MOST_ENTITIES, MOST_RELATIONS, Believed, believe, read_time
from knowledge.graph.extraction import Extracted, FoundRelation, NamedEntity, ShownPassage

PASSAGE = ShownPassage("Ann Berg has lived in Oslo since 2019; before that, in Bergen.", 16, title="Letters")


def day(year: int, month: int = 1, day: int = 1) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


def lives(object_: str = "Oslo", subject: str = "Ann Berg", **rest: object) -> FoundRelation:
    return FoundRelation(subject, "lives in", object_, **rest)  # type: ignore[arg-type]


def test_what_the_passage_says_is_believed() -> None:
    said = Extracted([NamedEntity("Ann  Berg", "Person"), NamedEntity("OSLO")], [lives(valid_from="2019")])
    assert believe(PASSAGE, said) == Believed(
        (NamedEntity("Ann Berg", "person"), NamedEntity("OSLO")),
        (GivenRelation("Ann Berg", "lives in", "Oslo", day(2019)),),
    )


@pytest.mark.parametrize(
    "name", ["Rome", "Ann Bergen", "Berg Ann", "Os", "", "  ", "\x00", "!!", "Ann Berg " * 100, "Oslo\x00a", "\ud800"]
)
def test_a_name_that_the_passage_does_not_say_is_dropped(name: str) -> None:
    said = Extracted([NamedEntity(name)], [lives(name), lives(subject=name)])
    assert believe(PASSAGE, said) == Believed(dropped={"unsaid_entities": 1, "unsaid_relations": 2})


@pytest.mark.parametrize("name", ["ann berg", "Ann Berg's", "Letter", "letters", "Bergen"])
def test_names_are_compared_as_elsewhere_and_the_title_is_said_too(name: str) -> None:
    assert believe(PASSAGE, Extracted([NamedEntity(name)])).entities == (NamedEntity(name),)


def test_a_speaker_is_said_by_what_is_spoken() -> None:
    shown = ShownPassage("I moved to Oslo.", 5, speaker="Ann")
    assert believe(shown, Extracted((), [lives(subject="Ann")])).relations == (
        GivenRelation("Ann", "lives in", "Oslo"),
    )


def test_the_ends_of_a_relation_are_entities_and_what_is_said_twice_counts_once() -> None:
    said = Extracted([NamedEntity("Oslo", "place")] * 2, [lives(), lives("oslo"), lives()])
    believed = believe(PASSAGE, said)
    assert believed.entities == (NamedEntity("Oslo", "place"), NamedEntity("Ann Berg"))
    assert believed.relations == (GivenRelation("Ann Berg", "lives in", "Oslo"),)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (lives(valid_from="soon"), "wrong_times"),
        (lives(valid_from="2019-13"), "wrong_times"),
        (lives(valid_from="2019-02-30"), "wrong_times"),
        (lives(valid_from="0000"), "wrong_times"),
        (lives(valid_to="9999"), "wrong_times"),
        (lives(valid_from="2021", valid_to="2019"), "wrong_times"),
        (lives(valid_from="1950"), "wrong_times"),
        (lives(confidence=0.2), "doubted_relations"),
        (lives(confidence=float("nan")), "doubted_relations"),
        (lives("Ann Berg"), "empty_relations"),
        (FoundRelation("Ann Berg", " ", "Oslo"), "empty_relations"),
        (FoundRelation("Ann Berg", "is " * 200, "Oslo"), "empty_relations"),
    ],
)
def test_a_relation_that_cannot_be_right_is_dropped_and_counted(found: FoundRelation, reason: str) -> None:
    assert believe(PASSAGE, Extracted((), [found])) == Believed(dropped={reason: 1})


@pytest.mark.parametrize(
    ("occurred_at", "believed"), [(None, False), (day(2023, 5, 8), True), (day(1990, 5, 8), False)]
)
def test_a_time_must_be_near_one_that_the_passage_tells(occurred_at: datetime | None, believed: bool) -> None:
    shown = ShownPassage("Ann moved to Oslo last year.", 6, occurred_at=occurred_at)
    found = lives(subject="Ann", valid_from="2022")
    assert bool(believe(shown, Extracted((), [found])).relations) is believed


def test_of_ten_thousand_relations_few_are_looked_at() -> None:
    said = Extracted([NamedEntity("Oslo")] * 10_000, [lives(confidence=0.1)] * 10_000)
    believed = believe(PASSAGE, said)
    assert believed.dropped == {"surplus": 20_000 - MOST_ENTITIES - MOST_RELATIONS, "doubted_relations": MOST_RELATIONS}


@pytest.mark.parametrize(
    ("text", "begins", "ends"),
    [
        ("2019", day(2019), day(2020)),
        ("2019-12", day(2019, 12), day(2020)),
        ("2019-02-28", day(2019, 2, 28), day(2019, 3)),
        (" 2019-02-28T12:00:00+01:00 ", day(2019, 2, 28).replace(hour=11), day(2019, 2, 28).replace(hour=11)),
    ],
)
def test_a_span_of_the_calendar_begins_and_ends(text: str, begins: datetime, ends: datetime) -> None:
    assert read_time(text, ends=False) == begins
    assert read_time(text, ends=True) == ends


@pytest.mark.parametrize("text", ["9999", "9999-12", "9999-12-31"])
def test_the_calendar_ends(text: str) -> None:
    with pytest.raises(InvalidInputError):
        read_time(text, ends=True)


def test_what_is_kept_comes_back_as_it_was() -> None:
    said = Extracted([NamedEntity("Oslo", "place")], [lives(valid_from="2019", valid_to="2021-05"), lives("Bergen")])
    believed = believe(PASSAGE, said)
    assert Believed.from_json(believed.as_json()) == believed
