"""The axiom: score terms, and place texts on the scale of subjectivity. Nothing is stored."""

import asyncio

from litestar import Router, post
from litestar.params import JSONBody

from api.auth import Role, needs
from api.routes.problems import problems
from api.schemas.axiom import (
    ScoreBody,
    ScoreView,
    SubjectivityBody,
    SubjectivityView,
    has_lists,
    to_score,
    to_subjectivity,
)


@post("/score", status_code=200, guards=[needs(Role.VIEWER)], responses=problems(413, 415), summary="Score terms")
async def score_terms(data: JSONBody[ScoreBody]) -> ScoreView:
    """Return the score of eight terms, or of lists of them, with what it is made of and what would raise it."""
    return await asyncio.to_thread(to_score, data) if has_lists(data) else to_score(data)


@post(
    "/subjectivity",
    status_code=200,
    guards=[needs(Role.VIEWER)],
    responses=problems(413, 415),
    summary="Measure subjectivity",
)
async def measure_subjectivity(data: JSONBody[SubjectivityBody]) -> SubjectivityView:
    """Return where an English text, or the signals of one, stands between objective and subjective."""
    return await asyncio.to_thread(to_subjectivity, data)


router = Router(path="/axiom", tags=["axiom"], route_handlers=[score_terms, measure_subjectivity])
