import struct
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gems import Curve, LogEntry, Point, QuantumState, evolve, measure, spread_moments
from gems.forecast import follow
from gems.history import draw_curve, find_span, open_log
from gems.lattice_history import draw_lattice
from gems.packets import Spans, unpack_log

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MONTH = timedelta(days=30)
END = NOON + timedelta(days=400)

USES = st.lists(st.tuples(st.floats(0.0, 90.0), st.floats(1e-6, 1.0)), max_size=8)


def look_at(log: list[LogEntry], moment: datetime, time_unit: timedelta) -> QuantumState[float] | None:
    """Return the state at a moment, as a question asked then was answered; None if there was nothing yet."""
    if (span := find_span(log, moment, time_unit)) is None:
        return None
    entry, unit = span
    (point,) = follow(entry.state, entry.state_at, unit, [moment])
    return point.state


def write_log(uses: list[tuple[float, float]]) -> list[LogEntry]:
    """Return the log of a gem that was used so many days after one another, with such gains."""
    at, state, log = NOON, QuantumState.new(), []
    for days, gain in uses:
        before, at = at, at + timedelta(days=days)
        state = measure(evolve(state, (at - before) / MONTH), gain)
        log.append(LogEntry("recall", gain, at, at, state, MONTH))
    return open_log(NOON, log, MONTH)


def draw(log: list[LogEntry], since: datetime, until: datetime, points: int = 50) -> Curve:
    return draw_curve(log, spread_moments(since, until, points), MONTH)


@given(USES, st.integers(0, 800))
def test_the_last_point_is_the_live_state(uses: list[tuple[float, float]], days: int) -> None:
    log = write_log(uses)
    until = NOON + timedelta(days=days + 1)
    known = [entry for entry in log if entry.since <= until]
    live = evolve(known[-1].state, (until - known[-1].since) / MONTH)
    last = draw(known, NOON, until).points[-1]
    assert (last.at, last.state) == (until, live)


@given(USES)
def test_a_curve_jumps_as_each_measurement_says_and_nowhere_else(uses: list[tuple[float, float]]) -> None:
    curve = draw(write_log(uses), NOON, END + timedelta(days=400))
    assert len(curve.marks) == len(uses) + 1
    for mark, (_, gain) in zip(curve.marks[1:], uses, strict=True):
        assert measure(mark.before, gain) == mark.after
    assert [point.at for point in curve.points] == sorted(point.at for point in curve.points)
    jumps = {mark.entry.since for mark in curve.marks}
    for first, second in zip(curve.points, curve.points[1:], strict=False):
        if first.at != second.at:
            assert second.state.coherence <= first.state.coherence
        else:
            assert first.at in jumps


@given(USES, st.floats(0.0, 800.0))
def test_a_curve_and_a_look_at_one_moment_agree(uses: list[tuple[float, float]], days: float) -> None:
    log, moment = write_log(uses), NOON + timedelta(days=days)
    found = look_at(log, moment, MONTH)
    points = draw_curve(log, [NOON, moment], MONTH).points
    assert [point.state for point in points if point.at == moment][-1] == found


def test_before_its_birth_there_is_nothing() -> None:
    log = write_log([(10.0, 0.3)])
    assert look_at(log, NOON - timedelta(microseconds=1), MONTH) is None
    curve = draw_curve(log, spread_moments(NOON - MONTH, NOON + MONTH, 61), MONTH)
    assert curve.points[0] == Point(NOON, QuantumState.new())
    assert curve.marks[0].before == curve.marks[0].after == QuantumState.new()


def test_a_restored_state_goes_on_from_its_own_moment() -> None:
    old = QuantumState(3.0, 1.0, 0.9, 0.2)
    restored = LogEntry("restore", 0.0, NOON + 2 * MONTH, NOON + MONTH, old, MONTH)
    log = open_log(NOON, [restored], MONTH)
    assert look_at(log, NOON + MONTH, MONTH) == evolve(QuantumState.new(), 1.0)
    assert look_at(log, NOON + 2 * MONTH, MONTH) == evolve(old, 1.0)
    (mark,) = [mark for mark in draw(log, NOON, NOON + 4 * MONTH).marks if mark.entry.cause == "restore"]
    assert (mark.before, mark.after) == (evolve(QuantumState.new(), 2.0), evolve(old, 1.0))


def test_time_before_an_entry_is_counted_in_the_unit_of_that_entry() -> None:
    week = timedelta(days=7)
    log = open_log(NOON, [LogEntry("recall", 0.3, NOON + week, NOON + week, QuantumState.new(), week)], MONTH)
    assert look_at(log, NOON + week / 2, MONTH) == evolve(QuantumState.new(), 0.5)


def test_an_entry_of_a_clock_that_went_back_holds_from_the_one_before_it() -> None:
    late = LogEntry("recall", 0.3, NOON + MONTH, NOON + MONTH, QuantumState.new(), MONTH)
    early = LogEntry("recall", 0.3, NOON, NOON, QuantumState(2.0, 0.0, 1.0, 0.0), MONTH)
    log = open_log(NOON, [late, early], MONTH)
    assert [entry.since for entry in log] == [NOON, NOON + MONTH, NOON + MONTH]
    assert look_at(log, NOON + MONTH, MONTH) == evolve(early.state, 1.0)


def pack(logs: list[list[LogEntry]]) -> Spans:
    """Return logs as Postgres packs them."""
    epoch, micro = datetime(2000, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
    rows = [
        struct.pack(
            ">qqqddddd",
            number,
            (entry.since - epoch) // micro,
            (entry.state_at - epoch) // micro,
            entry.state.energy,
            entry.state.phase,
            entry.state.coherence,
            entry.state.uncertainty,
            entry.time_unit.total_seconds(),
        )
        for number, log in enumerate(logs)
        for entry in log
    ]
    return unpack_log(b"".join(rows), MONTH)


@given(st.lists(USES, max_size=5), st.lists(st.floats(-10.0, 800.0), min_size=1, max_size=5))
def test_the_past_of_a_lattice_is_that_of_its_gems(used: list[list[tuple[float, float]]], days: list[float]) -> None:
    logs = [write_log(uses) for uses in used]
    moments = [NOON + timedelta(days=each) for each in days]
    for point in draw_lattice([pack(logs)], moments):
        states = [state for log in logs if (state := look_at(log, point.at, MONTH)) is not None]
        assert point.gems == len(states)
        if states:
            assert point.coherence is not None
            assert point.uncertainty is not None
            assert abs(point.coherence - sum(s.coherence for s in states) / len(states)) < 1e-12
            assert abs(point.uncertainty - sum(s.uncertainty for s in states) / len(states)) < 1e-12
            assert point.order_parameter is not None
            assert 0.0 <= point.order_parameter <= 1.0
        else:
            assert point.coherence is None


def test_a_clock_that_went_back_is_minded_in_packets_too() -> None:
    late = LogEntry("recall", 0.3, NOON + MONTH, NOON + MONTH, QuantumState.new(), MONTH)
    early = LogEntry("recall", 0.3, NOON, NOON, QuantumState(2.0, 0.0, 1.0, 0.0), MONTH)
    (point,) = draw_lattice([pack([[late, early]])], [NOON + MONTH])
    assert (point.gems, point.coherence) == (1, evolve(early.state, 1.0).coherence)
