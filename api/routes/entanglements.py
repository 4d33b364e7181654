"""Entanglements: which gems a use of one also strengthens, and which are worth it."""

from typing import Annotated
from uuid import UUID

from litestar import Router, delete, get, post
from litestar.params import JSONBody, PathParameter, QueryParameter

from api.auth import Role, needs
from api.request import ApiRequest
from api.routes.paths import GemId
from api.routes.problems import problems
from api.schemas.entanglements import (
    EntanglementSuggestionList,
    NeighbourList,
    NewEntanglement,
    PairList,
    PartnerList,
    PartnerView,
    to_neighbours,
    to_pairs,
    to_partner,
    to_partners,
    to_suggestions,
)

OtherId = Annotated[UUID, PathParameter(description="The other gem's id.")]
Few = Annotated[int, QueryParameter(ge=1, le=200, description="How many at the most.")]
Many = Annotated[int, QueryParameter(ge=1, le=100_000, description="How many at the most.")]


@get(
    "/gems/{gem_id:str}/entanglements",
    guards=[needs(Role.VIEWER)],
    responses=problems(404),
    summary="List a gem's entanglements",
)
async def list_partners(request: ApiRequest, gem_id: GemId) -> PartnerList:
    """List the gems that are entangled with one, strongest first, as they are now."""
    service = request.service
    return to_partners(await service.entanglements.list_partners(request.tenant, gem_id, service.at()))


@post(
    "/gems/{gem_id:str}/entanglements",
    status_code=200,
    guards=[needs(Role.EDITOR)],
    responses=problems(404, 409, 413, 415),
    summary="Entangle two gems",
)
async def entangle(request: ApiRequest, gem_id: GemId, data: JSONBody[NewEntanglement]) -> PartnerView:
    """Entangle two gems, or change how strongly they are; it holds in both directions."""
    service = request.service
    partner = await service.entanglements.entangle(request.tenant, gem_id, data.gem_id, data.strength, service.at())
    return to_partner(partner)


@delete(
    "/gems/{gem_id:str}/entanglements/{other_id:str}",
    guards=[needs(Role.EDITOR)],
    responses=problems(404),
    summary="Take two gems apart",
)
async def disentangle(request: ApiRequest, gem_id: GemId, other_id: OtherId) -> None:
    """Take two gems apart; what each has learned through the other stays."""
    await request.service.entanglements.disentangle(request.tenant, gem_id, other_id, request.service.at())


@get(
    "/gems/{gem_id:str}/entanglements/suggestions",
    guards=[needs(Role.VIEWER)],
    responses=problems(404),
    summary="Suggest entanglements",
)
async def suggest_partners(request: ApiRequest, gem_id: GemId, limit: Few = 10) -> EntanglementSuggestionList:
    """List gems that are worth entangling with one: alike in what they hold, and in phase. Nothing is changed."""
    service = request.service
    return to_suggestions(await service.entanglements.suggest(request.tenant, gem_id, service.at(), limit))


@get(
    "/gems/{gem_id:str}/neighbours",
    guards=[needs(Role.VIEWER)],
    responses=problems(404),
    summary="List a gem's neighbours",
)
async def list_neighbours(request: ApiRequest, gem_id: GemId, limit: Few = 10) -> NeighbourList:
    """List the gems whose embeddings resonate most with that of one; archived ones are left out."""
    service = request.service
    return to_neighbours(await service.entanglements.list_neighbours(request.tenant, gem_id, service.at(), limit))


@get(
    "/lattice/entanglements",
    guards=[needs(Role.VIEWER)],
    responses=problems(),
    summary="List all entanglements",
)
async def list_pairs(request: ApiRequest, limit: Many = 1_000) -> PairList:
    """List the pairs of the whole lattice, strongest first."""
    return to_pairs(await request.service.entanglements.list_pairs(request.tenant, limit))


router = Router(
    path="/",
    tags=["gems"],
    route_handlers=[list_partners, entangle, disentangle, suggest_partners, list_neighbours, list_pairs],
)
