"""Bulk loads: rows that bring their embeddings, written by COPY; their words and the vector index come afterwards."""

from knowledge.bulk.loading import BulkLoader
from knowledge.bulk.ray_engine import RayEngine
from knowledge.bulk.ray_worker import LoadEmbedder
from knowledge.bulk.report import BulkReport
from knowledge.bulk.rows import is_precomputed

__all__ = [
    "BulkLoader",
    "BulkReport",
    "LoadEmbedder",
    "RayEngine",
    "is_precomputed",
]
