"""LLM targets behind one router: ordered fallback, retries under one deadline, whole answers or a clear error."""

from llm_router.config import RouterConfig, TargetConfig
from llm_router.fakes import ScriptedTarget
from llm_router.faults import FaultKind, TargetFault
from llm_router.prompt import Embed, Evidence, Prompt
from llm_router.reply import NO_ANSWER, Answer, Attempt, Prices, Reply, ReplyEvent, TokenEvent, Usage
from llm_router.router import Router
from llm_router.target import Route, Target
from llm_router.wiring import build_router, load_openai_embedder

__all__ = [
    "NO_ANSWER",
    "Answer",
    "Attempt",
    "Embed",
    "Evidence",
    "FaultKind",
    "Prices",
    "Prompt",
    "Reply",
    "ReplyEvent",
    "Route",
    "Router",
    "RouterConfig",
    "ScriptedTarget",
    "Target",
    "TargetConfig",
    "TargetFault",
    "TokenEvent",
    "Usage",
    "build_router",
    "load_openai_embedder",
]
