"""Parameters of rules, detectors and domain models, as people are told of them."""

from dataclasses import MISSING, dataclass, fields, is_dataclass


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a rule, a detector or a domain model.

    Attributes:
        name: its key in JSON.
        takes: which values, for people.
        help: what it does, for people.
        required: whether it must be given.
        default: a JSON value; None if it is required.
    """

    name: str
    takes: str
    help: str
    required: bool
    default: object


def list_parameters(thing: object) -> tuple[Parameter, ...]:
    """Return the parameters of a class that is made of them, in order; none of anything else."""
    if not is_dataclass(thing):
        return ()
    found = []
    for each in fields(thing):
        taken, required = each.metadata.get("taken"), each.default is MISSING and each.default_factory is MISSING
        default = None if each.default is MISSING else each.default
        if taken is None:
            found.append(Parameter(each.name, "", "", required, default))
        else:
            told = None if required else taken.write(default)
            found.append(Parameter(each.name, taken.words, taken.help, required, told))
    return tuple(found)


def summarise(thing: object) -> str:
    """Return what a class says of itself in the first line of its docstring."""
    return (thing.__doc__ or "").strip().partition("\n")[0]
