"""`lattice graph extract` and `lattice graph resonance`: what is derived from the passages of a gem in batches."""

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.exit_codes import PARTIAL
from api.cli.options import GemArgument, JsonOption, examples
from api.cli.output import counted, emit, note, open_bar
from api.cli.session import with_service
from core.text import make_storable

if TYPE_CHECKING:
    from api.cli.output import Bar
    from api.service import Service
    from core.pg import Connection
    from knowledge.graph import Counts, Ended, ExtractionPlan, Linking


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(
        epilog=examples(
            "lattice graph extract people --dry-run",
            "lattice graph extract people --model cheap --max-usd 2.50",
        )
    )(extract)
    app.command(
        epilog=examples("lattice graph resonance people", "lattice graph resonance people --threshold 0.9 --most 3")
    )(resonance)


def extract(
    gem: GemArgument,
    *,
    model: Annotated[str, typer.Option(parser=make_storable, help="The LLM model that is asked.")] = "default",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what it would take and cost, and stop.")] = False,
    max_usd: Annotated[str | None, typer.Option(help="Stop before more than this is spent.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Passages that are dealt with at the most.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Have an LLM find entities and relations in the passages of a gem; what it says is checked against them.

    What this model has looked into is not asked about again, so a command that was stopped or killed is simply run
    again. The exit code is 1 if it was stopped by --max-usd, or some passages got no answer that can be read.
    """
    amount = _parse_usd(max_usd)

    async def work(service: "Service") -> "tuple[ExtractionPlan, Ended | None]":
        from knowledge.graph import ExtractionWish

        wish = ExtractionWish(amount, limit)
        found = await service.gems.resolve(service.tenant, gem, service.at())
        extractor = service.extractions.open_extractor(service.tenant, model)
        plan = await service.extractions.extracting.plan(service.tenant, found.gem_id, extractor, wish)
        if dry_run:
            return plan, None
        note(_tell_plan(plan))
        with open_bar("Extracting", "passages") as bar:
            record = _Shown(bar, plan)
            carry_out = service.extractions.extracting.carry_out
            return plan, await carry_out(service.tenant, found.gem_id, extractor, wish, record=record)

    plan, ended = with_service(work)
    emit(
        as_json,
        lambda: _as_json(plan, ended),
        lambda console: console.print(_tell_plan(plan) if ended is None else _tell_ended(ended), soft_wrap=True),
    )
    if ended is not None and (ended.stop or ended.counts.failed):
        raise typer.Exit(PARTIAL)


def resonance(
    gem: GemArgument,
    *,
    threshold: Annotated[float, typer.Option(help="The least cosine, above 0 and at most 1.")] = 0.8,
    most: Annotated[int, typer.Option(min=1, max=50, help="Links that one passage has to others.")] = 5,
    anew: Annotated[bool, typer.Option("--anew", help="Link all of them again.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Link passages to the nearest ones of other documents; those that came since, or all if it is asked otherwise."""

    async def work(service: "Service") -> "Linking":
        from knowledge.graph import LinkingWish

        wish = LinkingWish(threshold, most)
        found = await service.gems.resolve(service.tenant, gem, service.at())
        with open_bar("Linking", "passages") as bar:
            return await service.resonances.carry_out(
                service.tenant, found.gem_id, wish, anew=anew, watch=lambda done: bar.advance_to(done, None)
            )

    linking = with_service(work)
    from api.schemas.extractions import to_linking

    emit(as_json, lambda: to_linking(linking), lambda console: console.print(counted(linking.links, "link")))


class _Shown:
    """Shows how far an extraction has come."""

    def __init__(self, bar: "Bar", plan: "ExtractionPlan") -> None:
        self._bar, self._plan = bar, plan

    async def __call__(self, conn: "Connection", counts: "Counts") -> bool:
        done = counts.passages + counts.failed
        self._bar.advance_to(done, self._plan.passages, f", {counted(counts.relations, 'relation')}, {_cost(counts)}")
        return True


def _parse_usd(text: str | None) -> Decimal | None:
    try:
        return None if text is None else Decimal(text)
    except InvalidOperation:
        raise typer.BadParameter(f"must be an amount, not {text!r}", param_hint="--max-usd") from None


def _tell_plan(plan: "ExtractionPlan") -> str:
    if plan.cost_usd is None or plan.most_usd is None:
        cost = "cost unknown: the model's prices are not set"
    else:
        cost = f"about ${plan.cost_usd:.4f}, at most ${plan.most_usd:.4f} if each call is answered at once"
    return (
        f"{counted(plan.passages, 'passage')} to look into, {plan.known:,} of them known; "
        f"{counted(plan.calls, 'call')}, about {plan.input_tokens:,} tokens in and {plan.output_tokens:,} out; {cost}"
    )


def _tell_ended(ended: "Ended") -> str:
    counts = ended.counts
    told = [
        f"{counted(counts.passages, 'passage')} looked into ({counts.known:,} known): {counts.entities:,} entities, "
        f"{counted(counts.relations, 'relation')}; {counted(counts.calls, 'call')}, {_cost(counts)}"
    ]
    if counts.dropped:
        told.append("dropped: " + ", ".join(f"{count:,} {why}" for why, count in sorted(counts.dropped.items())))
    if counts.failed:
        told.append(
            f"{counted(counts.failed, 'passage')} got no answer that can be read; run it again to ask once more"
        )
    if ended.stop:
        told.append("stopped by --max-usd; run it again to go on")
    return "\n".join(told)


def _cost(counts: "Counts") -> str:
    return "cost unknown" if counts.unpriced else f"${counts.cost_usd:.4f}"


def _as_json(plan: "ExtractionPlan", ended: "Ended | None") -> object:
    from api.schemas.extractions import to_counts, to_estimate

    return {
        "estimate": to_estimate(plan),
        "done": None if ended is None else {**to_counts(ended.counts), "stopped": ended.stop is not None},
    }
