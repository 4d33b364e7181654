"""Gems: named units of memory, the state they are in, and how it moves with time and use."""

from gems.catalogue import Gems
from gems.gem import Gem, GemChange
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
    measure_gem,
    rate_gem,
)
from gems.tables import STATE_BOUNDS, GemRow, LatticeRow, MeasurementRow

__all__ = [
    "ALPHA_DEFAULT",
    "STATE_BOUNDS",
    "UNCERTAINTY_SPAN",
    "Gem",
    "GemChange",
    "GemRow",
    "Gems",
    "LatticeRow",
    "Measurement",
    "MeasurementRow",
    "Moment",
    "QuantumState",
    "advance_gem",
    "evolve",
    "field",
    "get_gems",
    "interference",
    "interference_matrix",
    "list_active",
    "lock_gem",
    "measure",
    "measure_gem",
    "order_parameter",
    "rate_gem",
]
