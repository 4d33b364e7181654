"""Logs are events: a constant name in the past tense and keys, on standard error. Only `api` configures them."""

import logging
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import structlog
from structlog.contextvars import bound_contextvars, merge_contextvars
from structlog.dev import plain_traceback
from structlog.tracebacks import ExceptionDictTransformer

SECRET_WORDS = ("key", "token", "secret", "password", "passwd", "authorization", "cookie", "credential", "dsn")
COUNTS = ("tokens", "_tokens", "keys")  # how many, not which
HIDDEN = "[hidden]"
CHATTY = {
    "psycopg": logging.ERROR,  # its warnings are of errors that another one hides, which is the one to tell
    "psycopg.pool": logging.WARNING,
    "alembic": logging.WARNING,
}
TELLING = (
    "httpx",
    "httpx2",
    "httpcore",
    "httpcore2",
    "openai",
    "anthropic",
)  # at DEBUG: prompts, and headers with keys


def configure_logging(level: str = "INFO", *, json: bool = False) -> None:
    """Send the events of this process, those of its libraries included, to standard error.

    Args:
        level: the least level shown, by its name.
        json: one JSON object a line instead of text for people.

    Raises:
        ValueError: no such level.
    """
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"no log level is named {level!r}")
    shared: list[structlog.typing.Processor] = [
        merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        hide_secrets,
    ]
    # tracebacks without the values of variables: among them are prompts and secrets
    untold = ExceptionDictTransformer(show_locals=False)
    last: list[structlog.typing.Processor] = (
        [structlog.processors.ExceptionRenderer(untold), structlog.processors.JSONRenderer()]
        if json
        else [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain_traceback)]
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    for name, least in CHATTY.items():  # one line for each request or connection helps only whoever looks for it
        logging.getLogger(name).setLevel(number if number <= logging.DEBUG else max(number, least))
    for name in TELLING:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))


@contextmanager
def request_context(request_id: str) -> Iterator[None]:
    """Put a request's id on every event of this task, and of those that it starts."""
    with bound_contextvars(request_id=request_id):
        yield


def hide_secrets(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide the values of keys that are named like secrets, in mappings and lists inside as well."""
    return {name: HIDDEN if is_secret(name) else _cleaned(value) for name, value in event.items()}


def is_secret(name: str) -> bool:
    """Tell whether a key is named like a secret; counts of LLM tokens are none."""
    lowered = name.lower()
    return not lowered.endswith(COUNTS) and any(word in lowered for word in SECRET_WORDS)


def _cleaned(value: object) -> object:
    if isinstance(value, dict):
        return {name: HIDDEN if is_secret(str(name)) else _cleaned(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(inner) for inner in value]
    return value
