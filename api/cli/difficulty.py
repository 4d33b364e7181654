"""`lattice llm difficulty` and `lattice llm calibrate`: how hard a question is, and from where on it counts as hard."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.options import JsonOption, QuestionArgument, examples
from api.cli.output import emit
from api.cli.session import with_service
from core.errors import UnreadableSourceError
from core.text import make_storable

if TYPE_CHECKING:
    from api.service import Service
    from knowledge import RecalledPassage


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    scoring = ('lattice llm difficulty "Who leads the team?"', 'lattice llm difficulty "Who leads?" --gem project')
    app.command("difficulty", epilog=examples(*scoring))(difficulty)
    aims = ("--quality 0.9", "--cost-share 0.4 --json")
    app.command("calibrate", epilog=examples(*(f"lattice llm calibrate outcomes.jsonl {aim}" for aim in aims)))(
        calibrate
    )


def difficulty(
    question: QuestionArgument,
    gem: Annotated[
        str | None,
        typer.Option(
            parser=make_storable, metavar="GEM", help="Judge it beside what `reflect` would find in this gem."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show how hard a question is by the score that the policy `difficulty` goes by, taken apart."""

    async def work(service: "Service") -> "list[RecalledPassage]":
        return await _recall(service, question, gem or "")

    passages = [] if gem is None else with_service(work)
    from api.cli import llm_view
    from api.schemas.llm import to_difficulty
    from llm_router import explain_difficulty
    from reflection import build_prompt

    found = explain_difficulty(build_prompt(question, passages, 1))
    emit(as_json, lambda: to_difficulty(found), lambda console: llm_view.render_difficulty(console, found))


def calibrate(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="JSON lines, or - for standard input: score, cheap_quality and strong_quality, each from 0 to 1, and "
            "either cheap_cost and strong_cost or neither.",
        ),
    ],
    quality: Annotated[
        float | None, typer.Option(min=0, max=1, help="Find the cheapest threshold that reaches this mean quality.")
    ] = None,
    cost_share: Annotated[
        float | None,
        typer.Option(min=0, help="Find the best threshold that costs no more than this share of always asking strong."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Pick the threshold of the policy `difficulty` from questions that both a cheap and a strong model answered."""
    if (quality is None) == (cost_share is None):
        raise typer.BadParameter("give one of --quality and --cost-share")
    from api.cli import llm_view
    from llm_router import calibrate as pick
    from llm_router import read_outcomes

    found = pick(read_outcomes(_read_lines(file)), target_quality=quality, cost_share=cost_share)
    emit(
        as_json,
        lambda: {
            "threshold": found.threshold,
            "outcomes": found.outcomes,
            "chosen": found.chosen,
            "curve": found.curve,
        },
        lambda console: llm_view.render_calibration(console, found),
    )


async def _recall(service: "Service", question: str, gem: str) -> "list[RecalledPassage]":
    """Return the passages that a reflection on this question would be shown."""
    from knowledge import RecallQuery
    from reflection import ReflectionRequest

    at = service.at()
    asked = ReflectionRequest((await service.gems.resolve(service.tenant, gem, at)).gem_id, question)
    query = RecallQuery(question, (asked.gem_id,), asked.k, max_tokens=asked.max_tokens)
    return await service.recall.recall(service.tenant, query, at)


def _read_lines(file: Path) -> list[str]:
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        return content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as e:
        raise UnreadableSourceError(str(file), "is not UTF-8") from e
    except OSError as e:
        raise UnreadableSourceError(str(file), e.strerror or type(e).__name__) from e
