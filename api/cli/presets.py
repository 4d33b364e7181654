"""`lattice presets`: scenarios by name, ready for `lattice simulate --preset`; ours, and those of domain models."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.options import JsonOption, examples
from api.cli.output import emit
from api.cli.session import load_settings
from api.cli.simulation_options import read_pairs, read_value
from core.errors import PresetNotFoundError

if TYPE_CHECKING:
    from rich.console import Console

    from api.domain_models import ModelDescription
    from api.schemas.presets import PresetSummaryView
    from axiom.simulation import Preset, Scenario

app = typer.Typer(help="Scenarios that each show one true thing of the equation.", no_args_is_help=True)


@app.command("list", epilog=examples("lattice presets list", "lattice presets list --json"))
def list_all(as_json: JsonOption = False) -> None:
    """List the presets, in the order in which they are best read, then the domain models of extensions."""
    load_settings()
    from api.domain_models import DOMAIN_MODELS
    from api.schemas.presets import to_model_summary, to_preset, to_summary
    from axiom.simulation import PRESETS, list_presets

    models = [each for each in DOMAIN_MODELS.describe() if each.state != "off"]
    found = [
        *(to_summary(to_preset(each)) for each in list_presets()),
        *(to_model_summary(each, is_hidden=each.name in PRESETS) for each in models),
    ]
    emit(as_json, lambda: found, lambda console: _render_all(console, found))


@app.command("show", epilog=examples("lattice presets show burnout", "lattice presets show burnout --json"))
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `lattice presets list` names it.")],
    as_json: JsonOption = False,
) -> None:
    """Show what a preset shows and its scenario, or what a domain model takes."""
    load_settings()
    from api.domain_models import describe_model
    from api.schemas.presets import to_model, to_preset

    preset = _find(name)
    if preset is not None:
        emit(as_json, lambda: to_preset(preset), lambda console: _render_preset(console, preset))
        return
    model = describe_model(name)
    emit(as_json, lambda: to_model(model), lambda console: _render_model(console, model))


def read_preset(name: str, parameters: Sequence[str]) -> "Scenario":
    """Return the scenario of a preset, or the one that a domain model makes of parameters, each NAME=VALUE.

    Raises:
        PresetNotFoundError: there is neither; lists those there are.
        InvalidParameterError: a parameter is missing, unknown or wrong.
        typer.BadParameter: a preset takes none.
    """
    told = read_pairs("--parameter", parameters, read_value)
    preset = _find(name)
    if preset is None:
        from api.domain_models import build_scenario

        return build_scenario(name, told)
    if told:
        raise typer.BadParameter(f"{name} takes none; --set, --rule and others change it", param_hint="--parameter")
    return preset.scenario


def _find(name: str) -> "Preset | None":
    """Return one of our presets; None for a domain model.

    Raises:
        PresetNotFoundError: there is neither.
    """
    from api.domain_models import DOMAIN_MODELS
    from axiom.simulation import PRESETS, find_preset

    if name in PRESETS:
        return find_preset(name)
    models = [each.name for each in DOMAIN_MODELS.describe() if each.state != "off"]
    if name not in models:
        known = ", ".join(dict.fromkeys([*PRESETS, *models]))
        raise PresetNotFoundError(f"preset {name!r} is unknown; known are {known}")
    return None


def _render_all(console: "Console", found: "Sequence[PresetSummaryView]") -> None:
    from rich.padding import Padding
    from rich.text import Text

    for each in found:
        console.print(Text(each.name, "bold") + Text(f"  {each.problem}" if each.problem else "", "yellow"))
        console.print(Padding(each.description or "a domain model", (0, 0, 0, 4), expand=False))
    console.print()
    console.print("lattice simulate --preset NAME runs one", style="dim")


def _render_preset(console: "Console", preset: "Preset") -> None:
    from rich.text import Text

    console.print(Text(preset.title, "bold"))
    console.print(preset.description)
    console.print()
    console.print(json.dumps(preset.scenario.to_dict(), ensure_ascii=False, indent=2), soft_wrap=True)


def _render_model(console: "Console", model: "ModelDescription") -> None:
    from rich.text import Text

    from api.cli.views import indented, parameter_table

    console.print(Text(model.name, "bold") + Text(f"  a domain model, {model.version}", "dim"))
    if model.description:
        console.print(model.description)
    if model.parameters:
        console.print(indented(parameter_table(model.parameters)))
    given = " --parameter NAME=VALUE" if model.parameters else ""
    console.print(f"lattice simulate --preset {model.name}{given} runs it", style="dim", soft_wrap=True)
