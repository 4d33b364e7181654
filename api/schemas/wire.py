"""What all bodies and views share."""

from typing import Annotated, Any

from msgspec import Meta, Struct


class Body(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a request; a field that is not known is refused."""


class View(Struct, frozen=True, kw_only=True):
    """The body of an answer; later versions may add fields."""


Metadata = Annotated[dict[str, Any], Meta(description="Any JSON object, up to 64 kB.")]


class ParameterView(View, frozen=True, kw_only=True):
    """A parameter of a rule, a detector, a domain model or a preset."""

    name: Annotated[str, Meta(description="Its key in JSON.")]
    takes: Annotated[str, Meta(description="What it may be, in words.")]
    help: Annotated[str, Meta(description="What it does.")]
    required: Annotated[bool, Meta(description="Whether there is no default.")]
    default: Annotated[Any, Meta(description="What it is if absent.")] = None


class ProblemView(View, frozen=True, kw_only=True):
    """An error (RFC 9457)."""

    type: Annotated[str, Meta(description="A URN of the kind of error.")]
    title: Annotated[str, Meta(description="The kind of error in words.")]
    status: Annotated[int, Meta(description="The HTTP status.")]
    code: Annotated[str, Meta(description="The kind of error for programs; stable. docs/errors.md lists all.")]
    detail: Annotated[str, Meta(description="What is wrong and what mends it.")]
    request_id: Annotated[str, Meta(description="Under which the server's log tells more.")]
    details: Annotated[dict[str, Any] | None, Meta(description="Further facts, such as `field`.")] = None
