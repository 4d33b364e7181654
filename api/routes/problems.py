"""How the routes' errors are described in OpenAPI."""

from collections.abc import Mapping
from http import HTTPStatus

from litestar.openapi import ResponseSpec

from api.errors import PROBLEM_JSON
from api.schemas.wire import ProblemView

ALWAYS = (400, 401, 403, 422, 500, 503)


def problems(*statuses: int) -> Mapping[int, ResponseSpec]:
    """Return the descriptions of the errors that a route answers with, beside those that any route may."""
    return {
        status: ResponseSpec(
            data_container=ProblemView,
            description=HTTPStatus(status).phrase,
            media_type=PROBLEM_JSON,
            generate_examples=False,
        )
        for status in sorted({*ALWAYS, *statuses})
    }
