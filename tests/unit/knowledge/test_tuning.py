import json
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import ConfigurationError
from knowledge import tuning
from knowledge.cases import Case
from knowledge.fusion import Channels, FusionWeights
from knowledge.hop import Bridge
from knowledge.tuning import fit_weights, measure_case, order_case, read_weights, tune, write_weights

CONSTANTS = FusionWeights()
PASSAGES = 30


def make_case(
    cosine: Any,
    bm25: Any = None,
    relevant: tuple[int, ...] = (0,),
    *,
    candidates: int | None = None,
    bridges: tuple[Bridge, ...] = (),
    documents: Any = None,
    evidence: int | None = None,
) -> Case:
    n = len(cosine)
    none = np.zeros(n)
    held = n if candidates is None else candidates
    channels = Channels(
        cosine=np.asarray(cosine, np.float64),
        bm25=none if bm25 is None else np.asarray(bm25, np.float64),
        speaks=none,
        titled=none,
        found=np.zeros((n, 2), np.float32),
        told=np.zeros(n, np.bool_),
        rarity=np.full(2, 0.5, np.float32),
    )
    numbers = np.arange(n) if documents is None else np.asarray(documents)
    return Case(
        channels,
        none,
        none,
        held,
        (False,) * held,
        bridges,
        numbers,
        tuple(map(str, range(int(numbers.max()) + 1))),
        np.isin(numbers, relevant),
        len(relevant) if evidence is None else evidence,
    )


def make_cases(count: int, *, lexical_knows: bool, seed: int = 1) -> list[Case]:
    """Cases in which the dense channel is noise, and the lexical one knows the answer or is noise as well."""
    rng = np.random.default_rng(seed)
    cases = []
    for _ in range(count):
        answer = int(rng.integers(PASSAGES))
        bm25 = rng.random(PASSAGES)
        if lexical_knows:
            bm25[answer] = 1.0
        cases.append(make_case(rng.random(PASSAGES), bm25, (answer,)))
    return cases


def test_the_order_is_that_of_the_scores_and_documents_count_once() -> None:
    case = make_case([0.9, 0.8, 0.7, 0.6], documents=[5, 5, 6, 7], relevant=(6, 9))
    assert order_case(case, CONSTANTS) == [0, 1, 2, 3]
    recall_5, recall_10, ndcg = measure_case(case, CONSTANTS)
    assert (recall_5, recall_10) == (0.5, 0.5)
    assert ndcg == pytest.approx((1 / np.log2(3)) / (1 + 1 / np.log2(3)))  # second distinct document; two would be best


def test_a_passage_that_is_no_candidate_is_reached_by_a_link_only() -> None:
    values = [0.9, 0.8, 0.1, 0.0, 0.95]
    assert 4 not in order_case(make_case(values, candidates=4), CONSTANTS)
    linked = make_case(values, candidates=4, bridges=(Bridge(0, 4, 0.7),))
    order = order_case(linked, CONSTANTS)
    assert 4 in order
    assert order.index(0) < order.index(2)


def test_tuning_finds_the_channel_that_knows() -> None:
    found = tune(make_cases(40, lexical_knows=True), replace(CONSTANTS, late=0.0, dense=1.0, lexical=0.2), folds=4)
    assert found.weights.lexical > found.weights.dense
    assert found.is_better
    gained = found.measures["ndcg@10"]
    assert gained.tuned > gained.constants
    assert gained.gain.low <= gained.tuned - gained.constants <= gained.gain.high


def test_what_is_fitted_to_noise_is_not_called_better() -> None:
    assert not tune(make_cases(40, lexical_knows=False), CONSTANTS, folds=4).is_better


def test_without_tokens_the_weights_for_that_are_where_the_search_starts() -> None:
    weights = tune(make_cases(8, lexical_knows=False), CONSTANTS, folds=2, restarts=0).weights
    assert weights.late == 0.0
    assert weights.speaker == CONSTANTS.tokenless().speaker


def test_the_same_seed_finds_the_same() -> None:
    cases = make_cases(12, lexical_knows=True)
    assert tune(cases, CONSTANTS, folds=3, seed=7) == tune(cases, CONSTANTS, folds=3, seed=7)


def test_weights_that_the_questions_do_not_touch_stay_as_they_were() -> None:
    start = replace(CONSTANTS, late=0.0, dense=1.0, lexical=0.2)
    weights = fit_weights(make_cases(20, lexical_knows=True), start, np.random.default_rng(0), restarts=2)
    assert weights != start
    untouched = ("speaker", "title", "link", "gain", "kappa", "lambda_")
    assert [getattr(weights, name) for name in untouched] == [getattr(CONSTANTS, name) for name in untouched]


def test_a_case_that_another_value_of_a_weight_orders_otherwise_is_measured_again() -> None:
    rng, moved = np.random.default_rng(3), set[str]()
    for _ in range(60):
        n, count = PASSAGES, rng.integers(2, size=5)  # which channels say anything of this case
        bridges = tuple(Bridge(int(rng.integers(n)), int(rng.integers(n)), 0.7) for _ in range(6 * count[0]))
        case = make_case(rng.random(n), rng.random(n) * count[1], bridges=bridges)
        channels = replace(
            case.channels,
            speaks=(rng.random(n) < 0.3) * 1.0 * count[2],
            titled=(rng.random(n) < 0.3) * 1.0 * count[3],
            found=(rng.random((n, 2)) * count[4]).astype(np.float32),
            told=np.full(n, bool(count[4])),
        )
        case = replace(case, channels=channels)
        start = CONSTANTS if count[4] else CONSTANTS.tokenless()
        for name, factor in product(tuning.TUNED, (0.3, 3.0)):
            other = replace(start, **{name: getattr(start, name) * factor})
            if order_case(case, other) != order_case(case, start):
                assert tuning._is_touched(case, name), name
                moved.add(name)
    assert moved == {*tuning.TUNED}


def test_every_fit_is_told() -> None:
    told: list[tuple[int, int]] = []
    tune(make_cases(6, lexical_knows=True), CONSTANTS, folds=3, on_fit=lambda done, total: told.append((done, total)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_written_weights_are_read_again(tmp_path: Path) -> None:
    found = tune(make_cases(8, lexical_knows=True), CONSTANTS, folds=2, restarts=0)
    path = tmp_path / "weights.json"
    write_weights(path, found)
    assert read_weights(path) == found.weights
    assert json.loads(path.read_text())["held_out"]["ndcg@10"]["tuned"] == found.measures["ndcg@10"].tuned


def test_a_weight_that_is_not_named_keeps_its_constant(tmp_path: Path) -> None:
    path = tmp_path / "weights.json"
    path.write_text('{"weights": {"dense": 1}}')
    assert read_weights(path) == replace(CONSTANTS, dense=1.0)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "are not JSON"),
        ("\xff", "are not JSON"),
        ("[]", "no object `weights`"),
        ('{"weights": 1}', "no object `weights`"),
        ('{"weights": {"colour": 1}}', "colour is not a weight; known are late, dense"),
        ('{"weights": {"dense": "much"}}', "dense must be a number from 0 to 100, not 'much'"),
        ('{"weights": {"dense": true}}', "dense must be a number"),
        ('{"weights": {"dense": -0.1}}', "dense must be a number"),
        ('{"weights": {"dense": NaN}}', "dense must be a number"),
        ('{"weights": {"late": 0, "dense": 0, "lexical": 0}}', "one of late, dense, lexical must count"),
    ],
)
def test_a_file_without_usable_weights_says_what_is_wrong(tmp_path: Path, content: str, problem: str) -> None:
    path = tmp_path / "weights.json"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(ConfigurationError, match=problem) as caught:
        read_weights(path)
    assert str(path) in caught.value.message


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        read_weights(tmp_path / "none.json")
