from datetime import UTC, datetime, timedelta, timezone

import pytest

from knowledge.shaping.dates import TimeWindow, find_time, resolve

NOW = datetime(2023, 8, 16, 12, tzinfo=UTC)  # a Wednesday
EVENT = datetime(2023, 5, 20, 9, tzinfo=UTC)  # a Saturday


def show(window: TimeWindow | None) -> str:
    """A window as "2023-05-01..2023-06-01", an open end left empty."""
    if window is None:
        return "no window"
    ends = (window.since, window.until)
    assert all(end is None or (end.tzinfo is UTC and end.hour == end.minute == 0) for end in ends)
    return "..".join("" if end is None else end.date().isoformat() for end in ends)


CALENDAR = {
    # days
    "What happened on 8 May 2023?": "2023-05-08..2023-05-09",
    "What happened on May 8, 2023?": "2023-05-08..2023-05-09",
    "What happened on the 8th of May 2023?": "2023-05-08..2023-05-09",
    "What did Gina sell on Sept. 3rd, 2022?": "2022-09-03..2022-09-04",
    "What did she do on May 8th?": "2023-05-08..2023-05-09",
    "What did she do on 24 December?": "2022-12-24..2022-12-25",
    "What is in the log of 2023-05-08?": "2023-05-08..2023-05-09",
    "What was decided on 25/12/2022?": "2022-12-25..2022-12-26",
    "What was decided on 12/25/2022?": "2022-12-25..2022-12-26",
    "What did the 29 February 2020 report say?": "2020-02-29..2020-03-01",
    "What did we eat on 29 February?": "2020-02-29..2020-03-01",
    "What happened between 3 and 8 May 2023?": "2023-05-03..2023-05-09",
    "Where were we May 3-8, 2023?": "2023-05-03..2023-05-09",
    "What is in the notes from the week of 10 May 2023?": "2023-05-08..2023-05-15",
    # months
    "What did Ann do last May?": "2023-05-01..2023-06-01",
    "what did ann do last may": "2023-05-01..2023-06-01",
    "What did Ann do last September?": "2022-09-01..2022-10-01",
    "What did Ann do last August?": "2022-08-01..2022-09-01",
    "Where was I in May 2023?": "2023-05-01..2023-06-01",
    "What did we ship in Jan 2023?": "2023-01-01..2023-02-01",
    "When did Melanie go camping in June?": "2023-06-01..2023-07-01",
    "In May, what did Ann say?": "2023-05-01..2023-06-01",
    "Where did I live in December?": "2022-12-01..2023-01-01",
    "What did Ann say in May of last year?": "2022-05-01..2022-06-01",
    "What did we do in early June?": "2023-06-01..2023-07-01",
    "What did we do in mid-May 2022?": "2022-05-01..2022-06-01",
    "Who was ill in the first week of March 2022?": "2022-03-01..2022-04-01",
    "What did Ann write in May or June 2023?": "2023-05-01..2023-07-01",
    "How was last May's trip?": "2023-05-01..2023-06-01",
    # seasons, years, decades
    "Where did we go in the summer of 2022?": "2022-06-01..2022-09-01",
    "Where did we go last winter?": "2022-12-01..2023-03-01",
    "Where did we go in the winter of 2022?": "2021-12-01..2023-03-01",
    "What have we planted this spring?": "2023-03-01..2023-06-01",
    "What did I read in fall 2021?": "2021-09-01..2021-12-01",
    "Who won in 2019?": "2019-01-01..2020-01-01",
    "What changed last year?": "2022-01-01..2023-01-01",
    "What was built the year before last?": "2021-01-01..2022-01-01",
    "What was popular in the 1990s?": "1990-01-01..2000-01-01",
    "Who composed in the 1800s?": "1800-01-01..1900-01-01",
    # counted from now
    "What did I eat yesterday?": "2023-08-15..2023-08-16",
    "Yesterday, what did I eat?": "2023-08-15..2023-08-16",
    "Whom did I call the day before yesterday?": "2023-08-14..2023-08-15",
    "Who called last night?": "2023-08-15..2023-08-17",
    "What did I promise today?": "2023-08-16..2023-08-17",
    "What did I do this week?": "2023-08-14..2023-08-21",
    "What did I do last week?": "2023-08-07..2023-08-14",
    "Where was Ben last weekend?": "2023-08-12..2023-08-14",
    "What did we spend last month?": "2023-07-01..2023-08-01",
    "Where was Ben on Friday?": "2023-08-11..2023-08-12",
    "Where was Ben last Wednesday?": "2023-08-09..2023-08-10",
    "Where was Ben on Monday evening?": "2023-08-14..2023-08-15",
    "Whom did I meet two weeks ago?": "2023-07-30..2023-08-06",
    "Whom did I meet 3 days ago?": "2023-08-13..2023-08-14",
    "Whom did I meet a few days ago?": "2023-08-10..2023-08-15",
    "Where did Ann live a year ago?": "2022-02-14..2023-02-16",
    "What did I say three hours ago?": "2023-08-16..2023-08-17",
    "What did I say fifteen minutes into the call two days ago?": "2023-08-14..2023-08-15",
    "What was decided more than a year ago?": "..2022-08-16",
    "What was decided less than a month ago?": "2023-07-16..2023-08-17",
    "What did we learn in the last three weeks?": "2023-07-26..2023-08-17",
    "What did we learn over the past year?": "2022-08-16..2023-08-17",
    # open and joined
    "What has Ann said since March?": "2023-03-01..",
    "What has Ann said since last May?": "2023-05-01..",
    "What did we plan before June 2021?": "..2021-06-01",
    "What did we plan until June 2021?": "..2021-07-01",
    "What was known as of 2021?": "..2022-01-01",
    "What was sold after 8 May 2023?": "2023-05-09..",
    "What was sold from 2021 on?": "2021-01-01..",
    "What had we sold before the end of May 2023?": "..2023-06-01",
    "What have we sold since the end of May?": "2023-05-01..",
    "What was built between March and May 2023?": "2023-03-01..2023-06-01",
    "What was built from November to February 2023?": "2022-11-01..2023-03-01",
    "What was built between November and February?": "2022-11-01..2023-03-01",
    "What did we build from 2019 to 2021?": "2019-01-01..2022-01-01",
    "What was said two weeks before 8 May 2023?": "2023-04-21..2023-04-28",
    "What was said the week after 8 May 2023?": "2023-05-09..2023-05-16",
}


@pytest.mark.parametrize(("question", "window"), CALENDAR.items())
def test_a_calendar_phrase_gives_its_window(question: str, window: str) -> None:
    found = find_time(question, NOW)
    assert found is not None
    assert (show(found.window), found.event) == (window, None)
    assert found.phrase in question
    assert found.window == resolve(found, EVENT)


EVENTS = {
    "What did Ann do two weeks before the trip?": ("the trip", "2023-05-03..2023-05-10"),
    "What did Ann do a couple of days before the trip?": ("the trip", "2023-05-18..2023-05-19"),
    "Who came the week after the wedding?": ("the wedding", "2023-05-21..2023-05-28"),
    "Who came the week before the wedding?": ("the wedding", "2023-05-13..2023-05-20"),
    "Who called the day after Christmas?": ("Christmas", "2023-05-21..2023-05-22"),
    "What did she do a few days after she got the job?": ("she got the job", "2023-05-22..2023-05-27"),
    "Where was I a month after the move to Rome?": ("the move to Rome", "2023-06-05..2023-07-06"),
    "What was planned more than a month before the launch?": ("the launch", "..2023-04-20"),
    "What did Bob do after Ann moved to Boston?": ("Ann moved to Boston", "2023-05-20.."),
    "After Ann moved to Boston, what did Bob do?": ("Ann moved to Boston", "2023-05-20.."),
    "After the wedding what did Bob do?": ("the wedding", "2023-05-20.."),
    "How did Melanie feel after the accident?": ("the accident", "2023-05-20.."),
    "What have I eaten since my surgery?": ("my surgery", "2023-05-20.."),
    "What was Ben's job before the war?": ("the war", "..2023-05-20"),
    "What did he say before leaving for Rome?": ("leaving for Rome", "..2023-05-20"),
    "What did Ann buy before Ben's first concert?": ("Ben's first concert", "..2023-05-20"),
    "What did Ann do after the trip in May 2023?": ("the trip in May 2023", "2023-05-20.."),
    "What did Ann read right after she quit?": ("she quit", "2023-05-20.."),
    'What did Ann do after the "Blue Moon" concert?': ('the "Blue Moon" concert', "2023-05-20.."),
}


@pytest.mark.parametrize(("question", "event", "window"), [(q, *expected) for q, expected in EVENTS.items()])
def test_an_event_is_named_and_counted_from(question: str, event: str, window: str) -> None:
    found = find_time(question, NOW)
    assert found is not None
    assert (found.window, found.event) == (None, event)
    assert found.phrase in question
    assert show(resolve(found, EVENT)) == window


NO_TIMES = [
    "Where does Ann live?",
    "When did Ann move?",
    "May I see it?",
    "may i see the photos",
    "It may be 3 people; who are they?",
    "Who said that 5 may come and 3 may go?",
    "What does the march of progress mean?",
    "How far did they march in the rain?",
    "Who led the last march of the army?",
    "Who is April?",
    "What did June say to Ann?",
    "Does Ann believe in April?",
    "What did we find in May's room?",
    "What did Theresa May say?",
    "What did Theresa May 2017 promise?",
    "Is Jan older than Ben?",
    "Who came second?",
    "Wait a second, who is Ben?",
    "Who watched Monday Night Football?",
    "What do we watch on Monday Night Football?",
    "Who was late on Black Friday?",
    "Who wrote Yesterday?",
    'Who sings "Yesterday" and "Last Christmas"?',
    "Who hosts the Today show?",
    "Where does Ann live today?",
    "Who directed Last Year in Marienbad?",
    "What did he learn in his last year at school?",
    "What was said in the last week of the trip?",
    "Who starred in Blade Runner 2049?",
    "Who is in room 2019?",
    "Who drives the 2019 Ford Focus?",
    "How many points did we make in 2000 steps?",
    "Who ran after 1500 m?",
    "What costs 1,999 dollars?",
    "How many years ago did Ann move?",
    "How long did it take, a week or two weeks?",
    "Who is 20 years old?",
    "What falls in the fall of Rome?",
    "What does Ann do in the summer?",
    "What will Ann do next May?",
    "What are we doing next week?",
    "What do I have tomorrow?",
    "What is planned for the summer of 2024?",
    "Who takes care of the day after tomorrow?",
    "Who looked after the dog?",
    "Which street is named after the queen?",
    "Who will appear before the judge?",
    "What comes after the letter B?",
    "After all, who won?",
    "What happened after that?",
    "What happened the year after that?",
    "Who is older, the one before or the one after?",
    "Since Ann liked tea, what shall I give her?",
    "What was decided on 8/5/2023?",
    "What was decided on 31 February 2023?",
    "What happened on 2023-13-45?",
    "Which events were not in 2019?",
    "Which events other than in May 2023 matter?",
    "What changed in 2015, and what in 2019, and what in 2021?",
    "Who was taller in 2015, when Ann left, than in 2019?",
    "What did I do the other day?",
    "Was gab es gestern zu essen?",
    "",
    "?",
]


@pytest.mark.parametrize("question", NO_TIMES)
def test_what_only_looks_like_a_time_gives_none(question: str) -> None:
    assert find_time(question, NOW) is None


def test_days_begin_at_midnight_of_nows_zone() -> None:
    tokyo = timezone(timedelta(hours=9))
    found = find_time("What did I eat yesterday?", datetime(2023, 8, 16, 1, tzinfo=tokyo))
    assert found is not None
    assert found.window == TimeWindow(datetime(2023, 8, 14, 15, tzinfo=UTC), datetime(2023, 8, 15, 15, tzinfo=UTC))


def test_a_time_without_a_zone_is_utc() -> None:
    found = find_time("What did I eat yesterday?", NOW.replace(tzinfo=None))
    assert found is not None
    assert show(found.window) == "2023-08-15..2023-08-16"


def test_a_time_before_all_times_is_clipped() -> None:
    found = find_time("Who lived 999 years ago?", datetime(200, 1, 31, tzinfo=UTC))
    assert found is not None
    assert show(found.window) == "0002-01-01..0002-07-04"


@pytest.mark.parametrize("event_at", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_an_event_at_the_edge_of_time_resolves(event_at: datetime) -> None:
    for question in EVENTS:
        found = find_time(question, NOW)
        assert found is not None
        window = resolve(found, event_at)
        assert window.since is None or window.until is None or window.since <= window.until


@pytest.mark.parametrize(
    "text", ["before " * 2_000, "in May and " * 900, "the week after that " * 450, "1 2 3 " * 1_500, "“" * 9_000]
)
def test_a_long_question_of_time_words_is_read_to_its_end(text: str) -> None:
    assert find_time(text, NOW) is None
