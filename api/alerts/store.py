"""Alerts, rules and silences in Postgres. Every function takes a connection in a transaction that the caller owns."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid4

from psycopg.rows import dict_row

from api.alerts.evaluation import Finding, Key, Sample
from api.alerts.rules import BUILT_IN_NAMES, Op, Rule, Severity
from core.errors import AlertNotFoundError, AlertRuleNotFoundError, ConflictError, SilenceNotFoundError
from core.pg import Connection
from core.sql import load_queries
from gems import Moment

MOST_RULES = 200
MOST_SILENCES = 200
MOST_CHANGES = 500  # of alerts, that are told at a time

_SQL = load_queries("api.sql", "alerts.sql")

Change = Literal["fired", "acknowledged", "resolved"]


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that was, or is, beyond a rule's threshold; the rule as it was when the alert fired.

    Attributes:
        subject: a gem's id, an LLM target's name, or "" for the whole lattice.
        subject_name: of it, for people.
        value: the last that was measured; None if there was none.
        notified_at: since when others have been told; None while it is silenced from the start.
        acknowledgement: what was said when somebody took care of it.
        changed_at: when it fired, was acknowledged or ended, whichever was last.
        silenced: whether it is at this moment.
    """

    alert_id: UUID
    rule: str
    subject: str
    subject_name: str
    metric: str
    op: Op
    threshold: float
    clear_threshold: float
    severity: Severity
    description: str
    value: float | None
    fired_at: datetime
    notified_at: datetime | None
    acknowledged_at: datetime | None
    acknowledgement: str | None
    resolved_at: datetime | None
    changed_at: datetime
    silenced: bool

    @property
    def change(self) -> Change:
        """What happened to it last."""
        if self.resolved_at is not None:
            return "resolved"
        return "fired" if self.acknowledged_at is None else "acknowledged"


@dataclass(frozen=True, slots=True)
class Silence:
    """A time in which alerts are not delivered: those of a rule, about a subject, or, where both are None, all."""

    silence_id: UUID
    rule: str | None
    subject: str | None
    note: str
    created_at: datetime
    ends_at: datetime


async def list_rules(conn: Connection) -> list[Rule]:
    """Return the rules of users, and what they changed of built-in ones."""
    return [Rule(**row) for row in await fetch_all(conn, "list_rules", {})]


async def put_rule(conn: Connection, rule: Rule, now: datetime) -> None:
    """Store a rule in place of the one of its name.

    Raises:
        ConflictError: there are too many.
    """
    if not await fetch_all(conn, "put_rule", {**asdict(rule), "now": now, "most": MOST_RULES}):
        raise ConflictError(f"a lattice has at most {MOST_RULES} rules of its own; delete one first")


async def delete_rule(conn: Connection, name: str) -> None:
    """Delete a rule of users, or what they changed of a built-in one.

    Raises:
        AlertRuleNotFoundError: there is nothing to delete.
    """
    if not await fetch_all(conn, "delete_rule", {"name": name}):
        how = "is built in and as it came; to switch it off, put it with enabled false"
        problem = how if name in BUILT_IN_NAMES else "does not exist"
        raise AlertRuleNotFoundError(f"the rule {name!r} {problem}", name=name)


async def list_faint_gems(conn: Connection, rule: Rule, watched: Sequence[str], at: Moment, limit: int) -> list[Sample]:
    """Return the coherence of the faintest gems that a rule is breached by, and of those that are watched already."""
    values = {
        "watched": list(watched),
        "gem_id": rule.gem_id,
        "now": at.now,
        "tau_s": at.tau_s,
        "below": rule.threshold,
        "limit": limit,
    }
    rows = await fetch_all(conn, "list_faint_gems", values)
    return [Sample(str(row["gem_id"]), row["name"], row["coherence"]) for row in rows]


async def list_open(conn: Connection) -> frozenset[Key]:
    """Return what is firing."""
    return frozenset(Key(**row) for row in await fetch_all(conn, "list_open", {}))


async def fire(conn: Connection, findings: Sequence[Finding], process: str, now: datetime) -> None:
    """Open an alert for each, unless another process has."""
    for each in findings:
        if each.rule is not None:
            rule = {name: getattr(each.rule, name) for name in _OF_RULE}
            subject = {"rule": each.key.rule, "subject": each.key.subject, "subject_name": each.name}
            of_now = {"alert_id": uuid4(), "value": each.value, "process": process, "now": now}
            await fetch_all(conn, "fire", {**rule, **subject, **of_now})


async def hold(conn: Connection, findings: Sequence[Finding], process: str, now: datetime) -> None:
    """Note values, and that this process sees these alerts to be not over yet."""
    if findings:
        await fetch_all(conn, "hold", {**_columns(findings), "process": process, "now": now})


async def resolve(
    conn: Connection, findings: Sequence[Finding], process: str, now: datetime, grace_s: float
) -> list[Alert]:
    """End alerts, except those of which another process has seen within the grace that they are not over yet.

    Returns:
        those that ended.
    """
    if not findings:
        return []
    values = {**_columns(findings), "process": process, "now": now, "grace_s": grace_s}
    return [alert for alert in await _fetch_alerts(conn, "resolve", values) if alert.resolved_at is not None]


async def notify(conn: Connection, now: datetime) -> list[Alert]:
    """Return open alerts that others are to be told of, each once."""
    return await _fetch_alerts(conn, "notify", {"now": now})


async def acknowledge(conn: Connection, alert_id: UUID, note: str, now: datetime) -> Alert:
    """Note that somebody takes care of an alert; a later word replaces an earlier one.

    Raises:
        AlertNotFoundError: it is not in the lattice.
        ConflictError: it is over.
    """
    found = await _fetch_alerts(conn, "acknowledge", {"alert_id": alert_id, "note": note, "now": now})
    if not found:
        await get_alert(conn, alert_id, now)
        raise ConflictError("the alert is over already", alert_id=str(alert_id))
    return await get_alert(conn, alert_id, now)


async def get_alert(conn: Connection, alert_id: UUID, now: datetime) -> Alert:
    """Return an alert.

    Raises:
        AlertNotFoundError: it is not in the lattice.
    """
    found = await _fetch_alerts(conn, "get_alert", {"alert_id": alert_id, "now": now})
    if not found:
        raise AlertNotFoundError(f"no alert with id {alert_id}", alert_id=str(alert_id))
    return found[0]


async def list_alerts(
    conn: Connection, now: datetime, *, firing: bool | None, before: tuple[datetime, UUID] | None, limit: int
) -> list[Alert]:
    """Return a page of alerts, those that fired last first."""
    before_at, before_id = before or (None, None)
    values = {"firing": firing, "before_at": before_at, "before_id": before_id, "limit": limit, "now": now}
    return await _fetch_alerts(conn, "list_alerts", values)


async def list_changed(conn: Connection, since: datetime, now: datetime) -> list[Alert]:
    """Return alerts that began, were acknowledged or ended from a moment on, in that order."""
    return await _fetch_alerts(conn, "list_changed", {"since": since, "now": now, "limit": MOST_CHANGES})


async def count_firing(conn: Connection) -> Mapping[Severity, int]:
    """Return how many alerts are open, by severity."""
    return {row["severity"]: row["firing"] for row in await fetch_all(conn, "count_firing", {})}


async def add_silence(conn: Connection, silence: Silence) -> None:
    """Store a silence.

    Raises:
        ConflictError: there are too many.
    """
    values = asdict(silence) | {"now": silence.created_at, "most": MOST_SILENCES}
    if not await fetch_all(conn, "add_silence", values):
        raise ConflictError(f"a lattice has at most {MOST_SILENCES} silences at a time; end one first")


async def list_silences(conn: Connection, now: datetime) -> list[Silence]:
    """Return silences that are not over, those that end first at the head."""
    return [Silence(**row) for row in await fetch_all(conn, "list_silences", {"now": now})]


async def end_silence(conn: Connection, silence_id: UUID, now: datetime) -> None:
    """End a silence.

    Raises:
        SilenceNotFoundError: there is none, or it is over.
    """
    if not await fetch_all(conn, "end_silence", {"silence_id": silence_id, "now": now}):
        raise SilenceNotFoundError(f"no silence with id {silence_id} holds", silence_id=str(silence_id))


async def forget(conn: Connection, now: datetime, kept_days: int) -> None:
    """Delete alerts and silences that ended long ago."""
    for query in ("forget_alerts", "forget_silences"):
        await fetch_all(conn, query, {"now": now, "kept_days": kept_days})


async def fetch_all(conn: Connection, query: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rows that a query answers with."""
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL[query], values)
        return await cursor.fetchall() if cursor.description is not None else []


async def _fetch_alerts(conn: Connection, query: str, values: Mapping[str, Any]) -> list[Alert]:
    rows = await fetch_all(conn, query, values)
    return [Alert(**{name: row[name] for name in Alert.__slots__}) for row in rows]


_OF_RULE = ("metric", "op", "threshold", "clear_threshold", "severity", "description")


def _columns(findings: Sequence[Finding]) -> dict[str, list[Any]]:
    return {
        "rules": [each.key.rule for each in findings],
        "subjects": [each.key.subject for each in findings],
        "names": [each.name for each in findings],
        "values": [each.value for each in findings],
    }
