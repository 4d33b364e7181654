"""`lattice extensions …`: what is there, whether it works, and a new one."""

import keyword
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.exit_codes import PARTIAL
from api.cli.options import JsonOption, examples
from api.cli.output import emit, note
from api.cli.session import load_settings
from core.extensions import Kind

if TYPE_CHECKING:
    from core.registry import Listing

app = typer.Typer(help="Rules, detectors, models and integrations, ours and those of others.", no_args_is_help=True)


class NewKind(Enum):
    """What a skeleton can be of."""

    UPDATE_RULE = Kind.UPDATE_RULE.value
    EVENT_HANDLER = Kind.EVENT_HANDLER.value
    INTEGRATION = Kind.INTEGRATION.value
    DOMAIN_MODEL = Kind.DOMAIN_MODEL.value


@app.command("list", epilog=examples("lattice extensions list", "lattice extensions list --kind update_rule --json"))
def list_all(
    kind: Annotated[Kind | None, typer.Option(help="Only those of this kind.")] = None, as_json: JsonOption = False
) -> None:
    """Show every extension, built-in ones included, with what is known of it without running its code."""
    load_settings()
    from api.cli import extension_view
    from api.extension_reports import list_extensions
    from api.schemas.extensions import ExtensionList, to_extension

    found = list_extensions(kind)
    emit(
        as_json,
        lambda: ExtensionList(items=[to_extension(each) for each in found]),
        lambda console: extension_view.render_extensions(console, found),
    )


@app.command(epilog=examples("lattice extensions show decay", "lattice extensions show threshold --json"))
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `lattice extensions list` names it.")],
    as_json: JsonOption = False,
) -> None:
    """Show what an extension does and which parameters it takes; its code is loaded for it."""
    load_settings()
    from api.cli import extension_view
    from api.extension_reports import describe_extensions
    from api.schemas.extensions import ExtensionDetails, to_details

    found = describe_extensions(name)
    emit(
        as_json,
        lambda: ExtensionDetails(items=[to_details(each) for each in found]),
        lambda console: extension_view.render_descriptions(console, found),
    )


@app.command(
    epilog=examples(
        "lattice extensions check",
        "lattice extensions check momentum",
        "lattice extensions check ./extensions/momentum",
    )
)
def check(
    what: Annotated[
        str | None,
        typer.Argument(metavar="NAME|FOLDER", help="One extension, or a folder of some. Default: all there are."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Try extensions: load, get ready, run for a few steps, replay, close. Ends with 1 if one does not work.

    Integrations deliver nothing in a trial, and providers are only loaded.
    """
    load_settings()
    from api.cli import extension_view
    from api.cli.extension_trial import try_extensions

    trials = try_extensions(_choose(what))
    emit(as_json, lambda: trials, lambda console: extension_view.render_trials(console, trials))
    if any(trial.status == "FAIL" for trial in trials):
        raise typer.Exit(PARTIAL)


@app.command(
    epilog=examples(
        "lattice extensions new update_rule momentum",
        "lattice extensions new integration journal --folder ./extensions",
    )
)
def new(
    kind: Annotated[NewKind, typer.Argument(metavar="KIND", help="What it extends.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="In small letters, digits and _.")],
    folder: Annotated[
        Path | None, typer.Option(help="Where extensions are. Default: the folder of LATTICE_EXTENSIONS_DIR.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a new extension that works, with its manifest and a test, to be changed."""
    if not (name.isascii() and name.isidentifier() and name.islower() and len(name) <= 64) or keyword.iskeyword(name):
        raise typer.BadParameter("must be a name in small letters, digits and _", param_hint="NAME")
    if name.startswith("_"):
        raise typer.BadParameter("must begin with a letter", param_hint="NAME")
    place = _settings_folder() if folder is None else folder
    _require_free(Kind(kind.value), name)
    from api.cli.extension_skeleton import write_skeleton

    made = write_skeleton(Kind(kind.value), name, place)
    emit(as_json, lambda: {"folder": str(made)}, lambda console: console.print(made, soft_wrap=True))
    if as_json:
        return
    note(f"try it with: lattice extensions check {made}")
    if folder is not None:
        note(f"it is found by its name where LATTICE_EXTENSIONS_DIR={folder.absolute()}")


def _choose(what: str | None) -> "list[Listing]":
    """Return what is to be tried; a folder is used for this command in place of the one of the settings."""
    from api.extension_reports import list_extensions
    from core.extension_folder import ExtensionFolder, use

    if what is None:
        return list_extensions()
    path = Path(what)
    if path.is_dir():
        use(ExtensionFolder(path.absolute()))
        chosen = [each for each in list_extensions() if each.in_folder]
    else:
        chosen = [each for each in list_extensions() if each.name == what]
    if not chosen:
        raise typer.BadParameter(
            f"{what!r} is no extension, and no folder of one; see lattice extensions list", param_hint="NAME|FOLDER"
        )
    return chosen


def _require_free(kind: Kind, name: str) -> None:
    """Refuse a name that a package has: offered twice, neither of the two could be used."""
    from api.extension_reports import list_extensions

    taken = next((each for each in list_extensions(kind) if each.name == name), None)
    if taken is not None:
        raise typer.BadParameter(f"{kind.noun} {name!r} is there already, in {taken.origin}", param_hint="NAME")


def _settings_folder() -> Path:
    from api.settings import read_settings

    folder = read_settings().extensions_dir
    if folder is None:
        raise typer.BadParameter("is required where LATTICE_EXTENSIONS_DIR is not set", param_hint="--folder")
    return folder.expanduser()
