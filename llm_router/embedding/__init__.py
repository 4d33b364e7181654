"""Embeddings: the same text at the same model gives the same vector, whichever of several targets computes it."""

from llm_router.embedding.config import EmbeddingConfig, EmbeddingTargetConfig
from llm_router.embedding.router import EmbeddingRouter
from llm_router.embedding.target import Embedded, EmbeddingTarget
from llm_router.embedding.wiring import build_embedding_router

__all__ = [
    "Embedded",
    "EmbeddingConfig",
    "EmbeddingRouter",
    "EmbeddingTarget",
    "EmbeddingTargetConfig",
    "build_embedding_router",
]
