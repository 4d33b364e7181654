"""`lattice alerts webhooks …`: who is told of alerts."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar
from uuid import UUID

import typer

from api.alerts.rules import Severity
from api.cli.exit_codes import PARTIAL
from api.cli.options import JsonOption, YesOption, confirm, examples
from api.cli.output import emit, note
from api.cli.session import with_service

if TYPE_CHECKING:
    from api.alerts.webhooks import Webhooks
    from api.service import Service

T = TypeVar("T")

WebhookArgument = Annotated[UUID, typer.Argument(metavar="WEBHOOK_ID", help="As `list` shows it.")]

app = typer.Typer(help="List, add, test and delete webhooks.", no_args_is_help=True)


@app.command("list", epilog=examples("lattice alerts webhooks list"))
def list_webhooks(as_json: JsonOption = False) -> None:
    """List webhooks, the oldest first, each with how its last message fared; secrets are not shown."""
    found = _with_webhooks(lambda webhooks, tenant: webhooks.list_all(tenant))
    from api.cli.alert_views import render_webhooks
    from api.schemas.alerts import to_webhook

    emit(as_json, lambda: [to_webhook(each) for each in found], lambda console: render_webhooks(console, found))


@app.command(epilog=examples("lattice alerts webhooks add https://example.org/alerts --least warning"))
def add(
    url: Annotated[str, typer.Argument(metavar="URL", help="Is sent a POST.")],
    least: Annotated[Severity, typer.Option(help="Alerts that are less bad are not told.")] = "info",
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Let an address be told of alerts. The secret that verifies its messages is printed, this once."""
    made = _with_webhooks(lambda webhooks, tenant: webhooks.add(tenant, url, least, description))
    from api.cli.alert_views import render_made
    from api.schemas.alerts import to_made_webhook

    emit(as_json, lambda: to_made_webhook(made), lambda console: render_made(console, made))


@app.command("test", epilog=examples("lattice alerts webhooks test 6f0c2a1e-…"))
def send_test(webhook_id: WebhookArgument, as_json: JsonOption = False) -> None:
    """Send a test message once; the exit code is 1 if it was not taken."""
    outcome = _with_webhooks(lambda webhooks, tenant: webhooks.test(tenant, webhook_id))
    from api.schemas.alerts import to_test

    emit(as_json, lambda: to_test(outcome), lambda _: note(outcome.error or f"taken, with status {outcome.status}"))
    if not outcome.delivered:
        raise typer.Exit(PARTIAL)


@app.command(epilog=examples("lattice alerts webhooks delete 6f0c2a1e-…"))
def delete(webhook_id: WebhookArgument, yes: YesOption = False, as_json: JsonOption = False) -> None:
    """Delete a webhook, with the messages that were still to be delivered there."""
    confirm("Delete the webhook, and what it was still to be told?", yes=yes)
    _with_webhooks(lambda webhooks, tenant: webhooks.delete(tenant, webhook_id))
    emit(as_json, lambda: {"id": str(webhook_id), "deleted": True}, lambda _: note("the webhook is deleted"))


def _with_webhooks(work: "Callable[[Webhooks, UUID], Awaitable[T]]") -> T:
    async def opened(service: "Service") -> T:
        from api.alerts.messages import Sender
        from api.alerts.webhooks import Webhooks

        async with Sender(allow_private=service.settings.alerts.allow_private_webhooks) as sender:
            return await work(Webhooks(service.database, sender), service.tenant)

    return with_service(opened)
