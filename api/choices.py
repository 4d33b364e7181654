"""What a field may be, for whoever gave a value that is not among it."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import inspect

NOT_AMONG = re.compile(r"invalid (?:enum )?value (.+)", re.IGNORECASE)  # as msgspec says it
_STEP = re.compile(r"[^.\[\]]+|\[\.*\d*\]")
_Holding = inspect.StructType | inspect.DataclassType | inspect.TypedDictType | inspect.NamedTupleType


def tell_choices(problem: str, type_: object, path: str = "") -> str:
    """Say which values there are, where msgspec only says that the one given is none of them.

    Args:
        problem: what msgspec says is wrong, without the place.
        type_: that was decoded into.
        path: to the field within it, as msgspec writes it but for the leading `$.`.
    """
    told = NOT_AMONG.fullmatch(problem)
    if told is None:
        return problem
    found = _flatten([inspect.type_info(type_)])
    for step in _STEP.findall(path):
        found = _flatten(_descend(found, step))
    choices = dict.fromkeys(str(choice) for each in found for choice in _choices(each))
    return f"is {told.group(1)}, not one of {', '.join(choices)}" if choices else problem


def _descend(types: Iterable[inspect.Type], step: str) -> Iterator[inspect.Type]:
    for each in types:
        if not step.startswith("["):
            if isinstance(each, inspect.StructType) and each.tag_field == step:
                yield inspect.LiteralType((each.tag,))
            elif isinstance(each, _Holding):
                yield from (field.type for field in each.fields if getattr(field, "encode_name", field.name) == step)
        elif isinstance(each, inspect.DictType):
            yield each.value_type
        elif isinstance(each, inspect.TupleType):
            yield from each.item_types
        elif isinstance(each, inspect.CollectionType):
            yield each.item_type


def _flatten(types: Iterable[inspect.Type]) -> list[inspect.Type]:
    flat: list[inspect.Type] = []
    for each in types:
        if isinstance(each, inspect.UnionType):
            flat += _flatten(each.types)
        elif isinstance(each, inspect.Metadata):
            flat += _flatten([each.type])
        else:
            flat.append(each)
    return flat


def _choices(type_: inspect.Type) -> Iterable[Any]:
    if isinstance(type_, inspect.LiteralType):
        return type_.values
    return (each.value for each in type_.cls) if isinstance(type_, inspect.EnumType) else ()
