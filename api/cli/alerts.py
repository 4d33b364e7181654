"""`lattice alerts …`: what is wrong, who takes care of it, what raises alerts, and who is told."""

from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

import typer

from api.cli import alert_rules, alert_webhooks
from api.cli.alert_rules import parse_duration
from api.cli.options import JsonOption, examples
from api.cli.output import emit, note
from api.cli.session import with_service

if TYPE_CHECKING:
    from api.alerts.store import Alert

FIRING = {"firing": True, "resolved": False, "all": None}

AlertArgument = Annotated[UUID, typer.Argument(metavar="ALERT_ID", help="As `list` shows it.")]

app = typer.Typer(help="List, acknowledge and silence alerts; their rules and webhooks.", no_args_is_help=True)
app.add_typer(alert_rules.app, name="rules")
app.add_typer(alert_webhooks.app, name="webhooks")


@app.command("list", epilog=examples("lattice alerts list", "lattice alerts list --state all --limit 10"))
def list_alerts(
    state: Annotated[Literal["firing", "resolved", "all"], typer.Option(help="Only those in this state.")] = "firing",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at the most.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List alerts, those that fired last first. A running service judges them; this shows what it found."""
    found = with_service(
        lambda service: service.alerts.list_page(service.tenant, firing=FIRING[state], before=None, limit=limit)
    )
    from api.cli.alert_views import render_alerts
    from api.schemas.alerts import to_alert

    emit(as_json, lambda: [to_alert(each) for each in found], lambda console: render_alerts(console, found))


@app.command(epilog=examples("lattice alerts show 6f0c2a1e-…"))
def show(alert_id: AlertArgument, as_json: JsonOption = False) -> None:
    """Show one alert."""
    _show(with_service(lambda service: service.alerts.get(service.tenant, alert_id)), as_json=as_json)


@app.command(epilog=examples('lattice alerts ack 6f0c2a1e-… --note "I am on it"'))
def ack(
    alert_id: AlertArgument,
    message: Annotated[str, typer.Option("--note", help="What others should know.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Acknowledge an alert: tell everybody that somebody takes care of it."""
    alert = with_service(lambda service: service.alerts.acknowledge(service.tenant, alert_id, message))
    _show(alert, as_json=as_json)


@app.command(epilog=examples("lattice alerts silence --for 2h --rule slow_recalls", "lattice alerts silence --for 30m"))
def silence(
    span: Annotated[str, typer.Option("--for", metavar="SPAN", help="How long: 90s, 30m, 2h, 1d.")],
    rule: Annotated[str | None, typer.Option(help="Alerts of this rule only.")] = None,
    subject: Annotated[
        str | None, typer.Option(help="Alerts about this subject only: a gem's id or an LLM target's name.")
    ] = None,
    message: Annotated[str, typer.Option("--note", help="Why, for others.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Let alerts not be delivered for a while; they fire all the same, and are delivered later if they still do."""
    seconds = parse_duration(span, "--for")
    made = with_service(
        lambda service: service.alerts.add_silence(
            service.tenant, for_s=seconds, rule=rule, subject=subject, note=message
        )
    )
    from api.cli.alert_views import render_silences
    from api.schemas.alerts import to_silence

    emit(as_json, lambda: to_silence(made), lambda console: render_silences(console, [made]))


@app.command(epilog=examples("lattice alerts silences"))
def silences(as_json: JsonOption = False) -> None:
    """List silences that are not over, those that end first at the head."""
    found = with_service(lambda service: service.alerts.list_silences(service.tenant))
    from api.cli.alert_views import render_silences
    from api.schemas.alerts import to_silence

    emit(as_json, lambda: [to_silence(each) for each in found], lambda console: render_silences(console, found))


@app.command(epilog=examples("lattice alerts unsilence 6f0c2a1e-…"))
def unsilence(
    silence_id: Annotated[UUID, typer.Argument(metavar="SILENCE_ID", help="As `silences` shows it.")],
    as_json: JsonOption = False,
) -> None:
    """End a silence; alerts that still fire are then delivered."""
    with_service(lambda service: service.alerts.end_silence(service.tenant, silence_id))
    emit(as_json, lambda: {"id": str(silence_id), "ended": True}, lambda _: note("the silence is over"))


def _show(alert: "Alert", *, as_json: bool) -> None:
    from api.cli.alert_views import render_alert
    from api.schemas.alerts import to_alert

    emit(as_json, lambda: to_alert(alert), lambda console: render_alert(console, alert))
