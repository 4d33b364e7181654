"""The questions of the field: how gems hold, alone and together, now, before and later. None changes anything."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from core.errors import InvalidInputError
from core.pg import Connection, Database
from gems.field_store import GemAtRisk, list_risks, name_gems, read_lattice_log, read_log, read_origin, read_states
from gems.field_summary import BUCKETS, FieldSummary, check_buckets, read_field, summarise
from gems.forecast import BELOW_DEFAULT, Point, check_below, falls_at, follow, spread_moments
from gems.gem import Gem
from gems.history import Curve, draw_curve, find_span
from gems.lattice_history import LatticePoint, draw_lattice
from gems.modes import Mode, find_modes
from gems.packets import Spans, join_states
from gems.state import FloatArray, QuantumState, interference, interference_matrix, order_parameter
from gems.store import Moment, get_gems

MOST_COMPARED = 200  # gems in one interference matrix
POINTS = 200
YEAR = timedelta(days=365)
SHOWN_BEFORE = timedelta(days=90)  # of the lattice's past, unless more is asked for
MOST_DAYS = 36_500
_DAWN = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class GemAt:
    """A gem at a moment.

    Attributes:
        gem: as it is now.
        at: the moment.
        state: then.
        field: its share in the lattice's field then, Re(z·conj(Σz))/Σc in [−1, 1].
        falls_at: when its coherence falls below the threshold, or had fallen, as things stood; None if beyond the year
            9999.
        below: the threshold.
    """

    gem: Gem
    at: datetime
    state: QuantumState[float]
    field: float
    falls_at: datetime | None
    below: float


@dataclass(frozen=True, slots=True)
class GemHistory:
    """A gem's curve, with the gem as it is now."""

    gem: Gem
    curve: Curve


@dataclass(frozen=True, slots=True)
class GemForecast:
    """What becomes of a gem if nobody uses it.

    Attributes:
        gem: as it is now.
        below: a threshold of coherence.
        falls_at: when it falls below; None if beyond the year 9999.
        points: from now on.
    """

    gem: Gem
    below: float
    falls_at: datetime | None
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class NamedMode:
    """A group of gems that move together; `names` are those of the most coherent ones, with their ids."""

    mode: Mode
    names: tuple[tuple[UUID, str], ...]


@dataclass(frozen=True, slots=True, eq=False)
class GemInterference:
    """How n gems interfere: `matrix` is of shape (n, n), in their order."""

    gems: tuple[Gem, ...]
    matrix: FloatArray
    order_parameter: float


@dataclass(frozen=True, slots=True)
class LatticeField:
    """Answers the questions of the field. `at` is always now; moments asked for are parameters of their own."""

    database: Database

    async def state(
        self, tenant: UUID, gem_id: UUID, at: Moment, *, moment: datetime | None = None, below: float = BELOW_DEFAULT
    ) -> GemAt:
        """Return a gem at a moment, exact for the past by the log and for what is to come if it is left alone.

        Raises:
            GemNotFoundError: it is not in the lattice.
            InvalidInputError: it was not there at the moment yet, or `below` is out of bounds.
        """
        check_below(below)
        moment = moment or at.now
        async with self.database.transaction(tenant, read_only=True, snapshot=True) as conn:
            gem, origin = await read_origin(conn, gem_id, at)
            time_unit = at.time_unit
            if moment < at.now:
                origin, time_unit = await _read_past(conn, gem, at, moment)
            whole = await _summarise(conn, at, moment, BUCKETS, below)
        (point,) = follow(origin.state, origin.at, time_unit, [moment])
        wave = QuantumState(1.0, whole.phase, whole.order_parameter, 0.0)
        falls = falls_at(origin.state, origin.at, time_unit, below)
        return GemAt(gem, moment, point.state, interference(point.state, wave), falls, below)

    async def history(
        self,
        tenant: UUID,
        gem_id: UUID,
        at: Moment,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        points: int = POINTS,
    ) -> GemHistory:
        """Return a gem's curve from one moment (its birth, at the earliest) to another (now, if none is given).

        Of a log of more than 5,000 entries, the curve begins where the newest 5,000 do.

        Raises:
            GemNotFoundError: it is not in the lattice.
            InvalidInputError: the moments are in the wrong order, or there are too many points.
        """
        until = until or at.now
        async with self.database.transaction(tenant, read_only=True, snapshot=True) as conn:
            (gem,) = await get_gems(conn, [gem_id], at)
            log = await read_log(conn, gem, at, until)
        moments = spread_moments(max(since or log[0].since, log[0].since), until, points)
        return GemHistory(gem, draw_curve(log, moments, at.time_unit))

    async def forecast(
        self,
        tenant: UUID,
        gem_id: UUID,
        at: Moment,
        *,
        until: datetime | None = None,
        below: float = BELOW_DEFAULT,
        points: int = POINTS,
    ) -> GemForecast:
        """Return what becomes of a gem that nobody uses, for a year unless told otherwise.

        Raises:
            GemNotFoundError: it is not in the lattice.
            InvalidInputError: `until` has passed, or `below` or `points` is out of bounds.
        """
        check_below(below)
        moments = spread_moments(at.now, until or at.now + YEAR, points)
        async with self.database.transaction(tenant, read_only=True, snapshot=True) as conn:
            gem, origin = await read_origin(conn, gem_id, at)
        return GemForecast(
            gem,
            below,
            falls_at(origin.state, origin.at, at.time_unit, below),
            tuple(follow(origin.state, origin.at, at.time_unit, moments)),
        )

    async def summary(
        self,
        tenant: UUID,
        at: Moment,
        *,
        moment: datetime | None = None,
        buckets: int = BUCKETS,
        below: float = BELOW_DEFAULT,
    ) -> FieldSummary:
        """Return what all gems that are not archived now are like together at a moment, past or to come."""
        check_below(below)
        check_buckets(buckets)
        async with self.database.transaction(tenant, read_only=True) as conn:
            return await _summarise(conn, at, moment or at.now, buckets, below)

    async def lattice_history(
        self,
        tenant: UUID,
        at: Moment,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        points: int = POINTS,
    ) -> list[LatticePoint]:
        """Return how the gems that are not archived now fared together, the last 90 days unless told otherwise.

        Raises:
            InvalidInputError: the moments are in the wrong order, or there are too many points.
        """
        until = until or at.now
        since = since or max(min(at.now, until), _DAWN + SHOWN_BEFORE) - SHOWN_BEFORE
        moments = spread_moments(since, until, points)
        async with self.database.transaction(tenant, read_only=True) as conn:
            packets = await read_lattice_log(conn, at)
        return await asyncio.to_thread(draw_lattice, packets, moments)

    async def risks(
        self, tenant: UUID, at: Moment, *, below: float = BELOW_DEFAULT, within_days: float = 30.0, limit: int = 50
    ) -> list[GemAtRisk]:
        """Return the gems that fall below a coherence within some days if nobody uses them, or have, soonest first."""
        check_below(below)
        if not 0 <= within_days <= MOST_DAYS:
            raise InvalidInputError("within_days", f"must be from 0 to {MOST_DAYS:,}, not {within_days}")
        within = timedelta(days=within_days)
        async with self.database.transaction(tenant, read_only=True) as conn:
            return await list_risks(conn, at, below=below, within=within, limit=limit)

    async def modes(self, tenant: UUID, at: Moment, *, limit: int = 20) -> list[NamedMode]:
        """Return the groups of gems that move together, each with the names of up to `limit` most coherent ones."""
        async with self.database.transaction(tenant, read_only=True, snapshot=True) as conn:
            gems = await read_states(conn, at)
            modes = await asyncio.to_thread(find_modes, gems.state)
            shown = [gems.ids(mode.members[:limit]) for mode in modes]
            names = await name_gems(conn, [gem_id for each in shown for gem_id in each])
        return [
            NamedMode(mode, tuple((gem_id, names[gem_id]) for gem_id in each))
            for mode, each in zip(modes, shown, strict=True)
        ]

    async def interference(self, tenant: UUID, gem_ids: Sequence[UUID], at: Moment) -> GemInterference:
        """Return how some gems interfere, each with each.

        Raises:
            InvalidInputError: there is none, or there are too many.
            GemNotFoundError: one of them is not in the lattice.
        """
        if not 1 <= len(gem_ids) <= MOST_COMPARED:
            raise InvalidInputError("gem_ids", f"must be from 1 to {MOST_COMPARED}, not {len(gem_ids)}")
        async with self.database.transaction(tenant, read_only=True) as conn:
            gems = await get_gems(conn, gem_ids, at)
        states = join_states([gem.state for gem in gems])
        return GemInterference(tuple(gems), interference_matrix(states), order_parameter(states))


async def _read_past(conn: Connection, gem: Gem, at: Moment, moment: datetime) -> tuple[Point, timedelta]:
    """Return the state from which a gem's curve went on at a moment, and how long a τ was then."""
    span = find_span(await read_log(conn, gem, at, moment), moment, at.time_unit)
    if span is None:
        raise InvalidInputError("at", f"must not be before the gem was made, {gem.created_at:%Y-%m-%dT%H:%M:%SZ}")
    entry, time_unit = span
    return Point(entry.state_at, entry.state), time_unit


async def _summarise(conn: Connection, at: Moment, moment: datetime, buckets: int, below: float) -> FieldSummary:
    if moment >= at.now:
        return await read_field(conn, Moment(moment, at.time_unit), buckets=buckets, below=below)
    packets = await read_lattice_log(conn, at)
    return await asyncio.to_thread(_summarise_past, packets, moment, buckets, below)


def _summarise_past(packets: Sequence[Spans], moment: datetime, buckets: int, below: float) -> FieldSummary:
    return summarise(join_states([packet.look(moment) for packet in packets]), moment, buckets=buckets, below=below)
