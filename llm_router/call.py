"""One call of the router: all that its attempts share."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from core.errors import LatticeError
from llm_router.ledger import Ledger
from llm_router.ports import Accounts, Blind, Caller, CallWatch, Observer, Operation
from llm_router.prompt import Prompt
from llm_router.reply import Reply
from llm_router.snapshot import Model, Snapshot


@dataclass(slots=True)
class Call:
    """A call under way.

    Attributes:
        watch: set when the call begins to run.
        reply: set when it has one.
        refusal: why the accounts first allowed no attempt; told if nobody else answers.
        in_background: runs work that must end even if the caller leaves.
    """

    snapshot: Snapshot
    model_config: Model
    prompt: Prompt
    caller: Caller
    ledger: Ledger
    observer: Observer
    streamed: bool
    accounts: Accounts | None
    in_background: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
    variant: str | None = None
    watch: CallWatch = field(default_factory=Blind)
    reply: Reply | None = None
    refusal: LatticeError | None = None

    @property
    def model(self) -> str:
        """The name of the logical model."""
        return self.model_config.config.name


@contextmanager
def watched(call: Call, operation: Operation = "chat") -> Iterator[None]:
    """Let the observer watch a call, which earns its part of an extra one."""
    call.snapshot.retry_budget.earn()
    call.watch = call.observer.start_call(call.model, call.prompt, streamed=call.streamed, operation=operation)
    error: BaseException | None = None
    try:
        yield
    except BaseException as raised:
        error = raised
        raise
    finally:
        call.watch.end(call.reply, error)
