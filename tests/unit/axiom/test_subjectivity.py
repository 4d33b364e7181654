import math
import subprocess
import sys
import time
from dataclasses import astuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from axiom import (
    DEFAULT_SCALE,
    Signals,
    SignalWeights,
    SubjectivityScale,
    signals_from_text,
    subjectivity_from_signals,
)
from core.errors import InvalidTermError

quick = settings(deadline=None, max_examples=40)
units = st.floats(0.0, 1.0)

NEUTRAL = (
    "Uppsala is a city in eastern Sweden, about seventy kilometres north of Stockholm. It was founded in 1286 at the "
    "mouth of the river Fyris and had 177,000 inhabitants in 2019. The cathedral was consecrated in 1435."
)
RANT = (
    "I absolutely HATE this disgusting company!!! They always lie, everybody there is a total idiot, and nobody ever "
    "helps. Obviously the worst, most horrible garbage EVER. Never again!!!"
)


def subjectivity_of(text: str) -> float:
    return subjectivity_from_signals(*astuple(signals_from_text(text))).value


def test_a_value_by_hand() -> None:
    # 0.4·0.5 + 0.35·0.2 + 0.25·0.8 = 0.2 + 0.07 + 0.2 = 0.47
    placed = subjectivity_from_signals(0.5, 0.2, 0.8)
    assert placed.value == pytest.approx(0.47, rel=1e-14)
    assert placed.tier == "base-static"


@pytest.mark.parametrize(
    ("value", "tier"),
    [
        (0.0, "apex-objective"),
        (0.1499, "apex-objective"),
        (0.15, "objective"),
        (0.3299, "objective"),
        (0.33, "base-static"),
        (0.4999, "base-static"),
        (0.50, "mid-dynamic"),
        (0.6699, "mid-dynamic"),
        (0.67, "high-subjective"),
        (0.8499, "high-subjective"),
        (0.85, "apex-dynamic"),
        (math.nextafter(1.0, 0.0), "apex-dynamic"),
        (1.0, "apex-subjective"),
    ],
)
def test_a_tier_begins_where_the_one_before_ends(value: float, tier: str) -> None:
    placed = subjectivity_from_signals(value, 0.0, 0.0, weights=(1.0, 0.0, 0.0))
    assert (placed.value, placed.tier) == (value, tier)


@quick
@given(units, units, units, st.tuples(units, units, st.floats(0.01, 9.0)))
def test_the_value_lies_between_the_signals(a: float, b: float, c: float, weights: tuple[float, float, float]) -> None:
    placed = subjectivity_from_signals(a, b, c, weights)
    assert min(a, b, c) - 1e-12 <= placed.value <= min(1.0, max(a, b, c) + 1e-12)
    assert placed.tier in DEFAULT_SCALE.labels
    assert subjectivity_from_signals(1, 1, 1, weights).tier == "apex-subjective"


def test_signals_are_clamped() -> None:
    assert subjectivity_from_signals(7, 7, 7).value == 1.0
    assert subjectivity_from_signals(-7, -7, -7).value == 0.0


def test_bad_signals_and_weights_are_named() -> None:
    with pytest.raises(InvalidTermError, match=r"^emotional_bias: "):
        subjectivity_from_signals(0, math.nan, 0)
    with pytest.raises(TypeError, match=r"^cognitive_bias: "):
        subjectivity_from_signals(0, 0, "much")  # type: ignore[arg-type]
    with pytest.raises(InvalidTermError, match=r"^weights.noise_level: must be at least 0"):
        subjectivity_from_signals(0, 0, 0, (-1, 1, 1))
    with pytest.raises(InvalidTermError, match=r"^weights: must not all be 0"):
        subjectivity_from_signals(0, 0, 0, SignalWeights(0, 0, 0))
    with pytest.raises(InvalidTermError, match=r"^weights: must be three"):
        subjectivity_from_signals(0, 0, 0, (1, 1))  # type: ignore[arg-type]


@pytest.mark.parametrize("weight", [5e-324, 1e-310, 1e308])
def test_weights_of_any_size_count_by_their_shares(weight: float) -> None:
    # (0.2 + 0.4 + 0.9) / 3 = 0.5
    assert subjectivity_from_signals(0.2, 0.4, 0.9, (weight,) * 3).value == pytest.approx(0.5, rel=1e-15)
    assert subjectivity_from_signals(1, 1, 1, (weight,) * 3).tier == "apex-subjective"


def test_the_tiers_can_be_others() -> None:
    # 0.4·0.5 + 0.35·0.5 + 0.25·0.5 = 0.5, at which the second of these tiers begins
    halves = SubjectivityScale((0.5, 1.0), ("plain", "coloured", "pure"))
    assert subjectivity_from_signals(0.5, 0.5, 0.5, scale=halves).tier == "coloured"
    assert subjectivity_from_signals(0.5, 0.5, 0.49, scale=halves).tier == "plain"
    assert subjectivity_from_signals(1, 1, 1, scale=halves).tier == "pure"


def test_a_neutral_text_is_more_objective_than_a_rant() -> None:
    neutral, rant = signals_from_text(NEUTRAL), signals_from_text(RANT)
    assert subjectivity_from_signals(*astuple(neutral)).tier == "apex-objective"
    assert subjectivity_of(RANT) > 0.5
    assert all(a < b for a, b in zip(astuple(neutral), astuple(rant), strict=True))


def test_emotion_counts_whatever_its_sign() -> None:
    loved = signals_from_text("She loved the warm and beautiful house.").emotional_bias
    hated = signals_from_text("She hated the cold and ugly house.").emotional_bias
    assert min(loved, hated) > 0.5
    both = "She loved the warm and beautiful house. She hated the cold and ugly house."
    assert signals_from_text(both).emotional_bias == pytest.approx((loved + hated) / 2, abs=0.01)
    assert signals_from_text("Today it is 🥰").emotional_bias > 0.0


@pytest.mark.parametrize("word", ["perhaps", "always", "pathetic"])
def test_hedges_absolutes_and_loaded_words_are_bias(word: str) -> None:
    assert signals_from_text(f"The committee met on Tuesday in the hall and it was {word} full").cognitive_bias > 0.5


def test_noise_is_repetition_symbols_and_stretching() -> None:
    def noise(text: str) -> float:
        return signals_from_text(text).noise_level

    assert noise(NEUTRAL) == 0.0
    assert noise("buy it now " * 20) > 0.9
    assert noise("x <=> {y} | [z] ### $$$ %%%") > 0.9
    assert noise("that is sooooooo good !!!!!!!") > 0.5
    assert noise("") == noise("?!") == 1.0
    assert noise("दिल्ली भारत की राजधानी है और एक केंद्र शासित प्रदेश भी है") == 0.0


def test_noise_is_also_words_that_say_little() -> None:
    # of "it is what it is and that is that" all 9 words are empty: (1 − 0.6) / 0.4 = 1
    assert signals_from_text("It is what it is, and that is that.").noise_level == pytest.approx(1.0)
    # of these eleven words nine are empty
    some = "you and I were there with them for the crane inspection"
    assert signals_from_text(some).noise_level == pytest.approx((9 / 11 - 0.6) / 0.4)
    # six of ten is what prose has too
    assert signals_from_text("the crane at the pier is of the harbour company").noise_level == 0.0


@quick
@given(st.text(max_size=400))
def test_signals_are_in_bounds_for_any_text(text: str) -> None:
    signals = signals_from_text(text)
    assert isinstance(signals, Signals)
    assert all(0.0 <= value <= 1.0 for value in astuple(signals))


def test_a_long_text_without_sentence_ends_takes_linear_time() -> None:
    started = time.perf_counter()
    signals_from_text("awful but good " * 10_000)
    assert time.perf_counter() - started < 20.0  # a guard against hanging: 0.2 s where measured; uncut, minutes


def test_the_lexicon_is_not_loaded_by_the_door() -> None:
    check = "import sys, axiom; sys.exit('vaderSentiment' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


def test_emoji_are_words_and_as_many_as_one_likes() -> None:
    # one word for the eye, but a sentence of 60,000 words were it not cut: of these, VADER takes quadratic time
    crowd = signals_from_text("fine " + "\N{SMILING FACE WITH HEART-SHAPED EYES}" * 20_000)
    assert crowd.emotional_bias > 0.5
    alone = signals_from_text("The house stands here \N{LOUDLY CRYING FACE}").emotional_bias
    assert alone > signals_from_text("The house stands here").emotional_bias == 0.0
    # whether it is set apart or not
    assert signals_from_text("The house stands here\N{LOUDLY CRYING FACE}now").emotional_bias > 0.0


def test_what_is_no_text_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match=r"^text: must be a text, not int$"):
        signals_from_text(5)  # type: ignore[arg-type]
