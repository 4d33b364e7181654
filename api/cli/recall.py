"""`lattice recall`: passages that matter to a question, without an LLM."""

from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.options import JsonOption, MetadataOption, QuestionArgument, examples, parse_metadata, parse_moment
from api.cli.output import emit
from api.cli.session import with_service
from core.text import make_storable

if TYPE_CHECKING:
    from api.service import Service
    from knowledge import RecalledPassage


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    lines = (
        'lattice recall "When did Ann move to Oslo?"',
        'lattice recall "open risks" --gem project --k 5 --explain',
        'lattice recall "budget" --since 2024-01-01 --metadata year=2024 --json',
    )
    app.command("recall", epilog=examples(*lines))(recall)


def recall(
    question: QuestionArgument,
    *,
    gem: Annotated[list[str] | None, typer.Option(help="Name or id; several may be given. All if none is.")] = None,
    k: Annotated[int, typer.Option("--k", help="How many passages at the most.")] = 10,
    source: Annotated[list[str] | None, typer.Option(help="Only from this source; several may be given.")] = None,
    since: Annotated[str | None, typer.Option(help="Only what occurred then or later, ISO 8601.")] = None,
    until: Annotated[str | None, typer.Option(help="Only what occurred before, ISO 8601.")] = None,
    metadata: MetadataOption = None,
    max_tokens: Annotated[int | None, typer.Option(help="How many tokens the passages may have together.")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Take each score apart.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Find the passages that matter to a question."""
    begin, end, facts = parse_moment(since, "--since"), parse_moment(until, "--until"), parse_metadata(metadata)

    async def work(service: "Service") -> "list[RecalledPassage]":
        from knowledge import Filters, RecallQuery

        at = service.at()
        gems = [await service.gems.resolve(service.tenant, name, at) for name in map(make_storable, gem or ())]
        query = RecallQuery(
            question=question,
            gem_ids=tuple(found.gem_id for found in gems),
            k=k,
            filters=Filters(tuple(map(make_storable, source)) if source else None, begin, end, facts),
            max_tokens=max_tokens,
        )
        return await service.recall.recall(service.tenant, query, at)

    passages = with_service(work)
    from api.cli import views
    from api.schemas.recall import to_recall

    emit(
        as_json,
        lambda: to_recall(passages, explain=explain),
        lambda console: views.render_passages(console, passages, explain=explain),
    )
