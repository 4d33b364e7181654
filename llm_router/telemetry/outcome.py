"""How a call ended, in one word, and what stood in its way. Pure."""

from typing import Literal

from core.errors import LatticeError
from llm_router.reply import Reply

Outcome = Literal["answered", "failed", "cancelled"]


def outcome_of(reply: Reply | None, error: BaseException | None) -> Outcome:
    """Return how a call ended; a caller who left it is no failure."""
    if isinstance(error, Exception):
        return "failed"
    return "cancelled" if reply is None or error is not None else "answered"


def error_type_of(error: BaseException) -> str:
    """Return an error's stable code or, for a fault of ours, its class; never its text, which may quote anything."""
    code = error.code if isinstance(error, LatticeError) else ""
    return code or type(error).__name__
