"""Time: the moment it is, as a value that can be handed in, and moments as people write them."""

from datetime import UTC, datetime

from core.errors import InvalidInputError


def utc_now() -> datetime:
    """Return the current time, aware, in UTC."""
    return datetime.now(UTC)


def parse_moment(text: str, name: str) -> datetime:
    """Return the moment that an ISO 8601 date or time names, in UTC; one without a zone is read as UTC.

    Raises:
        InvalidInputError: it names none.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as e:  # the year 9999 west of Greenwich has no UTC
        example = "such as 2024-05-08 or 2024-05-08T13:56:00Z"
        raise InvalidInputError(name, f"must be an ISO 8601 date or time {example}, not {text!r:.40}") from e
