"""The ids that stand in paths."""

from typing import Annotated
from uuid import UUID

from litestar.params import PathParameter

GemId = Annotated[UUID, PathParameter(description="The gem's id.")]
DocumentId = Annotated[UUID, PathParameter(description="The document's id, not the one it was sent with.")]
IngestionId = Annotated[UUID, PathParameter(description="The ingestion's id.")]
ReflectionId = Annotated[UUID, PathParameter(description="The reflection's id.")]
SimulationId = Annotated[UUID, PathParameter(description="The simulation's id.")]
