from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.evaluation import (
    AskedQuestion,
    Interval,
    bootstrap_interval,
    bound_recall,
    hit_at,
    measure_question,
    ndcg_at,
    rank_documents,
    recall_at,
    reciprocal_rank,
    summarise_recall,
    summarise_recall_by_group,
)

RANKING = ("a", "b", "c", "d")
IDS = st.sampled_from("abcdefghij")


def asked(ranking: tuple[str, ...], evidence: str, group: str | None = None, seconds: float = 0.1) -> AskedQuestion:
    return AskedQuestion(ranking, frozenset(evidence), group, seconds)


def test_a_document_stands_where_its_best_passage_does() -> None:
    assert rank_documents(["b", "a", "b", "c", "a"]) == ("b", "a", "c")


@pytest.mark.parametrize(("k", "recall", "hit"), [(1, 0.0, 0.0), (2, 0.5, 1.0), (4, 1.0, 1.0), (9, 1.0, 1.0)])
def test_recall_counts_evidence_and_hit_any_of_it(k: int, recall: float, hit: float) -> None:
    assert recall_at(k, RANKING, frozenset("bd")) == recall
    assert hit_at(k, RANKING, frozenset("bd")) == hit


def test_evidence_that_is_never_found_counts_as_missed() -> None:
    assert recall_at(4, RANKING, frozenset("az")) == 0.5
    assert reciprocal_rank(RANKING, frozenset("z")) == 0.0
    assert ndcg_at(10, RANKING, frozenset("z")) == 0.0


def test_reciprocal_rank_is_of_the_first_evidence() -> None:
    assert reciprocal_rank(RANKING, frozenset("cd")) == pytest.approx(1 / 3)


def test_ndcg_discounts_by_rank_and_compares_with_the_best_possible() -> None:
    # evidence at ranks 2 and 4; the best would be ranks 1 and 2
    expected = (1 / log2(3) + 1 / log2(5)) / (1 + 1 / log2(3))
    assert ndcg_at(10, RANKING, frozenset("bd")) == pytest.approx(expected)
    assert ndcg_at(10, RANKING, frozenset("ab")) == 1.0


def test_ndcg_of_more_evidence_than_depth_can_still_be_perfect() -> None:
    assert ndcg_at(2, RANKING, frozenset("abcd")) == 1.0


@given(st.lists(IDS, unique=True).map(tuple), st.frozensets(IDS, min_size=1), st.integers(1, 12))
def test_figures_are_shares_and_grow_with_k(ranking: tuple[str, ...], evidence: frozenset[str], k: int) -> None:
    for measure in (recall_at, hit_at):
        assert 0.0 <= measure(k, ranking, evidence) <= measure(k + 1, ranking, evidence) <= 1.0
    assert 0.0 <= ndcg_at(k, ranking, evidence) <= 1.0 + 1e-12
    assert 0.0 <= reciprocal_rank(ranking, evidence) <= 1.0


def test_summary_is_the_mean_over_questions() -> None:
    figures = summarise_recall([asked(RANKING, "a", seconds=0.1), asked(RANKING, "z", seconds=0.3)], (1, 5))
    assert figures == {
        "recall@1": 0.5,
        "recall@5": 0.5,
        "hit@1": 0.5,
        "hit@5": 0.5,
        "mrr": 0.5,
        "ndcg@10": 0.5,
        "questions": 2,
        "seconds_per_question": pytest.approx(0.2),
    }


def test_groups_are_summed_up_apart_and_no_group_belongs_to_none() -> None:
    groups = summarise_recall_by_group([asked(RANKING, "a", "x"), asked(RANKING, "z", "y"), asked(RANKING, "z")], (1,))
    assert {name: figures["recall@1"] for name, figures in groups.items()} == {"x": 1.0, "y": 0.0}


def test_summary_of_no_questions_is_zero() -> None:
    assert summarise_recall([], (5,))["recall@5"] == 0.0


def test_figures_of_groups_and_of_all_have_the_same_names() -> None:
    assert set(measure_question(asked(RANKING, "a"), (1, 5))) | {"questions", "seconds_per_question"} == set(
        summarise_recall([], (1, 5))
    )


def test_an_interval_holds_its_mean_and_is_the_same_every_time() -> None:
    values = [0.0, 1.0] * 50
    found = bootstrap_interval(values)
    assert found == bootstrap_interval(values)
    # the normal approximation: 0.5 ± 1.96 · 0.5 / √100
    assert found.low == pytest.approx(0.402, abs=0.02)
    assert found.high == pytest.approx(0.598, abs=0.02)


def test_an_interval_of_equal_values_is_that_value() -> None:
    assert bootstrap_interval([0.25] * 9) == Interval(0.25, 0.25)


def test_each_figure_has_an_interval_and_no_questions_have_none() -> None:
    bounds = bound_recall([asked(RANKING, "a"), asked(RANKING, "z")], (1,))
    assert set(bounds) == {"recall@1", "hit@1", "mrr", "ndcg@10"}
    assert (bounds["recall@1"].low, bounds["recall@1"].high) == (0.0, 1.0)
    assert bound_recall([], (1,)) == {}
