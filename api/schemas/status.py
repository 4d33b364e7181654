"""What the service says of itself."""

from typing import Annotated, Literal

from msgspec import Meta

from api.schemas.wire import View


class HealthView(View, frozen=True, kw_only=True):
    """The process answers."""

    status: Annotated[Literal["ok"], Meta(description="Always `ok`.")] = "ok"


class ReadyView(View, frozen=True, kw_only=True):
    """The service can work."""

    status: Annotated[Literal["ready"], Meta(description="Always `ready`.")] = "ready"
    schema_revision: Annotated[str, Meta(description="The revision of the database's schema.")]
    embedding_model: Annotated[str, Meta(description="The embedding model that is loaded.")]


class EmbeddingView(View, frozen=True, kw_only=True):
    """The embedding model."""

    provider: Annotated[str, Meta(description="Who runs it.")]
    model: Annotated[str, Meta(description="Its name.")]
    dimension: Annotated[int, Meta(description="The length of a vector.")]


class TargetView(View, frozen=True, kw_only=True):
    """An LLM target."""

    name: Annotated[str, Meta(description="What attempts and reflections say.")]
    provider: Annotated[str, Meta(description="The adapter that speaks to it.")]
    model: Annotated[str, Meta(description="Its model; empty for `extractive`.")]


class LimitsView(View, frozen=True, kw_only=True):
    """How much one request may ask for."""

    body_bytes: Annotated[int, Meta(description="Of a request's body.")]
    page_items: Annotated[int, Meta(description="Of a page.")]
    recall_k: Annotated[int, Meta(description="Passages of one recall.")]
    question_characters: Annotated[int, Meta(description="Of a question.")]


class InfoView(View, frozen=True, kw_only=True):
    """What runs here."""

    name: Annotated[Literal["crystal-lattice"], Meta(description="Always `crystal-lattice`.")] = "crystal-lattice"
    version: Annotated[str, Meta(description="Of the program.")]
    embedding: Annotated[EmbeddingView, Meta(description="What turns text into vectors.")]
    targets: Annotated[list[TargetView], Meta(description="The LLM targets in the order in which they are asked.")]
    time_unit_days: Annotated[float, Meta(description="The length of τ, the unit in which states evolve.")]
    limits: Annotated[LimitsView, Meta(description="How much one request may ask for.")]
