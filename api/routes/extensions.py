"""Extensions: what is there, and how it stands."""

import asyncio
from typing import Annotated

from litestar import Router, get
from litestar.params import PathParameter, QueryParameter

from api.auth import Role, needs
from api.extension_reports import describe_extensions, list_extensions
from api.routes.problems import problems
from api.schemas.extensions import ExtensionDetails, ExtensionList, KindName, to_details, to_extension
from core.extensions import Kind
from core.threads import run_aside

ExtensionName = Annotated[str, PathParameter(description="What it is asked for by.")]
OfKind = Annotated[KindName | None, QueryParameter(description="Only those of this kind.")]


@get("/", guards=[needs(Role.VIEWER)], responses=problems(), summary="List extensions")
async def list_all(kind: OfKind = None) -> ExtensionList:
    """List every extension with its state in the process that answers; nothing is loaded for it."""
    found = await asyncio.to_thread(list_extensions, None if kind is None else Kind(kind))
    return ExtensionList(items=[to_extension(each) for each in found])


@get("/{name:str}", guards=[needs(Role.VIEWER)], responses=problems(404), summary="Get an extension")
async def get_one(name: ExtensionName) -> ExtensionDetails:
    """Return the extensions of a name with the parameters that they take; their code is loaded for it."""
    found = await run_aside(lambda: describe_extensions(name))
    return ExtensionDetails(items=[to_details(each) for each in found])


router = Router(path="/extensions", tags=["extensions"], route_handlers=[list_all, get_one])
