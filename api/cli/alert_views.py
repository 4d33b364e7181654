"""How alerts look in a terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from api.cli.views import fact_table, plain_table, show_moment

if TYPE_CHECKING:
    from rich.console import Console

    from api.alerts.rules import Rule
    from api.alerts.store import Alert, Silence
    from api.alerts.webhooks import MadeWebhook, Webhook

COLOURS = {"info": "cyan", "warning": "yellow", "critical": "bold red"}
SIGNS = {"above": ">", "below": "<"}


def render_alerts(console: "Console", alerts: "Sequence[Alert]") -> None:
    """Show alerts, one a line."""
    if not alerts:
        console.print("no such alerts")
        return
    table = plain_table("severity", "rule", "about", "value", "since", "state", "id", right=[3])
    for alert in alerts:
        table.add_row(
            Text(alert.severity, COLOURS[alert.severity]),
            alert.rule,
            alert.subject_name,
            _show_value(alert.value),
            show_moment(alert.fired_at),
            _state(alert),
            str(alert.alert_id),
        )
    console.print(table)


def render_alert(console: "Console", alert: "Alert") -> None:
    """Show one alert."""
    console.print(Text(alert.severity, COLOURS[alert.severity]) + Text(f"  {alert.rule}: {alert.subject_name}", "bold"))
    if alert.description:
        console.print(alert.description)
    limit = f"{alert.metric} {SIGNS[alert.op]} {alert.threshold:g}, over at {alert.clear_threshold:g}"
    facts = {
        "id": alert.alert_id,
        "state": _state(alert),
        "value": _show_value(alert.value),
        "rule": limit,
        "fired": show_moment(alert.fired_at),
        **({"acknowledged": show_moment(alert.acknowledged_at)} if alert.acknowledged_at else {}),
        **({"note": alert.acknowledgement} if alert.acknowledgement else {}),
        **({"resolved": show_moment(alert.resolved_at)} if alert.resolved_at else {}),
    }
    console.print(fact_table(facts))


def render_rules(console: "Console", rules: "Sequence[Rule]") -> None:
    """Show rules, one a line."""
    table = plain_table("rule", "fires at", "over at", "after", "severity", "")
    for rule in rules:
        table.add_row(
            Text(rule.name, "bold" if rule.enabled else "dim"),
            f"{rule.metric} {SIGNS[rule.op]} {rule.threshold:g}",
            f"{rule.clear_threshold:g}",
            f"{rule.for_s:g} s",
            Text(rule.severity, COLOURS[rule.severity]),
            "" if rule.enabled else "disabled",
        )
    console.print(table)


def render_silences(console: "Console", silences: "Sequence[Silence]") -> None:
    """Show silences, one a line."""
    if not silences:
        console.print("nothing is silenced")
        return
    table = plain_table("rule", "about", "until", "note", "id")
    for each in silences:
        about = each.subject or "whatever"
        table.add_row(each.rule or "every rule", about, show_moment(each.ends_at), each.note, str(each.silence_id))
    console.print(table)


def render_webhooks(console: "Console", webhooks: "Sequence[Webhook]") -> None:
    """Show webhooks, one a line."""
    if not webhooks:
        console.print("no webhooks: lattice alerts webhooks add URL")
        return
    table = plain_table("url", "from", "last message", "waiting", "id", right=[3])
    for each in webhooks:
        last = each.error or ("taken" if each.delivered else "none yet")
        told = "gone; it is told no more" if each.disabled_at else last
        table.add_row(each.url, each.least_severity, told, str(each.waiting), str(each.webhook_id))
    console.print(table)


def render_made(console: "Console", made: "MadeWebhook") -> None:
    """Show a new webhook with its secret."""
    console.print(fact_table({"id": made.webhook.webhook_id, "url": made.webhook.url, "secret": made.secret}))
    console.print("The secret verifies messages; it is not shown again.", style="yellow")


def _state(alert: "Alert") -> str:
    if alert.resolved_at is not None:
        return "resolved"
    state = "firing" if alert.acknowledged_at is None else "acknowledged"
    return f"{state}, silenced" if alert.silenced else state


def _show_value(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
