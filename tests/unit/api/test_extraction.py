"""The router as the graph's extractor: what is asked, what it may cost, what is made of the answer."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from api.extraction import FRAME_OUTPUT, SYSTEM, RouterExtractor
from core.errors import ModelNotFoundError, PromptUnsupportedError, StructureInvalidError
from knowledge.graph import Extracted, FoundRelation, NamedEntity, ShownPassage
from llm_router import (
    Answer,
    Capabilities,
    ExperimentConfig,
    ModelConfig,
    Prices,
    RouterConfig,
    ScriptedTarget,
    TargetConfig,
    Usage,
    Variant,
    build_router,
    build_router_of,
)

TENANT = UUID(int=1)
PASSAGES = (
    ShownPassage("I moved to Oslo last year.", 8, "Letters", "May", "Ann", datetime(2026, 5, 1, tzinfo=UTC)),
    ShownPassage("Nothing happened.", 4),
)
PRICES = Prices(Decimal(1), Decimal(10))
LIVES = {"subject": "Ann", "predicate": "lives in", "object": "Oslo", "valid_from": "2025", "confidence": 0.9}


def told(*passages: object) -> str:
    return json.dumps({"passages": list(passages)})


def extractor(*scripts: Any, prices: Prices | None = PRICES, **told: Any) -> tuple[RouterExtractor, ScriptedTarget]:
    target = ScriptedTarget(scripts or [told_empty()])
    config = RouterConfig((TargetConfig("scripted", "scripted", "m", prices=prices, **told),))
    return RouterExtractor(build_router_of([target], config), "default", TENANT), target


def told_empty() -> str:
    return told({"passage": 1}, {"passage": 2})


async def test_passages_are_shown_with_all_that_dates_and_names_them() -> None:
    extracts, target = extractor()
    await extracts.extract(PASSAGES)
    (asked,) = target.asked
    assert asked.system == SYSTEM
    assert asked.user_text().startswith(
        "[1] Letters > May | said by Ann, 2026-05-01\nI moved to Oslo last year.\n\n[2] "
    )
    assert asked.output is not None
    assert asked.version == f"extraction {extracts.version}"
    assert asked.max_output_tokens > FRAME_OUTPUT


async def test_an_answer_is_taken_apart_by_passage() -> None:
    answer = told({"passage": 2}, {"passage": 1, "entities": [{"name": "Oslo", "kind": "place"}], "relations": [LIVES]})
    extracts, _ = extractor(answer)
    found = await extracts.extract(PASSAGES)
    relation = FoundRelation("Ann", "lives in", "Oslo", "2025", None, 0.9)
    assert found.found == [Extracted([NamedEntity("Oslo", "place")], [relation]), Extracted([], [])]
    assert found.cost_usd == PRICES.cost(Usage(found.input_tokens, found.output_tokens))


async def test_passages_of_other_numbers_and_second_entries_are_ignored() -> None:
    entity = {"name": "Oslo", "kind": None}
    strange = [{"passage": number, "entities": [entity]} for number in (0, -1, 3, 10**30)]
    extracts, _ = extractor(told(*strange, {"passage": 1}, {"passage": 1, "entities": [entity]}))
    assert (await extracts.extract(PASSAGES)).found == [Extracted([], []), None]


async def test_an_answer_that_had_to_be_mended_costs_twice() -> None:
    extracts, target = extractor(
        [Answer("Sure!", "m", "stop", Usage(100, 10))], [Answer(told_empty(), "m", "stop", Usage(200, 20))]
    )
    found = await extracts.extract(PASSAGES)
    assert len(target.asked) == 2
    assert (found.input_tokens, found.output_tokens) == (300, 30)
    assert found.cost_usd == PRICES.cost(Usage(300, 30))


@pytest.mark.parametrize(
    "answer",
    [
        "I cannot do that.",
        "[]",
        "null",
        '{"passages": {"1": []}}',
        '{"passages": [{"passage": "one"}]}',
        '{"passages": [{"passage": 1, "entities": ["Oslo"]}]}',
        '{"passages": [' + '{"passage": 1},' * 1_000,
        "[" * 100_000,
    ],
)
async def test_what_is_not_in_the_form_is_an_error_of_ours(answer: str) -> None:
    extracts, target = extractor(answer)
    with pytest.raises(StructureInvalidError):
        await extracts.extract(PASSAGES)
    assert len(target.asked) == 2


async def test_ten_thousand_relations_are_read() -> None:
    extracts, _ = extractor(told({"passage": 1, "relations": [LIVES] * 10_000}, {"passage": 2}))
    first = (await extracts.extract(PASSAGES)).found[0]
    assert first is not None
    assert len(first.relations) == 10_000


def test_an_estimate_is_by_the_first_target_and_at_the_most_by_the_dearest() -> None:
    def route(prices: tuple[Prices | None, ...]) -> RouterExtractor:
        targets = [ScriptedTarget([told_empty()], f"t{i}") for i in range(len(prices))]
        configs = tuple(TargetConfig(f"t{i}", "scripted", "m", prices=each) for i, each in enumerate(prices))
        return RouterExtractor(build_router_of(targets, RouterConfig(configs)), "default", TENANT)

    cheap, dear = Prices(Decimal(1), Decimal(1)), Prices(Decimal(100), Decimal(100))
    one, both = route((cheap,)).estimate(PASSAGES), route((cheap, dear)).estimate(PASSAGES)
    assert one.cost_usd is not None
    assert both.most_usd is not None
    assert one.most_usd is not None
    assert both.cost_usd == one.cost_usd < one.most_usd
    assert both.most_usd == 100 * one.most_usd
    assert one.input_tokens > sum(each.tokens for each in PASSAGES)
    assert route((None, dear)).estimate(PASSAGES).cost_usd is None
    unsure = route((cheap, None)).estimate(PASSAGES)
    assert (unsure.cost_usd, unsure.most_usd) == (one.cost_usd, None)


async def test_no_more_output_is_asked_for_than_a_target_can_give() -> None:
    extracts, target = extractor(capabilities=Capabilities(max_output_tokens=700))
    await extracts.extract(PASSAGES)
    assert target.asked[0].max_output_tokens == 700


def test_targets_of_an_experiment_count_too() -> None:
    variants = (Variant("a"), Variant("b", ("b",)))
    config = RouterConfig(
        (TargetConfig("a", "scripted", "m", prices=PRICES), TargetConfig("b", "scripted", "m")),
        (ModelConfig("default", ("a",), experiment=ExperimentConfig("trial", variants)),),
    )
    assert RouterExtractor(build_router(config, None), "default", TENANT).estimate(PASSAGES).most_usd is None


def test_a_model_that_cannot_do_it_is_refused_at_once() -> None:
    with pytest.raises(PromptUnsupportedError, match="default"):
        RouterExtractor(build_router(RouterConfig(), None), "default", TENANT)
    with pytest.raises(ModelNotFoundError, match="another"):
        RouterExtractor(build_router(RouterConfig(), None), "another", TENANT)
    with pytest.raises(PromptUnsupportedError):
        extractor(capabilities=Capabilities(schema=False))
