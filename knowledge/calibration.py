"""How probable it is that a passage matters to a question, on a scale that all questions share. Pure.

A fused score says which of a question's candidates is best, also where none is any good: its parts are stretched over
these candidates. The probability is made of what needs no such stretching.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from knowledge.fusion import Channels

FloatArray: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Coefficients:
    """Of a logistic regression, in logits per unit of each feature.

    Attributes:
        likeness: of the mean likeness of the question's tokens.
        cosine: of question and passage as embedded.
        coverage: of the lexical score over the greatest that any passage could have.
        spoken: 1 if the question names who says the passage.
        titled: 1 if the question says the passage's title.
        link: of what links add to the relevance.
        titled_link: of title and link together, which say the same twice.
        spoken_likeness: of the likeness where the speaker is named: what others say counts little then.
    """

    intercept: float
    likeness: float
    cosine: float
    coverage: float
    spoken: float
    titled: float
    link: float
    titled_link: float
    spoken_likeness: float


# Fitted by scripts/fit_calibration.py; docs/recall.md, "Probability", says on what and how well they hold.
WITH_TOKENS = Coefficients(
    intercept=-9.950,
    likeness=3.707,
    cosine=3.399,
    coverage=0.0,
    spoken=-2.198,
    titled=7.334,
    link=12.080,
    titled_link=-13.973,
    spoken_likeness=9.131,
)
WITHOUT_TOKENS = Coefficients(
    intercept=-9.195,
    likeness=0.0,
    cosine=4.926,
    coverage=5.227,
    spoken=2.174,
    titled=7.226,
    link=14.857,
    titled_link=-22.095,
    spoken_likeness=2.027,
)


def list_features(channels: Channels, coverage: FloatArray, link: FloatArray, *, with_tokens: bool) -> FloatArray:
    """Return what the regression looks at, shape (n, 8), in the order of `Coefficients` after the intercept.

    Where there are token states, the words that a passage shares are among what its tokens are like; where there are
    none, the likeness is 0 and the cosine stands in for it beside the speaker.
    """
    none = np.zeros(len(channels))
    likeness, shared = (channels.max_sim, none) if with_tokens else (none, coverage)
    said = (likeness, channels.cosine, shared, channels.speaks, channels.titled, link)
    spoken_likeness = channels.speaks * (likeness if with_tokens else channels.cosine)
    return np.stack([*said, channels.titled * link, spoken_likeness], axis=1)


def probability(channels: Channels, coverage: FloatArray, link: FloatArray) -> FloatArray:
    """Return the probability that each of n passages is evidence for the question, shape (n,), in [0, 1].

    Args:
        channels: what they say of the passages.
        coverage: the lexical score over the greatest that any passage could have, shape (n,).
        link: what links add to the relevance, shape (n,).
    """
    logits = (
        _weigh(list_features(channels, coverage, link, with_tokens=with_tokens), coefficients)
        for with_tokens, coefficients in ((True, WITH_TOKENS), (False, WITHOUT_TOKENS))
    )
    told, untold = (np.clip(each, -500, 500) for each in logits)  # exp stays finite
    return np.asarray(1.0 / (1.0 + np.exp(-np.where(channels.told, told, untold))), np.float64)


def _weigh(features: FloatArray, coefficients: Coefficients) -> FloatArray:
    first, *rest = (getattr(coefficients, name) for name in Coefficients.__slots__)
    return np.asarray(first + features @ np.array(rest), np.float64)
