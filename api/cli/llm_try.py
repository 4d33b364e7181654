"""`lattice llm try`: one question to one target or model, and what became of it."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.options import JsonOption, examples
from api.cli.output import emit, open_console
from api.cli.session import load_settings, with_service
from core.errors import InvalidInputError, ProviderError, TargetNotFoundError
from core.text import make_storable

if TYPE_CHECKING:
    from api.service import Service
    from llm_router import Caller, Prompt, Reply, Router, RouterConfig

SYSTEM = "Answer in one short sentence, from the passages if there are any."
QUESTION = "When does the island ferry leave?"
PASSAGE = "The island ferry leaves at seven and at noon."
MAX_OUTPUT_TOKENS = 1_000  # a model that thinks needs room for that too

TRIED = "try"
"""The model under which a target's trial is kept in the accounts."""


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    lines = ("lattice llm try main", "lattice llm try default --stream", 'lattice llm try main --prompt "Who are you?"')
    app.command("try", epilog=examples(*lines))(try_)


def try_(
    name: Annotated[
        str, typer.Argument(metavar="TARGET|MODEL", parser=make_storable, help="Name of a target or a model.")
    ],
    prompt: Annotated[
        str | None,
        typer.Option(parser=make_storable, metavar="TEXT", help="What is asked, instead of a small question of ours."),
    ] = None,
    streams: Annotated[bool, typer.Option("--stream", help="Print the answer as it comes.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Ask one target, or a model, a small question; print the answer, the attempts, the tokens and what they cost.

    A target is asked once, also one that is switched off or that a breaker holds back. A model is asked as always.
    What it costs is kept in the accounts.
    """
    if streams and as_json:
        raise typer.BadParameter("cannot be combined with --json", param_hint="--stream")
    settings = load_settings()
    from api.cli import llm_view
    from api.schemas.llm import to_reply
    from core.log import configure_logging

    configure_logging("error")  # what failed is told below
    try:
        reply = with_service(lambda service: _ask(service, name, prompt, streams=streams), settings)
    except ProviderError as e:
        if not as_json:
            llm_view.render_failures(open_console(sys.stderr), e)
        raise
    if streams:
        llm_view.render_account(open_console(), reply)
    else:
        emit(as_json, lambda: to_reply(reply), lambda console: llm_view.render_reply(console, reply))


async def _ask(service: "Service", name: str, text: str | None, *, streams: bool) -> "Reply":
    from llm_router import Caller, Evidence, Prompt

    evidence = (Evidence(1, PASSAGE, None, None, 1.0),) if text is None else ()
    prompt = Prompt(SYSTEM, text or QUESTION, evidence, MAX_OUTPUT_TOKENS)
    caller = Caller(service.tenant)
    async with _open_asked(service, name) as asked:
        if streams:
            return await _print_stream(asked, prompt, caller)
        return await asked.router.ask(prompt, model=asked.model, caller=caller)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who is asked: a model of a router."""

    router: "Router"
    model: str


@asynccontextmanager
async def _open_asked(service: "Service", name: str) -> AsyncIterator[_Asked]:
    """Yield the model of this name, or a router that has nothing but the target of this name.

    Raises:
        TargetNotFoundError: there is neither.
        InvalidInputError: the target answers no prompts.
    """
    from llm_router import Parts, build_router

    router = service.llm.router
    models = [model.name for model in router.config.models]
    if all(target.name != name for target in router.config.targets):
        if name not in models:
            known = [target.name for target in router.config.targets]
            raise TargetNotFoundError(
                f"no LLM target or model is named {name!r}; targets are {', '.join(known)}; "
                f"models are {', '.join(models)}"
            )
        yield _Asked(router, name)
        return
    config = _only(router.config, name)
    alone = build_router(config, service.embedder.embed, Parts(accounts=service.llm.accounts))
    try:
        yield _Asked(alone, TRIED)
    finally:
        await alone.aclose()


def _only(config: "RouterConfig", name: str) -> "RouterConfig":
    from llm_router import DEFAULT_MODEL, ModelConfig

    if config.embedding and name in config.embedding.targets:
        raise InvalidInputError("TARGET", f"{name!r} embeds texts; `lattice doctor --online` asks it for a vector")
    target = next(target for target in config.targets if target.name == name)
    models = tuple(ModelConfig(model, (name,), extractive=False) for model in (DEFAULT_MODEL, TRIED))
    return replace(config, targets=(target,), models=models, budgets=(), embedding=None, attempts_per_target=1)


async def _print_stream(asked: _Asked, prompt: "Prompt", caller: "Caller") -> "Reply":
    from llm_router import ReplyEvent, TokenEvent

    reply: Reply | None = None
    end = ""
    try:
        async for event in asked.router.stream(prompt, model=asked.model, caller=caller):
            if isinstance(event, TokenEvent):
                end = "\n"
                sys.stdout.write(event.text)
                sys.stdout.flush()
            elif isinstance(event, ReplyEvent):
                reply = event.reply
    finally:
        sys.stdout.write(end)
        sys.stdout.flush()
    if reply is None:
        raise AssertionError("a stream ends with its reply, or with an error")
    return reply
