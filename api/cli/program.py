"""The program `lattice`: its commands, and what becomes of an error."""

import gc
import logging
import sys
from collections.abc import Sequence
from contextvars import copy_context
from typing import Annotated, Any, cast

import typer
from typer.main import get_command

from api.cli import (
    alerts,
    axiom,
    db,
    demo,
    doctor,
    documents,
    evaluation,
    extensions,
    forget,
    gems,
    graph,
    ingest,
    ingestions,
    llm,
    presets,
    recall,
    reembed,
    reflect,
    serve,
    simulate,
    transfer,
    version,
    worker,
)
from api.cli.exit_codes import FAULT, INTERRUPTED, PARTIAL, exit_code_of
from api.cli.output import open_console, print_json
from core.errors import LatticeError

app = typer.Typer(
    name="lattice",
    help="Crystal Lattice: a memory that finds what matters, answers with citations, and explains its scores.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (demo, serve, worker, ingest, recall, reflect, simulate):
    module.add_to(app)
app.add_typer(gems.app, name="gems")
app.add_typer(documents.app, name="documents")
app.add_typer(graph.app, name="graph")
app.add_typer(ingestions.app, name="ingestions")
app.add_typer(llm.app, name="llm")
app.add_typer(alerts.app, name="alerts")
app.add_typer(axiom.app, name="axiom")
app.add_typer(extensions.app, name="extensions")
app.add_typer(presets.app, name="presets")
app.add_typer(db.app, name="db")
for module in (transfer, reembed, forget, doctor):
    module.add_to(app)
app.add_typer(evaluation.app, name="eval")
version.add_to(app)


@app.callback()
def _root(
    shows_version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=version.show_and_exit, help="Print the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the program with the arguments of the process."""
    gc.set_threshold(50_000)  # imports drop nothing: looking for garbage meanwhile took a tenth of a start
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")  # a character that the terminal lacks must not end the program
    code = run_program(sys.argv[1:])
    gc.freeze()  # at its end the interpreter looks through all there is for garbage: half a second, for nothing
    sys.exit(code)


def run_program(arguments: Sequence[str]) -> int:
    """Run one command; return its exit code. Errors are told on standard error, in one line or as one JSON object."""
    # looked for by hand: a wrong command line is told before its options are read
    as_json = "--json" in arguments
    try:
        # in a context of its own, so that what a command sets for itself, such as its extensions, ends with it
        result = copy_context().run(get_command(app).main, list(arguments), prog_name="lattice", standalone_mode=False)
    except typer.TyperException as e:
        _tell_usage(e, as_json=as_json)
        return e.exit_code
    except typer.Abort:
        _tell("aborted", "nothing was changed", {}, as_json=as_json)
        return PARTIAL
    except LatticeError as e:
        _tell(e.code, e.message, e.details, as_json=as_json)
        return exit_code_of(type(e))
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as e:
        if logging.getLogger().isEnabledFor(logging.DEBUG):
            raise
        advice = "set LATTICE_LOG_LEVEL=debug to see where"
        _tell("internal_error", f"{type(e).__name__}: {e} ({advice})", {}, as_json=as_json)
        return FAULT
    return result if isinstance(result, int) else 0


def _tell_usage(error: typer.TyperException, *, as_json: bool) -> None:
    error.message = error.message.removeprefix("Value error, ")  # as pydantic begins what typer lets it check
    if as_json:
        print_json({"code": "usage", "message": error.format_message()}, sys.stderr)
        return
    from typer.rich_utils import rich_format_error

    rich_format_error(cast("Any", error))  # its own type is private to typer


def _tell(code: str, message: str, details: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        print_json({"code": code, "message": message, **({"details": details} if details else {})}, sys.stderr)
        return
    from rich.text import Text

    console = open_console(sys.stderr)
    console.print(Text("error: ", "bold red") + Text(message), soft_wrap=True)
    for name, value in details.items():
        if str(value) not in message and not isinstance(value, list):
            console.print(f"  {name}: {value}", style="dim", soft_wrap=True)
