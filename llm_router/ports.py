"""What the router needs of others: somebody who keeps the accounts, and somebody who watches."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Protocol
from uuid import UUID

from llm_router.config import ExperimentConfig, Variant
from llm_router.prompt import Prompt
from llm_router.reply import Attempt, Reply

FIRST_TENANT = UUID(int=1)
"""The one lattice of a service that has no others."""


@dataclass(frozen=True, slots=True)
class Caller:
    """On whose account a call is made.

    Attributes:
        tenant: whose lattice it is; nothing is shared between tenants.
        key: the name of the API key that was used, never the key itself; empty for none.
    """

    tenant: UUID = FIRST_TENANT
    key: str = ""


ANYBODY = Caller()


Operation = Literal["chat", "embeddings"]
"""What is asked of targets, as the conventions for generative AI name it."""


class Accounts(Protocol):
    """Keeps what was spent, and who may still spend."""

    async def reserve(self, caller: Caller, model: str, target: str, amount_usd: Decimal) -> UUID | None:
        """Set aside what one attempt may cost at most; None if nothing limits it.

        Raises:
            BudgetExceededError: less than that is left.
        """

    async def settle(self, caller: Caller, model: str, attempt: Attempt, reservation: UUID | None) -> None:
        """Keep an attempt, and what it cost in the place of what was set aside for it."""


class Trials(Protocol):
    """Chooses between the variants of an experiment."""

    async def choose(self, tenant: UUID, experiment: ExperimentConfig) -> Variant:
        """Return the variant that this call shall try."""


class AttemptWatch(Protocol):
    """One attempt, watched."""

    def end(self, attempt: Attempt) -> None:
        """See the attempt end, however it did."""


class CallWatch(Protocol):
    """One call of the router, watched."""

    def start_attempt(self, target: str, provider: str, model: str) -> AttemptWatch:
        """See an attempt begin."""

    def end(self, reply: Reply | None, error: BaseException | None) -> None:
        """See the call end: with a reply, with an error, or with neither if its caller left."""


class Observer(Protocol):
    """Watches all calls. It must be quick: it runs within them."""

    def start_call(self, model: str, prompt: Prompt, *, streamed: bool, operation: Operation = "chat") -> CallWatch:
        """See a call begin."""

    def see_lookup(self, cache: str, *, hit: bool) -> None:
        """See a look into a cache, named "answers" or "embeddings"."""


class Blind:
    """An observer, watch and all, that sees nothing."""

    def start_call(self, model: str, prompt: Prompt, *, streamed: bool, operation: Operation = "chat") -> CallWatch:
        """See nothing."""
        return self

    def start_attempt(self, target: str, provider: str, model: str) -> AttemptWatch:
        """See nothing."""
        return _SEES_NO_END

    def end(self, reply: Reply | None, error: BaseException | None) -> None:
        """See nothing."""

    def see_lookup(self, cache: str, *, hit: bool) -> None:
        """See nothing."""


class _SeesNoEnd:
    def end(self, attempt: Attempt) -> None:
        pass


_SEES_NO_END = _SeesNoEnd()
