"""Extensions: what is there, and how it stands."""

import asyncio
from typing import Annotated

from litestar import Router, get
from litestar.params import QueryParameter

from api.auth import Role, needs
from api.extension_reports import list_extensions
from api.routes.problems import problems
from api.schemas.extensions import ExtensionList, KindName, to_extension
from core.extensions import Kind

OfKind = Annotated[KindName | None, QueryParameter(description="Only those of this kind.")]


@get("/", guards=[needs(Role.VIEWER)], responses=problems(), summary="List extensions")
async def list_all(kind: OfKind = None) -> ExtensionList:
    """List every extension with its state in the process that answers; nothing is loaded for it."""
    found = await asyncio.to_thread(list_extensions, None if kind is None else Kind(kind))
    return ExtensionList(items=[to_extension(each) for each in found])


router = Router(path="/extensions", tags=["extensions"], route_handlers=[list_all])
