"""What a command's exit code means; docs/cli.md has the same table."""

from core.errors import (
    AccessError,
    BudgetExceededError,
    ConfigurationError,
    ConflictError,
    InvalidInputError,
    LatticeError,
    NotFoundError,
    ProviderError,
    RequestError,
    UnavailableError,
    UnreadableSourceError,
)

PARTIAL = 1  # done, but not all of it; or a check failed
USAGE = 2  # the command line itself is wrong
FAULT = 70  # a fault of ours
INTERRUPTED = 130
TERMINATED = 143

EXIT_CODES: dict[type[LatticeError], int] = {
    InvalidInputError: 3,
    UnreadableSourceError: 3,
    RequestError: 3,
    NotFoundError: 4,
    ConflictError: 5,
    ConfigurationError: 6,
    AccessError: 6,
    UnavailableError: 7,
    ProviderError: 8,
    BudgetExceededError: 8,
}


def exit_code_of(error: type[LatticeError]) -> int:
    """Return the code of the nearest class in the table; that of a fault of ours for what is not in it."""
    return next((EXIT_CODES[each] for each in error.__mro__ if each in EXIT_CODES), FAULT)
