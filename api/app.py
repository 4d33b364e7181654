"""The application: settings in, everything wired, REST out."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from api.access import AccessLog
from api.errors import answer_error, answer_fault, answer_framework_error
from api.extensions import ExtensionsInUse
from api.integrations import open_integrations
from api.live.live import open_live
from api.openapi import describe
from api.request import ApiRequest
from api.routes import (
    alerts,
    axiom,
    caches,
    dashboard,
    documents,
    entanglements,
    extensions,
    extractions,
    field,
    gem_axiom,
    gem_field,
    gems,
    graph,
    graph_changes,
    ingestions,
    keeping,
    lattice_graph,
    llm,
    metrics,
    operations,
    presets,
    recall,
    recall_lab,
    reflections,
    replays,
    simulations,
    snapshots,
    status,
    stream,
)
from api.service import Service, open_service
from api.settings import Settings
from api.slashes import KeepSlashes
from core.errors import LatticeError

ROUTERS = (
    gems.router,
    gem_axiom.router,
    gem_field.router,
    field.router,
    entanglements.router,
    replays.router,
    operations.router,
    documents.router,
    ingestions.router,
    graph.router,
    graph_changes.router,
    lattice_graph.router,
    extractions.router,
    keeping.router,
    snapshots.router,
    recall.router,
    recall_lab.router,
    reflections.router,
    axiom.router,
    simulations.router,
    presets.router,
    llm.router,
    caches.router,
    extensions.router,
    stream.router,
    alerts.router,
    status.router,
)
API = Router(path="/api/v1", route_handlers=ROUTERS)  # made once: every application copies what it registers


def create_app(
    settings: Settings, opening: Callable[[Settings], AbstractAsyncContextManager[Service]] = open_service
) -> Litestar:
    """Return the application; nothing is opened until it starts.

    Args:
        settings: of this process.
        opening: what starts the use cases with the application and stops them with it.
    """
    in_use = ExtensionsInUse(settings)

    @asynccontextmanager
    async def serve(app: Litestar) -> AsyncIterator[None]:
        with in_use.running():  # whoever opened the service need not know the folder of extensions
            async with opening(settings) as service, open_integrations() as integrations:
                app.state.service = replace(service, integrations=integrations)
                app.state.requests = service.observation.requests
                async with open_live(app.state.service) as app.state.live:
                    yield

    app = Litestar(
        route_handlers=[
            API,
            metrics.router,  # where scrapers look for it
            dashboard.router,
        ],
        lifespan=[serve],
        state=State({"settings": settings}),
        request_class=ApiRequest,
        request_max_body_size=settings.max_body_bytes,
        exception_handlers={
            LatticeError: answer_error,
            HTTPException: answer_framework_error,
            Exception: answer_fault,
        },
        openapi_config=describe(),
        logging_config=None,
        debug=False,
    )
    app.asgi_handler = AccessLog(KeepSlashes(in_use.around(app.asgi_handler)), lambda: app.state.requests)
    return app
