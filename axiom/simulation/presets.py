"""Named scenarios that each show one true thing of the equation; docs/presets has a page on each."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from axiom.simulation.scenario import Scenario
from core.errors import PresetNotFoundError

PRESETS = (  # in the order in which they are best read
    "steady_growth",
    "learning_plateau",
    "corruption_decay",
    "alignment",
    "innovation_cycles",
    "resilience_and_recovery",
    "burnout",
    "divergent_paths",
)


@dataclass(frozen=True, slots=True)
class Preset:
    """A scenario with a name.

    Attributes:
        name: what it is asked for by.
        title: its name for people.
        description: what it shows, in a sentence.
        scenario: what is run; it carries the name.
    """

    name: str
    title: str
    description: str
    scenario: Scenario

    def to_dict(self) -> dict[str, object]:
        """Return JSON values."""
        return {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "scenario": self.scenario.to_dict(),
        }


def list_presets() -> tuple[Preset, ...]:
    """Return all presets, in the order in which they are best read."""
    return tuple(find_preset(name) for name in PRESETS)


@cache
def find_preset(name: str) -> Preset:
    """Return the preset of this name.

    Raises:
        PresetNotFoundError: there is none; lists those there are.
    """
    if name not in PRESETS:
        raise PresetNotFoundError(f"preset {name!r} is unknown; known are {', '.join(PRESETS)}")
    told = json.loads((files("axiom.simulation") / "scenarios" / f"{name}.json").read_text(encoding="utf-8"))
    scenario = Scenario.from_dict({"name": name, **told["scenario"]})
    return Preset(name, told["title"], told["description"], scenario)


def vary(
    scenario: Scenario,
    changes: Mapping[str, object],
    read: Callable[[Mapping[str, object]], Scenario] = Scenario.from_dict,
) -> Scenario:
    """Return a scenario with other values in some of its fields.

    Args:
        scenario: what is varied; told in full by JSON.
        changes: JSON values by the names of a scenario's fields. `inputs`, `rules` and `ensemble` change what they
            name and leave the rest; all else is replaced.
        read: makes a scenario of JSON values.

    Raises:
        InvalidParameterError: a field is wrong; names it by its path, such as `rules.A.slope`.
    """
    told = scenario.to_dict()
    for field, value in changes.items():
        own = told.get(field)
        if field in {"inputs", "rules", "ensemble"} and isinstance(own, Mapping) and isinstance(value, Mapping):
            told[field] = {**own, **value}
        else:
            told[field] = value
    return read(told)
