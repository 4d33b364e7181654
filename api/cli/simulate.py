"""`lattice simulate`: the equation through time, from a scenario, a preset, a gem or the options alone."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from api.cli import presets
from api.cli.exit_codes import PARTIAL
from api.cli.options import JsonOption, examples
from api.cli.output import Bar, counted, emit, note, open_bar
from api.cli.session import load_settings, with_service
from api.cli.simulation_options import (
    Changes,
    CsvOption,
    EnsembleOption,
    EventsOption,
    GemOption,
    InputsOption,
    ParametersOption,
    ParquetOption,
    PlotOption,
    PresetOption,
    QuantilesOption,
    QuietOption,
    RulesOption,
    SaveOption,
    ScenarioArgument,
    SeedOption,
    SpreadsOption,
    StepDaysOption,
    StepsOption,
    read_scenario_file,
)
from core.errors import InvalidParameterError

if TYPE_CHECKING:
    from api.cli.simulation_words import Result
    from api.service import Service
    from api.settings import Settings
    from axiom.simulation import OnProgress, Scenario

PATIENCE_S = 0.5  # before a bar is shown
GEM_STEPS = 365


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    lines = (
        "lattice simulate --preset burnout --plot burnout.svg",
        "lattice simulate --set A=0.5 --rule A=logistic:rate=0.1 --rule C=decay:rate=0.02 --steps 200",
        "lattice simulate scenario.json --event threshold:level=0.5 --csv out.csv",
        "lattice simulate --preset alignment --ensemble 1000 --spread A=0.05 --spread B=uniform:0.1",
        "lattice simulate --gem research --steps 90 --save-scenario research.json",
    )
    app.command("simulate", epilog=examples(*lines))(simulate)


@dataclass(frozen=True, slots=True)
class Outputs:
    """The files that are asked for."""

    plot: Path | None
    csv: Path | None
    parquet: Path | None
    scenario: Path | None

    def check(self) -> None:
        """Find out what would fail before a long simulation is run.

        Raises:
            typer.BadParameter: a file could not be written; names the option.
            ConfigurationError: an extra is missing.
        """
        from api.cli import plotting, simulation_files

        given = {"--plot": self.plot, "--csv": self.csv, "--parquet": self.parquet, "--save-scenario": self.scenario}
        options: dict[Path, str] = {}
        for option, path in given.items():
            if path is None:
                continue
            if not path.parent.is_dir():
                raise typer.BadParameter(f"there is no folder {path.parent}", param_hint=option)
            if not os.access(path.parent, os.W_OK):
                raise typer.BadParameter(f"no file can be written into {path.parent}", param_hint=option)
            if path.absolute() in options:
                raise typer.BadParameter(f"is the same file as {options[path.absolute()]}", param_hint=option)
            options[path.absolute()] = option
        if self.plot is not None:
            plotting.form_of(self.plot)
            plotting.require_plotting()
        if self.parquet is not None:
            simulation_files.require_parquet()

    def write(self, scenario: "Scenario", result: "Result") -> Iterator[Path]:
        """Write the files, each whole or not at all; yield each that is written."""
        from api.cli import plotting, simulation_files
        from api.cli.simulation_files import write_whole

        columns = simulation_files.list_columns(result)
        if (path := self.scenario) is not None:
            write_whole("--save-scenario", path, lambda file: simulation_files.write_scenario(file, scenario))
            yield path
        if (path := self.csv) is not None:
            write_whole("--csv", path, lambda file: simulation_files.write_csv(file, columns))
            yield path
        if (path := self.parquet) is not None:
            write_whole("--parquet", path, lambda file: simulation_files.write_parquet(file, columns, scenario))
            yield path
        if (path := self.plot) is not None:
            form = plotting.form_of(path)
            write_whole("--plot", path, lambda file: plotting.draw_simulation(file, form, scenario, result))
            yield path


def simulate(
    file: ScenarioArgument = None,
    *,
    preset: PresetOption = None,
    parameters: ParametersOption = None,
    gem: GemOption = None,
    step_days: StepDaysOption = None,
    inputs: InputsOption = None,
    rules: RulesOption = None,
    events: EventsOption = None,
    steps: StepsOption = None,
    seed: SeedOption = None,
    ensemble: EnsembleOption = None,
    spreads: SpreadsOption = None,
    quantiles: QuantilesOption = None,
    plot: PlotOption = None,
    csv: CsvOption = None,
    parquet: ParquetOption = None,
    save_scenario: SaveOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Simulate the intelligence equation, and show what becomes of its score.

    Options come on top of a scenario, preset or gem; without one all variables are neutral and stay.
    Options of several values are given several times.
    What runs away stops there: the steps before are shown and written, and the exit code is 1.
    """
    changes = Changes(inputs or (), rules or (), events or (), steps, seed, ensemble, spreads or (), quantiles or ())
    start = Start(file, preset, parameters or (), gem, step_days, GEM_STEPS if steps is None else steps)
    outputs = Outputs(plot, csv, parquet, save_scenario)
    outputs.check()
    settings = load_settings()  # with the extensions
    scenario = _build(start.read(settings), changes)
    with _late_bar(quiet=quiet) as advance:
        result = scenario.run(advance)
    from api.cli import simulation_view, simulation_words

    if as_json or not quiet:
        emit(
            as_json,
            lambda: simulation_words.to_json(scenario, result),
            lambda console: simulation_view.render_simulation(console, scenario, result),
        )
    if not (scenario.rules or quiet or as_json):
        note("nothing moves: give it a --rule or a --preset (lattice simulate --help)")
    for path in outputs.write(scenario, result):
        if not quiet:
            note(f"{path}: {counted(path.stat().st_size, 'byte')}")
    if result.stopped is not None:
        if quiet and not as_json:
            note(simulation_words.tell_stop(result))
        raise typer.Exit(PARTIAL)


@dataclass(frozen=True, slots=True)
class Start:
    """What the options come on top of: a file, a preset, a gem, or nothing."""

    file: str | None
    preset: str | None
    parameters: Sequence[str]
    gem: str | None
    step_days: float | None
    steps: int

    def read(self, settings: "Settings") -> dict[str, object]:
        """Return it as JSON values.

        Raises:
            typer.BadParameter: there are two of them, or an option is of another one.
        """
        given = {"SCENARIO": self.file, "--preset": self.preset, "--gem": self.gem}
        named = [name for name, value in given.items() if value is not None]
        if len(named) > 1:
            raise typer.BadParameter(f"cannot be combined with {named[0]}", param_hint=named[-1])
        if self.parameters and self.preset is None:
            raise typer.BadParameter("goes with a domain model, which --preset names", param_hint="--parameter")
        if self.step_days is not None and self.gem is None:
            raise typer.BadParameter("goes with --gem", param_hint="--step-days")
        if self.file is not None:
            return read_scenario_file(self.file)
        if self.preset is not None:
            return presets.read_preset(self.preset, self.parameters).to_dict()
        return {} if self.gem is None else self._foresee(self.gem, settings).to_dict()

    def _foresee(self, gem: str, settings: "Settings") -> "Scenario":
        async def work(service: "Service") -> "Scenario":
            now = service.at()
            found = await service.gems.resolve(service.tenant, gem, now)
            step_days = 1.0 if self.step_days is None else self.step_days
            return await service.gem_axioms.foresee(
                service.tenant, found.gem_id, now, step_days=step_days, steps=self.steps
            )

        return with_service(work, settings)


def _build(told: dict[str, object], changes: Changes) -> "Scenario":
    from axiom.simulation import Scenario

    try:
        return Scenario.from_dict(changes.apply(told))
    except RecursionError as e:
        raise InvalidParameterError("rules", "are nested too deeply") from e


@contextmanager
def _late_bar(*, quiet: bool) -> "Iterator[OnProgress | None]":
    """Show a progress bar for what takes longer than a moment."""
    with ExitStack() as stack:
        begun = time.monotonic()
        bar: Bar | None = None

        def advance(done: int, steps: int) -> None:
            nonlocal bar
            if bar is None and time.monotonic() - begun > PATIENCE_S:
                bar = stack.enter_context(open_bar("Simulating", "steps"))
            if bar is not None:
                bar.advance_to(done, steps)

        yield None if quiet else advance
