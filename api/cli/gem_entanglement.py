"""`lattice gems entangle|disentangle|entanglements`: which gems a use of one also strengthens."""

from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.options import GemArgument, JsonOption, examples
from api.cli.output import emit
from api.cli.session import with_service
from core.text import make_storable

if TYPE_CHECKING:
    from rich.console import Console

    from api.service import Service
    from gems import Partner, Suggestion

OtherArgument = Annotated[
    str, typer.Argument(metavar="OTHER", parser=make_storable, help="Name or id of the other gem.")
]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog=examples("lattice gems entangle research reading --strength 0.6"))(entangle)
    app.command(epilog=examples("lattice gems disentangle research reading"))(disentangle)
    app.command(
        epilog=examples("lattice gems entanglements research", "lattice gems entanglements research --suggest")
    )(entanglements)


def entangle(
    gem: GemArgument,
    other: OtherArgument,
    strength: Annotated[float, typer.Option(help="How much of a use of one the other gets, from 0 to 1.")] = 0.5,
    as_json: JsonOption = False,
) -> None:
    """Entangle two gems, or change how strongly they are: a use of one also strengthens the other."""

    async def work(service: "Service") -> "tuple[str, Partner]":
        at = service.at()
        one, two = [await service.gems.resolve(service.tenant, each, at) for each in (gem, other)]
        return one.name, await service.entanglements.entangle(service.tenant, one.gem_id, two.gem_id, strength, at)

    name, partner = with_service(work)
    from api.schemas.entanglements import to_partner

    told = f"{name} and {partner.gem.name} are entangled with strength {partner.strength:g}"
    emit(as_json, lambda: to_partner(partner), lambda console: console.print(told))


def disentangle(gem: GemArgument, other: OtherArgument, as_json: JsonOption = False) -> None:
    """Take two gems apart; what each has learned through the other stays."""

    async def work(service: "Service") -> dict[str, str]:
        at = service.at()
        one, two = [await service.gems.resolve(service.tenant, each, at) for each in (gem, other)]
        await service.entanglements.disentangle(service.tenant, one.gem_id, two.gem_id, at)
        return {"gem": one.name, "other": two.name}

    apart = with_service(work)
    told = f"{apart['gem']} and {apart['other']} are no longer entangled"
    emit(as_json, lambda: apart, lambda console: console.print(told))


def entanglements(
    gem: GemArgument,
    suggest: Annotated[bool, typer.Option("--suggest", help="Show what is worth entangling with it, instead.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="How many suggestions at the most.")] = 10,
    as_json: JsonOption = False,
) -> None:
    """Show what is entangled with a gem, or what is worth it: alike in what it holds, and in phase."""
    if suggest:
        _suggest(gem, limit, as_json=as_json)
        return

    async def work(service: "Service") -> "list[Partner]":
        at = service.at()
        found = await service.gems.resolve(service.tenant, gem, at)
        return await service.entanglements.list_partners(service.tenant, found.gem_id, at)

    partners = with_service(work)
    from api.schemas.entanglements import to_partners

    emit(as_json, lambda: to_partners(partners), lambda console: _render_partners(console, partners))


def _suggest(gem: str, limit: int, *, as_json: bool) -> None:
    async def work(service: "Service") -> "list[Suggestion]":
        at = service.at()
        found = await service.gems.resolve(service.tenant, gem, at)
        return await service.entanglements.suggest(service.tenant, found.gem_id, at, limit)

    suggestions = with_service(work)
    from api.schemas.entanglements import to_suggestions

    emit(as_json, lambda: to_suggestions(suggestions), lambda console: _render_suggestions(console, suggestions))


def _render_partners(console: "Console", partners: "list[Partner]") -> None:
    from api.cli.views import plain_table

    if not partners:
        console.print("nothing is entangled with it: --suggest shows what is worth it")
        return
    table = plain_table("name", "strength", "coherence", "interference", "since", "id", right=range(1, 4))
    for each in partners:
        numbers = (f"{each.strength:.3f}", f"{each.gem.state.coherence:.3f}", f"{each.interference:+.3f}")
        table.add_row(each.gem.name, *numbers, f"{each.created_at:%Y-%m-%d}", str(each.gem.gem_id))
    console.print(table)


def _render_suggestions(console: "Console", suggestions: "list[Suggestion]") -> None:
    from api.cli.views import plain_table

    if not suggestions:
        console.print("nothing is alike enough, and in phase with it, that is not entangled with it already")
        return
    table = plain_table("name", "strength", "resonance", "interference", "id", right=range(1, 4))
    for each in suggestions:
        numbers = (f"{each.strength:.3f}", f"{each.resonance:.3f}", f"{each.interference:+.3f}")
        table.add_row(each.gem.name, *numbers, str(each.gem.gem_id))
    console.print(table)
