"""Domain models: extensions that make a scenario of parameters of their own field; served like presets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, Self

from api.parameters import Parameter, list_parameters, summarise
from axiom.simulation import Scenario
from core.errors import ConfigurationError, LatticeError
from core.extensions import Kind, tell_fault
from core.registry import Registry


class DomainModel(Protocol):
    """What the class of a domain model must have; one of `Plugin` and `Parameters` has all but `scenario`."""

    @classmethod
    def from_dict(cls, given: Mapping[str, object], path: str) -> Self:
        """Return the model with these parameters."""
        ...

    def scenario(self) -> Scenario:
        """Return the simulation that it stands for."""
        ...


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """What there is to know about a domain model."""

    name: str
    version: str
    description: str
    parameters: tuple[Parameter, ...]


DOMAIN_MODELS: Registry[type[DomainModel]] = Registry(Kind.DOMAIN_MODEL.group, Kind.DOMAIN_MODEL.noun)


def describe_model(name: str) -> ModelDescription:
    """Return what a domain model takes.

    Raises:
        ConfigurationError: none is known by the name, or it does not load.
    """
    model = DOMAIN_MODELS.get(name)
    listed = next(each for each in DOMAIN_MODELS.describe() if each.name == name and each.state == "loaded")
    return ModelDescription(name, listed.version, listed.description or summarise(model), list_parameters(model))


def build_scenario(name: str, parameters: Mapping[str, object], path: str = "parameters") -> Scenario:
    """Return the simulation that a domain model makes of parameters.

    Raises:
        InvalidParameterError: a parameter is missing, unknown or wrong; names it by its path.
        ConfigurationError: no model is known by the name, it does not load, or it fails.
    """
    model = DOMAIN_MODELS.get(name)
    try:
        made = model.from_dict(parameters, path).scenario()
    except LatticeError:
        raise
    except (Exception, SystemExit) as e:  # it is somebody else's code, and may fail in any way
        raise ConfigurationError(f"domain model {name!r} failed: {tell_fault(e)}") from e
    return _require_scenario(name, made)


def _require_scenario(name: str, made: object) -> Scenario:
    if not isinstance(made, Scenario):
        raise ConfigurationError(f"domain model {name!r} made no scenario, but {type(made).__name__}")
    return made
