"""The three signals of subjectivity: their weighted mean, and how they are measured in a text offline.

The word lists are English; of a text in another language only the noise is seen.
"""

import math
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from axiom.equation import finite_number
from axiom.scale import DEFAULT_SCALE, Subjectivity, SubjectivityScale
from core.errors import InvalidTermError


class SignalWeights(NamedTuple):
    """How much each signal counts; at least 0, not all 0, need not sum to 1."""

    noise_level: float = 0.4
    emotional_bias: float = 0.35
    cognitive_bias: float = 0.25


DEFAULT_WEIGHTS = SignalWeights()


@dataclass(frozen=True, slots=True)
class Signals:
    """What makes a text subjective, each in [0, 1].

    Attributes:
        noise_level: repetition, words that say little, symbols and stretched letters instead of words; 1 for a text
            without words.
        emotional_bias: how strong its emotion is, of whatever sign; 1 where half of what is said is emotion.
        cognitive_bias: hedges, absolutes and loaded words; 1 where one word in eight is of these.
    """

    noise_level: float
    emotional_bias: float
    cognitive_bias: float


def subjectivity_from_signals(
    noise_level: float,
    emotional_bias: float,
    cognitive_bias: float,
    weights: tuple[float, float, float] | None = None,
    *,
    scale: SubjectivityScale = DEFAULT_SCALE,
) -> Subjectivity:
    """Return the weighted mean of the three signals, 0 objective and 1 subjective, and its tier.

    Args:
        noise_level: moved to [0, 1], as the other two are.
        emotional_bias: see `Signals`.
        cognitive_bias: see `Signals`.
        weights: of the three in this order, divided by their sum; `DEFAULT_WEIGHTS` if None.
        scale: the tiers.

    Raises:
        TypeError: a signal or weight is not a number.
        InvalidTermError: a signal is NaN or infinite, a weight is negative, or all are 0; names it.
    """
    given = (noise_level, emotional_bias, cognitive_bias)
    signals = [min(max(finite_number(n, v), 0.0), 1.0) for n, v in zip(SignalWeights._fields, given, strict=True)]
    shares = DEFAULT_WEIGHTS if weights is None else _checked(weights)
    # by a power of two, which loses nothing, so that their sum neither overflows nor vanishes
    exponent = math.frexp(max(shares))[1]
    shares = SignalWeights(*(math.ldexp(share, -exponent) for share in shares))
    # both sums round alike, so that three signals of 1 give exactly 1, the last tier
    weighted = math.fsum(w * s for w, s in zip(shares, signals, strict=True))
    return scale.place(weighted / math.fsum(shares))


def signals_from_text(text: str) -> Signals:
    """Return the three signals of an English text; about 0.5 ms for 200 tokens, no network.

    Raises:
        TypeError: it is no text.
    """
    if not isinstance(text, str):
        raise TypeError(f"text: must be a text, not {type(text).__name__}")
    words = _WORD.findall(text.lower())
    if not words:
        return Signals(noise_level=1.0, emotional_bias=0.0, cognitive_bias=0.0)
    return Signals(
        noise_level=_noise(text, words),
        emotional_bias=min(1.0, _emotion(text) / _EMOTION_FULL),
        cognitive_bias=min(1.0, sum(word in _BIASED for word in words) / len(words) / _BIAS_FULL),
    )


# What counts as all of a signal, chosen so that 99% of encyclopaedic passages (HotpotQA, MuSiQue, 2WikiMultihopQA)
# stay in the two most objective tiers and rants leave them.
_EMOTION_FULL = 0.5
_BIAS_FULL = 0.125
_SYMBOLS_FULL = 0.5
# The share of empty words from which on a text says little: 99.9% of those passages and 96% of the turns of LoCoMo's
# conversations have less.
_EMPTY_PROSE = 0.6

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_SENTENCE_WORDS = 60  # VADER takes quadratic time in its words: text without sentence ends is cut here
# Named one by one: "not a letter" would take the vowel signs of many scripts for noise.
_SYMBOL = re.compile(r"[#$%&*+/<=>@\[\\\]^_`{|}~\u2500-\u259f\ufffd]|([^\W\d])\1{2,}|([!?.,;:-])\2{2,}")


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


# Hedges: words that make a claim less than certain. Idea: Lakoff, "Hedges: a study in meaning criteria", Journal of
# Philosophical Logic 2 (1973); Hyland, "Metadiscourse" (2005), chapter 3. "May" and "can" are left out: in plain
# prose they are a month and an ability.
_HEDGES = _words(
    "allegedly apparently arguably assume basically believe feel guess guessing hopefully imagine kinda likely maybe "
    "might perhaps possibly presumably probably reckon reportedly roughly seem seemed seemingly seems somehow "
    "somewhat sorta suppose supposedly suspect think thought unlikely"
)
# Absolutes: words that leave no exception. Idea: Al-Mosaiwi and Johnstone, "In an absolute state", Clinical
# Psychological Science 6 (2018). "All" and "every" are left out: facts need them.
_ABSOLUTES = _words(
    "absolute absolutely always anybody anything certainly completely constantly definitely endless entirely "
    "everybody everyone everything everywhere forever fully impossible literally must never nobody none nothing "
    "nowhere ought should totally undeniable undeniably undoubtedly unquestionable utterly wholly"
)
# Loaded words: they judge what they name. Idea: framing bias in Recasens, Danescu-Niculescu-Mizil and Jurafsky,
# "Linguistic models for analyzing and detecting biased language", ACL (2013).
_LOADED = _words(
    "abomination absurd amazing appalling atrocious awesome awful blatant brainwashed clearly clown clowns corrupt "
    "crooked cult delusional despicable disaster disgrace disgraceful disgusting evil extremist fake fanatic fantastic "
    "fool fools garbage glorious heroic hoax horrible horrific hysterical idiot idiots incredible insane legendary "
    "liar liars lunatic magnificent moron morons nonsense notorious obvious obviously outrageous pathetic perfect "
    "propaganda ridiculous scam shameful shameless sheep shocking sick stupid stupidity stunning superb terrible "
    "terrific thug thugs toxic trash traitor traitors truly unacceptable unbelievable vile wicked wonderful worst "
    "worthless"
)
_BIASED = _HEDGES | _ABSOLUTES | _LOADED
# Empty words: those that serve grammar, and fillers; what a text is about is told by the others. Idea: lexical density,
# Ure, "Lexical density and register differentiation" (1971).
_EMPTY = _words(
    "a about after all am an and any are as at be been being both but by can could did do does done each for from get "
    "gonna got had has have having he her here hers him his how i if in into is it its just know like lol may me mean "
    "mine more most my no nor not now of oh ok okay on only or other our over own really same shall she so some stuff "
    "such than that the their them then there these they thing things this those to too uh um up us very was we well "
    "were what when where which while who whom whose why will with would yeah yes you your"
)


def _noise(text: str, words: list[str]) -> float:
    """Return 1 − (1 − repetition)(1 − emptiness)(1 − symbols): each alone is enough to drown a text.

    Repetition is the share of three-word sequences that have been there before: near 0 in prose of a passage's
    length (a type-token ratio, by contrast, falls with the length of any text).
    """
    triples = list(zip(words, words[1:], words[2:], strict=False))
    repetition = 1.0 - len(set(triples)) / len(triples) if triples else 0.0
    emptiness = max(0.0, sum(word in _EMPTY for word in words) / len(words) - _EMPTY_PROSE) / (1.0 - _EMPTY_PROSE)
    visible = len(text) - sum(map(str.isspace, text))
    symbols = sum(len(match.group()) for match in _SYMBOL.finditer(text)) / visible
    return 1.0 - (1.0 - repetition) * (1.0 - min(1.0, emptiness)) * (1.0 - min(1.0, symbols / _SYMBOLS_FULL))


def _emotion(text: str) -> float:
    """Return VADER's weight of positive and negative words over that of all, mean of the sentences by words.

    VADER (Hutto and Gilbert, ICWSM 2014) is made for sentences. Its compound score is of no use here: it is signed,
    so that love and hate cancel, and one strong word in forty fills it.
    """
    analyser, emoji = _analyser()
    lexicon, emotion, total = analyser.lexicon, 0.0, 0
    for words in _sentences(text.translate(emoji)):
        total += len(words)
        sentence = " ".join(words)
        # a sentence without a word of the lexicon is neutral
        if any(w in lexicon or w.strip(string.punctuation) in lexicon for w in sentence.lower().split()):
            scores = analyser.polarity_scores(sentence)
            emotion += (scores["pos"] + scores["neg"]) * len(words)
    return emotion / total


def _sentences(text: str) -> Iterator[list[str]]:
    for sentence in _SENTENCE_END.split(text):
        words = sentence.split()
        yield from (words[at : at + _SENTENCE_WORDS] for at in range(0, len(words), _SENTENCE_WORDS))


@cache
def _analyser() -> tuple[Any, dict[int, str]]:
    """Return the one analyser, and its words for each emoji; imported on first use, as both together take 20 ms."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer  # noqa: PLC0415

    analyser = SentimentIntensityAnalyzer()
    # put in before a text is cut: inside VADER a word of many emoji would become a sentence of many words
    return analyser, {ord(sign): f" {words} " for sign, words in analyser.emojis.items() if len(sign) == 1}


def _checked(weights: tuple[float, float, float]) -> SignalWeights:
    """Return the weights, each finite and at least 0, not all of them 0."""
    if len(weights) != 3:
        raise InvalidTermError("weights", f"must be three numbers, {SignalWeights._fields}, not {len(weights)}")
    for name, weight in zip(SignalWeights._fields, weights, strict=True):
        if finite_number(f"weights.{name}", weight) < 0.0:
            raise InvalidTermError(f"weights.{name}", f"must be at least 0, not {weight}")
    if not any(weights):
        raise InvalidTermError("weights", "must not all be 0")
    return SignalWeights(*map(float, weights))
