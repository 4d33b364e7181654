"""Replaying the log: does every state follow from it, bit for bit."""

from litestar import Router, get

from api.auth import Role, needs
from api.request import ApiRequest
from api.routes.paths import GemId
from api.routes.problems import problems
from api.schemas.replays import ReplayView, to_replay


@get("/gems/{gem_id:str}/replay", guards=[needs(Role.VIEWER)], responses=problems(404), summary="Replay a gem's log")
async def replay_gem(request: ApiRequest, gem_id: GemId) -> ReplayView:
    """Make every entry of the log of a gem and its passages again from the one before it, and compare each bit."""
    service = request.service
    return to_replay(await service.gems.replay(request.tenant, service.at(), gem_id))


@get("/lattice/replay", guards=[needs(Role.ADMIN)], responses=problems(), summary="Replay the whole log")
async def replay_lattice(request: ApiRequest) -> ReplayView:
    """Do the same for every gem; it reads the whole log."""
    return to_replay(await request.service.gems.replay(request.tenant, request.service.at()))


router = Router(path="/", tags=["gems"], route_handlers=[replay_gem, replay_lattice])
