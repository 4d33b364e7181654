"""What is wrong with what was written is told all at once, each with its place, and what was probably meant."""

import tomllib
from decimal import Decimal

import pytest

from core.errors import ConfigurationError
from llm_router.config.tables import build_config


def refused(text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        build_config(tomllib.loads(text, parse_float=Decimal), {})
    problems = caught.value.details["problems"]
    assert isinstance(problems, list)
    return problems


def test_all_that_is_wrong_is_told_at_once() -> None:
    told = refused(
        """
        dedline_s = 5
        [targets.gpt]
        provider = "opnai"
        modle = "m"
        [targets.gpt.clocks]
        total_s = "soon"
        gap_s = 0
        [targets.gpt.prices]
        input_usd = -1
        output_usd = 2
        [targets.claude]
        provider = "anthropic"
        model = "m"
        api_key_env = "NO_KEY"
        [targets.bare]
        [targets.flat]
        provider = "scripted"
        capabilities = 3
        [models.default]
        targets = ["gpt", "bare", "nobody"]
        policy = "cheapest"
        threshold = 7
        [[budgets]]
        name = "a"
        limit_usd = "much"
        [[budgets]]
        name = "b"
        limit_usd = -1
        [cache]
        size = 1.5
        ttl_s = 0
        """,
    )
    assert sorted(told) == [
        "budgets[0].limit_usd: must be a number",
        "budgets[1].limit_usd: must be a number from 0 to a billion",
        "cache.size: must be a whole number",
        "cache.ttl_s: must be a positive number",
        "dedline_s: is no key; did you mean deadline_s?",
        "models.default.policy: must be 'ordered', 'weighted', 'least_cost', 'lowest_latency', 'least_busy' or "
        "'difficulty'",
        "models.default.targets: 'nobody' is no target; known are bare, claude, extractive, flat, gpt",
        "models.default.threshold: must be from 0 to 1",
        "targets.bare.provider: is needed",
        "targets.claude.api_key_env: the variable NO_KEY is not set",
        "targets.flat.capabilities: must be a table",
        "targets.gpt.clocks.gap_s: must be a positive number",
        "targets.gpt.clocks.total_s: must be a number",
        "targets.gpt.model: is needed",
        "targets.gpt.modle: is no key; did you mean model?",
        "targets.gpt.prices: must be numbers from 0 to a billion",
        "targets.gpt.provider: LLM provider 'opnai' is unknown; known are anthropic, extractive, openai, "
        "openai-responses, replay, scripted",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("targets = 3", "targets: must be a table"),
        ("[targets]\na = 3", "targets.a: must be a table"),
        ('[budgets]\nname = "a"', "budgets: must be a list"),
        ("deadline_s = true", "deadline_s: must be a number"),
        ('deadline_s = "5"', "deadline_s: must be a number"),
        ("deadline_s = nan", "deadline_s: must be a positive number"),
        ("deadline_s = 2020-01-01", "deadline_s: must be a number"),
        ("attempts_per_target = 3.0", "attempts_per_target: must be a whole number"),
        ('[targets.a]\nprovider = "scripted"\ncapabilities.tools = "no"', "targets.a.capabilities.tools: must be true"),
        ('[targets.a]\nprovider = "scripted"\ncapabilities.tols = true', "targets.a.capabilities.tols: is no key; did"),
        (
            '[targets.clocks]\nprovider = "scripted"\nclocks.gap = 1',
            "targets.clocks.clocks.gap: is no key; did you mean",
        ),
        ('[targets."a.b"]\nprovider = "scripted"\nx = 1', 'targets."a.b".x: is no key; known are api_key_env, '),
        ("[models.default]\ntargets = [1]", "models.default.targets[0]: must be a text"),
        ('[models.default]\ntargets = "a"', "models.default.targets: must be a list"),
        ("[models.default]\ntargets = []\nexperiment.variants = [{ nam = 1 }]", "models.default.experiment.name: is"),
        ("[[budgets]]\nname = 'a'\nlimit_usd = true", "budgets[0].limit_usd: must be a number"),
        ("[[budgets]]\nname = 'a'\nlimit_usd = inf", "budgets[0].limit_usd: must be a finite number"),
    ],
)
def test_what_has_the_wrong_shape_is_told_with_its_place(text: str, problem: str) -> None:
    assert refused(text)[0].startswith(problem)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (r'targets."a\u0000b" = {provider = "scripted"}', r'targets."a\u0000b": has a control character in its name'),
        (r'targets."a\nb" = {provider = "scripted"}', r'targets."a\nb": has a control character in its name'),
        (r'targets.a = {provider = "scripted", model = "\u0007"}', "targets.a.model: holds a control character"),
        (r'budgets = [{name = "x\u007f", limit_usd = 1}]', "budgets[0].name: holds a control character"),
    ],
)
def test_control_characters_are_in_no_name(text: str, problem: str) -> None:
    assert problem in refused(text)


def test_a_text_may_have_several_lines() -> None:
    text = r'targets.a = {provider = "scripted", model = "one\n\ttwo"}'
    assert build_config(tomllib.loads(text), {}).targets[0].model == "one\n\ttwo"


def test_an_experiment_s_name_holds_no_slash() -> None:
    experiment = '{name = "a/b", variants = [{name = "c/d"}, {name = "e"}]}'
    told = refused(f'targets.a.provider = "scripted"\nmodels.default = {{targets = ["a"], experiment = {experiment}}}')
    assert told == ["models.default.experiment.name: must not hold a slash"]
