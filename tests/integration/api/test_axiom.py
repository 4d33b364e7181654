from typing import Any

import httpx2
import pytest

from api.settings import Settings
from tests.integration.api.conftest import check_problem

TERMS = {"A": 0.5, "B": 0.5, "C": 0.4, "X": 0.5, "Y": 0.8, "Z": 0.9, "E_n": 2, "F_n": 0.5}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"max_body_bytes": 1_000_000})


async def test_a_score_comes_with_its_reasons(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/axiom/score", json=TERMS)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    # 2·(1 + 0.5) = 3; X·Y·Z = 0.5·0.8·0.9 = 0.36; A·B·C = 0.5·0.5·0.4 = 0.1; 3·0.36·0.1 = 0.108
    assert told["score"] == pytest.approx(0.108)
    assert told["components"] == TERMS | {
        "ABC": pytest.approx(0.1),
        "XYZ": pytest.approx(0.36),
        "E_factor": pytest.approx(3.0),
    }
    assert told["limiting_term"] == "C"
    assert told["shares"]["C"] == pytest.approx(-0.916291)  # ln 0.4
    assert told["gradient"]["C"] == pytest.approx(0.27)  # 0.108 / 0.4
    first = told["sensitivity"][0]
    assert (first["term"], first["raised_to"]) == ("C", 1.0)
    assert first["gain"] == pytest.approx(0.162)  # 0.27·(1 − 0.4)


async def test_lists_broadcast(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/axiom/score", json={"A": [0.5, 1.0, 2.0], "C": 0.8, "E_n": [1, 0, 4]})
    told = answer.json()
    # 0.5·0.8·1 = 0.4; 1·0.8·0 = 0; A is clamped to 1: 1·0.8·4 = 3.2
    assert told["score"] == pytest.approx([0.4, 0.0, 3.2])
    assert told["limiting_term"] == ["A", "E", "C"]
    assert told["components"]["A"] == [0.5, 1.0, 1.0]
    assert told["gradient"]["A"] == pytest.approx([0.8, 0.0, 0.0])  # beyond its bounds a clamped term has no slope
    assert told["shares"] is None
    assert told["sensitivity"] is None


async def test_what_is_left_out_is_neutral(client: httpx2.AsyncClient) -> None:
    told = (await client.post("/axiom/score", json={})).json()
    assert (told["score"], told["limiting_term"]) == (1.0, None)
    assert (await client.post("/axiom/score", json={"F_n": [0, 1]})).json()["limiting_term"] == [None, None]


async def test_only_scores_are_told_if_nothing_is_to_be_explained(client: httpx2.AsyncClient) -> None:
    many = {"B": [0.5] * 100_000}
    told = (await client.post("/axiom/score", json=many | {"explain": False})).json()
    assert told["score"] == [0.5] * 100_000
    assert (told["components"], told["gradient"]) == (None, None)
    problem = check_problem(await client.post("/axiom/score", json=many), 422, "invalid_input")
    assert problem["detail"] == "explain: must be false for more than 10,000 scores, here 100,000"


async def test_terms_may_be_taken_as_they_are(client: httpx2.AsyncClient) -> None:
    told = (await client.post("/axiom/score", json={"C": -2, "A": 3, "clamp_to_unit": False})).json()
    assert told["score"] == -6.0
    assert told["gradient"]["C"] == 3.0
    assert (told["limiting_term"], told["shares"], told["sensitivity"]) == (None, None, None)


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"A": "high"}, "invalid_input", "A"),
        ({"Z": [0.1, None]}, "invalid_input", "Z[1]"),
        ({"Z": []}, "invalid_input", "Z"),
        ({"Z": [0.5] * 100_001}, "invalid_input", "Z"),
        ({"D": 1}, "invalid_input", "D"),
        ({"Y": 1.5, "strict_bounds": True}, "invalid_term", "Y"),
        ({"F_n": -2, "strict_bounds": True}, "invalid_term", "F_n"),
        ({"A": [1, 1], "B": [1, 1, 1]}, "invalid_term", "B"),
        ({"Z": 1e200, "E_n": 1e300}, "invalid_term", "E_n"),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_a_wrong_term_is_named(client: httpx2.AsyncClient, body: Any, code: str, field: str) -> None:
    problem = check_problem(await client.post("/axiom/score", json=body), 422, code)
    assert problem["details"]["field"] == field


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"1e999"])
async def test_what_is_not_finite_is_refused(client: httpx2.AsyncClient, number: bytes) -> None:
    answer = await client.post(
        "/axiom/score", content=b'{"A": %s}' % number, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in {400, 422}, answer.text


async def test_a_text_is_placed_on_the_scale(client: httpx2.AsyncClient) -> None:
    plain = (await client.post("/axiom/subjectivity", json={"text": "The crane was built in 1962."})).json()
    assert (plain["value"], plain["tier"], plain["objectivity"]) == (0.0, "apex-objective", 1.0)
    rant = (await client.post("/axiom/subjectivity", json={"text": "Obviously the WORST garbage ever!!!"})).json()
    assert rant["value"] > 0.5
    assert rant["signals"]["cognitive_bias"] == 1.0
    assert rant["objectivity"] == pytest.approx(1 - rant["value"])


async def test_signals_weights_and_tiers_may_be_sent(client: httpx2.AsyncClient) -> None:
    signals = {"noise_level": 0.5, "emotional_bias": 0.2, "cognitive_bias": 0.8}
    told = (await client.post("/axiom/subjectivity", json={"signals": signals})).json()
    assert told["value"] == pytest.approx(0.47)  # 0.4·0.5 + 0.35·0.2 + 0.25·0.8
    assert (told["tier"], told["signals"]) == ("base-static", signals)
    own = {
        "weights": {"noise_level": 0, "emotional_bias": 1, "cognitive_bias": 1},
        "scale": {"bounds": [0.5, 1], "labels": ["plain", "coloured", "pure"]},
    }
    told = (await client.post("/axiom/subjectivity", json={"signals": signals, **own})).json()
    assert (told["value"], told["tier"]) == (0.5, "coloured")  # (0.2 + 0.8) / 2


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, "invalid_input", "text"),
        ({"text": "x", "signals": {}}, "invalid_input", "text"),
        ({"text": "x" * 100_001}, "invalid_input", "text"),
        ({"signals": {"noise_level": 1.5}}, "invalid_input", "signals.noise_level"),
        ({"text": "x", "weights": {"noise_level": -1}}, "invalid_input", "weights.noise_level"),
        (
            {"text": "x", "weights": {"noise_level": 0, "emotional_bias": 0, "cognitive_bias": 0}},
            "invalid_term",
            "weights",
        ),
        (
            {"text": "x", "scale": {"bounds": [0.5, 0.4, 1], "labels": ["a", "b", "c", "d"]}},
            "invalid_term",
            "scale.bounds[1]",
        ),
        ({"text": "x", "scale": {"bounds": [1], "labels": ["a", "b", "c"]}}, "invalid_term", "scale.labels"),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_what_cannot_be_placed_is_named(client: httpx2.AsyncClient, body: Any, code: str, field: str) -> None:
    problem = check_problem(await client.post("/axiom/subjectivity", json=body), 422, code)
    assert problem["details"]["field"] == field
