"""The description of the API (OpenAPI 3.1) and where it is served."""

import base64
import hashlib
from typing import Any

from litestar import Request, Response, Router
from litestar.datastructures import ResponseHeader
from litestar.exceptions import NotFoundException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin
from litestar.openapi.spec import Components, License, SecurityScheme, Server, Tag

from api.auth import public
from api.schema_page import STYLE, render_page
from api.version import read_version

DESCRIPTION = (
    "Gems hold what you know; recall finds what matters to a question; a reflection answers it and cites its evidence. "
    "Errors are application/problem+json with a stable `code`. POSTs that create take an `Idempotency-Key`."
)
TAGS = {
    "gems": "Units of memory and their state.",
    "field": "How gems hold, alone and together: now, before, and if nobody uses them.",
    "documents": "What a gem knows.",
    "ingestions": "What is too much for one answer, taken in in the background.",
    "keeping": "Gems into files and in again, and forgetting.",
    "snapshots": "Gems and lattices as they were: kept, compared, brought back.",
    "graph": "What the passages of a gem name, how that is related, what contradicts, and setting it right.",
    "recall": "A question in, ranked passages out.",
    "reflections": "A question in, an answer with citations out.",
    "axiom": "Scores of eight terms and why they are what they are, and how subjective a text is.",
    "simulations": "Scenarios run through time, and the presets to begin from.",
    "extensions": "What others have added, and whether it works.",
    "llm": "The models that answer: their targets, what they cost, experiments.",
    "lattice": "All gems together.",
    "alerts": "What is wrong, who takes care of it, and who is told.",
    "status": "The service itself.",
}
# no script at all, and the one style by its hash
PAGE_POLICY = (
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; "
    f"style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"
)


class PagePlugin(OpenAPIRenderPlugin):
    """The description as a page for people that is made here and loads nothing."""

    def __init__(self) -> None:
        super().__init__(path="/")

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """Return the page."""
        return render_page(openapi_schema).encode()


def describe() -> OpenAPIConfig:
    """Return what OpenAPI says of the API as a whole."""
    return OpenAPIConfig(
        title="Crystal Lattice",
        version=read_version(),
        description=DESCRIPTION,
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        servers=[Server(url="/")],
        tags=[Tag(name=name, description=text) for name, text in TAGS.items()],
        components=Components(
            security_schemes={
                "token": SecurityScheme(
                    type="http", scheme="bearer", description="LATTICE_API_TOKEN, where the service has one."
                )
            }
        ),
        security=[{"token": []}, {}],
        use_handler_docstrings=True,
        render_plugins=[PagePlugin(), JsonRenderPlugin(path="/openapi.json")],
        openapi_router=Router(
            path="/schema",
            route_handlers=[],
            include_in_schema=False,
            guards=[public],
            after_request=_refuse_unknown,
            response_headers=[ResponseHeader(name="Content-Security-Policy", value=PAGE_POLICY)],
        ),
    )


async def _refuse_unknown(response: Response[Any]) -> Response[Any]:
    """Answer unknown paths under /schema like any other, where the framework has a page of its own."""
    if response.status_code == 404:
        raise NotFoundException
    return response
