"""Answers in a form: a Pydantic model goes in, an instance comes out, with one try to mend what does not fit."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from core.errors import StructureInvalidError
from llm_router.config import DEFAULT_MODEL
from llm_router.ports import ANYBODY, Caller
from llm_router.prompt import AssistantTurn, OutputSchema, Prompt, UserTurn
from llm_router.reply import Answer, Reply
from llm_router.router import Router

Form = TypeVar("Form", bound=BaseModel)

MOST_PROBLEMS = 10  # a form that does not fit at all has one for each field

_FENCE = re.compile(r"\A\s*```(?:json)?\s*\n(.*?)\n?```\s*\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Structured(Generic[Form]):
    """An answer in its form.

    Attributes:
        value: the instance.
        replies: what the router gave, one, or two if the first answer had to be mended; both were paid for.
    """

    value: Form
    replies: tuple[Reply, ...]


async def ask_for(
    router: Router, prompt: Prompt, form: type[Form], *, model: str = DEFAULT_MODEL, caller: Caller = ANYBODY
) -> Structured[Form]:
    """Return the answer to a prompt as an instance of a Pydantic model.

    Args:
        router: asks; only targets that can keep to a schema are asked.
        prompt: any `output` it has is replaced by the form's schema.
        form: the Pydantic model.
        model: the logical LLM model's name.
        caller: on whose account.

    Raises:
        StructureInvalidError: the answer does not fit, also after the model was told why; or it was cut off or refused.
        LatticeError: as `Router.ask` does.
    """
    name = re.sub(r"[^a-zA-Z0-9_-]", "_", form.__name__)[:64]
    prompt = replace(prompt, output=OutputSchema(name, form.model_json_schema()))
    first = await router.ask(prompt, model=model, caller=caller, keep_if=lambda answer: _fits(answer, form))
    try:
        return Structured(_read(first, form), (first,))
    except ValidationError as error:
        complaint = _explain(error)
    mended = replace(
        prompt,
        turns=(
            *prompt.turns,
            AssistantTurn(first.text),
            UserTurn(
                f"That does not fit the schema:\n{complaint}\nAnswer again, with JSON that fits and nothing else."
            ),
        ),
    )
    second = await router.ask(mended, model=model, caller=caller, keep_if=lambda answer: _fits(answer, form))
    try:
        return Structured(_read(second, form), (first, second))
    except ValidationError as error:
        problems = [f"{place}: {each['type']}" for place, each in _list_problems(error)]
    raise StructureInvalidError(
        f"{second.target} gave no {form.__name__}, also after it was told why: {'; '.join(problems)}",
        target=second.target,
        problems=problems,
    )


def _read(reply: Reply, form: type[Form]) -> Form:
    """Return the instance.

    Raises:
        ValidationError: the text is no JSON, or does not fit.
        StructureInvalidError: the answer ended for a reason that asking again does not mend.
    """
    if reply.finish == "length":
        raise StructureInvalidError(
            f"{reply.target} was cut off before its answer was whole: raise max_output_tokens", target=reply.target
        )
    if reply.finish == "content_filter":
        raise StructureInvalidError(f"{reply.target} refused to answer", target=reply.target)
    if reply.tool_calls and not reply.text.strip():
        raise StructureInvalidError(f"{reply.target} called a tool instead of answering", target=reply.target)
    return _parse(reply.text, form)


def _parse(text: str, form: type[Form]) -> Form:
    fenced = _FENCE.match(text)  # some servers wrap what they were told to give bare
    return form.model_validate_json(fenced.group(1) if fenced else text)


def _fits(answer: Answer, form: type[BaseModel]) -> bool:
    """Say whether an answer may be given again; one that does not fit would be wrong as long as it is kept."""
    try:
        _parse(answer.text, form)
    except ValidationError:
        return False
    return True


def _explain(error: ValidationError) -> str:
    """Tell the model what does not fit."""
    return "\n".join(f"{place}: {each['msg']}" for place, each in _list_problems(error))


def _list_problems(error: ValidationError) -> Iterator[tuple[str, ErrorDetails]]:
    """Yield where something does not fit, and what; a message may quote the answer, a type never does."""
    for each in error.errors(include_url=False, include_input=False, include_context=False)[:MOST_PROBLEMS]:
        yield ".".join(str(part) for part in each["loc"]) or "the answer", each
