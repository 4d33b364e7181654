"""Gems: named units of memory, the state they are in, and how it moves with time and use."""

from gems.catalogue import Gems
from gems.dynamics import LEAST_GAIN, UsedGem, plan_use, use_gems
from gems.entanglement import Entanglement, delete_entanglement, list_entanglements, set_entanglement
from gems.field_summary import FieldSummary, read_field
from gems.gem import Gem, GemChange
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
    get_gems,
    list_active,
    lock_gem,
    rate_gem,
)
from gems.tables import STATE_BOUNDS, EntanglementRow, GemRow, LatticeRow, MeasurementRow

__all__ = [
    "ALPHA_DEFAULT",
    "LEAST_GAIN",
    "STATE_BOUNDS",
    "UNCERTAINTY_SPAN",
    "Entanglement",
    "EntanglementRow",
    "FieldSummary",
    "Gem",
    "GemChange",
    "GemRow",
    "Gems",
    "LatticeRow",
    "LogFault",
    "Measurement",
    "MeasurementRow",
    "Moment",
    "QuantumState",
    "Replay",
    "UsedGem",
    "advance_gem",
    "delete_entanglement",
    "evolve",
    "field",
    "get_gems",
    "interference",
    "interference_matrix",
    "list_active",
    "list_entanglements",
    "lock_gem",
    "measure",
    "order_parameter",
    "plan_use",
    "rate_gem",
    "read_field",
    "replay",
    "set_entanglement",
    "use_gems",
]
