from dataclasses import fields, replace
from decimal import Decimal

import pytest

from core.errors import ConfigurationError
from llm_router.config import (
    BreakerConfig,
    BudgetConfig,
    CacheConfig,
    Capabilities,
    EmbeddingRouterConfig,
    ExperimentConfig,
    ModelConfig,
    RetryBudgetConfig,
    RouterConfig,
    TargetConfig,
    Variant,
)
from llm_router.embedding.config import EmbeddingConfig
from llm_router.prices import Prices
from llm_router.target import Clocks

MAIN = TargetConfig("main", "openai", "gpt", api_key="sk-very-secret")
SPARE = TargetConfig("spare", "anthropic", "claude")


def problems_of(config: RouterConfig | None = None, **changes: object) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        replace(config or RouterConfig((MAIN, SPARE)), **changes)  # type: ignore[arg-type]
    problems = caught.value.details["problems"]
    assert isinstance(problems, list)
    return problems


def problems_of_target(**changes: object) -> list[str]:
    targets = (replace(MAIN, **changes), SPARE)  # type: ignore[arg-type]
    return problems_of(targets=targets, models=(ModelConfig("default", ()),))


def problems_of_model(**changes: object) -> list[str]:
    model = ModelConfig("default", ("main", "spare"))
    return problems_of(models=(replace(model, **changes),))  # type: ignore[arg-type]


def test_an_extractive_target_is_always_there() -> None:
    assert [each.provider for each in RouterConfig((MAIN,)).targets] == ["openai", "extractive"]
    assert [each.provider for each in RouterConfig().targets] == ["extractive"]
    own = RouterConfig((MAIN, TargetConfig("quotes", "extractive")))
    assert [each.name for each in own.targets] == ["main", "quotes"]
    assert replace(own, deadline_s=1.0).targets == own.targets


def test_without_models_the_default_asks_all_targets_in_order_but_those_that_embed() -> None:
    vectors = TargetConfig("vectors", "openai", "embed")
    embedding = EmbeddingRouterConfig("embed", 8, ("vectors",))
    assert RouterConfig((MAIN, vectors, SPARE)).models == (ModelConfig("default", ("main", "vectors", "spare")),)
    config = RouterConfig((MAIN, vectors, SPARE), embedding=embedding)
    assert config.models == (ModelConfig("default", ("main", "spare")),)


def test_a_key_is_never_shown() -> None:
    config = RouterConfig((MAIN,), cache=CacheConfig(url="redis://:hidden@host"))
    assert "sk-very-secret" not in repr(config)
    assert "hidden" not in repr(config)
    assert "sk-very-secret" not in MAIN.credential


def test_targets_of_one_key_share_a_credential() -> None:
    assert MAIN.credential == replace(MAIN, name="other", model="other").credential
    others = [replace(MAIN, api_key="sk-2"), replace(MAIN, provider="x"), replace(MAIN, base_url="http://h")]
    assert len({MAIN.credential, *(each.credential for each in others)}) == 4


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"name": ""}, 'targets."": needs a name'),
        ({"name": "gpt 5", "model": ""}, 'targets."gpt 5".model: is needed'),
        ({"base_url": "localhost:11434"}, "targets.main.base_url: must begin with http://"),
        ({"base_url": "http://"}, "targets.main.base_url: "),
        ({"base_url": "http://[::1"}, "targets.main.base_url: "),
        ({"base_url": "https://user:password@host/v1"}, "targets.main.base_url: "),
        ({"api_key": "sk-ключ"}, "targets.main.api_key: has characters"),
        ({"api_key": "sk\n"}, "targets.main.api_key: has characters"),
        ({"api_key_header": "api key"}, "targets.main.api_key_header: is no name"),
        ({"headers": {"X Y": "z"}}, 'targets.main.headers."X Y": is no name'),
        ({"headers": {"X": "z\r\nY: a"}}, "targets.main.headers.X: has characters"),
        ({"clocks": Clocks(gap_s=0.0)}, "targets.main.clocks.gap_s: must be a positive number"),
        ({"clocks": Clocks(total_s=float("nan"))}, "targets.main.clocks.total_s: "),
        ({"prices": Prices(Decimal(-1), Decimal(0))}, "targets.main.prices: "),
        ({"prices": Prices(Decimal(1), Decimal("1e99"))}, "targets.main.prices: "),
        ({"capabilities": Capabilities(context_tokens=0)}, "targets.main.capabilities.context_tokens: "),
        ({"capabilities": Capabilities(refuses=frozenset({"heat"}))}, "targets.main.capabilities.refuses: 'heat'"),
        ({"provider": "replay"}, "targets.main.cassette: is needed by the provider replay"),
        ({"name": "spare"}, "targets.spare: two have this name"),
        ({"name": "extractive"}, "targets.extractive: two have this name"),
    ],
)
def test_what_is_wrong_with_a_target_is_told_with_its_place(changes: dict[str, object], problem: str) -> None:
    assert [told for told in problems_of_target(**changes) if not told.startswith(problem)] == []
    assert "ключ" not in str(problems_of_target(**changes))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"name": "fast"}, "models: one must be named 'default'"),
        (
            {"targets": ("main", "mian")},
            "models.default.targets: 'mian' is no target; known are extractive, main, spare",
        ),
        ({"targets": ("main", "main")}, "models.default.targets: 'main' is named twice"),
        ({"targets": (), "extractive": False}, "models.default.targets: needs a target"),
        ({"weights": {"main": -1.0}}, "models.default.weights.main: must be a number from 0 up"),
        ({"weights": {"mian": 1.0}}, "models.default.weights: 'mian' is none of the model's targets"),
        ({"policy": "weighted", "weights": {"main": 0.0, "spare": 0.0}}, "models.default.weights: one of them"),
        ({"policy": "difficulty"}, "models.default.strong: is needed"),
        ({"strong": ("extractive",)}, "models.default.strong: 'extractive' is none"),
        ({"threshold": 1.5}, "models.default.threshold: "),
        ({"hedge_after_s": 0.0}, "models.default.hedge_after_s: "),
    ],
)
def test_what_is_wrong_with_a_model_is_told_with_its_place(changes: dict[str, object], problem: str) -> None:
    (told,) = problems_of_model(**changes)
    assert told.startswith(problem)


def test_what_is_wrong_with_an_experiment_is_told() -> None:
    variants = (Variant("a", ("main",), share=0.0), Variant("a", ("nobody",)), Variant(""))
    told = problems_of_model(experiment=ExperimentConfig("tone", variants, floor=0.4))
    where = "models.default.experiment"
    assert told == [
        f"{where}.variants[1].targets: 'nobody' is no target; known are extractive, main, spare",
        f"{where}.variants: two are named 'a'",
        f"{where}.variants[0].share: must be a positive number",
        f"{where}.variants[2].name: is needed",
        f"{where}.floor: must be from 0 to 1 divided by the number of variants",
    ]
    assert problems_of_model(experiment=ExperimentConfig("", (Variant("a"),))) == [
        f"{where}.name: is needed",
        f"{where}.variants: at least two are needed",
    ]


def test_a_variant_may_weigh_targets_of_its_own() -> None:
    experiment = ExperimentConfig("tone", (Variant("a"), Variant("b", ("spare",))))
    model = ModelConfig("default", ("main",), policy="weighted", weights={"spare": 2.0}, experiment=experiment)
    assert RouterConfig((MAIN, SPARE), (model,)).models == (model,)


def test_what_is_wrong_with_limits_is_told_all_at_once() -> None:
    told = problems_of(
        deadline_s=0.0,
        attempts_per_target=0,
        backoff_initial_s=9.0,
        breaker=BreakerConfig(window_s=0.0, minimum_calls=0, failure_ratio=0.0, open_s=400.0, ramp_s=-1.0),
        retry_budget=RetryBudgetConfig(ratio=-1.0, burst=float("inf")),
        cache=CacheConfig(size=-1, ttl_s=0.0),
        budgets=(BudgetConfig("day", Decimal(1)), BudgetConfig("day", Decimal("NaN")), BudgetConfig("", Decimal(-1))),
    )
    assert [each.partition(":")[0] for each in told] == [
        "deadline_s",
        "attempts_per_target",
        "backoff.max_s",
        "breaker.window_s",
        "breaker.open_s",
        "breaker.minimum_calls",
        "breaker.failure_ratio",
        "breaker.ramp_s",
        "retry_budget.ratio",
        "retry_budget.burst",
        "cache.size",
        "cache.ttl_s",
        "budgets",
        "budgets[1].limit_usd",
        "budgets[2].name",
        "budgets[2].limit_usd",
    ]


@pytest.mark.parametrize(
    ("budget", "problem"),
    [
        (BudgetConfig("a", Decimal(1), each="target", only="mian"), "budgets[0].only: 'mian' is no target; known are "),
        (BudgetConfig("a", Decimal(1), each="model", only="main"), "budgets[0].only: 'main' is no model; known are "),
        (BudgetConfig("a", Decimal(1), each="tenant", only="me"), "budgets[0].only: must be the id of a tenant"),
    ],
)
def test_a_budget_is_for_somebody_who_can_be(budget: BudgetConfig, problem: str) -> None:
    (told,) = problems_of(budgets=(budget,))
    assert told.startswith(problem)


def test_budgets_may_be_for_one_tenant_key_or_target() -> None:
    budgets = (
        BudgetConfig("a", Decimal(1), each="target", only="main"),
        BudgetConfig("b", Decimal(1), each="tenant", only="00000000-0000-0000-0000-00000000000A"),
        BudgetConfig("c", Decimal(1), each="key", only="ci"),
    )
    assert RouterConfig((MAIN,), budgets=budgets).budgets == budgets


def test_what_is_wrong_with_the_embedding_is_told() -> None:
    wrong = EmbeddingRouterConfig(
        "", 0, ("main", "main", "x"), "weighted", {"main": 0.0, "x": 0.0, "y": -1.0}, batch_texts=0, cache_size=-1
    )
    assert [each.partition(":")[0] for each in problems_of(embedding=wrong)] == [
        "embedding.model",
        "embedding.dimension",
        "embedding.targets",
        "embedding.targets",
        "embedding.weights.y",
        "embedding.weights.y",
        "embedding.weights",
        "embedding.batch_texts",
        "embedding.cache_size",
    ]


def test_both_descriptions_of_the_embedding_have_the_same_defaults() -> None:
    theirs = {each.name: each for each in fields(EmbeddingConfig)}
    shared = [each for each in fields(EmbeddingRouterConfig) if each.name in theirs and each.name != "targets"]
    assert len(shared) == 6
    for each in shared:
        assert (each.default, each.default_factory) == (theirs[each.name].default, theirs[each.name].default_factory)
