"""What is derived from passages in the background: entities and relations by an LLM, links between passages alike."""

from typing import Annotated
from uuid import UUID

from litestar import Response, Router, get, post
from litestar.openapi import ResponseSpec
from litestar.params import JSONBody, PathParameter

from api.auth import Role, needs
from api.idempotency import Created, IdempotencyKey, answer_once
from api.pages import Limit
from api.request import ApiRequest
from api.routes.paths import GemId
from api.routes.problems import problems
from api.schemas.extractions import (
    EstimateView,
    ExtractionBody,
    ExtractionList,
    ExtractionView,
    LinkBody,
    LinkingView,
    to_estimate,
    to_extraction,
    to_linking,
    to_linking_wish,
    to_wish,
)

ExtractionId = Annotated[UUID, PathParameter(description="The extraction's id.")]

_ESTIMATE = {
    200: ResponseSpec(
        data_container=EstimateView, description="What it would take; for `dry_run`.", generate_examples=False
    )
}


@post(
    "/gems/{gem_id:str}/extractions",
    status_code=202,
    guards=[needs(Role.EDITOR)],
    responses={**_ESTIMATE, **problems(404, 409, 413, 415)},
    summary="Extract entities and relations",
)
async def create_extraction(
    request: ApiRequest, gem_id: GemId, data: JSONBody[ExtractionBody], idempotency_key: IdempotencyKey = None
) -> Response[ExtractionView] | Response[EstimateView]:
    """Have an LLM find entities and relations in the passages of a gem, in the background.

    What it says is checked against the passages. A passage that this version of the question and this model have looked
    into, or an equal one of any gem, is not asked about again. With `dry_run`, tell what it would take.
    """
    extractions, wish = request.service.extractions, to_wish(data)
    if data.dry_run:
        plan = await extractions.plan(request.tenant, gem_id, data.model, wish)
        return Response(to_estimate(plan), status_code=200)

    async def make() -> Created[ExtractionView]:
        run = await extractions.enqueue(request.tenant, gem_id, data.model, wish)
        return Created(to_extraction(run), f"/api/v1/extractions/{run.run_id}", 202)

    return await answer_once(request, idempotency_key, make)


@get(
    "/gems/{gem_id:str}/extractions",
    guards=[needs(Role.VIEWER)],
    responses=problems(),
    summary="List a gem's extractions",
)
async def list_extractions(request: ApiRequest, gem_id: GemId, limit: Limit = 50) -> ExtractionList:
    """List the newest extractions of a gem."""
    found = await request.service.extractions.list_newest(request.tenant, gem_id, limit=limit)
    return ExtractionList(items=[to_extraction(each) for each in found])


@get(
    "/extractions/{extraction_id:str}",
    guards=[needs(Role.VIEWER)],
    responses=problems(404),
    summary="Get an extraction",
)
async def get_extraction(request: ApiRequest, extraction_id: ExtractionId) -> ExtractionView:
    """Return how far an extraction has come."""
    return to_extraction(await request.service.extractions.get(request.tenant, extraction_id))


@post(
    "/extractions/{extraction_id:str}/cancel",
    status_code=200,
    guards=[needs(Role.EDITOR)],
    responses=problems(404),
    summary="Cancel an extraction",
)
async def cancel_extraction(request: ApiRequest, extraction_id: ExtractionId) -> ExtractionView:
    """End an extraction after the calls under way; what was found stays. One that has ended stays as it is."""
    return to_extraction(await request.service.extractions.cancel(request.tenant, extraction_id))


@get(
    "/gems/{gem_id:str}/graph/resonance",
    guards=[needs(Role.VIEWER)],
    responses=problems(404),
    summary="Get how passages are linked",
)
async def get_linking(request: ApiRequest, gem_id: GemId) -> LinkingView:
    """Return how far the passages of a gem are linked to others that are alike."""
    return to_linking(await request.service.resonances.get(request.tenant, gem_id))


@post(
    "/gems/{gem_id:str}/graph/resonance",
    status_code=202,
    guards=[needs(Role.EDITOR)],
    responses=problems(404, 409, 413, 415),
    summary="Link passages that are alike",
)
async def link_passages(request: ApiRequest, gem_id: GemId, data: JSONBody[LinkBody]) -> LinkingView:
    """Have those passages linked that are not yet, in the background; all of them, if they were linked otherwise."""
    return to_linking(await request.service.resonances.enqueue(request.tenant, gem_id, to_linking_wish(data)))


router = Router(
    path="/",
    tags=["graph"],
    route_handlers=[
        create_extraction,
        list_extractions,
        get_extraction,
        cancel_extraction,
        get_linking,
        link_passages,
    ],
)
