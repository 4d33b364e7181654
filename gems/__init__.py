"""Gems: named units of memory, the state they are in, and how it moves with time and use."""

from gems.catalogue import Gems
from gems.dynamics import LEAST_GAIN, UsedGem, plan_use, use_gems
from gems.entanglement import Entanglement, delete_entanglement, list_entanglements, set_entanglement
from gems.entangling import Entanglements, Partner
from gems.field_store import GemAtRisk
from gems.field_summary import FieldSummary, read_field
from gems.forecast import BELOW_DEFAULT, Point, check_below, fall_after, falls_at, follow, spread_moments
from gems.gem import Gem, GemChange
from gems.happenings import StateChanged
from gems.history import Curve, LogEntry, Mark
from gems.lattice_history import LatticePoint
from gems.modes import Mode, find_modes
from gems.neighbours import Neighbour, Suggestion
from gems.operations import (
    HeldGem,
    LockedOperation,
    Operation,
    archive_into,
    hold_gems,
    list_operations,
    lock_operation,
    mark_undone,
    record_operation,
    restore_from,
)
from gems.questions import GemAt, GemForecast, GemHistory, GemInterference, LatticeField, NamedMode
from gems.replay import LogFault, Replay, replay
from gems.state import (
    ALPHA_DEFAULT,
    UNCERTAINTY_SPAN,
    QuantumState,
    evolve,
    field,
    interference,
    interference_matrix,
    measure,
    order_parameter,
)
from gems.store import (
    Measurement,
    Moment,
    advance_gem,
    archive_gem,
    delete_gem,
    find_gem,
    get_gems,
    insert_gem,
    list_active,
    lock_gem,
    rate_gem,
    restore_gem,
)

__all__ = [
    "ALPHA_DEFAULT",
    "BELOW_DEFAULT",
    "LEAST_GAIN",
    "UNCERTAINTY_SPAN",
    "Curve",
    "Entanglement",
    "Entanglements",
    "FieldSummary",
    "Gem",
    "GemAt",
    "GemAtRisk",
    "GemChange",
    "GemForecast",
    "GemHistory",
    "GemInterference",
    "Gems",
    "HeldGem",
    "LatticeField",
    "LatticePoint",
    "LockedOperation",
    "LogEntry",
    "LogFault",
    "Mark",
    "Measurement",
    "Mode",
    "Moment",
    "NamedMode",
    "Neighbour",
    "Operation",
    "Partner",
    "Point",
    "QuantumState",
    "Replay",
    "StateChanged",
    "Suggestion",
    "UsedGem",
    "advance_gem",
    "archive_gem",
    "archive_into",
    "check_below",
    "delete_entanglement",
    "delete_gem",
    "evolve",
    "fall_after",
    "falls_at",
    "field",
    "find_gem",
    "find_modes",
    "follow",
    "get_gems",
    "hold_gems",
    "insert_gem",
    "interference",
    "interference_matrix",
    "list_active",
    "list_entanglements",
    "list_operations",
    "lock_gem",
    "lock_operation",
    "mark_undone",
    "measure",
    "order_parameter",
    "plan_use",
    "rate_gem",
    "read_field",
    "record_operation",
    "replay",
    "restore_from",
    "restore_gem",
    "set_entanglement",
    "spread_moments",
    "use_gems",
]
