"""JSON schemas as providers want them. The caller's schema is never changed."""

from collections.abc import Callable, Iterator, Mapping

_Schema = Mapping[str, object]
_Change = Callable[[_Schema], dict[str, object]]

_NEVER_STRICT = frozenset(
    {"oneOf", "allOf", "not", "if", "then", "else", "patternProperties", "propertyNames", "prefixItems", "contains"}
    | {"dependentRequired", "dependentSchemas", "unevaluatedProperties", "minProperties", "maxProperties"}
)
"""Words that OpenAI's strict mode refuses, and without which a schema says something else."""

_OPENAI_BOUNDS = frozenset({"minLength", "maxLength", "uniqueItems", "default"})
_ANTHROPIC_BOUNDS = frozenset(
    {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
    | {"minLength", "maxLength", "minItems", "maxItems", "uniqueItems"}
)
"""Words that a wire refuses, and that the model can be told in the description instead."""

_NAMED_PARTS = ("properties", "$defs", "definitions")
_LISTED_PARTS = ("anyOf", "oneOf", "allOf")


def make_strict(schema: _Schema) -> dict[str, object] | None:
    """Return the schema as OpenAI's strict mode wants it; None if it cannot be said in that way.

    Objects are closed and all their properties required, references stand alone. What fits the strict schema fits the
    given one but for the bounds that are told in words.
    """
    return _strict(schema) if _is_object(schema) and _can_be_strict(schema) else None


def make_closed(schema: _Schema) -> dict[str, object]:
    """Return the schema as Anthropic wants it: objects closed, unless they are open on purpose; bounds in words."""
    closed = _tell_bounds(
        {name: _map_part(name, part, make_closed) for name, part in schema.items()}, _ANTHROPIC_BOUNDS
    )
    if "oneOf" in closed:
        closed["anyOf"] = closed.pop("oneOf")
    if _is_object(closed):
        closed.setdefault("additionalProperties", False)
    return closed


def _strict(schema: _Schema) -> dict[str, object]:
    strict = _tell_bounds({name: _map_part(name, part, _strict) for name, part in schema.items()}, _OPENAI_BOUNDS)
    if "$ref" in strict and len(strict) > 1:  # a reference may have no neighbours
        strict["anyOf"] = [{"$ref": strict.pop("$ref")}]
    properties = strict.get("properties")
    if isinstance(properties, Mapping):
        strict["required"] = [*properties]
        strict["additionalProperties"] = False
    return strict


def _can_be_strict(schema: _Schema) -> bool:
    if schema.keys() & _NEVER_STRICT or schema.get("additionalProperties", False) is not False:
        return False
    if _is_object(schema) and not isinstance(schema.get("properties"), Mapping):
        return False  # without properties it stands for any object
    return all(_can_be_strict(part) for part in _list_parts(schema))


def _is_object(schema: _Schema) -> bool:
    told = schema.get("type")
    return told == "object" or (isinstance(told, list) and "object" in told) or "properties" in schema


def _tell_bounds(schema: dict[str, object], bounds: frozenset[str]) -> dict[str, object]:
    told = ", ".join(f"{name}: {part}" for name, part in schema.items() if name in bounds)
    kept = {name: part for name, part in schema.items() if name not in bounds}
    if told:
        kept["description"] = f"{kept.get('description', '')} ({told})".strip()
    return kept


def _map_part(name: str, part: object, change: _Change) -> object:
    if name in _NAMED_PARTS and isinstance(part, Mapping):
        return {key: change(each) if isinstance(each, Mapping) else each for key, each in part.items()}
    if name in _LISTED_PARTS and isinstance(part, list | tuple):
        return [change(each) if isinstance(each, Mapping) else each for each in part]
    return change(part) if name == "items" and isinstance(part, Mapping) else part


def _list_parts(schema: _Schema) -> Iterator[_Schema]:
    for name in _NAMED_PARTS:
        named = schema.get(name)
        yield from (each for each in named.values() if isinstance(each, Mapping)) if isinstance(named, Mapping) else ()
    for name in _LISTED_PARTS:
        listed = schema.get(name)
        yield from (each for each in listed if isinstance(each, Mapping)) if isinstance(listed, list | tuple) else ()
    items = schema.get("items")
    if isinstance(items, Mapping):
        yield items
