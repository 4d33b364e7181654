"""Parameters that are data: checked as they are given, told as JSON and read from it, each fault by its path."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from numbers import Integral, Real
from typing import Any, ClassVar, Self

from core.errors import InvalidInputError, InvalidParameterError

LONGEST_SHOWN = 40  # characters of a value in a message
WIDEST_SHOWN = 1e30

Check = Callable[[str, object], object]  # (path, value) -> the value as it is kept, or InvalidParameterError


@dataclass(frozen=True, slots=True)
class Taken:
    """What a parameter takes.

    Attributes:
        check: return a value given in Python as it is kept.
        read: return a value given in JSON; `check` reads it too if None.
        write: return the kept value as JSON.
        words: what it takes, for people.
        help: what it does, for people.
    """

    check: Check
    words: str
    help: str
    read: Check | None = None
    write: Callable[[Any], object] = lambda value: value


def parameter(taken: Taken, default: object = MISSING) -> Any:  # noqa: ANN401 - stands for a value of the field's type
    """Return a dataclass field that takes this; without a default it must be given."""
    if default is MISSING:
        return field(metadata={"taken": taken})
    return field(default=default, metadata={"taken": taken})


def number(
    default: object = MISSING,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    above: float = -math.inf,
    optional: bool = False,
    help: str = "",  # noqa: A002 - as argparse and typer call it
) -> Any:  # noqa: ANN401 - a dataclass field
    """Return a field that takes a finite number in [low, high], greater than `above`; also None if optional."""
    words = "a finite number" + _words_of(low, high, above) + (" or null" if optional else "")

    def check(path: str, value: object) -> object:
        if value is None and optional:
            return None
        result = finite(path, value)
        if not (low <= result <= high and result > above):
            raise InvalidParameterError(path, f"must be {words}, not {value}")
        return result

    return parameter(Taken(check, words, help), default)


def whole(default: object = MISSING, *, low: int, high: int, help: str = "") -> Any:  # noqa: A002, ANN401 - as above
    """Return a field that takes a whole number in [low, high]."""
    words = f"a whole number from {low:,} to {high:,}"

    def check(path: str, value: object) -> int:
        return integer(path, value, low, high)

    return parameter(Taken(check, words, help), default)


def choice(among: Iterable[str], default: object = MISSING, *, help: str = "") -> Any:  # noqa: A002, ANN401 - as above
    """Return a field that takes one of these names."""
    names = tuple(among)
    words = "one of " + ", ".join(names)

    def check(path: str, value: object) -> str:
        if not isinstance(value, str) or value not in names:
            raise InvalidParameterError(path, f"must be {words}, not {value!r}")
        return value

    return parameter(Taken(check, words, help), default)


@dataclass(frozen=True, slots=True)
class Parameters:
    """What is made of parameters alone: fields made by `number`, `whole`, `choice` or `parameter`.

    Raises:
        InvalidParameterError: on construction, naming the field.
    """

    kind: ClassVar[str] = ""
    tag: ClassVar[str] = "rule"  # the key under which the kind stands in JSON

    def __post_init__(self) -> None:
        for each in fields(self):
            taken = each.metadata.get("taken")
            if taken is not None:
                object.__setattr__(self, each.name, taken.check(each.name, getattr(self, each.name)))

    def to_dict(self) -> dict[str, object]:
        """Return the kind and all parameters as JSON values; `read` takes it back."""
        written: dict[str, object] = {self.tag: self.kind}
        for each in fields(self):
            taken = each.metadata.get("taken")
            value = getattr(self, each.name)
            written[each.name] = value if taken is None else taken.write(value)
        return written

    @classmethod
    def from_dict(cls, given: Mapping[str, object], path: str) -> Self:
        """Return what JSON says; `given` may hold the kind under its tag.

        Raises:
            InvalidParameterError: a parameter is missing, unknown or wrong; names it by its path.
        """
        known = {each.name: each for each in fields(cls)}
        for name in given:
            if name not in known and name != cls.tag:
                listed = ", ".join(known) or "none"
                raise InvalidParameterError(f"{path}.{name}", f"is no parameter of {cls.kind}; it has {listed}")
        values: dict[str, object] = {}
        for name, each in known.items():
            if name in given:
                taken = each.metadata.get("taken")
                read = None if taken is None else taken.read or taken.check
                values[name] = given[name] if read is None else read(f"{path}.{name}", given[name])
            elif each.default is MISSING and each.default_factory is MISSING:
                raise InvalidParameterError(f"{path}.{name}", f"is required for {cls.kind}")
        with under(path):
            return cls(**values)


class under:  # noqa: N801 - reads as a word where it is used
    """A context in which faults name their field below this path."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, InvalidInputError) and not error.field.startswith(f"{self._path}."):
            raise InvalidParameterError(f"{self._path}.{error.field}", error.problem) from error
        if isinstance(error, TypeError):
            name, _, problem = str(error).partition(": ")
            raise InvalidParameterError(f"{self._path}.{name}" if problem else self._path, problem or name) from error


def finite(path: str, value: object) -> float:
    """Return a finite number as a float.

    Raises:
        InvalidParameterError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise InvalidParameterError(path, f"must be a number, not {named(value)}")
    try:
        result = float(value)
    except OverflowError:
        result = math.inf
    if not math.isfinite(result):
        raise InvalidParameterError(path, f"must be a finite number, not {result}")
    return result


def integer(path: str, value: object, low: int, high: int) -> int:
    """Return a whole number in [low, high].

    Raises:
        InvalidParameterError: it is none.
    """
    if isinstance(value, float) and value.is_integer():  # JSON of some programs has 5.0 for 5
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise InvalidParameterError(path, f"must be a whole number, not {named(value)}")
    if not low <= int(value) <= high:
        raise InvalidParameterError(path, f"must be from {low:,} to {high:,}, not {value}")
    return int(value)


def mapping(path: str, value: object, known: Iterable[str] | None = None) -> Mapping[str, object]:
    """Return a JSON object, with no other than the known keys if these are given.

    Raises:
        InvalidParameterError: it is none, or has an unknown key.
    """
    if not isinstance(value, Mapping):
        raise InvalidParameterError(path or "scenario", f"must be an object, not {named(value)}")
    if known is not None:
        names = tuple(known)
        for name in value:
            if name not in names:
                where = f"{path}.{name}" if path else str(name)
                raise InvalidParameterError(where, f"is not known; known are {', '.join(names)}")
    return value


def sequence(path: str, value: object) -> list[object]:
    """Return a JSON list.

    Raises:
        InvalidParameterError: it is none.
    """
    if not isinstance(value, list | tuple):
        raise InvalidParameterError(path, f"must be a list, not {named(value)}")
    return list(value)


def named(value: object) -> str:
    """Return what JSON or Python calls a value: the text or number itself, else its kind."""
    if isinstance(value, str):
        return f"the text {value!r}" if len(value) <= LONGEST_SHOWN else "a text"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value) if abs(value) < WIDEST_SHOWN else "a number"
    names = {type(None): "null", dict: "an object", list: "a list", bool: "true or false"}
    return names.get(type(value), type(value).__name__)


def _words_of(low: float, high: float, above: float) -> str:
    bounds = [
        f" above {above:g}" if above > -math.inf else "",
        f" at least {low:g}" if low > -math.inf and high == math.inf else "",
        f" at most {high:g}" if high < math.inf and low == -math.inf else "",
        f" in [{low:g}, {high:g}]" if low > -math.inf and high < math.inf else "",
    ]
    return "".join(bounds)
