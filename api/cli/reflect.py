"""`lattice reflect` and `lattice feedback`: an answer with citations, and what its reader thinks of it."""

import sys
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from api.cli.options import JsonOption, QuestionArgument, examples
from api.cli.output import counted, emit
from api.cli.recall import Reach, ReachOption
from api.cli.session import with_service
from core.text import make_storable

if TYPE_CHECKING:
    from api.service import Service
    from gems import Gem
    from reflection import Reflection, ReflectionRequest


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    lines = (
        'lattice reflect "What did we decide about pricing?" --gem project',
        'lattice reflect "Who leads the team?" --gem project --stream',
    )
    app.command("reflect", epilog=examples(*lines))(reflect)
    app.command(
        "feedback",
        epilog=examples("lattice feedback 6f0c2a1e-… 1", "lattice feedback 6f0c2a1e-… -0.5"),
        context_settings={"ignore_unknown_options": True},  # else -0.5 would be one
    )(feedback)


def reflect(
    question: QuestionArgument,
    *,
    gem: Annotated[str, typer.Option(parser=make_storable, metavar="GEM", help="Name or id of the gem that is asked.")],
    k: Annotated[int, typer.Option("--k", help="How many passages the model is shown at the most.")] = 8,
    max_tokens: Annotated[int, typer.Option(min=1, help="How many tokens they may have together.")] = 3_000,
    max_output_tokens: Annotated[int, typer.Option(min=1, help="How long the answer may be, in tokens.")] = 1_000,
    model: Annotated[
        str, typer.Option(help="The LLM model that shall answer, by its name in the settings.")
    ] = "default",
    reach: ReachOption = Reach.OWN,
    streams: Annotated[bool, typer.Option("--stream", help="Print the answer as it comes.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Answer a question from a gem, with citations; the answer is stored, and what it used is strengthened."""
    if streams and as_json:
        raise typer.BadParameter("cannot be combined with --json", param_hint="--stream")

    async def work(service: "Service") -> "Reflection":
        from reflection import ReflectionRequest

        at = service.at()
        found = await service.gems.resolve(service.tenant, gem, at)
        request = ReflectionRequest(
            found.gem_id, question, k, max_tokens, max_output_tokens, model=model, reach=reach.value
        )
        if streams:
            return await _print_stream(service, request)
        return await service.reflections.reflect(service.tenant, request, at)

    reflection = with_service(work)
    from api.cli import reflection_view
    from api.cli.output import open_console
    from api.schemas.reflections import to_reflection

    if streams:
        console = open_console()
        reflection_view.render_origin(console, reflection)
        reflection_view.render_details(console, reflection)
    else:
        emit(
            as_json,
            lambda: to_reflection(reflection),
            lambda console: reflection_view.render_reflection(console, reflection),
        )


def feedback(
    reflection_id: Annotated[UUID, typer.Argument(metavar="REFLECTION_ID", help="Id of the reflection.")],
    rating: Annotated[float, typer.Argument(metavar="RATING", help="From -1 (wrong) to 1 (right).")],
    as_json: JsonOption = False,
) -> None:
    """Rate an answer; the rating moves the feedback F of its gem."""

    async def work(service: "Service") -> "Gem":
        return await service.reflections.rate(service.tenant, reflection_id, rating, service.at())

    gem = with_service(work)
    from api.schemas.gems import to_gem

    emit(
        as_json,
        lambda: to_gem(gem),
        lambda console: console.print(f"{gem.name}: {gem.feedback:+.3f} from {counted(gem.ratings, 'rating')}"),
    )


async def _print_stream(service: "Service", request: "ReflectionRequest") -> "Reflection":
    from llm_router import TokenEvent
    from reflection import DoneEvent

    done: Reflection | None = None
    async for event in service.reflections.stream(service.tenant, request, service.at()):
        if isinstance(event, TokenEvent):
            sys.stdout.write(event.text)
            sys.stdout.flush()
        elif isinstance(event, DoneEvent):
            done = event.reflection
    sys.stdout.write("\n")
    if done is None:
        raise AssertionError("a stream ends with its reflection, or with an error")
    return done
