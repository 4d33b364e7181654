from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_router.config import ModelConfig
from llm_router.policies import build_policy, explain_difficulty
from llm_router.policies.difficulty import WEIGHTS
from llm_router.prompt import AssistantTurn, Evidence, OutputSchema, Prompt, Tool, UserTurn
from tests.unit.llm_router.policies.routes import make_route, names_of

EVIDENCE = (
    Evidence(1, "The harbour of Genoa was dredged in 1821.", "Ports", None, 0.9),
    Evidence(2, "Venice kept its own fleet.", None, None, 0.1),
)


def ask(question: str, evidence: tuple[Evidence, ...] = (), **more: object) -> Prompt:
    return replace(Prompt("", question, evidence, 100), **more)  # type: ignore[arg-type]


def values(prompt: Prompt) -> dict[str, float]:
    return {term.name: term.value for term in explain_difficulty(prompt).terms}


@pytest.mark.parametrize(
    ("term", "with_it", "without"),
    [
        ("reasoning", "Why was the harbour dredged?", "When was the harbour dredged?"),
        ("reasoning", "How was the harbour dredged?", "How old is the harbour?"),
        ("comparison", "Is Genoa larger than Venice?", "Where is Genoa?"),
        ("steps", "Who owned the ship that sank off Genoa?", "Who owned the ship?"),
        ("steps", "Where is Genoa? Who rules it?", "Where is Genoa?"),
        ("numbers", "How many ships sank?", "Which ships sank?"),
        ("numbers", "What sank between 1821 and 1830?", "What sank in 1821?"),
        ("negation", "Which ships never sank?", "Which ships sank?"),
        ("negation", "Which ships didn’t sink?", "Which ships sank?"),
        ("time", "Who ruled before the Doge?", "Who ruled with the Doge?"),
        ("length", "Who ruled the republic of Genoa in those days?", "Who ruled Genoa?"),
    ],
)
def test_what_makes_a_question_hard_is_seen(term: str, with_it: str, without: str) -> None:
    assert values(ask(with_it))[term] > values(ask(without))[term]


def test_words_of_the_question_that_no_passage_has_make_it_harder() -> None:
    assert values(ask("When was the harbour dredged?", EVIDENCE))["uncovered"] == 0.0
    assert values(ask("Who dredges harbours?", EVIDENCE))["uncovered"] == 0.0  # inflections count
    assert values(ask("When did the volcano erupt?", EVIDENCE))["uncovered"] == 1.0
    assert values(ask("When was the volcano dredged?", EVIDENCE))["uncovered"] == 0.5
    assert values(ask("When was it?", EVIDENCE))["uncovered"] == 0.0
    assert values(ask("When did the volcano erupt?"))["uncovered"] == 0.0


def test_evidence_that_agrees_spreads_and_one_passage_that_stands_out_does_not() -> None:
    def spread(*scores: float) -> float:
        return values(ask("Who?", tuple(Evidence(i, "x", None, None, score) for i, score in enumerate(scores))))[
            "spread"
        ]

    assert spread() == spread(0.8) == spread(0.8, 0.0, -1.0) == 0.0
    assert spread(0.5, 0.5) == pytest.approx(1 / 2)
    assert spread(*[0.3] * 8) == pytest.approx(7 / 8)
    assert spread(0.9, 0.1) == pytest.approx(1 - 0.81 - 0.01)
    assert spread(0.0, 0.0) == 0.0


def test_turns_tools_and_a_form_make_it_harder() -> None:
    plain = ask("Who?")
    assert values(plain)["turns"] == values(plain)["form"] == 0.0
    assert values(replace(plain, turns=(AssistantTurn("Ada."), UserTurn("Sure?"))))["turns"] == pytest.approx(2 / 6)
    assert values(replace(plain, output=OutputSchema("form", {})))["form"] == 0.5
    assert values(replace(plain, tools=(Tool("find", "", {}),)))["form"] == 1.0


def test_the_score_is_made_of_its_terms() -> None:
    found = explain_difficulty(ask("Why did Genoa fall before Venice, and how do the two differ?", EVIDENCE))
    assert [term.name for term in found.terms] == list(WEIGHTS)
    easy = 1.0
    for term in found.terms:
        assert term.effect == term.weight * term.value
        easy *= 1 - term.effect
    assert found.score == pytest.approx(1 - easy)


def test_hard_questions_score_above_middling_above_easy_ones() -> None:
    easy = explain_difficulty(ask("Where is Genoa?", EVIDENCE)).score
    middling = explain_difficulty(ask("Who was the wife of the man that dredged Genoa's harbour?", EVIDENCE)).score
    hard = explain_difficulty(ask("Why did Genoa fall before Venice, and how do the two differ?", EVIDENCE)).score
    assert easy < 0.15 < middling < 0.5 < hard


@given(st.text(max_size=3_000), st.lists(st.tuples(st.text(max_size=50), st.floats(-1, 1e6)), max_size=12))
def test_any_prompt_has_a_score_and_always_the_same(question: str, passages: list[tuple[str, float]]) -> None:
    prompt = ask(question, tuple(Evidence(i, text, None, None, score) for i, (text, score) in enumerate(passages)))
    found = explain_difficulty(prompt)
    assert 0.0 <= found.score <= 1.0
    assert all(0.0 <= term.value <= 1.0 for term in found.terms)
    assert explain_difficulty(prompt) == found


def test_the_question_after_a_pasted_text_is_read() -> None:
    assert values(ask("word " * 2_000 + "Why is that?"))["reasoning"] == 1.0


def test_hard_goes_to_the_strong_targets_first_and_easy_to_the_others() -> None:
    routes = [make_route(name) for name in ("cheap1", "strong1", "cheap2", "strong2")]
    routes.append(make_route("extractive", local=True))
    policy = build_policy(ModelConfig("m", (), "difficulty", strong=("strong1", "strong2")), lambda: 0.5)
    hard, easy = ask("Why did Genoa fall before Venice, and how do the two differ?"), ask("Where is Genoa?")
    assert names_of(policy, routes, hard) == ["strong1", "strong2", "cheap1", "cheap2", "extractive"]
    assert names_of(policy, routes, easy) == ["cheap1", "cheap2", "strong1", "strong2", "extractive"]


def test_the_threshold_itself_is_hard() -> None:
    routes = [make_route("cheap"), make_route("strong")]
    question = ask("Why?")
    score = explain_difficulty(question).score
    at, above = (
        build_policy(ModelConfig("m", (), "difficulty", strong=("strong",), threshold=threshold), lambda: 0.5)
        for threshold in (score, score + 1e-9)
    )
    assert names_of(at, routes, question)[0] == "strong"
    assert names_of(above, routes, question)[0] == "cheap"
