"""What a Prometheus server scrapes."""

from litestar import Response, Router, get
from prometheus_client.exposition import choose_encoder

from api.auth import Role, needs
from api.request import ApiRequest
from api.routes.problems import problems

OPENMETRICS = "application/openmetrics-text"


@get("/metrics", guards=[needs(Role.VIEWER)], responses=problems(), media_type="text/plain", summary="Read metrics")
async def read_metrics(request: ApiRequest) -> Response[bytes]:
    """Return the metrics of this process and its lattice as Prometheus text; as OpenMetrics to whoever accepts that."""
    service = request.service
    await service.observation.gauges.refresh(service.database, service.tenant, service.at())
    accepts = OPENMETRICS in request.headers.get("accept", "").lower()
    # the library breaks on a header whose version is no number, so it is not given the header itself
    encode, content_type = choose_encoder(OPENMETRICS if accepts else "")
    return Response(encode(service.metrics_registry), headers={"content-type": content_type})


router = Router(path="/", tags=["status"], route_handlers=[read_metrics])
