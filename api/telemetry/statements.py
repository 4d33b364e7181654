"""Spans of SQL: one for each statement, by the name of its query. Neither text nor values are ever in them."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Self

import psycopg
from opentelemetry.trace import SpanKind, StatusCode, Tracer, get_current_span
from psycopg import AsyncCopy, AsyncCursor, sql

from core.sql import name_query

SYSTEM = {"db.system.name": "postgresql"}


def trace_statements(tracer: Tracer) -> type[AsyncCursor[Any]]:
    """Return cursors whose statements are spans, where they belong to work that is recorded; alone they are none."""

    @contextmanager
    def seen(query: object) -> Iterator[None]:
        if not get_current_span().is_recording():
            yield
            return
        name = describe(query)
        about = SYSTEM | {"db.query.summary": name}
        with tracer.start_as_current_span(
            name, kind=SpanKind.CLIENT, attributes=about, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield
            except psycopg.Error as e:
                span.set_attribute("error.type", e.sqlstate or type(e).__name__)
                span.set_status(StatusCode.ERROR)
                raise

    class TracedCursor(AsyncCursor[Any]):
        async def execute(self, query: Any, *values: Any, **options: Any) -> Self:  # noqa: ANN401 - handed on
            with seen(query):
                return await super().execute(query, *values, **options)

        async def executemany(self, query: Any, *values: Any, **options: Any) -> None:  # noqa: ANN401
            with seen(query):
                await super().executemany(query, *values, **options)

        @asynccontextmanager
        async def copy(self, statement: Any, *values: Any, **options: Any) -> AsyncIterator[AsyncCopy]:  # noqa: ANN401
            with seen(statement):
                async with super().copy(statement, *values, **options) as copying:
                    yield copying

    return TracedCursor


def describe(query: object) -> str:
    """Return the name of a query of ours, such as `gems.get_gems`, or the first word of any other statement."""
    text = _write(query)
    return name_query(text) or next(iter(text.split()), "").strip(";").upper()


def _write(query: object) -> str:
    match query:
        case str():
            return query
        case bytes():
            return query.decode(errors="replace")
        case sql.Composed():  # as it was loaded, whatever was filled in
            return "".join(part.as_string() if isinstance(part, sql.SQL) else "{}" for part in query)
        case sql.Composable():
            return query.as_string()
    return ""
