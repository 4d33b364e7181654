"""`lattice llm …`: the models that answer, who serves them, and what they cost."""

from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli import difficulty, llm_try
from api.cli.options import JsonOption, examples, parse_moment
from api.cli.output import emit
from api.cli.session import load_settings, run, with_service
from core.text import make_storable

if TYPE_CHECKING:
    from api.schemas.llm import CostView, ExperimentList, LlmTargetView, TargetListView
    from api.service import Service

UrlOption = Annotated[
    str | None, typer.Option(metavar="URL", help="Ask the service that runs there; sends LATTICE_API_TOKEN if set.")
]
TargetArgument = Annotated[str, typer.Argument(metavar="TARGET", parser=make_storable, help="Name of the target.")]

app = typer.Typer(help="The models that answer: who serves them, and what they cost.", no_args_is_help=True)


class By(Enum):
    """What a cost is added up by."""

    TARGET = "target"
    MODEL = "model"
    KEY = "key"
    DAY = "day"


@app.command(epilog=examples("lattice llm targets", "lattice llm targets --url http://127.0.0.1:8000"))
def targets(url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Show LLM targets and models: who is on, what was spent, and with --url how each target fares.

    Breakers, latencies and calls under way are known to the process that makes the calls, so only a running service
    can tell them.
    """
    found = with_service(_report_targets) if url is None else _ask_targets(url)
    from api.cli import llm_view

    emit(as_json, lambda: found, lambda console: llm_view.render_targets(console, found, is_live=url is not None))


llm_try.add_to(app)


@app.command(
    epilog=examples(
        "lattice llm cost", "lattice llm cost --by day --since 2026-03-01 --until 2026-04-01", "lattice llm cost --json"
    )
)
def cost(
    since: Annotated[
        str | None, typer.Option(help="Attempts that began then or later, ISO 8601. Default: this month's.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Attempts that began before, ISO 8601. Default: now.")] = None,
    by: Annotated[By, typer.Option(help="What the cost is added up by.")] = By.TARGET,
    as_json: JsonOption = False,
) -> None:
    """Show what LLMs cost, and how the budgets stand now."""
    begin, end = parse_moment(since, "--since"), parse_moment(until, "--until")

    async def work(service: "Service") -> "CostView":
        from api.llm_reports import report_cost

        return await report_cost(service, service.tenant, since=begin, until=end, by=by.value)

    found = with_service(work)
    from api.cli import llm_view

    emit(as_json, lambda: found, lambda console: llm_view.render_cost(console, found))


@app.command(epilog=examples("lattice llm enable main"))
def enable(target: TargetArgument, as_json: JsonOption = False) -> None:
    """Let a target be asked again; running services follow within seconds."""
    _switch(target, enabled=True, as_json=as_json)


@app.command(epilog=examples("lattice llm disable main"))
def disable(target: TargetArgument, as_json: JsonOption = False) -> None:
    """Ask a target no more until it is enabled; running services follow within seconds."""
    _switch(target, enabled=False, as_json=as_json)


@app.command(epilog=examples("lattice llm experiments", "lattice llm experiments --json"))
def experiments(as_json: JsonOption = False) -> None:
    """Show how the variants of experiments fare by what users reward."""

    async def work(service: "Service") -> "ExperimentList":
        from api.llm_reports import report_experiments

        return await report_experiments(service, service.tenant)

    found = with_service(work)
    from api.cli import llm_view

    emit(as_json, lambda: found, lambda console: llm_view.render_experiments(console, found))


difficulty.add_to(app)


def _switch(name: str, *, enabled: bool, as_json: bool) -> None:
    async def work(service: "Service") -> "LlmTargetView":
        from api.llm_reports import switch_target

        return await switch_target(service, service.tenant, name, enabled=enabled)

    target = with_service(work)
    emit(
        as_json,
        lambda: target,
        lambda console: console.print(f"{target.name} is {'enabled' if target.enabled else 'disabled'}"),
    )


async def _report_targets(service: "Service") -> "TargetListView":
    from api.llm_reports import report_targets

    return await report_targets(service, service.tenant)


def _ask_targets(url: str) -> "TargetListView":
    from api.cli.remote import ask_service
    from api.schemas.llm import TargetListView

    return run(ask_service(url, "llm/targets", load_settings().api_token, TargetListView))
