"""`lattice alerts rules …`: what raises alerts."""

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from api.alerts.rules import BUILT_IN_NAMES, Metric, Op, Rule, Severity
from api.cli.options import JsonOption, examples
from api.cli.output import emit, note
from api.cli.session import with_service

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.service import Service

UNITS_S = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Of the rule.")]

app = typer.Typer(help="List, set and delete the rules of alerts.", no_args_is_help=True)


@app.command("list", epilog=examples("lattice alerts rules list"))
def list_rules(as_json: JsonOption = False) -> None:
    """List all rules by name, the built-in ones included."""
    _show(with_service(lambda service: service.alerts.list_rules(service.tenant)), as_json=as_json)


@app.command(
    "set",
    epilog=examples(
        "lattice alerts rules set errors --disabled",
        "lattice alerts rules set cost --threshold 25 --clear 20 --severity critical",
        "lattice alerts rules set harbour --metric gem_coherence --op below --threshold 0.3 --clear 0.4 --gem harbour",
    ),
)
def set_rule(
    name: NameArgument,
    *,
    metric: Annotated[Metric | None, typer.Option(help="What is measured; required for a new rule.")] = None,
    op: Annotated[Op | None, typer.Option(help="On which side of the threshold it is too much.")] = None,
    threshold: Annotated[float | None, typer.Option(help="In the metric's unit; required for a new rule.")] = None,
    clear: Annotated[float | None, typer.Option(help="What must be reached before an alert is over.")] = None,
    span: Annotated[
        str | None, typer.Option("--for", metavar="SPAN", help="How long it must be so: 90s, 5m, 2h; 0s is at once.")
    ] = None,
    severity: Annotated[Severity | None, typer.Option(help="How bad it is.")] = None,
    gem: Annotated[str | None, typer.Option(help="Of gem_coherence: the one gem, by name or id.")] = None,
    description: Annotated[str | None, typer.Option(help="What it means, and what helps.")] = None,
    enabled: Annotated[bool | None, typer.Option("--enabled/--disabled", help="Whether it is looked at.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a rule, or change one; what is not given stays as it is. A running service obeys within seconds."""
    told: dict[str, object] = {
        "metric": metric,
        "op": op,
        "threshold": threshold,
        "clear_threshold": clear,
        "for_s": None if span is None else parse_duration(span, "--for"),
        "severity": severity,
        "description": description,
        "enabled": enabled,
    }

    async def work(service: "Service") -> Rule:
        given = {key: value for key, value in told.items() if value is not None}
        if gem is not None:
            given["gem_id"] = (await service.gems.resolve(service.tenant, gem, service.at())).gem_id
        known = {rule.name: rule for rule in await service.alerts.list_rules(service.tenant)}
        rule = _change(known.get(name), name, given)
        await service.alerts.put_rule(service.tenant, rule, service.at())
        return rule

    _show([with_service(work)], as_json=as_json)


@app.command(epilog=examples("lattice alerts rules delete harbour"))
def delete(name: NameArgument, as_json: JsonOption = False) -> None:
    """Delete a rule, which ends its alerts; a built-in one that was changed is again as it came."""
    with_service(lambda service: service.alerts.delete_rule(service.tenant, name))
    told = "as it came" if name in BUILT_IN_NAMES else "deleted"
    emit(as_json, lambda: {"name": name, "deleted": True}, lambda _: note(f"the rule {name} is {told}"))


def parse_duration(text: str, option: str) -> float:
    """Read a length of time such as 90s, 30m, 2h or 1d; in seconds.

    Raises:
        typer.BadParameter: it is none.
    """
    found = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)([smhd])", text.strip())
    if found is None:
        raise typer.BadParameter(f"must be a number with s, m, h or d, such as 30m, not {text!r}", param_hint=option)
    return float(found[1]) * UNITS_S[found[2]]


def _change(rule: Rule | None, name: str, given: dict[str, object]) -> Rule:
    """Return the rule as it is from now on; a new one is as strict as its threshold."""
    if rule is None:
        if missing := [f"--{key}" for key in ("metric", "op", "threshold") if key not in given]:
            raise typer.BadParameter("is required for a new rule", param_hint=missing[0])
        threshold = given["threshold"]
        first = {"clear_threshold": threshold, "for_s": 0.0, "severity": "warning", "name": name}
        return Rule(**{**first, **given})  # type: ignore[arg-type]  # typer has checked each
    if "threshold" in given and "clear_threshold" not in given and rule.clear_threshold == rule.threshold:
        given["clear_threshold"] = given["threshold"]
    return replace(rule, **given)  # type: ignore[arg-type]


def _show(rules: "Sequence[Rule]", *, as_json: bool) -> None:
    from api.cli.alert_views import render_rules
    from api.schemas.alerts import to_rule_view

    emit(as_json, lambda: [to_rule_view(each) for each in rules], lambda console: render_rules(console, rules))
