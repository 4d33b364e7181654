"""`lattice reembed`: another embedding model for what is stored, or what an older version left out of this one."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from api.cli.options import JsonOption, examples
from api.cli.output import counted, emit, open_bar
from api.cli.session import load_settings, with_service

if TYPE_CHECKING:
    from api.cli.output import Bar
    from api.service import Service
    from api.settings import Settings
    from knowledge.keeping import ReembedPlan, ReembedProgress


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    lines = (
        "lattice reembed --provider fastembed --model BAAI/bge-small-en-v1.5 --dry-run",
        "lattice reembed --provider openai --model text-embedding-3-small --dimension 1536",
        "lattice reembed",
    )
    app.command("reembed", epilog=examples(*lines))(reembed)


def reembed(
    *,
    provider: Annotated[
        Literal["local", "fastembed", "openai"] | None, typer.Option(help="As LATTICE_EMBEDDING__PROVIDER.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="As LATTICE_EMBEDDING__MODEL.")] = None,
    dimension: Annotated[int | None, typer.Option(min=1, max=4_000, help="As LATTICE_EMBEDDING__DIMENSION.")] = None,
    base_url: Annotated[str | None, typer.Option(help="As LATTICE_EMBEDDING__BASE_URL.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell how much there is to embed, and stop.")] = False,
    abandon: Annotated[
        bool, typer.Option("--abandon", help="Give up a move that was begun; the old model stays.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Move the lattice to another embedding model, that of the settings unless another is given.

    Recall and ingestion go on with the old model until the new one is whole; then the settings must name the new one.
    A command that was stopped or killed is simply run again. For the model that the lattice has already, token states
    and neighbours that an older version did not store are added.
    """
    settings = load_settings()
    given = {"provider": provider, "model": model, "dimension": dimension, "base_url": base_url}
    chosen = choose_model(settings, {name: value for name, value in given.items() if value is not None})
    if abandon:
        _abandon(settings, as_json=as_json)
        return

    async def work(service: "Service") -> "tuple[ReembedPlan, ReembedProgress | None]":
        reembedding = await service.reembedding()
        plan = await reembedding.plan(service.tenant)
        if dry_run or plan.task == "nothing":
            return plan, None
        with open_bar("Embedding", "passages") as bar:
            return plan, await reembedding.carry_out(service.tenant, lambda progress: show(bar, progress))

    plan, done = with_service(work, chosen)
    emit(as_json, lambda: _as_json(plan, done), lambda console: console.print(_tell(plan, done), soft_wrap=True))


def choose_model(settings: "Settings", given: dict[str, object]) -> "Settings":
    """Return the settings with another embedding model, if options name one.

    Raises:
        typer.BadParameter: they do not name it wholly.
    """
    from pydantic import ValidationError

    from api.settings import EmbeddingSettings

    if not given:
        return settings
    kept = settings.embedding.model_dump()
    if given.get("provider", kept["provider"]) != kept["provider"]:
        kept = {"api_key": kept["api_key"]}
        if "model" not in given and given["provider"] != "local":
            raise typer.BadParameter("is required for another provider", param_hint="--model")
    try:
        chosen = EmbeddingSettings(**{**kept, **given})
    except ValidationError as e:
        raise typer.BadParameter(e.errors()[0]["msg"]) from None
    for name in ("dimension", "base_url"):
        if name in given and chosen.provider != "openai":
            option = f"--{name.replace('_', '-')}"
            raise typer.BadParameter(f"is for the provider openai alone, not {chosen.provider}", param_hint=option)
    return settings.model_copy(update={"embedding": chosen})


def show(bar: "Bar", progress: "ReembedProgress") -> None:
    """Show how far it has come."""
    detail = f", {progress.stage}"
    if progress.stage == "embedding" and progress.left_s is not None:
        rate = progress.done / progress.seconds if progress.seconds else 0.0
        detail = f", {rate:,.0f} passages/s, {progress.left_s / 60:,.0f} min left"
    elif progress.stage == "emptying":
        detail = f", old vectors and token states: {progress.emptied:,} taken away"
    bar.advance_to(progress.done, progress.total, detail)


def _abandon(settings: "Settings", *, as_json: bool) -> None:
    async def work(service: "Service") -> bool:
        return await (await service.reembedding()).abandon(service.tenant)

    was_under_way = with_service(work, settings)
    told = "given up: the lattice keeps its model" if was_under_way else "no move was under way"
    emit(as_json, lambda: {"abandoned": was_under_way}, lambda console: console.print(told))


def _tell(plan: "ReembedPlan", done: "ReembedProgress | None") -> str:
    passages = counted(plan.texts, "passage")
    tokens = f"about {plan.tokens:,} tokens"
    if plan.task == "nothing":
        return "nothing is stored yet, so there is nothing to embed"
    if plan.task == "complete":
        if done is None:
            return f"the lattice has {plan.next_model} already; {passages} ({tokens}) would be completed"
        return f"the lattice has {plan.next_model}; {counted(done.done, 'passage')} completed in {done.seconds:,.1f} s"
    if done is None:
        return f"from {plan.model} to {plan.next_model}: {passages} would be embedded, {tokens}"
    return (
        f"moved from {plan.model} to {plan.next_model}: {counted(done.done, 'passage')} in {done.seconds:,.1f} s. "
        f"Set LATTICE_EMBEDDING__… to it, and start services again"
    )


def _as_json(plan: "ReembedPlan", done: "ReembedProgress | None") -> object:
    facts = {name: getattr(plan, name) for name in ("task", "model", "next_model", "texts", "tokens")}
    ran = None if done is None else {"embedded": done.done, "emptied": done.emptied, "seconds": done.seconds}
    return facts | {"done": ran}
