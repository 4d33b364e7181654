"""LLM targets behind one router: the right model, a whole answer or a clear error, every cent accounted for."""

from llm_router.cache import AnswerCache, build_answer_cache
from llm_router.cassettes.opening import Cassette, CassetteMode, use_cassette
from llm_router.config import (
    DEFAULT_MODEL,
    BreakerConfig,
    BudgetConfig,
    CacheConfig,
    Capabilities,
    ExperimentConfig,
    ModelConfig,
    RetryBudgetConfig,
    RouterConfig,
    TargetConfig,
    Variant,
)
from llm_router.config.file import read_config
from llm_router.config.tables import build_config, problems_of
from llm_router.config.watch import ConfigWatch
from llm_router.embedding import EmbeddingRouter
from llm_router.experiments import Experiments, Reward, VariantReport, add_reward, reward_of_rating
from llm_router.faults import FaultKind, Scope, TargetFault
from llm_router.policies import Calibration, CurvePoint, DifficultyScore, calibrate, explain_difficulty, read_outcomes
from llm_router.ports import ANYBODY, Accounts, Caller, Observer
from llm_router.prices import Prices
from llm_router.prompt import (
    AssistantTurn,
    Embed,
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
from llm_router.providers.provider import PROVIDERS, Materials, Provider
from llm_router.providers.scripted import ScriptedTarget
from llm_router.pursuit import Pace
from llm_router.reply import NO_ANSWER, Answer, Attempt, Reply, ReplyEvent, TokenEvent, Usage
from llm_router.route import Route
from llm_router.router import Parts, Router
from llm_router.spend.accounts import PostgresAccounts
from llm_router.spend.reports import BudgetState, Spend, SpendBy, read_budgets, read_spend
from llm_router.structure import Structured, ask_for
from llm_router.switches import read_switches, set_switch
from llm_router.target import Clocks, Target
from llm_router.telemetry import Telemetry, build_registry
from llm_router.wiring import build_embedder, build_router, build_router_of, load_openai_embedder

__all__ = [
    "ANYBODY",
    "DEFAULT_MODEL",
    "NO_ANSWER",
    "PROVIDERS",
    "Accounts",
    "Answer",
    "AnswerCache",
    "AssistantTurn",
    "Attempt",
    "BreakerConfig",
    "BudgetConfig",
    "BudgetState",
    "CacheConfig",
    "Calibration",
    "Caller",
    "Capabilities",
    "Cassette",
    "CassetteMode",
    "Clocks",
    "ConfigWatch",
    "CurvePoint",
    "DifficultyScore",
    "Embed",
    "EmbeddingRouter",
    "Evidence",
    "ExperimentConfig",
    "Experiments",
    "FaultKind",
    "Image",
    "Materials",
    "ModelConfig",
    "Observer",
    "OutputSchema",
    "Pace",
    "Parameters",
    "Parts",
    "PostgresAccounts",
    "Prices",
    "Prompt",
    "Provider",
    "Reply",
    "ReplyEvent",
    "RetryBudgetConfig",
    "Reward",
    "Route",
    "Router",
    "RouterConfig",
    "Scope",
    "ScriptedTarget",
    "Spend",
    "SpendBy",
    "Structured",
    "Target",
    "TargetConfig",
    "TargetFault",
    "Telemetry",
    "TokenEvent",
    "Tool",
    "ToolCall",
    "ToolResult",
    "Usage",
    "UserTurn",
    "Variant",
    "VariantReport",
    "add_reward",
    "ask_for",
    "build_answer_cache",
    "build_config",
    "build_embedder",
    "build_registry",
    "build_router",
    "build_router_of",
    "calibrate",
    "explain_difficulty",
    "load_openai_embedder",
    "problems_of",
    "read_budgets",
    "read_config",
    "read_outcomes",
    "read_spend",
    "read_switches",
    "reward_of_rating",
    "set_switch",
    "use_cassette",
]
