"""Embeddings that come with a document, checked and scaled."""

import base64

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInputError

MAX_DIMENSION = 4_000  # that an index takes
PACKED = "base64 of little-endian float32"
_NO_VECTOR = f"must be a list of numbers, or {PACKED}"
_NUMBERS = frozenset((int, float))


def parse_vector(value: object, name: str) -> bytes | None:
    """Return an embedding as little-endian float32 of length 1; None for none.

    Args:
        value: a list of numbers, or a string of PACKED.
        name: of the field, for errors.

    Raises:
        InvalidInputError: it is neither, too long, not finite or all zeros.
    """
    if value is None:
        return None
    if isinstance(value, list) and not _NUMBERS.issuperset(map(type, value)):  # numpy takes "1" and true for numbers
        raise InvalidInputError(name, _NO_VECTOR)
    try:
        with np.errstate(over="ignore"):  # what is too great for 4 bytes is infinite there, and refused as such
            vector = _packed_numbers(value) if isinstance(value, str) else np.asarray(value, "<f4")
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidInputError(name, _NO_VECTOR) from error
    if vector.ndim != 1 or not 1 <= len(vector) <= MAX_DIMENSION:
        raise InvalidInputError(name, f"must be a list of 1 to {MAX_DIMENSION:,} numbers")
    units, usable = scale_to_units(vector[None])
    if not usable[0]:
        raise InvalidInputError(name, "must be finite and not all zeros")
    return bytes(units[0].tobytes())


def scale_to_units(vectors: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Scale vectors of shape (n, d) to length 1; also say which can be, those of a finite length above 0, shape (n,).

    A row comes out the same whatever stands beside it.
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        lengths = np.sqrt(np.square(vectors, dtype=np.float32).sum(axis=1, dtype=np.float64))
        units = (vectors / lengths.astype(np.float32)[:, None]).astype("<f4")
    return units, np.isfinite(lengths) & (lengths > 0)


def _packed_numbers(value: str) -> NDArray[np.float32]:
    return np.frombuffer(base64.b64decode(value, validate=True), "<f4")
