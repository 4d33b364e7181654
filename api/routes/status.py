"""Is it alive, can it work, what is it."""

import asyncio

from litestar import Router, get

from api.auth import Role, needs, public
from api.request import ApiRequest
from api.routes.problems import problems
from api.schemas.recall import QUESTION_LENGTH
from api.schemas.status import EmbeddingView, HealthView, InfoView, LimitsView, ReadyView, TargetView
from api.version import read_version
from core.errors import NotReadyError
from core.pg import DEFAULT_TENANT
from core.sql import load_queries
from migrations import needed_revision

READY_WITHIN_S = 3.0

_SQL = load_queries("api.sql", "status.sql")


@get("/health", guards=[public], summary="Is the process alive")
async def health() -> HealthView:
    """Answer, without a look at the database."""
    return HealthView()


@get("/health/ready", guards=[public], responses=problems(), summary="Can the service work")
async def ready(request: ApiRequest) -> ReadyView:
    """Answer 200 if the database answers, its schema is the one this version needs and the embedder is loaded."""
    try:
        async with (
            asyncio.timeout(READY_WITHIN_S),
            request.service.database.transaction(DEFAULT_TENANT, read_only=True) as conn,
        ):
            row = await (await conn.execute(_SQL["read_revision"])).fetchone()
    except TimeoutError as e:
        raise NotReadyError(f"the database did not answer within {READY_WITHIN_S:g} s") from e
    found, needed = row[0] if row else None, needed_revision()
    if found != needed:
        raise NotReadyError(f"the database has schema {found or 'none'}, this version needs {needed}")
    return ReadyView(schema_revision=needed, embedding_model=request.service.embedder.model)


@get("/info", guards=[needs(Role.VIEWER)], responses=problems(), summary="What runs here")
async def info(request: ApiRequest) -> InfoView:
    """Return the version, the models and the limits."""
    settings, embedder = request.service.settings, request.service.embedder
    configs = [route.config for route in request.service.llm.router.routes]
    return InfoView(
        version=read_version(),
        embedding=EmbeddingView(
            provider=settings.embedding.provider, model=embedder.model, dimension=embedder.dimension
        ),
        targets=[TargetView(name=each.name, provider=each.provider, model=each.model) for each in configs],
        time_unit_days=settings.time_unit_days,
        limits=LimitsView(
            body_bytes=settings.max_body_bytes, page_items=200, recall_k=200, question_characters=QUESTION_LENGTH
        ),
    )


router = Router(path="/", tags=["status"], route_handlers=[health, ready, info])
