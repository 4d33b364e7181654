"""From JSON to rules and detectors: by their names, those of extensions included."""

from collections.abc import Mapping
from typing import Any, Protocol

from axiom.simulation.detection import EventHandler
from axiom.simulation.parameters import mapping, named, under
from axiom.simulation.rules import UpdateRule
from core.errors import ConfigurationError, InvalidParameterError
from core.registry import Registry

RULES: Registry[Any] = Registry("lattice.update_rules", "update rule")
EVENTS: Registry[Any] = Registry("lattice.event_handlers", "event handler")


class Readable(Protocol):
    """A class whose instances are made of parameters."""

    def from_dict(self, given: Mapping[str, object], path: str) -> object:
        """Return an instance."""
        ...


def read_rule(data: object, path: str) -> UpdateRule:
    """Return the rule that JSON tells, such as {"rule": "linear", "slope": 0.01}.

    Raises:
        InvalidParameterError: it is unknown, does not load, or has a wrong parameter; names the field by its path.
    """
    made: UpdateRule = _read(data, path, "rule", RULES)
    return made


def read_event(data: object, path: str) -> EventHandler:
    """Return the detector that JSON tells, such as {"event": "threshold", "variable": "score", "level": 0.5}.

    Raises:
        InvalidParameterError: it is unknown, does not load, or has a wrong parameter; names the field by its path.
    """
    made: EventHandler = _read(data, path, "event", EVENTS)
    return made


def write(part: object, path: str) -> dict[str, object]:
    """Return a rule or detector as JSON values.

    Raises:
        InvalidParameterError: it is a function that only Python knows.
    """
    to_dict = getattr(part, "to_dict", None)
    if to_dict is None:
        raise InvalidParameterError(path, "is Python code, which JSON cannot tell; make it an extension")
    written: dict[str, object] = to_dict()
    return written


def _read(data: object, path: str, tag: str, registry: Registry[Any]) -> Any:  # noqa: ANN401 - typed by the callers
    given = mapping(path, data)
    name = given.get(tag)
    if not isinstance(name, str):
        problem = "is required" if name is None else f"must be a name, not {named(name)}"
        raise InvalidParameterError(f"{path}.{tag}", f"{problem}; known are {', '.join(registry.names())}")
    try:
        made = registry.get(name)
    except ConfigurationError as e:
        raise InvalidParameterError(f"{path}.{tag}", e.message) from e
    with under(path):
        return made.from_dict(given, path)
