"""Moments and thresholds that the questions of the field take."""

from datetime import datetime
from typing import Annotated

from litestar.params import QueryParameter

from core.clock import parse_moment

At = Annotated[
    str | None,
    QueryParameter(description="A moment, past or to come, as an ISO 8601 date or time; a + is %2B. Absent: now."),
]
Since = Annotated[str | None, QueryParameter(description="The first moment, as an ISO 8601 date or time.")]
Until = Annotated[str | None, QueryParameter(description="The last one; it may lie ahead. Absent: now.")]
Points = Annotated[int, QueryParameter(ge=2, le=2_000, description="How many moments, at equal distances.")]
Below = Annotated[float, QueryParameter(ge=1e-6, le=1, description="The threshold of coherence.")]


def read_moment(text: str | None, name: str) -> datetime | None:
    """Return the moment that a parameter names; None for none.

    Raises:
        InvalidInputError: it names none.
    """
    return None if text is None else parse_moment(text, name)
