"""`lattice gems state|history|forecast|field|risk|modes|rehearse|interference`: the questions of the field."""

from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.options import GemArgument, JsonOption, YesOption, examples, parse_moment
from api.cli.output import emit
from api.cli.session import with_service
from core.text import make_storable

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from api.service import Service
    from gems import (
        FieldSummary,
        GemAt,
        GemAtRisk,
        GemForecast,
        GemHistory,
        GemInterference,
        LatticePoint,
        Moment,
        NamedMode,
    )
    from knowledge import PassageInterference, Rehearsal

AtOption = Annotated[str | None, typer.Option(metavar="MOMENT", help="Past or to come; now, if it is left out.")]
SinceOption = Annotated[str | None, typer.Option(metavar="MOMENT", help="Where to begin.")]
UntilOption = Annotated[str | None, typer.Option(metavar="MOMENT", help="Where to end; it may lie ahead.")]
BelowOption = Annotated[float, typer.Option(help="The coherence below which a gem counts as fading.")]
PointsOption = Annotated[int, typer.Option(min=2, max=2_000, help="How many moments, at equal distances.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    for command, lines in (
        (state, ("lattice gems state research", "lattice gems state research --at 2027-01-01")),
        (history, ("lattice gems history research", "lattice gems history --since 2026-01-01")),
        (forecast, ("lattice gems forecast research --below 0.2",)),
        (field, ("lattice gems field", "lattice gems field --at 2027-01-01 --json")),
        (risk, ("lattice gems risk --within-days 90",)),
        (modes, ("lattice gems modes",)),
        (rehearse, ("lattice gems rehearse research", "lattice gems rehearse research --gain 0.5 --yes")),
        (interference, ("lattice gems interference research", "lattice gems interference research reading papers")),
    ):
        app.command(epilog=examples(*lines))(command)


def state(gem: GemArgument, at: AtOption = None, below: BelowOption = 0.1, as_json: JsonOption = False) -> None:
    """Show the state of a gem at a moment: exact by its log for the past, as if nobody used it for what is to come."""
    moment = parse_moment(at, "--at")

    async def work(service: "Service") -> "GemAt":
        now, gem_id = await _find(service, gem)
        return await service.lattice_field.state(service.tenant, gem_id, now, moment=moment, below=below)

    found = with_service(work)
    from api.cli.gem_field_view import render_state
    from api.schemas.gem_field import to_gem_state

    emit(as_json, lambda: to_gem_state(found), lambda console: render_state(console, found))


def history(
    gem: Annotated[
        str | None,
        typer.Argument(metavar="[GEM]", parser=make_storable, help="Name or id; absent means all gems together."),
    ] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    points: PointsOption = 60,
    as_json: JsonOption = False,
) -> None:
    """Show the curve of a gem with all that made it jump, or that of all gems together; exact by the log."""
    first, last = parse_moment(since, "--since"), parse_moment(until, "--until")
    if gem is None:
        _lattice_history(first, last, points, as_json=as_json)
        return

    async def work(service: "Service") -> "tuple[Moment, GemHistory]":
        now, gem_id = await _find(service, gem)
        asked = service.lattice_field.history(service.tenant, gem_id, now, since=first, until=last, points=points)
        return now, await asked

    now, found = with_service(work)
    from api.cli.gem_field_view import render_history
    from api.schemas.gem_field import to_history

    emit(as_json, lambda: to_history(found, now.now), lambda console: render_history(console, found))


def forecast(
    gem: GemArgument,
    until: UntilOption = None,
    below: BelowOption = 0.1,
    points: PointsOption = 60,
    as_json: JsonOption = False,
) -> None:
    """Show what becomes of a gem that nobody uses, for a year unless told otherwise, and when it has faded."""
    last = parse_moment(until, "--until")

    async def work(service: "Service") -> "tuple[Moment, GemForecast]":
        now, gem_id = await _find(service, gem)
        asked = service.lattice_field.forecast(service.tenant, gem_id, now, until=last, below=below, points=points)
        return now, await asked

    now, found = with_service(work)
    from api.cli.gem_field_view import render_forecast
    from api.schemas.gem_field import to_forecast

    emit(as_json, lambda: to_forecast(found, now.now), lambda console: render_forecast(console, found))


def field(at: AtOption = None, below: BelowOption = 0.1, as_json: JsonOption = False) -> None:
    """Show what all gems are like together at a moment; archived ones are left out."""
    moment = parse_moment(at, "--at")

    async def work(service: "Service") -> "FieldSummary":
        return await service.lattice_field.summary(service.tenant, service.at(), moment=moment, below=below)

    found = with_service(work)
    from api.cli.gem_field_view import render_field
    from api.schemas.field import to_field

    emit(as_json, lambda: to_field(found), lambda console: render_field(console, found))


def risk(
    below: BelowOption = 0.1,
    within_days: Annotated[float, typer.Option(help="How far to look ahead.")] = 30.0,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at the most.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List the gems that fade soon if nobody uses them, or have, soonest first."""

    async def work(service: "Service") -> "tuple[Moment, list[GemAtRisk]]":
        now = service.at()
        asked = service.lattice_field.risks(service.tenant, now, below=below, within_days=within_days, limit=limit)
        return now, await asked

    now, found = with_service(work)
    from api.cli.gem_field_view import render_risks
    from api.schemas.field import to_risks

    emit(as_json, lambda: to_risks(found, below), lambda console: render_risks(console, found, below, now.now))


def modes(
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many gems of each are named at the most.")] = 8,
    as_json: JsonOption = False,
) -> None:
    """Show which groups of gems move together; each gem is in one."""

    async def work(service: "Service") -> "list[NamedMode]":
        return await service.lattice_field.modes(service.tenant, service.at(), limit=limit)

    found = with_service(work)
    from api.cli.gem_field_view import render_modes
    from api.schemas.field import to_modes

    emit(as_json, lambda: to_modes(found), lambda console: render_modes(console, found))


def rehearse(
    gem: GemArgument,
    *,
    gain: Annotated[float, typer.Option(help="How much it counts, up to 1.")] = 0.3,
    passage: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="A passage of the gem; may be given several times.")
    ] = None,
    below: BelowOption = 0.1,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Use a gem without a question; without --yes it is only told what that would change."""
    passage_ids = [_parse_id(each) for each in passage or ()]

    async def work(service: "Service") -> "Rehearsal":
        now, gem_id = await _find(service, gem)
        return await service.rehearsals.rehearse(
            service.tenant, gem_id, now, gain=gain, passage_ids=passage_ids, below=below, dry_run=not yes
        )

    found = with_service(work)
    from api.cli.gem_field_view import render_rehearsal
    from api.schemas.gem_field import to_rehearsal

    emit(as_json, lambda: to_rehearsal(found), lambda console: render_rehearsal(console, found))


def interference(
    gem: Annotated[
        list[str], typer.Argument(metavar="GEM...", parser=make_storable, help="One, for its passages, or several.")
    ],
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many passages of one gem at the most.")] = 12,
    as_json: JsonOption = False,
) -> None:
    """Show how several gems interfere, each with each, or how the most coherent passages of one do."""
    if len(gem) == 1:
        _passage_interference(gem[0], limit, as_json=as_json)
        return

    async def work(service: "Service") -> "GemInterference":
        now = service.at()
        gem_ids = [(await service.gems.resolve(service.tenant, each, now)).gem_id for each in gem]
        return await service.lattice_field.interference(service.tenant, gem_ids, now)

    found = with_service(work)
    from api.cli.gem_field_view import render_matrix
    from api.schemas.field import to_interference

    labels = [each.name for each in found.gems]
    emit(
        as_json,
        lambda: to_interference(found),
        lambda console: render_matrix(console, labels, found.matrix, found.order_parameter),
    )


def _passage_interference(gem: str, limit: int, *, as_json: bool) -> None:
    async def work(service: "Service") -> "PassageInterference":
        now, gem_id = await _find(service, gem)
        return await service.passage_states.interference(service.tenant, gem_id, now, limit=limit)

    found = with_service(work)
    from api.cli.gem_field_view import render_matrix
    from api.schemas.gem_field import to_passage_interference

    labels = [each.text for each in found.passages]
    emit(
        as_json,
        lambda: to_passage_interference(found),
        lambda console: render_matrix(console, labels, found.matrix, found.order_parameter),
    )


def _lattice_history(since: "datetime | None", until: "datetime | None", points: int, *, as_json: bool) -> None:
    async def work(service: "Service") -> "tuple[Moment, list[LatticePoint]]":
        now = service.at()
        asked = service.lattice_field.lattice_history(service.tenant, now, since=since, until=until, points=points)
        return now, await asked

    now, found = with_service(work)
    from api.cli.gem_field_view import render_lattice_history
    from api.schemas.field import to_lattice_history

    emit(as_json, lambda: to_lattice_history(found, now.now), lambda console: render_lattice_history(console, found))


async def _find(service: "Service", gem: str) -> "tuple[Moment, UUID]":
    now = service.at()
    return now, (await service.gems.resolve(service.tenant, gem, now)).gem_id


def _parse_id(text: str) -> "UUID":
    from uuid import UUID

    try:
        return UUID(text)
    except ValueError:
        raise typer.BadParameter(f"must be the id of a passage, not {text!r:.50}", param_hint="--passage") from None
