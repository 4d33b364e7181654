"""`lattice recall`: passages that matter to a question, without an LLM."""

from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.options import JsonOption, MetadataOption, QuestionArgument, examples, parse_metadata, parse_moment
from api.cli.output import emit
from api.cli.session import with_service
from core.text import make_storable

if TYPE_CHECKING:
    from api.service import Service
    from knowledge import RecalledPassage, TimePhrase


class Reach(Enum):
    """Where to look beside the gems that are named."""

    OWN = "own"
    ENTANGLED = "entangled"
    LATTICE = "lattice"


class Unit(Enum):
    """What is shown around a passage."""

    SECTION = "section"
    DOCUMENT = "document"


ReachOption = Annotated[
    Reach, typer.Option(help="Also look in what is entangled with what is asked, or in the whole lattice.")
]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    lines = (
        'lattice recall "When did Ann move to Oslo?"',
        'lattice recall "open risks" --gem project --k 5 --explain',
        'lattice recall "open risks" --gem project --reach entangled',
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
    as_of: Annotated[str | None, typer.Option(help="Recall what the lattice held then, ISO 8601.")] = None,
    dates: Annotated[bool, typer.Option("--dates", help="Let a time in the question narrow the search.")] = False,
    min_score: Annotated[float | None, typer.Option(help="Least probability that a passage matters.")] = None,
    fold: Annotated[bool, typer.Option(help="Show what says the same once.")] = True,
    diversity: Annotated[float, typer.Option(help="How much unlikeness counts, from 0 to below 1.")] = 0.0,
    expand: Annotated[Unit | None, typer.Option(help="Show the section or document around each passage.")] = None,
    rerank: Annotated[bool, typer.Option("--rerank", help="Let the configured cross-encoder order the best.")] = False,
    reach: ReachOption = Reach.OWN,
    measure: Annotated[bool, typer.Option("--measure", help="Strengthen what is shown, as a use.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Take each score apart.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Find the passages that matter to a question."""
    begin, end, facts = parse_moment(since, "--since"), parse_moment(until, "--until"), parse_metadata(metadata)
    known_at = parse_moment(as_of, "--as-of")

    async def work(service: "Service") -> "tuple[list[RecalledPassage], TimePhrase | None]":
        from knowledge import Filters, RecallQuery

        at = service.at()
        gems = [await service.gems.resolve(service.tenant, name, at) for name in map(make_storable, gem or ())]
        query = RecallQuery(
            question=question,
            gem_ids=tuple(found.gem_id for found in gems),
            k=k,
            filters=Filters(tuple(map(make_storable, source)) if source else None, begin, end, facts),
            max_tokens=max_tokens,
            as_of=known_at,
            min_score=min_score,
            fold=fold,
            diversity=diversity,
            expand=None if expand is None else expand.value,
            rerank=rerank,
            reach=reach.value,
        )
        query, phrase = await service.recall.dated(service.tenant, query, at) if dates else (query, None)
        found = await service.recall.recall(service.tenant, query, at)
        if measure:
            await service.recall.use(service.tenant, found, at)
        return found, phrase

    passages, phrase = with_service(work)
    from api.cli import views
    from api.schemas.recall import to_recall

    emit(
        as_json,
        lambda: to_recall(passages, explain=explain, phrase=phrase),
        lambda console: views.render_passages(console, passages, explain=explain, phrase=phrase),
    )
