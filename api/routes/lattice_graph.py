"""The lattice as a graph: gems, what they are about, relations and entanglements."""

from typing import Annotated
from uuid import UUID

from litestar import Router, get
from litestar.params import QueryParameter

from api.auth import Role, needs
from api.request import ApiRequest
from api.routes.graph import AsOf
from api.routes.problems import problems
from api.schemas.lattice_graph import LatticeGraphView, to_lattice_graph
from core.clock import parse_moment
from knowledge.graph import MOST_SHOWN, LatticeWish, load_lattice

GemFilter = Annotated[
    list[UUID] | None, QueryParameter(name="gem_id", description="Only these gems; may be given several times.")
]
NamePart = Annotated[
    str | None, QueryParameter(max_length=200, description="Only entities of whose names one has this in it.")
]
Shown = Annotated[
    int, QueryParameter(ge=1, le=MOST_SHOWN, description="How many gems and entities at the most, together.")
]


@get("/graph", guards=[needs(Role.VIEWER)], responses=problems(404), summary="Get the lattice's graph")
async def get_lattice_graph(
    request: ApiRequest, *, gems: GemFilter = None, as_of: AsOf = None, name: NamePart = None, nodes: Shown = 1_000
) -> LatticeGraphView:
    """Return the largest gems, what the newest passages of each are most about, and what binds them all.

    Of relations, and of entanglements, there are at most twice as many as nodes.
    """
    service = request.service
    wish = LatticeWish(
        nodes=nodes,
        gem_ids=tuple(dict.fromkeys(gems or ())),
        as_of=None if as_of is None else parse_moment(as_of, "as_of"),
        part=name,
    )
    return to_lattice_graph(await load_lattice(service.database, request.tenant, wish, service.at()))


router = Router(path="/lattice", tags=["graph"], route_handlers=[get_lattice_graph])
