"""Keeping: moving to another embedding model, export and import, forgetting."""

from knowledge.keeping.export import Exports
from knowledge.keeping.forgetting import Forgetting, ForgettingPlan, ForgettingPolicy, ForgettingRun
from knowledge.keeping.progress import ReembedPlan, ReembedProgress
from knowledge.keeping.reembed import Reembedding
from knowledge.keeping.restore import ImportedGem, Imports, ImportWish
from knowledge.keeping.snapshots import (
    DocumentChange,
    DocumentsDifference,
    FieldChange,
    GemDifference,
    HeldGem,
    Restored,
    RestoreWish,
    Retention,
    RetentionPolicy,
    RowChange,
    RowsDifference,
    Snapshot,
    SnapshotProblem,
    Snapshots,
    Verdict,
    Verification,
)
from knowledge.keeping.tables import TravellingTable

__all__ = [
    "DocumentChange",
    "DocumentsDifference",
    "Exports",
    "FieldChange",
    "Forgetting",
    "ForgettingPlan",
    "ForgettingPolicy",
    "ForgettingRun",
    "GemDifference",
    "HeldGem",
    "ImportWish",
    "ImportedGem",
    "Imports",
    "ReembedPlan",
    "ReembedProgress",
    "Reembedding",
    "RestoreWish",
    "Restored",
    "Retention",
    "RetentionPolicy",
    "RowChange",
    "RowsDifference",
    "Snapshot",
    "SnapshotProblem",
    "Snapshots",
    "TravellingTable",
    "Verdict",
    "Verification",
]
