"""What a simulation starts from: the eight variables of the equation."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Literal

import numpy as np

from axiom.equation import Float, FloatArray, Terms
from axiom.simulation.parameters import finite, mapping
from core.errors import InvalidParameterError

VariableName = Literal["A", "B", "C", "X", "Y", "Z", "E_n", "F_n"]
SeriesName = Literal["A", "B", "C", "X", "Y", "Z", "E_n", "F_n", "score"]
VARIABLES: tuple[VariableName, ...] = ("A", "B", "C", "X", "Y", "Z", "E_n", "F_n")
SERIES: tuple[SeriesName, ...] = (*VARIABLES, "score")
INDEX: dict[VariableName, int] = {name: at for at, name in enumerate(VARIABLES)}


@dataclass(frozen=True, slots=True)
class AxiomInputs:
    """The eight variables, as floats or as arrays of one scenario each; what is left out is neutral.

    Attributes:
        A: impulses. All eight are dimensionless, of shape () or (k,).
        B: elements.
        C: pressure.
        X: subjectivity scale as objectivity.
        Y: why axis.
        Z: time sphere.
        E_n: exponential growth.
        F_n: Fibonacci or feedback.

    Raises:
        InvalidParameterError: a value is no finite number, or no array (k,) of such; names the variable.
    """

    A: Float = 1.0
    B: Float = 1.0
    C: Float = 1.0
    X: Float = 1.0
    Y: Float = 1.0
    Z: Float = 1.0
    E_n: Float = 1.0
    F_n: Float = 0.0

    def __post_init__(self) -> None:
        sizes = set()
        for each in fields(self):
            value = getattr(self, each.name)
            kept = _column(each.name, value) if isinstance(value, np.ndarray) else finite(each.name, value)
            sizes |= {kept.size} if isinstance(kept, np.ndarray) else set()
            object.__setattr__(self, each.name, kept)
        if len(sizes) > 1:
            raise InvalidParameterError("inputs", f"arrays must be of one length, not of {sorted(sizes)}")

    @classmethod
    def from_dict(cls, given: object, path: str = "inputs") -> "AxiomInputs":
        """Return what JSON says: numbers by the variables' names.

        Raises:
            InvalidParameterError: names the wrong field by its path.
        """
        values = mapping(path, given, VARIABLES)
        return cls(**{name: finite(f"{path}.{name}", value) for name, value in values.items()})

    @classmethod
    def stack(cls, rows: Mapping[VariableName, FloatArray]) -> "AxiomInputs":
        """Return inputs of k scenarios, from arrays (k,) that are known to be sound."""
        made = cls.__new__(cls)
        for name in VARIABLES:
            object.__setattr__(made, name, rows[name])
        return made

    @property
    def size(self) -> int | None:
        """The number k of scenarios; None for plain floats."""
        for name in VARIABLES:
            value = getattr(self, name)
            if isinstance(value, np.ndarray):
                return value.size
        return None

    def terms(self) -> Terms[Float]:
        """Return the same as terms of the equation, unbounded."""
        return Terms[Float](self.A, self.B, self.C, self.X, self.Y, self.Z, self.E_n, self.F_n)

    def to_dict(self) -> dict[str, object]:
        """Return JSON values by the variables' names."""
        values = {name: getattr(self, name) for name in VARIABLES}
        return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in values.items()}


def _column(name: str, value: FloatArray) -> FloatArray:
    """Return a read-only copy of an array (k,)."""
    if value.dtype.kind not in "iuf" or value.ndim != 1 or not value.size:
        raise InvalidParameterError(name, f"must be a number or an array (k,), not {value.dtype} {value.shape}")
    if not np.isfinite(value).all():
        raise InvalidParameterError(name, "must hold finite numbers; it has NaN or infinity")
    column = value.astype(np.float64)
    column.flags.writeable = False
    return column
