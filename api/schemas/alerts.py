"""Alerts over the wire: what fires, the rules, silences and webhooks."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from api.alerts.alerts import LONGEST_SILENCE_S
from api.alerts.rules import BUILT_IN, BUILT_IN_NAMES, LONGEST_FOR_S, Metric, Op, Rule, Severity
from api.alerts.store import Alert, Change, Silence
from api.alerts.webhooks import MadeWebhook, Outcome, Webhook
from api.pages import NextCursor
from api.schemas.wire import Body, View

Note = Annotated[str, Meta(max_length=2_000, description="Why, for others.")]
Short = Annotated[str, Meta(max_length=500)]


class AlertView(View, frozen=True, kw_only=True):
    """Something that is, or was, beyond a rule's threshold; the rule as it was when the alert fired."""

    id: Annotated[UUID, Meta(description="The alert's id.")]
    state: Annotated[Literal["firing", "resolved"], Meta(description="Whether it is still so.")]
    change: Annotated[Change, Meta(description="What happened to it last.")]
    rule: Annotated[str, Meta(description="The rule's name.")]
    severity: Annotated[Severity, Meta(description="How bad it is.")]
    description: Annotated[str, Meta(description="What it means, and what helps.")]
    metric: Annotated[str, Meta(description="What is measured.")]
    op: Annotated[Op, Meta(description="On which side of the threshold it is too much.")]
    threshold: Annotated[float, Meta(description="What was passed.")]
    clear_threshold: Annotated[float, Meta(description="What must be reached before it is over.")]
    value: Annotated[float | None, Meta(description="The last that was measured.")]
    subject: Annotated[str, Meta(description="A gem's id, an LLM target's name, or empty for the whole lattice.")]
    subject_name: Annotated[str, Meta(description="The subject for people.")]
    silenced: Annotated[bool, Meta(description="Whether a silence keeps it from being delivered at this moment.")]
    fired_at: Annotated[datetime, Meta(description="Since when.")]
    changed_at: Annotated[datetime, Meta(description="When it fired, was acknowledged or ended, the last of these.")]
    notified_at: Annotated[datetime | None, Meta(description="When the log and webhooks were told; null if not.")]
    acknowledged_at: Annotated[datetime | None, Meta(description="When somebody took care of it.")]
    acknowledgement: Annotated[str | None, Meta(description="What was said then.")]
    resolved_at: Annotated[datetime | None, Meta(description="When it was over.")]


class AlertPage(View, frozen=True, kw_only=True):
    """Alerts, those that fired last first."""

    items: Annotated[list[AlertView], Meta(description="The page.")]
    next_cursor: NextCursor


class Acknowledgement(Body, frozen=True, kw_only=True):
    """That somebody takes care of an alert."""

    note: Note = ""


class RuleBody(Body, frozen=True, kw_only=True):
    """When to raise an alert, and when it is over."""

    metric: Annotated[Metric, Meta(description="What is measured.")]
    op: Annotated[Op, Meta(description="On which side of the threshold it is too much.")]
    threshold: Annotated[float, Meta(description="In the metric's unit; a value must be beyond it.")]
    clear_threshold: Annotated[
        float | None,
        Meta(description="Which a value must reach before the alert is over; null is the threshold itself."),
    ] = None
    for_s: Annotated[
        float, Meta(ge=0, le=LONGEST_FOR_S, description="Seconds that it must stay beyond the threshold first.")
    ] = 0.0
    severity: Annotated[Severity, Meta(description="How bad it is.")] = "warning"
    enabled: Annotated[bool, Meta(description="Whether it is looked at.")] = True
    gem_id: Annotated[UUID | None, Meta(description="Of gem_coherence: the one gem; null is each.")] = None
    description: Annotated[str, Meta(max_length=2_000, description="What it means, and what helps.")] = ""


class RuleView(View, frozen=True, kw_only=True):
    """A rule."""

    name: Annotated[str, Meta(description="Of the rule.")]
    metric: Annotated[Metric, Meta(description="What is measured.")]
    op: Annotated[Op, Meta(description="On which side of the threshold it is too much.")]
    threshold: Annotated[float, Meta(description="In the metric's unit.")]
    clear_threshold: Annotated[float, Meta(description="Which a value must reach before the alert is over.")]
    for_s: Annotated[float, Meta(description="Seconds that it must stay beyond the threshold first.")]
    severity: Annotated[Severity, Meta(description="How bad it is.")]
    enabled: Annotated[bool, Meta(description="Whether it is looked at.")]
    gem_id: Annotated[UUID | None, Meta(description="The one gem that it is about.")]
    description: Annotated[str, Meta(description="What it means, and what helps.")]
    built_in: Annotated[bool, Meta(description="Whether it comes with the service; deleting it brings it back.")]
    changed: Annotated[bool, Meta(description="Whether it is built in and no more as it came.")]


class RuleList(View, frozen=True, kw_only=True):
    """All rules, by name."""

    rules: Annotated[list[RuleView], Meta(description="The built-in ones included.")]


class NewSilence(Body, frozen=True, kw_only=True):
    """A time in which alerts are not delivered."""

    for_s: Annotated[float, Meta(gt=0, le=LONGEST_SILENCE_S, description="How many seconds it lasts.")]
    rule: Annotated[Short | None, Meta(description="Of this rule only; null is of every rule.")] = None
    subject: Annotated[Short | None, Meta(description="About this subject only; null is about whatever.")] = None
    note: Note = ""


class SilenceView(View, frozen=True, kw_only=True):
    """A time in which alerts are not delivered."""

    id: Annotated[UUID, Meta(description="The silence's id.")]
    rule: Annotated[str | None, Meta(description="Whose alerts; null is those of every rule.")]
    subject: Annotated[str | None, Meta(description="About what; null is about whatever.")]
    note: Annotated[str, Meta(description="Why, for others.")]
    created_at: Annotated[datetime, Meta(description="Since when.")]
    ends_at: Annotated[datetime, Meta(description="Until when.")]


class SilenceList(View, frozen=True, kw_only=True):
    """Silences that are not over."""

    silences: Annotated[list[SilenceView], Meta(description="Those that end first at the head.")]


class NewWebhook(Body, frozen=True, kw_only=True):
    """An address that is to be told of alerts."""

    url: Annotated[str, Meta(min_length=1, max_length=2_000, description="Is sent a POST; https.")]
    least_severity: Annotated[Severity, Meta(description="Alerts that are less bad are not told.")] = "info"
    description: Annotated[str, Meta(max_length=2_000, description="What it is for.")] = ""


class WebhookView(View, frozen=True, kw_only=True):
    """An address that is told of alerts."""

    id: Annotated[UUID, Meta(description="The webhook's id.")]
    url: Annotated[str, Meta(description="Is sent a POST.")]
    least_severity: Annotated[Severity, Meta(description="Alerts that are less bad are not told.")]
    description: Annotated[str, Meta(description="What it is for.")]
    created_at: Annotated[datetime, Meta(description="When it was made.")]
    disabled_at: Annotated[datetime | None, Meta(description="When it said that it is gone; it is told no more.")]
    waiting: Annotated[int, Meta(description="Messages that are still to be delivered.")]
    tried_at: Annotated[datetime | None, Meta(description="The last attempt.")]
    delivered: Annotated[bool | None, Meta(description="Whether that went well.")]
    status: Annotated[int | None, Meta(description="The HTTP status of its answer.")]
    error: Annotated[str | None, Meta(description="What went wrong.")]


class NewWebhookView(WebhookView, frozen=True, kw_only=True):
    """A webhook that was just made, with its secret."""

    secret: Annotated[str, Meta(description="Verifies its messages (Standard Webhooks). It is never shown again.")]


class WebhookList(View, frozen=True, kw_only=True):
    """All webhooks."""

    webhooks: Annotated[list[WebhookView], Meta(description="The oldest first.")]


class WebhookTestView(View, frozen=True, kw_only=True):
    """How a test message fared."""

    delivered: Annotated[bool, Meta(description="Whether the answer was a 2xx.")]
    status: Annotated[int | None, Meta(description="The HTTP status of its answer; null without one.")]
    error: Annotated[str | None, Meta(description="What went wrong.")]


def to_alert(alert: Alert) -> AlertView:
    """Return the view of an alert."""
    names = set(AlertView.__struct_fields__) - {"id", "state"}
    same = {name: getattr(alert, name) for name in names}
    return AlertView(id=alert.alert_id, state="firing" if alert.resolved_at is None else "resolved", **same)


def to_rule(name: str, body: RuleBody) -> Rule:
    """Return the rule that a body describes."""
    clear = body.threshold if body.clear_threshold is None else body.clear_threshold
    return Rule(
        name=name,
        metric=body.metric,
        op=body.op,
        threshold=body.threshold,
        clear_threshold=clear,
        for_s=body.for_s,
        severity=body.severity,
        enabled=body.enabled,
        gem_id=body.gem_id,
        description=body.description,
    )


def to_rule_view(rule: Rule) -> RuleView:
    """Return the view of a rule."""
    same = {name: getattr(rule, name) for name in set(RuleView.__struct_fields__) - {"built_in", "changed"}}
    is_built_in = rule.name in BUILT_IN_NAMES
    return RuleView(**same, built_in=is_built_in, changed=is_built_in and rule not in BUILT_IN)


def to_silence(silence: Silence) -> SilenceView:
    """Return the view of a silence."""
    same = {name: getattr(silence, name) for name in SilenceView.__struct_fields__ if name != "id"}
    return SilenceView(id=silence.silence_id, **same)


def to_webhook(webhook: Webhook) -> WebhookView:
    """Return the view of a webhook."""
    same = {name: getattr(webhook, name) for name in WebhookView.__struct_fields__ if name != "id"}
    return WebhookView(id=webhook.webhook_id, **same)


def to_made_webhook(made: MadeWebhook) -> NewWebhookView:
    """Return the view of a webhook that was just made."""
    same = {name: getattr(made.webhook, name) for name in WebhookView.__struct_fields__ if name != "id"}
    return NewWebhookView(id=made.webhook.webhook_id, secret=made.secret, **same)


def to_test(outcome: Outcome) -> WebhookTestView:
    """Return the view of how a test message fared."""
    return WebhookTestView(delivered=outcome.delivered, status=outcome.status, error=outcome.error)
