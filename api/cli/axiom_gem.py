"""`lattice axiom gem`: what the axiom says of a gem."""

from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.options import GemArgument, JsonOption, examples
from api.cli.output import emit
from api.cli.session import with_service

if TYPE_CHECKING:
    from api.service import Service
    from reflection import GemAxiom


def add_to(app: typer.Typer) -> None:
    """Add the command to `lattice axiom`."""
    lines = ("lattice axiom gem research", "lattice axiom gem research --at 2027-01-01 --json")
    app.command("gem", epilog=examples(*lines))(gem)


def gem(
    gem: GemArgument,
    at: Annotated[
        str | None, typer.Option(metavar="MOMENT", help="A later moment, if the gem is left alone until then.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many reflections of its history at the most.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """Score a gem: its terms, what each rests on, which one holds it back, and how its reflections scored."""

    async def work(service: "Service") -> "GemAxiom":
        from api.schemas.gem_axiom import parse_later

        now = service.at()
        found = await service.gems.resolve(service.tenant, gem, now)
        moment = service.at(parse_later(at, now.now))
        return await service.gem_axioms.score(service.tenant, found.gem_id, moment, limit=limit + 1)

    found = with_service(work)
    from api.cli.axiom_gem_view import render_gem_axiom
    from api.pages import cut_page
    from api.schemas.gem_axiom import to_gem_axiom

    history = cut_page(found.history, limit, lambda each: (each.created_at, each.reflection_id))
    emit(
        as_json,
        lambda: to_gem_axiom(found, history),
        lambda console: render_gem_axiom(console, found, history.items),
    )
