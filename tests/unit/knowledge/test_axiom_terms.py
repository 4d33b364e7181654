from dataclasses import replace
from uuid import UUID

import pytest

from axiom import bound_terms, intelligence
from gems import QuantumState
from knowledge import PassageScore, RecalledPassage, feed_axiom
from tests.unit.knowledge.states import GEM

FRESH = QuantumState(1.0, 0.0, 1.0, 0.1)


def passage(text: str, cosine: float = 0.6, score: float = 1.0, state: QuantumState[float] = FRESH) -> RecalledPassage:
    rest = dict.fromkeys(("late", "lexical", "speaker", "title", "link", "coherence", "interference", "novelty"), 0.0)
    parts = PassageScore(score=score, dense=score, **rest, cosine=cosine, bm25=0, coverage=0, max_sim=None, field=1)
    return RecalledPassage(
        passage_id=UUID(int=2),
        document_id=UUID(int=3),
        external_id=None,
        gem_id=GEM.gem_id,
        text=text,
        title=None,
        heading=None,
        source=None,
        thread=None,
        speaker=None,
        occurred_at=None,
        metadata={},
        ordinal=0,
        start=0,
        end=len(text),
        tokens=10,
        score=parts,
        state=state,
    )


def test_each_term_is_fed_with_what_the_design_names() -> None:
    faded = QuantumState(1.0, 1.0, 0.4, 0.6)
    evidence = [
        passage("The ferry leaves at seven.", cosine=0.8, score=0.75),
        passage("The crane lifts forty tonnes.", cosine=-0.2, score=0.25, state=faded),
    ]
    terms = feed_axiom("When does the ferry leave the harbour?", evidence, GEM)
    assert pytest.approx(0.75 * 0.8) == terms.A  # resonance is cut at 0
    assert pytest.approx(2 / 3) == terms.B  # ferry, leav; not harbour
    assert pytest.approx(0.75 * 1.0 + 0.25 * 0.4) == terms.C
    assert 0.7 < terms.X <= 1.0
    assert pytest.approx((1 + 0.4 * 0.5403023058681398) / 2) == terms.Y  # cos 1
    assert pytest.approx(1 - (0.75 * 0.1 + 0.25 * 0.6)) == terms.Z
    assert (terms.E, terms.F) == (1.5, 0.25)


def test_a_single_passage_interferes_with_itself_only() -> None:
    assert feed_axiom("ferry", [passage("ferry")], GEM).Y == 1.0
    faded = passage("ferry", state=replace(FRESH, coherence=0.5))
    assert pytest.approx((1 + 0.25) / 2) == feed_axiom("ferry", [faded], GEM).Y


def test_no_evidence_scores_nothing_and_a_question_of_stop_words_is_covered() -> None:
    assert intelligence(bound_terms(feed_axiom("ferry", [], GEM))) == 0.0
    assert feed_axiom("who is it?", [passage("ferry")], GEM).B == 1.0


def test_heated_evidence_is_less_objective() -> None:
    calm = passage("The ferry leaves at seven and carries forty cars.")
    heated = passage("I absolutely HATE this terrible ferry!!! It is always, always a horrible disaster!!!")
    assert feed_axiom("ferry", [heated], GEM).X < feed_axiom("ferry", [calm], GEM).X
