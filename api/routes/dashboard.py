"""The page at /dashboard and its files. They tell nothing of what is stored: the page asks the API for that."""

from typing import Annotated, Any

from litestar import Request, Response, Router, get
from litestar.exceptions import NotFoundException
from litestar.params import PathParameter

from api.auth import public
from api.dashboard import POLICY, StaticFile, read_bundle

AsksForFile = Request[Any, Any, Any]
FOREVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"


@get("/", guards=[public], include_in_schema=False, sync_to_thread=True)
def show_dashboard(request: AsksForFile) -> Response[bytes]:
    """Return the page; without its libraries, 503 and one that says how to get them."""
    bundle = read_bundle()
    return _answer(request, bundle.page, ASK_AGAIN, 503 if bundle.missing else 200)


@get("/files/{version:str}/{name:path}", guards=[public], include_in_schema=False, sync_to_thread=True)
def read_file(
    request: AsksForFile,
    version: Annotated[str, PathParameter(description="Of all files, as the page names it.")],
    name: Annotated[str, PathParameter(description="Below the page's folder.")],
) -> Response[bytes]:
    """Return one of the page's files; whoever asks for the present version may keep it for good."""
    bundle = read_bundle()
    file = bundle.files.get(name.removeprefix("/"))
    if file is None:
        raise NotFoundException(detail="the page has no such file")
    return _answer(request, file, FOREVER if version == bundle.version else ASK_AGAIN)


def _answer(request: AsksForFile, file: StaticFile, cache: str, status: int = 200) -> Response[bytes]:
    headers = {
        "content-security-policy": POLICY,
        "cache-control": cache,
        "etag": file.etag,
        "vary": "Accept-Encoding",
    }
    if status == 200 and file.etag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers)
    packed = "gzip" in request.headers.get("accept-encoding", "")
    encoding = {"content-encoding": "gzip"} if packed else {}
    content = file.packed if packed else file.content
    return Response(content, status_code=status, media_type=file.media_type, headers={**headers, **encoding})


router = Router(path="/dashboard", route_handlers=[show_dashboard, read_file])
