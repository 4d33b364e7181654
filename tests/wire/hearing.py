"""One call of the router, as its caller hears it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from core.errors import AllTargetsFailedError, StreamBrokenError
from llm_router import Prompt, Reply, ReplyEvent, Router, TokenEvent


@dataclass(frozen=True, slots=True)
class Recorded:
    """One attempt, as the reply or the error tells of it; a status of 200 is no fault's."""

    target: object
    kind: object
    status: object


@dataclass(slots=True)
class Hearing:
    """What a caller got.

    Attributes:
        pieces: of a stream.
        escaped: the name of an exception that no caller should see.
    """

    pieces: list[str] = field(default_factory=list)
    reply: Reply | None = None
    error: AllTargetsFailedError | StreamBrokenError | None = None
    escaped: str = ""

    async def listen(self, router: Router, prompt: Prompt, *, streamed: bool) -> None:
        """Make the call and take in whatever comes of it."""
        try:
            if not streamed:
                self.reply = await router.ask(prompt)
                return
            async for event in router.stream(prompt):
                if isinstance(event, TokenEvent):
                    self.pieces.append(event.text)
                elif isinstance(event, ReplyEvent):
                    self.reply = event.reply
        except (AllTargetsFailedError, StreamBrokenError) as error:
            self.error = error
        except Exception as error:  # noqa: BLE001 - whatever escapes the router is a finding, and the table goes on
            self.escaped = type(error).__name__

    @property
    def end(self) -> str:
        """The name of the target that answered, or the code of the error."""
        if self.reply is not None:
            return self.reply.target
        return self.error.code if self.error is not None else self.escaped or "nothing"

    def attempts(self) -> list[dict[str, object]]:
        """Return the attempts, in JSON values."""
        if self.reply is not None:
            return [attempt.as_json() for attempt in self.reply.attempts]
        told = self.error.details["attempts"] if self.error is not None else []
        assert isinstance(told, list)
        return told

    def recorded(self) -> tuple[Recorded, ...]:
        """Return what the attempts say of the faults."""
        return tuple(
            Recorded(each["target"], each["error"], None if each["status"] == 200 else each["status"])
            for each in self.attempts()
        )

    def find_flaws(self, texts: Mapping[str, str], begun: str) -> Iterator[str]:
        """Yield what is wrong with the reply or the error itself.

        Args:
            texts: what each target answers, by its name.
            begun: how an answer begins that breaks off.
        """
        if self.reply is not None:
            yield from self._find_flaws_of(self.reply, texts)
        if isinstance(self.error, StreamBrokenError):
            yield from self._find_flaws_of_break(self.error, begun)
        elif self.error is not None and self.pieces:
            yield f"the reader had {''.join(self.pieces)!r} of nothing"
        if self.error is not None and "sk-" in f"{self.error} {json.dumps(self.error.details)}":
            yield "the error tells the key"

    def _find_flaws_of(self, reply: Reply, texts: Mapping[str, str]) -> Iterator[str]:
        if reply.text != texts.get(reply.target):
            yield f"the answer was {reply.text!r}"
        if self.pieces and "".join(self.pieces) != reply.text:
            yield f"the reader had {''.join(self.pieces)!r}"
        if not reply.usage.total_tokens or reply.usage.estimated:
            yield "the answer's usage was not read"

    def _find_flaws_of_break(self, error: StreamBrokenError, begun: str) -> Iterator[str]:
        said = "".join(self.pieces)
        if not said.startswith(begun) or error.partial_text != said:
            yield f"the reader had {said!r}, the error {error.partial_text!r}"
        if not (error.usage and self.attempts()[-1]["usage"]):
            yield "the error does not say what was used"
