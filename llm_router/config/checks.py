"""Questions that several parts of the configuration ask of their values, and how they name a place in it."""

import json
import math
import re
from collections.abc import Iterable
from decimal import Decimal

_DEAREST = Decimal(10) ** 9  # US dollars; what is dearer is a slip, and would not fit the accounts


def is_positive(number: float) -> bool:
    """Say whether this is a finite number above 0."""
    return math.isfinite(number) and number > 0


def is_price(price: Decimal) -> bool:
    """Say whether this can be an amount of money."""
    return price.is_finite() and 0 <= price <= _DEAREST


def name_all(names: Iterable[str]) -> str:
    """Return the names for a message."""
    return ", ".join(sorted(names)) or "none"


def dotted(*place: str | int) -> str:
    """Return a place in the configuration as TOML writes it, such as targets."gpt-4.1".model or budgets[0].name."""
    written = ""
    for part in place:
        if isinstance(part, int):
            written += f"[{part}]"
        else:
            name = part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else json.dumps(part, ensure_ascii=False)
            written += f".{name}" if written else name
    return written
