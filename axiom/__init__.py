"""The pure core that scores: the intelligence equation and the scale of subjectivity."""

from axiom.equation import (
    TERM_NAMES,
    Components,
    LogShares,
    TermName,
    Terms,
    bound_terms,
    compute_intelligence,
    intelligence,
    log_shares,
)
from axiom.subjectivity import (
    DEFAULT_WEIGHTS,
    TIERS,
    Signals,
    SignalWeights,
    Subjectivity,
    signals_from_text,
    subjectivity_from_signals,
)

__all__ = [
    "DEFAULT_WEIGHTS",
    "TERM_NAMES",
    "TIERS",
    "Components",
    "LogShares",
    "SignalWeights",
    "Signals",
    "Subjectivity",
    "TermName",
    "Terms",
    "bound_terms",
    "compute_intelligence",
    "intelligence",
    "log_shares",
    "signals_from_text",
    "subjectivity_from_signals",
]
