"""A simulation on one command line: rules, detectors, inputs and spreads as short texts, on top of a scenario."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from core.errors import UnreadableSourceError
from core.text import make_storable

# each may be left out; those of lists may be given several times
ScenarioArgument = Annotated[
    str | None, typer.Argument(metavar="SCENARIO", help="A scenario's JSON file; - is standard input.")
]
PresetOption = Annotated[str | None, typer.Option(metavar="NAME", help="Start from one of `lattice presets list`.")]
ParametersOption = Annotated[
    list[str] | None,
    typer.Option("--parameter", metavar="NAME=VALUE", help="Of a domain model that --preset names."),
]
GemOption = Annotated[
    str | None,
    typer.Option(metavar="GEM", parser=make_storable, help="Start from a gem's terms, and leave it alone."),
]
StepDaysOption = Annotated[
    float | None, typer.Option(metavar="DAYS", help="How long a step is for --gem; a day unless told.")
]
InputsOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="VARIABLE=NUMBER", help="Where a variable begins.")
]
RulesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--rule",
        metavar="VARIABLE=RULE",
        help="How it moves: decay:rate=0.02, or a rule's JSON. `lattice extensions list` names all rules.",
    ),
]
EventsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--event",
        metavar="DETECTOR",
        help="What to look for: threshold:level=0.5, or its JSON. `lattice extensions list` names all detectors.",
    ),
]
StepsOption = Annotated[int | None, typer.Option(help="How many; 100 unless told, 365 for a gem.")]
SeedOption = Annotated[int | None, typer.Option(help="Of all random numbers; the same one gives the same run.")]
EnsembleOption = Annotated[
    int | None, typer.Option(metavar="K", help="Run so many scenarios at once; 0 makes a single run.")
]
SpreadsOption = Annotated[
    list[str] | None,
    typer.Option("--spread", metavar="VARIABLE=WIDTH", help="How uncertain an input is: 0.05, or uniform:0.1."),
]
QuantilesOption = Annotated[
    list[float] | None, typer.Option("--quantile", metavar="Q", help="A band of the ensemble, from 0 to 1.")
]
PlotOption = Annotated[Path | None, typer.Option(dir_okay=False, help="Draw it: .svg or .png.")]
CsvOption = Annotated[Path | None, typer.Option(dir_okay=False, help="Write all steps as CSV.")]
ParquetOption = Annotated[Path | None, typer.Option(dir_okay=False, help="Write all steps as Parquet.")]
SaveOption = Annotated[Path | None, typer.Option(dir_okay=False, help="Write what was run, to be run again.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress and no result; for files.")]

JSON_OPENS = ("{", "[", '"')  # a value that begins so is JSON and may have commas within


@dataclass(frozen=True, slots=True)
class Changes:
    """What the options say over a scenario; None and what is empty leave it as it is.

    Attributes:
        inputs: each VARIABLE=NUMBER.
        rules: each VARIABLE=RULE.
        events: each a detector; they are added to those of the scenario.
        ensemble: how many runs; 0 makes a single one.
        spreads: each VARIABLE=WIDTH or VARIABLE=DISTRIBUTION:WIDTH.
        quantiles: those of the scenario are replaced.
    """

    inputs: Sequence[str] = ()
    rules: Sequence[str] = ()
    events: Sequence[str] = ()
    steps: int | None = None
    seed: int | None = None
    ensemble: int | None = None
    spreads: Sequence[str] = ()
    quantiles: Sequence[float] = ()

    def apply(self, scenario: Mapping[str, object]) -> dict[str, object]:
        """Return the scenario with what is said over it; what is wrong in either is left to who reads it.

        Raises:
            typer.BadParameter: an option is not written as it must be; names it.
        """
        changed = dict(scenario)
        plain = {"steps": self.steps, "seed": self.seed}
        changed.update((name, value) for name, value in plain.items() if value is not None)
        _update(changed, "inputs", read_pairs("--set", self.inputs, read_value))
        _update(changed, "rules", read_pairs("--rule", self.rules, lambda text: read_part("--rule", "rule", text)))
        if self.events:
            given = scenario.get("events") or ()
            added = [read_part("--event", "event", text) for text in self.events]
            changed["events"] = [*given, *added] if isinstance(given, Sequence) else given
        self._apply_ensemble(changed)
        return changed

    def _apply_ensemble(self, changed: dict[str, object]) -> None:
        uncertainty = read_pairs("--spread", self.spreads, read_spread)
        if self.ensemble == 0:
            if uncertainty or self.quantiles:
                raise typer.BadParameter("0 is a single run: --spread and --quantile say nothing of it")
            changed.pop("ensemble", None)
            return
        told: dict[str, object] = {} if self.ensemble is None else {"size": self.ensemble}
        told |= {"quantiles": sorted(set(self.quantiles))} if self.quantiles else {}
        if not told and not uncertainty:
            return
        given = changed.get("ensemble") or {}
        if isinstance(given, Mapping):
            ensemble = {**given, **told}
            _update(ensemble, "uncertainty", uncertainty)
            changed["ensemble"] = ensemble


def read_scenario_file(source: str) -> dict[str, object]:
    """Return the JSON object of a scenario's file; - is standard input.

    Raises:
        UnreadableSourceError: it cannot be read, or is no JSON object.
    """
    name = "standard input" if source == "-" else source
    try:
        content = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
        told = json.loads(content.decode("utf-8-sig"))
    except OSError as e:
        raise UnreadableSourceError(name, e.strerror or type(e).__name__) from e
    except UnicodeDecodeError as e:
        raise UnreadableSourceError(name, "is not UTF-8") from e
    except json.JSONDecodeError as e:
        raise UnreadableSourceError(name, f"is no JSON: {e}" if content.strip() else "is empty") from e
    except RecursionError as e:
        raise UnreadableSourceError(name, "is nested too deeply") from e
    if not isinstance(told, dict):
        raise UnreadableSourceError(name, "is no scenario, which is a JSON object")
    return told


def read_part(option: str, tag: str, text: str) -> object:
    """Return a rule or detector as JSON values: `decay:rate=0.02`, or the JSON itself.

    Args:
        option: named in errors.
        tag: the key of its kind, "rule" or "event".
        text: as it was typed.

    Raises:
        typer.BadParameter: it is neither.
    """
    if text.startswith("{"):
        try:
            whole: object = json.loads(text)
        except (ValueError, RecursionError) as e:
            raise typer.BadParameter(f"is no JSON: {e}", param_hint=option) from None
        return whole
    kind, _, rest = text.partition(":")
    return {tag: kind.strip(), **_read_parameters(option, rest)}


def read_spread(text: str) -> object:
    """Return the uncertainty of an input as JSON values: `0.05` (normal), `uniform:0.1`, or the JSON itself."""
    if text.startswith("{"):
        return read_value(text)
    kind, mark, width = text.rpartition(":")
    return {"kind": kind if mark else "normal", "width": read_value(width)}


def read_value(text: str) -> object:
    """Return what JSON says, the number that is written otherwise (`.5`, `nan`), or the text itself."""
    for read in (json.loads, float):
        with suppress(ValueError, RecursionError):
            value: object = read(text)
            return value
    return text


def read_pairs(option: str, pairs: Iterable[str], read: Callable[[str], object]) -> dict[str, object]:
    """Read NAME=VALUE pairs.

    Raises:
        typer.BadParameter: one has no name or no value, or a name comes twice; names the option.
    """
    values: dict[str, object] = {}
    for pair in pairs:
        name, mark, text = make_storable(pair).partition("=")
        if not (mark and name.strip() and text.strip()):
            raise typer.BadParameter(f"must look like NAME=VALUE, not {pair!r}", param_hint=option)
        _put(values, option, name.strip(), read(text.strip()))
    return values


def _read_parameters(option: str, text: str) -> dict[str, object]:
    """Read NAME=VALUE pairs between commas; the commas within JSON are not between pairs."""
    values: dict[str, object] = {}
    rest = text.strip()
    while rest:
        name, mark, rest = rest.partition("=")
        if not (mark and name.strip()):
            raise typer.BadParameter(f"must look like KIND:NAME=VALUE,…; {name!r} has no value", param_hint=option)
        value, rest = _take_value(option, rest.strip())
        _put(values, option, name.strip(), value)
    return values


def _put(values: dict[str, object], option: str, name: str, value: object) -> None:
    if name in values:
        raise typer.BadParameter(f"{name} is given twice", param_hint=option)
    values[name] = value


def _take_value(option: str, text: str) -> tuple[object, str]:
    if not text.startswith(JSON_OPENS):
        value, _, rest = text.partition(",")
        return read_value(value.strip()), rest
    try:
        taken, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError) as e:
        raise typer.BadParameter(f"has no JSON at {text!r}: {e}", param_hint=option) from None
    rest = text[end:].lstrip()
    if rest and not rest.startswith(","):
        raise typer.BadParameter(f"needs a comma before {rest!r}", param_hint=option)
    return taken, rest[1:]


def _update(scenario: dict[str, object], key: str, values: Mapping[str, object]) -> None:
    """Set some values of an object within the scenario; what is no object is left for its reader to refuse."""
    given = scenario.get(key) or {}
    if values and isinstance(given, Mapping):
        scenario[key] = {**given, **values}
