"""Alerts: what fires, who takes care of it, the rules, silences and webhooks."""

from typing import Annotated, Literal
from uuid import UUID

from litestar import Response, Router, delete, get, post, put
from litestar.params import JSONBody, PathParameter, QueryParameter

from api.auth import Role, needs
from api.idempotency import Created, IdempotencyKey, answer_once
from api.live.live import Live
from api.pages import Cursor, Limit, cut_page, decode_cursor
from api.request import ApiRequest
from api.routes.problems import problems
from api.schemas.alerts import (
    Acknowledgement,
    AlertPage,
    AlertView,
    NewSilence,
    NewWebhook,
    NewWebhookView,
    RuleBody,
    RuleList,
    RuleView,
    SilenceList,
    SilenceView,
    WebhookList,
    WebhookTestView,
    to_alert,
    to_made_webhook,
    to_rule,
    to_rule_view,
    to_silence,
    to_test,
    to_webhook,
)

FIRING = {"firing": True, "resolved": False, "all": None}

AlertId = Annotated[UUID, PathParameter(description="The alert's id.")]
RuleName = Annotated[
    str, PathParameter(description="The rule's name.", max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
]
SilenceId = Annotated[UUID, PathParameter(description="The silence's id.")]
WebhookId = Annotated[UUID, PathParameter(description="The webhook's id.")]
State = Annotated[
    Literal["firing", "resolved", "all"], QueryParameter(name="state", description="Only those in this state.")
]


@get("/", guards=[needs(Role.VIEWER)], responses=problems(), summary="List alerts")
async def list_alerts(
    request: ApiRequest, state_is: State = "firing", limit: Limit = 50, cursor: Cursor = None
) -> AlertPage:
    """List alerts, those that fired last first."""
    found = await request.service.alerts.list_page(
        request.tenant, firing=FIRING[state_is], before=decode_cursor(cursor), limit=limit + 1
    )
    page = cut_page(found, limit, lambda each: (each.fired_at, each.alert_id))
    return AlertPage(items=[to_alert(each) for each in page.items], next_cursor=page.next_cursor)


@get("/{alert_id:str}", guards=[needs(Role.VIEWER)], responses=problems(404), summary="Get an alert")
async def get_alert(request: ApiRequest, alert_id: AlertId) -> AlertView:
    """Return an alert."""
    return to_alert(await request.service.alerts.get(request.tenant, alert_id))


@post(
    "/{alert_id:str}/acknowledgements",
    status_code=200,
    guards=[needs(Role.EDITOR)],
    responses=problems(404, 409),
    summary="Acknowledge an alert",
)
async def acknowledge_alert(request: ApiRequest, alert_id: AlertId, data: JSONBody[Acknowledgement]) -> AlertView:
    """Tell everybody that somebody takes care of an alert; a later note replaces an earlier one."""
    alert = await request.service.alerts.acknowledge(request.tenant, alert_id, data.note)
    _live(request).wake()
    return to_alert(alert)


@get("/rules", guards=[needs(Role.VIEWER)], responses=problems(), summary="List rules")
async def list_rules(request: ApiRequest) -> RuleList:
    """List all rules by name, the built-in ones included."""
    return RuleList(rules=[to_rule_view(each) for each in await request.service.alerts.list_rules(request.tenant)])


@put("/rules/{name:str}", guards=[needs(Role.EDITOR)], responses=problems(409), summary="Put a rule")
async def put_rule(request: ApiRequest, name: RuleName, data: JSONBody[RuleBody]) -> RuleView:
    """Make a rule, or change the one of this name, also where it is built in."""
    rule = to_rule(name, data)
    await request.service.alerts.put_rule(request.tenant, rule, request.service.at())
    _live(request).wake()
    return to_rule_view(rule)


@delete("/rules/{name:str}", guards=[needs(Role.EDITOR)], responses=problems(404), summary="Delete a rule")
async def delete_rule(request: ApiRequest, name: RuleName) -> None:
    """Delete a rule, which ends its alerts; a built-in one that was changed is again as it came."""
    await request.service.alerts.delete_rule(request.tenant, name)
    _live(request).wake()


@get("/silences", guards=[needs(Role.VIEWER)], responses=problems(), summary="List silences")
async def list_silences(request: ApiRequest) -> SilenceList:
    """List silences that are not over, those that end first at the head."""
    found = await request.service.alerts.list_silences(request.tenant)
    return SilenceList(silences=[to_silence(each) for each in found])


@post("/silences", guards=[needs(Role.EDITOR)], responses=problems(409), summary="Silence alerts")
async def add_silence(
    request: ApiRequest, data: JSONBody[NewSilence], idempotency_key: IdempotencyKey = None
) -> Response[SilenceView]:
    """Let alerts not be delivered for a while; they fire and end all the same, and the page shows them."""

    async def make() -> Created[SilenceView]:
        silence = await request.service.alerts.add_silence(
            request.tenant, for_s=data.for_s, rule=data.rule, subject=data.subject, note=data.note
        )
        return Created(to_silence(silence))

    return await answer_once(request, idempotency_key, make)


@delete("/silences/{silence_id:str}", guards=[needs(Role.EDITOR)], responses=problems(404), summary="End a silence")
async def end_silence(request: ApiRequest, silence_id: SilenceId) -> None:
    """End a silence; alerts that still fire and were not delivered yet are delivered now."""
    await request.service.alerts.end_silence(request.tenant, silence_id)
    _live(request).wake()


@get("/webhooks", guards=[needs(Role.VIEWER)], responses=problems(), summary="List webhooks")
async def list_webhooks(request: ApiRequest) -> WebhookList:
    """List webhooks, the oldest first, each with how its last message fared; secrets are not shown."""
    return WebhookList(webhooks=[to_webhook(each) for each in await _live(request).webhooks.list_all(request.tenant)])


@post("/webhooks", guards=[needs(Role.ADMIN)], responses=problems(409), summary="Add a webhook")
async def add_webhook(request: ApiRequest, data: JSONBody[NewWebhook]) -> Response[NewWebhookView]:
    """Let an address be told of alerts; the answer holds the secret that verifies the messages, this once."""
    made = await _live(request).webhooks.add(request.tenant, data.url, data.least_severity, data.description)
    return Response(to_made_webhook(made), headers={"Cache-Control": "no-store"})


@delete("/webhooks/{webhook_id:str}", guards=[needs(Role.ADMIN)], responses=problems(404), summary="Delete a webhook")
async def delete_webhook(request: ApiRequest, webhook_id: WebhookId) -> None:
    """Delete a webhook, with the messages that were still to be delivered there."""
    await _live(request).webhooks.delete(request.tenant, webhook_id)


@post(
    "/webhooks/{webhook_id:str}/tests",
    status_code=200,
    guards=[needs(Role.ADMIN)],
    responses=problems(404),
    summary="Test a webhook",
)
async def test_webhook(request: ApiRequest, webhook_id: WebhookId) -> WebhookTestView:
    """Send a message of the type `alert.test` once, and answer how it fared."""
    return to_test(await _live(request).webhooks.test(request.tenant, webhook_id))


def _live(request: ApiRequest) -> Live:
    live: Live = request.app.state.live
    return live


router = Router(
    path="/alerts",
    tags=["alerts"],
    route_handlers=[
        list_alerts,
        get_alert,
        acknowledge_alert,
        list_rules,
        put_rule,
        delete_rule,
        list_silences,
        add_silence,
        end_silence,
        list_webhooks,
        add_webhook,
        delete_webhook,
        test_webhook,
    ],
)
