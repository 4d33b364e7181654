"""What text and JSON from outside may be stored: the rules that every field of a user's shares."""

import json
import re
from collections.abc import Mapping
from typing import TypeAlias

from core.errors import InvalidInputError

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"

MAX_LABEL_CHARS = 1_000
MAX_METADATA_BYTES = 64_000
MAX_METADATA_DEPTH = 32

# Postgres stores neither NUL nor half of a surrogate pair, in text as in jsonb.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def make_storable(text: str) -> str:
    """Return a text as Postgres can hold it: without NUL characters, lone surrogates replaced by U+FFFD."""
    return _UNSTORABLE.sub(lambda found: "" if found.group() == "\x00" else "\ufffd", text)


def clean_string(value: object, name: str, limit: int = MAX_LABEL_CHARS) -> str:
    """Return a string as it can be stored.

    Raises:
        InvalidInputError: it is no string, or has more than `limit` characters.
    """
    if not isinstance(value, str):
        raise InvalidInputError(name, f"must be a string, not {name_kind(value)}")
    if len(value) > limit:
        raise InvalidInputError(name, f"must have at most {limit:,} characters, has {len(value):,}")
    return make_storable(value)


def clean_object(value: object, name: str) -> dict[str, JSON]:
    """Return a JSON object as it can be stored.

    Raises:
        InvalidInputError: it is no object, holds what JSON cannot say, is too large or nested too deeply.
    """
    if not isinstance(value, Mapping):
        raise InvalidInputError(name, f"must be an object, not {name_kind(value)}")
    cleaned = {clean_string(key, name): _clean_json(item, name, 1) for key, item in value.items()}
    try:
        size = len(json.dumps(cleaned, allow_nan=False, ensure_ascii=False).encode())
    except ValueError as error:
        raise InvalidInputError(name, "holds a number that JSON cannot (NaN, infinity or too many digits)") from error
    if size > MAX_METADATA_BYTES:
        raise InvalidInputError(name, f"must have at most {MAX_METADATA_BYTES:,} bytes as JSON, has {size:,}")
    return cleaned


def name_kind(value: object) -> str:
    """Return what a value is, in the words of JSON."""
    names = {bool: "a boolean", int: "a number", float: "a number", dict: "an object", list: "a list", str: "a string"}
    return "null" if value is None else names.get(type(value), type(value).__name__)


def _clean_json(value: object, name: str, depth: int) -> JSON:
    if depth > MAX_METADATA_DEPTH:
        raise InvalidInputError(name, f"must not be nested deeper than {MAX_METADATA_DEPTH} levels")
    if isinstance(value, str):
        return make_storable(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {clean_string(key, name): _clean_json(item, name, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean_json(item, name, depth + 1) for item in value]
    raise InvalidInputError(name, f"holds {name_kind(value)}, which JSON cannot")
