"""What a Prometheus server scrapes."""

from litestar import Response, Router, get
from prometheus_client import generate_latest
from prometheus_client.openmetrics import exposition as openmetrics

from api.auth import Role, needs
from api.request import ApiRequest
from api.routes.problems import problems

PLAIN = "text/plain; version=0.0.4"


@get("/metrics", guards=[needs(Role.VIEWER)], responses=problems(), media_type=PLAIN, summary="Read metrics")
async def read_metrics(request: ApiRequest) -> Response[bytes]:
    """Return the metrics of this process as Prometheus text, or as OpenMetrics to whoever accepts that."""
    registry = request.service.metrics_registry
    # not the library's own choice of an encoder, which breaks on a version in the header that is no number
    if "application/openmetrics-text" in request.headers.get("accept", "").lower():
        return Response(openmetrics.generate_latest(registry), media_type=openmetrics.CONTENT_TYPE_LATEST)
    return Response(generate_latest(registry), media_type=PLAIN)


router = Router(path="/", tags=["status"], route_handlers=[read_metrics])
