"""How long a provider asks to wait, in all the ways in which it may say so."""

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_Headers = Mapping[str, str]

_RATE_LIMITED = 429

LONGEST_S = 86_400.0
"""No quota takes longer than a day to come back; what is told beyond that (a time since 1970, say) is nonsense."""

_SPAN = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")
_SPAN_UNITS_S = (3600.0, 60.0, 1.0, 0.001)


def read_retry_after(headers: _Headers, now: datetime, status: int | None = None) -> float | None:
    """Return how many seconds the provider asks to wait, from 0 up; None if it does not say or says nonsense.

    Where a rate limit comes without a `retry-after`, the quotas that are used up say when they begin anew; the last of
    them counts. Quotas with something left say nothing about this request.
    """
    wait_s = _read_wait(headers, now, status)
    return None if wait_s is None or wait_s > LONGEST_S else wait_s


def _read_wait(headers: _Headers, now: datetime, status: int | None) -> float | None:
    milliseconds = _as_seconds(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    told = headers.get("retry-after")
    if told is not None:
        seconds = _as_seconds(told)
        return _until(_as_date(told), now) if seconds is None else seconds
    return _read_reset(headers, now) if status == _RATE_LIMITED else None


def _read_reset(headers: _Headers, now: datetime) -> float | None:
    spans = [
        _as_span(headers.get(f"x-ratelimit-reset-{quota}", ""))
        for quota in ("requests", "tokens")
        if _is_spent(headers, f"x-ratelimit-remaining-{quota}")
    ]
    moments = [
        _until(_as_moment(headers.get(f"anthropic-ratelimit-{quota}-reset", "")), now)
        for quota in ("requests", "tokens", "input-tokens", "output-tokens")
        if _is_spent(headers, f"anthropic-ratelimit-{quota}-remaining")
    ]
    return max((wait for wait in spans + moments if wait is not None), default=None)


def _is_spent(headers: _Headers, remaining: str) -> bool:
    return _as_seconds(headers.get(remaining)) == 0


def _as_seconds(told: str | None) -> float | None:
    try:
        number = float(told or "")
    except ValueError:
        return None
    return max(number, 0.0) if math.isfinite(number) else None


def _as_span(told: str) -> float | None:
    """Return the seconds of a span such as 6m0s, 8.64s or 120ms."""
    found = _SPAN.fullmatch(told) if told else None
    if found is None:
        return None
    return sum(float(part) * unit for part, unit in zip(found.groups(), _SPAN_UNITS_S, strict=True) if part)


def _as_date(told: str) -> datetime | None:
    return _parse(parsedate_to_datetime, told)


def _as_moment(told: str) -> datetime | None:
    return _parse(datetime.fromisoformat, told)


def _parse(parser: Callable[[str], datetime], told: str) -> datetime | None:
    try:
        moment = parser(told)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _until(moment: datetime | None, now: datetime) -> float | None:
    return None if moment is None else max((moment - now).total_seconds(), 0.0)
