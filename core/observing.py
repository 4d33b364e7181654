"""Telling whoever watches: pieces of work as they are done, and changes once they are committed.

A package says what it does in words of its own, steps and happenings; what becomes of them, whether spans, metrics or
lines in a log, is the business of the observer that `api` hands to the database.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from psycopg import AsyncConnection


class Observer(Protocol):
    """Sees what a process does. It must neither fail nor wait: those whom it watches do not expect either."""

    def watch(self, step: str, /) -> AbstractContextManager[object]:
        """Return what sees a piece of work from its beginning to its end; an exception is an end, too.

        Args:
            step: a constant name, of the package and the work: `recall.dense`.
        """

    def see(self, happening: object, /) -> None:
        """See what has happened: a frozen value of a class of the package that tells it."""


class Unobserved:
    """Nobody watches."""

    def watch(self, _step: str, /) -> AbstractContextManager[object]:
        """Let it be done."""
        return nullcontext()

    def see(self, happening: object, /) -> None:
        """Let it have happened."""


UNOBSERVED = Unobserved()

_open: WeakKeyDictionary[AsyncConnection[Any], list[object]] = WeakKeyDictionary()


def tell(conn: AsyncConnection[Any], happening: object) -> None:
    """Say what happens within a transaction; it is told to the observer once that is committed, else to nobody.

    Args:
        conn: in a transaction of `Database`; on any other connection nothing is told.
        happening: a frozen value.
    """
    told = _open.get(conn)
    if told is not None:
        told.append(happening)


def listen(conn: AsyncConnection[Any]) -> Sequence[object]:
    """Begin to listen to a transaction of this connection; return what will hold all that is told within it."""
    told = _open[conn] = []
    return told
