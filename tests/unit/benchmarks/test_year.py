from collections import Counter
from itertools import pairwise

from benchmarks.year import ASKED, DAYS, Habits, Year


def test_a_seed_makes_the_same_year_and_another_one_another() -> None:
    one, again, other = Year(7), Year(7), Year(8)
    assert (one.facts, one.questions) == (again.facts, again.questions)
    assert one.questions != other.questions


def test_nobody_asks_for_what_was_not_told_and_the_newest_is_meant() -> None:
    year = Year(1)
    for question in year.questions[::37]:
        fact = year.facts[question.fact]
        told = [each for each in year.facts if each.subject == fact.subject and each.day <= question.day]
        assert told[-1] == fact
        topic, team, attribute = fact.subject
        assert question.text == ASKED[question.kind].format(topic=topic, team=team, attribute=attribute)


def test_time_goes_forward_through_the_year() -> None:
    year = Year(2)
    assert all(one.day <= other.day for one, other in pairwise(year.questions))
    assert all(one.day <= other.day for one, other in pairwise(year.facts))
    assert 0 <= year.questions[0].day < year.questions[-1].day < DAYS


def test_uses_count_what_was_asked_before() -> None:
    year, seen = Year(3), Counter[tuple[str, str, str]]()
    for question in year.questions:
        subject = year.facts[question.fact].subject
        assert question.uses == seen[subject]
        seen[subject] += 1


def test_skew_makes_a_few_subjects_wanted_often_and_an_even_year_none() -> None:
    def share_of_most_wanted(habits: Habits) -> float:
        year = Year(4, habits)
        counts = Counter(year.facts[question.fact].subject for question in year.questions)
        return sum(count for _, count in counts.most_common(20)) / len(year.questions)

    assert share_of_most_wanted(Habits()) > 0.3
    assert share_of_most_wanted(Habits(skew=0.0, drift=0.0, bursts=0)) < 0.06
