"""A gem's graph within one run of a command, and the options that its commands share."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar
from uuid import UUID

import typer

from api.cli.session import with_service
from core.text import make_storable

if TYPE_CHECKING:
    from api.service import Service
    from gems import Moment

T = TypeVar("T")

EntityArgument = Annotated[
    str, typer.Argument(metavar="ENTITY", parser=make_storable, help="Any of its names, or its id.")
]
LimitOption = Annotated[int, typer.Option(min=1, max=1_000, help="How many at the most.")]


class On:
    """A gem's graph within one run of a command."""

    def __init__(self, service: "Service", gem_id: UUID, at: "Moment") -> None:
        from knowledge.graph import Graph

        self.graph = Graph(service.database, service.embedder)
        self.tenant, self.gem_id, self.at = service.tenant, gem_id, at

    async def find(self, reference: str) -> UUID:
        """Return the id of the entity of this id or name."""
        return await self.graph.resolve_entity(self.tenant, self.gem_id, reference, self.at)


def run_on(gem: str, ask: Callable[[On], Awaitable[T]]) -> T:
    """Run one use case of a gem's graph."""

    async def work(service: "Service") -> T:
        at = service.at()
        found = await service.gems.resolve(service.tenant, gem, at)
        return await ask(On(service, found.gem_id, at))

    return with_service(work)
