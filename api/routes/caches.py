"""The caches of this process."""

from litestar import Router, get

from api.auth import Role, needs
from api.request import ApiRequest
from api.routes.problems import problems
from api.schemas.caches import CachesView, list_caches


@get("/cache/stats", guards=[needs(Role.VIEWER)], responses=problems(), summary="Read the caches' counts")
async def read_cache_stats(request: ApiRequest) -> CachesView:
    """Return how full the caches of this process are, and how often they had what was asked for."""
    return list_caches(request.service)


router = Router(path="/", tags=["status"], route_handlers=[read_cache_stats])
