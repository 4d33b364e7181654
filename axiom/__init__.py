"""The pure core that scores: the intelligence equation, why a score is what it is, and the scale of subjectivity."""

from axiom.equation import (
    ARGUMENTS,
    BOUNDS,
    TERM_NAMES,
    Components,
    TermName,
    Terms,
    bound_terms,
    compute_intelligence,
    intelligence,
)
from axiom.explanation import LogShares, Sensitivity, gradient, limiting_term, log_shares, sensitivity
from axiom.scale import DEFAULT_SCALE, Subjectivity, SubjectivityScale
from axiom.sequences import e_sequence, fibonacci, fibonacci_floats
from axiom.subjectivity import (
    DEFAULT_WEIGHTS,
    Signals,
    SignalWeights,
    signals_from_text,
    subjectivity_from_signals,
)
from axiom.symbolic import SymbolicAxiom, symbolic_axiom

__all__ = [
    "ARGUMENTS",
    "BOUNDS",
    "DEFAULT_SCALE",
    "DEFAULT_WEIGHTS",
    "TERM_NAMES",
    "Components",
    "LogShares",
    "Sensitivity",
    "SignalWeights",
    "Signals",
    "Subjectivity",
    "SubjectivityScale",
    "SymbolicAxiom",
    "TermName",
    "Terms",
    "bound_terms",
    "compute_intelligence",
    "e_sequence",
    "fibonacci",
    "fibonacci_floats",
    "gradient",
    "intelligence",
    "limiting_term",
    "log_shares",
    "sensitivity",
    "signals_from_text",
    "subjectivity_from_signals",
    "symbolic_axiom",
]
