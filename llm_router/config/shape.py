"""The shape of the configuration as it is written: made of the dataclasses, so that each default stands once.

Pydantic compares what was written with it. What has the wrong shape is left out, so that the rest can be judged too.
"""

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from decimal import Decimal
from difflib import get_close_matches
from functools import cache, reduce
from operator import or_
from types import UnionType
from typing import Annotated, Any, ClassVar, Literal, Union, get_args, get_origin, get_type_hints
from warnings import catch_warnings

from pydantic import BaseModel, BeforeValidator, ConfigDict, Strict, ValidationError, create_model
from pydantic_core import ErrorDetails, PydanticCustomError

from llm_router.config.checks import dotted, name_all
from llm_router.config.limits import CacheConfig
from llm_router.config.models import ModelConfig
from llm_router.config.router import RouterConfig
from llm_router.config.targets import TargetConfig

Place = tuple[str | int, ...]


class Table(BaseModel):
    """A table in its shape; what was not written is not among its `model_fields_set`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: ClassVar[type]


@dataclass(frozen=True, slots=True)
class Shaped:
    """What was written, as far as it has its shape.

    Attributes:
        problems: what is wrong with the rest, each with its place.
    """

    table: Table
    problems: list[str]


@dataclass(frozen=True, slots=True)
class Backoff:
    """The table `backoff`; a RouterConfig calls its values backoff_initial_s and backoff_max_s."""

    initial_s: float | None = None
    max_s: float | None = None


@dataclass(frozen=True, slots=True)
class _Written:
    """How a table differs from the dataclass that it stands for."""

    without: frozenset[str] = frozenset()
    besides: Mapping[str, Any] = field(default_factory=dict)


_WRITTEN = {
    RouterConfig: _Written(
        frozenset({"backoff_initial_s", "backoff_max_s"}),
        {"backoff": Backoff, "targets": Mapping[str, TargetConfig], "models": Mapping[str, ModelConfig]},
    ),
    TargetConfig: _Written(frozenset({"name", "api_key"}), {"api_key_env": str | None}),
    ModelConfig: _Written(frozenset({"name"})),
    CacheConfig: _Written(frozenset({"url"}), {"url_env": str | None}),
}


def read_shape(tables: Mapping[str, object]) -> Shaped:
    """Compare what was written with the shape of the whole."""
    shape, problems = shape_of(RouterConfig), list[str]()
    remaining = deepcopy(dict(tables))
    while True:
        try:
            return Shaped(shape.model_validate(remaining), problems)
        except ValidationError as e:
            errors = e.errors(include_url=False, include_input=False)
        problems = problems or [_describe(error) for error in errors]
        # from the end, since a list is shorter afterwards
        for place in reversed(dict.fromkeys(map(_place_to_leave_out, errors))):
            _leave_out(remaining, place)


def list_keys(shape: type[Table] | None = None, section: str = "") -> Iterator[str]:
    """Yield every key that can be written, such as targets.NAME.clocks.connect_s."""
    for name, column in (shape or shape_of(RouterConfig)).model_fields.items():
        key = f"{section}.{name}" if section else name
        inner = _table_in(column.annotation)
        if inner is None:
            yield key
        else:
            yield from list_keys(inner, f"{key}.NAME" if get_origin(column.annotation) is Mapping else key)


@cache
def shape_of(kind: type) -> type[Table]:
    """Return the shape of a dataclass's table."""
    written = _WRITTEN.get(kind, _Written())
    required = {one.name for one in fields(kind) if one.default is MISSING and one.default_factory is MISSING}
    hints = {name: hint for name, hint in get_type_hints(kind).items() if name not in written.without}
    columns: dict[str, Any] = {
        name: (_strictly(hint), ... if name in required - {*written.besides} else None)
        for name, hint in {**hints, **written.besides}.items()
    }
    with catch_warnings(action="ignore", category=UserWarning):  # a column may be named as an old method: `schema`
        shape: type[Table] = create_model(kind.__name__, __base__=Table, **columns)
    shape.kind = kind
    return shape


def _to_number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise PydanticCustomError("number", "must be a number")
    return value


def _to_price(value: object) -> object:
    return value if isinstance(value, str) else _to_number(value)


_STRICT: dict[object, Any] = {
    bool: Annotated[bool, Strict()],
    int: Annotated[int, Strict()],
    float: Annotated[float, BeforeValidator(_to_number)],
    Decimal: Annotated[Decimal, BeforeValidator(_to_price)],
}

_STAND_INS: dict[str, dict[str, object]] = {"budgets": {"limit_usd": 0}, "variants": {}}
"""What stands in a list for an item without shape, so that the places of the others stay what they are."""

_PHRASES = {
    "missing": "is needed",
    "string_type": "must be a text",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "decimal_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "tuple_type": "must be a list",
    "frozen_set_type": "must be a list",
    "dict_type": "must be a table",
    "model_type": "must be a table",
}


def _strictly(hint: Any) -> Any:  # noqa: ANN401 - a type hint is of no one type
    """Return a hint whose numbers and truths are not guessed from texts, and whose dataclasses are tables."""
    if hint in _STRICT:
        return _STRICT[hint]
    if is_dataclass(hint):
        return shape_of(hint)  # type: ignore[arg-type]  # of types and instances, a hint is a type
    origin, inner = get_origin(hint), get_args(hint)
    if not inner or origin is Literal:
        return hint
    strict = tuple(_strictly(each) for each in inner)
    return reduce(or_, strict) if origin in {UnionType, Union} else origin[strict]


def _table_in(annotation: Any) -> type[Table] | None:  # noqa: ANN401 - a type hint is of no one type
    options = (annotation, *get_args(annotation))
    return next((each for each in options if isinstance(each, type) and issubclass(each, Table)), None)


def _describe(error: ErrorDetails) -> str:
    place = error["loc"]
    if error["type"] == "extra_forbidden":
        return f"{dotted(*place)}: {_describe_unknown(str(place[-1]), _keys_at(place[:-1]))}"
    message = error["msg"].replace("Input should be", "must be")
    return f"{dotted(*place)}: {_PHRASES.get(error['type'], message)}"


def _describe_unknown(key: str, known: Iterable[str]) -> str:
    if f"{key}_env" in known:
        return f"no secret stands in the file: put it into an environment variable, and name that one in {key}_env"
    near = get_close_matches(key, known, 1)
    return f"is no key; did you mean {near[0]}?" if near else f"is no key; known are {name_all(known)}"


def _keys_at(place: Place) -> list[str]:
    shape, parts = shape_of(RouterConfig), iter(place)
    for part in parts:
        annotation = shape.model_fields[str(part)].annotation
        shape = _table_in(annotation) or shape
        if get_origin(annotation) in {Mapping, tuple}:
            next(parts)  # the table's own name, or its number in the list
    return [*shape.model_fields]


def _place_to_leave_out(error: ErrorDetails) -> Place:
    return error["loc"][:-1] if error["type"] == "missing" else error["loc"]


def _leave_out(tables: dict[str, Any], place: Place) -> None:
    inner: Any = tables
    for part in place[:-1]:
        inner = inner[part]
    stand_in = _STAND_INS.get(str(place[-2])) if isinstance(place[-1], int) else None
    if stand_in is None:
        del inner[place[-1]]
    else:
        inner[place[-1]] = {"name": f"number {place[-1]}", **stand_in}
