"""Reflections: ask a gem, read answers again, rate them."""

from typing import cast

from litestar import Response, Router, get, post
from litestar.params import JSONBody

from api.auth import Role, needs
from api.events import open_event_stream
from api.idempotency import Created, IdempotencyKey, answer_once
from api.pages import Cursor, Limit, cut_page, decode_cursor
from api.request import ApiRequest
from api.routes.paths import GemId, ReflectionId
from api.routes.problems import problems
from api.schemas.gems import GemView, to_gem
from api.schemas.reflections import (
    Feedback,
    NewReflection,
    ReflectionPage,
    ReflectionView,
    to_reflection,
    to_request,
    to_summary,
)
from core.errors import InvalidInputError


@post(
    "/gems/{gem_id:str}/reflections",
    guards=[needs(Role.EDITOR)],
    responses=problems(404, 409, 413, 415, 502),
    summary="Ask a gem",
)
async def create_reflection(
    request: ApiRequest, gem_id: GemId, data: JSONBody[NewReflection], idempotency_key: IdempotencyKey = None
) -> Response[ReflectionView]:
    """Answer a question from what the gem holds, with citations; the use is recorded and the state updated.

    With `"stream": true`, or if the request accepts text/event-stream, the answer is 200 with server-sent events:
    `evidence` ({"passages": […]}), `token` ({"text": …}) as often as needed, and `done` (the stored reflection) or
    `error` (a problem; nothing is stored).
    """
    service, asked = request.service, to_request(data, gem_id)
    if _wants_stream(request, data):
        if idempotency_key is not None:
            raise InvalidInputError("Idempotency-Key", "a streamed answer cannot be sent again; leave the key out")
        events = service.reflections.stream(request.tenant, asked, service.at())
        stream = await open_event_stream(events, request.request_id)
        return cast("Response[ReflectionView]", stream)

    async def make() -> Created[ReflectionView]:
        reflection = await service.reflections.reflect(request.tenant, asked, service.at())
        return Created(to_reflection(reflection), f"/api/v1/reflections/{reflection.reflection_id}")

    return await answer_once(request, idempotency_key, make)


@get(
    "/gems/{gem_id:str}/reflections",
    guards=[needs(Role.VIEWER)],
    responses=problems(404),
    summary="List a gem's reflections",
)
async def list_reflections(
    request: ApiRequest, gem_id: GemId, limit: Limit = 50, cursor: Cursor = None
) -> ReflectionPage:
    """List a gem's reflections without their evidence, newest first."""
    found = await request.service.reflections.list_page(
        request.tenant, gem_id, request.service.at(), before=decode_cursor(cursor), limit=limit + 1
    )
    page = cut_page(found, limit, lambda each: (each.created_at, each.reflection_id))
    return ReflectionPage(items=[to_summary(each) for each in page.items], next_cursor=page.next_cursor)


@get(
    "/reflections/{reflection_id:str}",
    guards=[needs(Role.VIEWER)],
    responses=problems(404),
    summary="Get a reflection",
)
async def get_reflection(request: ApiRequest, reflection_id: ReflectionId) -> ReflectionView:
    """Return a reflection with its evidence, scores and attempts."""
    return to_reflection(await request.service.reflections.get(request.tenant, reflection_id))


@post(
    "/reflections/{reflection_id:str}/feedback",
    status_code=200,
    guards=[needs(Role.EDITOR)],
    responses=problems(404, 413, 415),
    summary="Rate a reflection",
)
async def rate_reflection(request: ApiRequest, reflection_id: ReflectionId, data: JSONBody[Feedback]) -> GemView:
    """Store a rating from −1 (wrong) to 1 (right); it moves the feedback F_n of the gem, which is returned."""
    gem = await request.service.reflections.rate(request.tenant, reflection_id, data.rating, request.service.at())
    return to_gem(gem)


def _wants_stream(request: ApiRequest, data: NewReflection) -> bool:
    if data.stream is not None:
        return data.stream
    return "text/event-stream" in request.headers.get("accept", "").lower()


router = Router(
    path="/",
    tags=["reflections"],
    route_handlers=[create_reflection, list_reflections, get_reflection, rate_reflection],
)
