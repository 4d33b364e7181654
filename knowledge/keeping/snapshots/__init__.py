"""Snapshots: one moment of a gem or of the whole lattice, kept, compared, restored, verified, given up."""

from knowledge.keeping.snapshots.difference import (
    DocumentChange,
    DocumentsDifference,
    FieldChange,
    GemDifference,
    RowChange,
    RowsDifference,
)
from knowledge.keeping.snapshots.restore import Restored, RestoreWish
from knowledge.keeping.snapshots.retention import RetentionPolicy, Verdict
from knowledge.keeping.snapshots.snapshot import HeldGem, Snapshot
from knowledge.keeping.snapshots.snapshots import Retention, Snapshots
from knowledge.keeping.snapshots.verifying import SnapshotProblem, Verification

__all__ = [
    "DocumentChange",
    "DocumentsDifference",
    "FieldChange",
    "GemDifference",
    "HeldGem",
    "RestoreWish",
    "Restored",
    "Retention",
    "RetentionPolicy",
    "RowChange",
    "RowsDifference",
    "Snapshot",
    "SnapshotProblem",
    "Snapshots",
    "Verdict",
    "Verification",
]
