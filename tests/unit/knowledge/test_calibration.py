from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from knowledge.calibration import probability
from knowledge.fusion import Channels
from scripts.fit_calibration import fit_logistic, predict


def channels(likeness: Any, cosine: Any, *, speaks: Any = 0.0, titled: Any = 0.0, told: bool = True) -> Channels:
    likeness = np.atleast_1d(np.asarray(likeness, np.float32))
    n = len(likeness)
    return Channels(
        cosine=np.broadcast_to(np.asarray(cosine, np.float64), n),
        bm25=np.zeros(n),
        speaks=np.broadcast_to(np.asarray(speaks, np.float64), n),
        titled=np.broadcast_to(np.asarray(titled, np.float64), n),
        found=likeness[:, None] if told else np.zeros((n, 0), np.float32),
        told=np.full(n, told),
        rarity=np.ones(1 if told else 0, np.float32),
    )


def chance(found: Channels, coverage: float = 0.0, link: float = 0.0) -> list[float]:
    n = len(found)
    return [float(each) for each in probability(found, np.full(n, coverage), np.full(n, link))]


def test_the_more_a_passage_is_like_the_question_the_more_probable_it_is() -> None:
    for found in (chance(channels([0.1, 0.5, 0.9], 0.5)), chance(channels([0.5] * 3, [0.1, 0.5, 0.9]))):
        assert found == sorted(found)
        assert 0.0 < found[0] < found[-1] < 1.0


def test_what_has_nothing_in_common_with_the_question_is_improbable() -> None:
    assert chance(channels(0.25, 0.05))[0] < 0.001


@pytest.mark.parametrize("told", [True, False])
def test_title_link_and_the_right_speaker_make_a_passage_more_probable(told: bool) -> None:
    plain = chance(channels(0.6, 0.4, told=told))[0]
    assert chance(channels(0.6, 0.4, titled=1.0, told=told))[0] > plain
    assert chance(channels(0.6, 0.4, told=told), link=0.3)[0] > plain
    assert chance(channels(0.6, 0.4, speaks=1.0, told=told))[0] > plain


def test_without_token_states_shared_words_count() -> None:
    untold = channels(0.0, 0.4, told=False)
    assert chance(untold, coverage=0.5)[0] > chance(untold, coverage=0.1)[0]
    told = channels(0.6, 0.4)
    assert chance(told, coverage=0.5) == chance(told, coverage=0.1)


def test_a_probability_does_not_depend_on_the_other_candidates() -> None:
    both = channels([0.3, 0.7], [0.2, 0.6])
    assert chance(both) == [*chance(channels(0.3, 0.2)), *chance(channels(0.7, 0.6))]


def test_no_candidates_have_no_probabilities_and_extremes_stay_finite() -> None:
    assert chance(channels([], 0.0)) == []
    extreme = replace(channels(1.0, 1.0), cosine=np.array([1e6]))
    assert chance(extreme) == [1.0]


def test_the_fit_finds_the_coefficients_that_made_the_labels() -> None:
    rng = np.random.default_rng(3)
    features = rng.normal(size=(40_000, 2)) * (1.0, 5.0)
    truth = np.array([-2.0, 1.5, -0.3])
    labels = (rng.random(len(features)) < predict(features, truth)).astype(np.float64)
    np.testing.assert_allclose(fit_logistic(features, labels), truth, atol=0.06)  # three standard errors


def test_a_feature_that_never_varies_has_no_weight() -> None:
    features = np.column_stack([np.linspace(-1, 1, 200), np.zeros(200)])
    labels = (np.arange(200) % 3 == 0).astype(np.float64)
    assert fit_logistic(features, labels)[2] == 0.0
