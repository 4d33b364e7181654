"""An answer being read, on whatever wire: what has come of it, and what it amounts to."""

from collections.abc import Mapping
from decimal import Decimal

from llm_router.faults import FaultKind, TargetFault
from llm_router.prompt import Prompt
from llm_router.providers.tool_calls import ToolCallDrafts
from llm_router.reply import Answer, Finish, Usage, estimate_usage


class Draft:
    """What has come of one answer.

    Attributes:
        target: its name, for faults.
        model: as the provider names it, once it has.
        calls: the tool calls.
        refused: the model said that it will not.
        usage: normalised; None until the provider tells it.
        raw_usage: as the provider sent it.
        cost_usd: what the provider says that it charged.
        tier: the service tier.
        response_id: the provider's name for the answer.
    """

    def __init__(self, target: str, model: str, prompt: Prompt) -> None:
        self.target = target
        self.model = model
        self.calls = ToolCallDrafts()
        self.refused = False
        self.usage: Usage | None = None
        self.raw_usage: Mapping[str, object] | None = None
        self.cost_usd: Decimal | None = None
        self.tier: str | None = None
        self.response_id: str | None = None
        self._prompt = prompt
        self._pieces: list[str] = []

    def add(self, piece: str) -> None:
        """Take in a piece of the text."""
        if piece:
            self._pieces.append(piece)

    def text(self) -> str:
        """Return the text so far."""
        return "".join(self._pieces)

    def count(self, raw: Mapping[str, object], usage: Usage) -> None:
        """Take in a usage as it was sent and as it was read; one that tells of no token tells nothing."""
        self.raw_usage = raw
        self.usage = usage if usage.total_tokens else self.usage

    def spent(self) -> Usage | None:
        """Return the tokens spent so far; a guess if something came without a count, None if nothing did."""
        if self.usage is not None:
            return self.usage
        said = self.text() + self.calls.text()
        return self._estimate(said) if said else None

    def fault(self, kind: FaultKind, cause: str | None = None) -> TargetFault:
        """Return a fault that carries what was spent."""
        return TargetFault(self.target, kind, cause=cause, usage=self.spent())

    def answer(self, finish: Finish) -> Answer:
        """Return the whole answer.

        Args:
            finish: as the wire tells it. Some servers say "stop" where the answer calls tools, or refuses.

        Raises:
            TargetFault: a tool call is malformed.
        """
        try:
            calls = self.calls.finish(self.target)
        except TargetFault as fault:
            fault.usage = self.spent()
            raise
        if self.refused:
            finish = "content_filter"
        elif calls and finish in {"stop", "other"}:
            finish = "tool_use"
        text = self.text()
        return Answer(
            text=text,
            model=self.model,
            finish=finish,
            usage=self.usage or self._estimate(text + self.calls.text()),
            tool_calls=calls,
            raw_usage=self.raw_usage,
            cost_usd=self.cost_usd,
            tier=self.tier,
            response_id=self.response_id,
        )

    def _estimate(self, said: str) -> Usage:
        prompt = self._prompt
        turns = "".join(turn.text for turn in prompt.turns)
        return estimate_usage(prompt.system + prompt.user_text() + turns, said)
