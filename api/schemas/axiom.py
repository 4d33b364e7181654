"""The axiom over the wire: scores with what they are made of, and subjectivity."""

from dataclasses import asdict, astuple
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta

from api.schemas.wire import Body, View
from axiom import (
    ARGUMENTS,
    BOUNDS,
    DEFAULT_SCALE,
    DEFAULT_WEIGHTS,
    TERM_NAMES,
    Sensitivity,
    Signals,
    SignalWeights,
    SubjectivityScale,
    Terms,
    bound_terms,
    compute_intelligence,
    gradient,
    limiting_term,
    log_shares,
    sensitivity,
    signals_from_text,
    subjectivity_from_signals,
)
from core.errors import InvalidInputError

MOST_VALUES = 100_000  # of one term in one request
MOST_EXPLAINED = 10_000  # each score takes nineteen more numbers to explain

Number = float | Annotated[list[float], Meta(min_length=1, max_length=MOST_VALUES)]
Numbers = float | list[float]


class ScoreBody(Body, frozen=True, kw_only=True):
    """Eight terms: each a number, or up to 100,000 of them; lists are of one length. What is left out is neutral."""

    A: Annotated[Number, Meta(description="Impulses, in [0, 1].")] = 1.0
    B: Annotated[Number, Meta(description="Elements, in [0, 1].")] = 1.0
    C: Annotated[Number, Meta(description="Pressure, in [0, 1].")] = 1.0
    X: Annotated[Number, Meta(description="Subjectivity scale as objectivity (1 is objective), in [0, 1].")] = 1.0
    Y: Annotated[Number, Meta(description="Why axis, in [0, 1].")] = 1.0
    Z: Annotated[Number, Meta(description="Time sphere, at least 0.")] = 1.0
    E_n: Annotated[Number, Meta(description="Exponential growth, at least 0.")] = 1.0
    F_n: Annotated[Number, Meta(description="Fibonacci or feedback, at least −1.")] = 0.0
    clamp_to_unit: Annotated[bool, Meta(description="Move a term outside its bounds to the nearer one.")] = True
    strict_bounds: Annotated[bool, Meta(description="Refuse such a term instead.")] = False
    explain: Annotated[
        bool, Meta(description="Tell components, shares, gradient and sensitivity; of at most 10,000 scores.")
    ] = True


class SensitivityView(View, frozen=True, kw_only=True):
    """What one term does to a score, and what more of it would do."""

    term: Annotated[str, Meta(description="Its letter: A, B, C, X, Y, Z, E or F.")]
    value: Annotated[float, Meta(description="As it is.")]
    derivative: Annotated[float, Meta(description="By how much the score changes for 1 of the term.")]
    elasticity: Annotated[
        float | None, Meta(description="By how many percent the score changes for 1 % of the term; null for F = −1.")
    ]
    share: Annotated[float | None, Meta(description="What it adds to ln(score); null if it makes the score 0.")]
    raised_to: Annotated[
        float,
        Meta(description="1 for a term with an upper bound; else what makes its factor a tenth larger, or at least 1."),
    ]
    gain: Annotated[float, Meta(description="What the score would gain then.")]


class ScoreView(View, frozen=True, kw_only=True):
    """Scores, I = E_n·(1 + F_n)·X·Y·Z·(A·B·C), and why they are what they are."""

    score: Annotated[Numbers, Meta(description="A number, or a list if a term was one.")]
    limiting_term: Annotated[
        str | list[str | None] | None,
        Meta(description="The term that holds the score back most; null if none does, or one has a negative factor."),
    ]
    components: Annotated[
        dict[str, Numbers] | None,
        Meta(description="A, B, C, ABC, X, Y, Z, XYZ, E_n, F_n and E_factor = E_n·(1 + F_n), after clamping."),
    ] = None
    gradient: Annotated[
        dict[str, Numbers] | None, Meta(description="The derivative of the score by each term, by the terms' letters.")
    ] = None
    shares: Annotated[
        dict[str, float | None] | None,
        Meta(description="Of a single score: what each adds to ln(score); null where a factor of 0 makes it 0."),
    ] = None
    sensitivity: Annotated[
        list[SensitivityView] | None,
        Meta(description="Of a single score: what would raise it, most promising first."),
    ] = None


Unit = Annotated[float, Meta(ge=0, le=1)]


class SignalsBody(Body, frozen=True, kw_only=True):
    """What makes a text subjective."""

    noise_level: Annotated[Unit, Meta(description="Repetition, empty words and symbols.")] = 0.0
    emotional_bias: Annotated[Unit, Meta(description="How strong its emotion is, of whatever sign.")] = 0.0
    cognitive_bias: Annotated[Unit, Meta(description="Hedges, absolutes and loaded words.")] = 0.0


class WeightsBody(Body, frozen=True, kw_only=True):
    """How much each signal counts: at least 0, not all 0; need not sum to 1."""

    noise_level: Annotated[float, Meta(ge=0, description="Of the noise.")] = DEFAULT_WEIGHTS.noise_level
    emotional_bias: Annotated[float, Meta(ge=0, description="Of the emotion.")] = DEFAULT_WEIGHTS.emotional_bias
    cognitive_bias: Annotated[float, Meta(ge=0, description="Of the bias.")] = DEFAULT_WEIGHTS.cognitive_bias


class ScaleBody(Body, frozen=True, kw_only=True):
    """Tiers of your own."""

    bounds: Annotated[
        list[float], Meta(min_length=1, max_length=100, description="Where tiers end, rising to exactly 1.")
    ]
    labels: Annotated[
        list[Annotated[str, Meta(max_length=200)]],
        Meta(min_length=2, max_length=101, description="Their names, one more than bounds: the last one is exactly 1."),
    ]


class SubjectivityBody(Body, frozen=True, kw_only=True):
    """An English text, or the signals of one; one of the two."""

    text: Annotated[
        Annotated[str, Meta(max_length=100_000)] | None, Meta(description="Whose signals are to be measured.")
    ] = None
    signals: Annotated[SignalsBody | None, Meta(description="What was measured elsewhere.")] = None
    weights: Annotated[WeightsBody | None, Meta(description="0.4, 0.35 and 0.25 if absent.")] = None
    scale: Annotated[ScaleBody | None, Meta(description="The seven tiers if absent.")] = None


class SignalsView(View, frozen=True, kw_only=True):
    """What makes a text subjective, each in [0, 1]."""

    noise_level: Annotated[float, Meta(description="Repetition, empty words and symbols.")]
    emotional_bias: Annotated[float, Meta(description="How strong its emotion is, of whatever sign.")]
    cognitive_bias: Annotated[float, Meta(description="Hedges, absolutes and loaded words.")]


class SubjectivityView(View, frozen=True, kw_only=True):
    """A place on the scale of subjectivity."""

    value: Annotated[float, Meta(description="From 0, objective, to 1.")]
    tier: Annotated[str, Meta(description="The name of its tier.")]
    objectivity: Annotated[float, Meta(description="1 − value: what the term X is fed with.")]
    signals: Annotated[SignalsView, Meta(description="What it is the weighted mean of.")]


def has_lists(body: ScoreBody) -> bool:
    """Tell whether many scores are asked for."""
    return any(isinstance(getattr(body, name), list) for name in ARGUMENTS.values())


def to_score(body: ScoreBody) -> ScoreView:
    """Score what was sent.

    Raises:
        InvalidTermError: a term is out of its bounds and these are strict, lists differ in length, or a result is too
            large for a float.
        InvalidInputError: more scores than can be explained in one answer.
    """
    given = Terms[Any](*(_to_value(getattr(body, ARGUMENTS[name])) for name in TERM_NAMES))
    many = has_lists(body)
    clamps = body.clamp_to_unit
    score, components = compute_intelligence(
        *astuple(given), clamp_to_unit=clamps, strict_bounds=body.strict_bounds, return_components=True
    )
    if body.explain and np.size(score) > MOST_EXPLAINED:
        raise InvalidInputError(
            "explain", f"must be false for more than {MOST_EXPLAINED:,} scores, here {np.size(score):,}"
        )
    terms = bound_terms(given, clamp_to_unit=clamps)
    has_shares = all(np.all(getattr(terms, name) >= BOUNDS[name][0]) for name in TERM_NAMES)
    limit = limiting_term(terms) if has_shares else None
    view = ScoreView(
        score=_to_numbers(score),
        limiting_term=[n or None for n in limit.tolist()] if isinstance(limit, np.ndarray) else limit,
    )
    if not body.explain:
        return view
    slopes = gradient(given, clamp_to_unit=clamps)
    single = has_shares and not many
    return msgspec.structs.replace(
        view,
        components={name: _to_numbers(value) for name, value in components.items()},
        gradient={name: _to_numbers(getattr(slopes, name)) for name in TERM_NAMES},
        shares=log_shares(terms).shares if single else None,
        sensitivity=[to_sensitivity(each) for each in sensitivity(terms)] if single else None,
    )


def to_sensitivity(row: Sensitivity) -> SensitivityView:
    """Return what a term does as it is shown."""
    return SensitivityView(**asdict(row))


def to_subjectivity(body: SubjectivityBody) -> SubjectivityView:
    """Place what was sent on the scale.

    Raises:
        InvalidInputError: not one of text and signals, or weights or a scale that cannot be.
    """
    if (body.text is None) == (body.signals is None):
        raise InvalidInputError("text", "send either text or signals")
    signals = (
        signals_from_text(body.text)
        if body.text is not None
        else msgspec.convert(body.signals, Signals, from_attributes=True)
    )
    weights = None if body.weights is None else SignalWeights(*msgspec.structs.astuple(body.weights))
    scale = DEFAULT_SCALE
    if body.scale is not None:
        scale = SubjectivityScale(tuple(body.scale.bounds), tuple(body.scale.labels))
    placed = subjectivity_from_signals(
        signals.noise_level, signals.emotional_bias, signals.cognitive_bias, weights, scale=scale
    )
    return SubjectivityView(
        value=placed.value, tier=placed.tier, objectivity=1.0 - placed.value, signals=SignalsView(**asdict(signals))
    )


def _to_value(given: Numbers) -> Any:  # noqa: ANN401 - a float or an array
    return np.array(given, dtype=np.float64) if isinstance(given, list) else given


def _to_numbers(value: Any) -> Numbers:  # noqa: ANN401 - a float or an array
    numbers: Numbers = value.tolist() if isinstance(value, np.ndarray) else value
    return numbers
