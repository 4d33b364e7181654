"""What the targets of all wires have in common: a request is built and sent, its answer read by the protocol."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import httpx2

from llm_router.config import TargetConfig
from llm_router.faults import Wire
from llm_router.prompt import Prompt
from llm_router.providers.events import Reading, read_stream
from llm_router.providers.wire import Phases, faults_of
from llm_router.reply import Answer
from llm_router.target import Clocks


class Events(Protocol):
    """A stream that has been opened."""

    @property
    def response(self) -> httpx2.Response:
        """Its response, whose body is not yet read."""


class Client(Protocol):
    """The connections of one target. Nothing is ever sent twice."""

    async def post(self, path: str, body: dict[str, object], clocks: Clocks) -> bytes:
        """Send a body and return the one that comes back, unread."""

    async def open_stream(
        self, path: str, body: dict[str, object], clocks: Clocks
    ) -> AbstractAsyncContextManager[Events]:
        """Send a body and return the stream that comes back, to be closed by the caller."""

    async def aclose(self) -> None:
        """Close the connections."""


class AnswerReading(Reading, Protocol):
    """A reading that ends in an answer."""

    def answer(self) -> Answer:
        """Return the whole answer.

        Raises:
            TargetFault: it did not end as the wire promises.
        """


R = TypeVar("R", bound=AnswerReading)


@dataclass(frozen=True, slots=True)
class Dialect(Generic[R]):
    """How one wire is spoken.

    Attributes:
        path: where requests go, below the address.
        build: makes the body of a request.
        read: begins to read an answer, given the target's name, its model and the prompt.
        streaming: added to the body of a request for a stream.
    """

    wire: Wire
    phases: Phases
    path: str
    build: Callable[[Prompt], dict[str, object]]
    read: Callable[[str, str, Prompt], R]
    streaming: Mapping[str, object] = field(default_factory=lambda: {"stream": True})


class WireTarget(Generic[R]):
    """A model behind a server.

    Args:
        config: of the target.
        client: its connections.
        dialect: how they are spoken to.
    """

    def __init__(self, config: TargetConfig, client: Client, dialect: Dialect[R]) -> None:
        self.name = config.name
        self.provider = config.provider
        self.model = config.model
        self._client = client
        self._dialect = dialect

    async def ask(self, prompt: Prompt, clocks: Clocks) -> Answer:
        """Return the whole answer."""
        dialect = self._dialect
        reading = dialect.read(self.name, self.model, prompt)
        with faults_of(self.name, dialect.wire, dialect.phases, reading.spent):
            reading.read_whole(await self._client.post(dialect.path, dialect.build(prompt), clocks))
            await self._await_end(reading, clocks)
        return reading.answer()

    async def stream(self, prompt: Prompt, clocks: Clocks) -> AsyncIterator[str | Answer]:
        """Yield the answer's pieces and, last, the whole of it."""
        dialect = self._dialect
        reading = dialect.read(self.name, self.model, prompt)
        body = {**dialect.build(prompt), **dialect.streaming}
        with faults_of(self.name, dialect.wire, dialect.phases, reading.spent):
            async with (
                await self._client.open_stream(dialect.path, body, clocks) as events,
                aclosing(read_stream(events.response, reading)) as pieces,
            ):
                async for piece in pieces:
                    yield piece
        yield reading.answer()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _await_end(self, reading: R, clocks: Clocks) -> None:
        """Wait for an answer that is still in the making; most wires have none such."""
