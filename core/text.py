"""What text and JSON may be stored: the rules that every field of a user's shares."""

import json
from collections.abc import Mapping

from core.errors import InvalidInputError

METADATA_BYTES = 65_536


def clean_text(field: str, text: str, *, most: int) -> str:
    """Return a text as Postgres can hold it: without NUL characters, lone surrogates replaced.

    Raises:
        InvalidInputError: it has more than `most` characters.
    """
    if len(text) > most:
        raise InvalidInputError(field, f"has {len(text):,} characters; at most {most:,} are allowed")
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def check_json(field: str, value: Mapping[str, object]) -> None:
    """Check that an object can be stored as jsonb.

    Raises:
        InvalidInputError: it holds what JSON cannot say (NaN, a NUL character), or is too large.
    """
    try:
        encoded = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as e:
        raise InvalidInputError(field, f"must be a JSON object: {e}") from e
    if "\\u0000" in encoded or "\\ud8" in encoded.lower():
        raise InvalidInputError(field, "must not hold NUL characters or lone surrogates")
    if len(encoded) > METADATA_BYTES:
        raise InvalidInputError(field, f"takes {len(encoded):,} bytes as JSON; at most {METADATA_BYTES:,} are allowed")
