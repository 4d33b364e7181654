from collections import ChainMap
from collections.abc import Callable
from dataclasses import fields, replace
from types import MappingProxyType
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_router.cache import digest_prompt, identify_target, key_of
from llm_router.config import Capabilities, TargetConfig
from llm_router.prompt import (
    AssistantTurn,
    Evidence,
    Image,
    OutputSchema,
    Parameters,
    Prompt,
    Tool,
    ToolCall,
    ToolResult,
    UserTurn,
)

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "number"}}}
PROMPT = Prompt(
    system="Be brief.",
    question="Where is Ada?",
    evidence=(Evidence(1, "Ada is in Turin.", "Notes", "notes.md", 0.9),),
    max_output_tokens=100,
    turns=(AssistantTurn("Wait.", (ToolCall("c1", "find", {"x": 1, "y": 2}),)), ToolResult("c1", "Turin")),
    images=(Image("image/png", b"\x89PNG"),),
    tools=(Tool("find", "Finds.", SCHEMA),),
    tool_choice="auto",
    output=OutputSchema("place", SCHEMA),
    parameters=Parameters(0.5, 0.9, ("END",), 7, "low"),
    version="3",
)

CHANGES: dict[str, list[Callable[[Prompt], Prompt]]] = {
    "system": [lambda p: replace(p, system="Be long.")],
    "question": [lambda p: replace(p, question="Where is Bo?")],
    "evidence": [
        lambda p: replace(p, evidence=()),
        lambda p: replace(p, evidence=(replace(p.evidence[0], label=2),)),
        lambda p: replace(p, evidence=(replace(p.evidence[0], text="Ada left."),)),
        lambda p: replace(p, evidence=(replace(p.evidence[0], title=None),)),
        lambda p: replace(p, evidence=(replace(p.evidence[0], source=None),)),
        lambda p: replace(p, evidence=p.evidence * 2),
    ],
    "max_output_tokens": [lambda p: replace(p, max_output_tokens=101)],
    "turns": [
        lambda p: replace(p, turns=p.turns[:1]),
        lambda p: replace(p, turns=(*p.turns, UserTurn("And now?"))),
        lambda p: replace(p, turns=(*p.turns, AssistantTurn("And now?"))),
        lambda p: replace(p, turns=(p.turns[0], ToolResult("c1", "Turin", is_error=True))),
        lambda p: replace(p, turns=(AssistantTurn("Wait.", (ToolCall("c1", "find", {"x": 1, "y": 3}),)), p.turns[1])),
    ],
    "images": [
        lambda p: replace(p, images=()),
        lambda p: replace(p, images=(Image("image/jpeg", b"\x89PNG"),)),
        lambda p: replace(p, images=(Image("image/png", b"\x89PNH"),)),
    ],
    "tools": [
        lambda p: replace(p, tools=()),
        lambda p: replace(p, tools=(Tool("find", "Looks.", SCHEMA),)),
        lambda p: replace(p, tools=(Tool("find", "Finds.", {"type": "object"}),)),
    ],
    "tool_choice": [lambda p: replace(p, tool_choice="required")],
    "output": [
        lambda p: replace(p, output=None),
        lambda p: replace(p, output=OutputSchema("town", SCHEMA)),
        lambda p: replace(p, output=OutputSchema("place", {"type": "object"})),
    ],
    "parameters": [
        lambda p: replace(p, parameters=Parameters()),
        *(
            lambda p, name=each.name: replace(p, parameters=replace(p.parameters, **{name: None}))
            for each in fields(Parameters)
        ),
    ],
    "version": [lambda p: replace(p, version="4")],
}


def test_every_field_of_a_prompt_is_tried() -> None:
    assert CHANGES.keys() == {each.name for each in fields(Prompt)}


@pytest.mark.parametrize("field", CHANGES)
def test_whatever_reaches_the_provider_changes_the_digest(field: str) -> None:
    digests = {digest_prompt(change(PROMPT)) for change in CHANGES[field]}
    assert len(digests) == len(CHANGES[field])
    assert digest_prompt(PROMPT) not in digests


def test_scores_reach_no_provider() -> None:
    other = replace(PROMPT, evidence=(replace(PROMPT.evidence[0], score=0.1),))
    assert digest_prompt(other) == digest_prompt(PROMPT)


def test_the_order_of_a_schema_and_the_kind_of_its_mapping_do_not_matter() -> None:
    turned = {"properties": {"b": {"type": "number"}, "a": {"type": "string"}}, "type": "object"}
    for schema in (turned, MappingProxyType(SCHEMA), ChainMap(turned)):
        other = replace(PROMPT, output=OutputSchema("place", schema), tools=(Tool("find", "Finds.", schema),))
        assert digest_prompt(other) == digest_prompt(PROMPT)


def test_texts_that_would_run_together_stay_apart() -> None:
    def evidence(*texts: str) -> Prompt:
        return Prompt("s", "q", tuple(Evidence(i, text, None, None, 0.0) for i, text in enumerate(texts)), 1)

    prompts = [
        Prompt("ab", "c", (), 1),
        Prompt("a", "bc", (), 1),
        Prompt("a", 'b","c', (), 1),
        evidence("x", "y"),
        evidence("x\n\n[1] \ny"),
        evidence('x","y'),
        replace(Prompt("a", "b", (), 1), turns=(UserTurn("c"),)),
        replace(Prompt("a", "b", (), 1), turns=(AssistantTurn("c"),)),
        replace(Prompt("a", "b", (), 1), tool_choice="c"),
        replace(Prompt("a", "b", (), 1), version="c"),
    ]
    assert len({digest_prompt(prompt) for prompt in prompts}) == len(prompts)


texts = st.text(max_size=6)


@given(st.tuples(texts, texts, texts, texts), st.tuples(texts, texts, texts, texts))
def test_equal_digests_mean_equal_prompts(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    def prompt(system: str, question: str, version: str, passage: str) -> Prompt:
        return Prompt(system, question, (Evidence(1, passage, None, None, 0.0),), 1, version=version)

    assert (digest_prompt(prompt(*one)) == digest_prompt(prompt(*other))) == (one == other)


def test_a_text_that_is_no_unicode_has_a_digest_too() -> None:
    assert digest_prompt(replace(PROMPT, question="\ud800")) != digest_prompt(replace(PROMPT, question="?"))


def test_a_schema_that_is_no_json_is_a_fault_of_ours() -> None:
    with pytest.raises(TypeError):
        digest_prompt(replace(PROMPT, output=OutputSchema("place", {"x": object()})))


TARGET = TargetConfig("main", "openai", "gpt", "http://one/v1", "k1", headers={"a": "1", "b": "2"})


@pytest.mark.parametrize(
    "other",
    [
        replace(TARGET, provider="openai-responses"),
        replace(TARGET, model="gpt-2"),
        replace(TARGET, base_url="http://two/v1"),
        replace(TARGET, api_key="k2"),
        replace(TARGET, headers={"a": "1"}),
        replace(TARGET, query={"api-version": "1"}),
        replace(TARGET, cassette="session.yaml"),
        replace(TARGET, wire="anthropic"),
    ],
)
def test_another_model_address_or_account_is_another_target(other: TargetConfig) -> None:
    assert identify_target(other) != identify_target(TARGET)


def test_what_only_the_router_looks_at_does_not_tell_targets_apart() -> None:
    same = replace(TARGET, name="second", capabilities=Capabilities(tools=False), headers={"b": "2", "a": "1"})
    assert identify_target(same) == identify_target(TARGET)


def test_a_key_tells_tenants_targets_and_prompts_apart_and_holds_no_secret() -> None:
    identity = identify_target(TARGET)
    keys = {key_of(UUID(int=n), who, what) for n in (1, 2) for who in (identity, "0" * 64) for what in (b"a", b"b")}
    assert len(keys) == 8
    assert not any("k1" in key for key in keys)
