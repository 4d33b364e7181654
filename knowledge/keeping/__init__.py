"""Keeping: moving to another embedding model, export and import, forgetting."""

from knowledge.keeping.export import Exports
from knowledge.keeping.forgetting import Forgetting, ForgettingPlan, ForgettingPolicy, ForgettingRun
from knowledge.keeping.progress import ReembedPlan, ReembedProgress
from knowledge.keeping.reembed import Reembedding
from knowledge.keeping.restore import ImportedGem, Imports, ImportWish
from knowledge.keeping.tables import TravellingTable

__all__ = [
    "Exports",
    "Forgetting",
    "ForgettingPlan",
    "ForgettingPolicy",
    "ForgettingRun",
    "ImportWish",
    "ImportedGem",
    "Imports",
    "ReembedPlan",
    "ReembedProgress",
    "Reembedding",
    "TravellingTable",
]
