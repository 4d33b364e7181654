"""What the router must be told: targets, the models made of them, money, patience."""

from llm_router.config.embedding import EmbeddingRouterConfig
from llm_router.config.limits import BreakerConfig, BudgetConfig, CacheConfig, RetryBudgetConfig
from llm_router.config.models import DEFAULT_MODEL, ExperimentConfig, ModelConfig, PolicyName, Variant
from llm_router.config.router import RouterConfig
from llm_router.config.targets import EXTRACTIVE, PARAMETERS, REPLAY, SCRIPTED, Capabilities, TargetConfig

__all__ = [
    "DEFAULT_MODEL",
    "EXTRACTIVE",
    "PARAMETERS",
    "REPLAY",
    "SCRIPTED",
    "BreakerConfig",
    "BudgetConfig",
    "CacheConfig",
    "Capabilities",
    "EmbeddingRouterConfig",
    "ExperimentConfig",
    "ModelConfig",
    "PolicyName",
    "RetryBudgetConfig",
    "RouterConfig",
    "TargetConfig",
    "Variant",
]
