"""The input of an ingestion from a request, stored as it comes: rows, files, or the path of files that lie here."""

from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

from litestar.exceptions import InternalServerException
from multipart import MultipartError, MultipartSegment, PushMultipartParser

from api.request import ApiRequest, decode_body
from api.schemas.ingestions import IngestPath
from core.errors import (
    BodyTooLargeError,
    ForbiddenError,
    InvalidInputError,
    MalformedBodyError,
    UnsupportedMediaTypeError,
)
from core.text import make_storable
from knowledge import FORMATS
from knowledge.jobs import Receiving

ROWS = {"application/x-ndjson": ".jsonl", "application/jsonl": ".jsonl", "text/csv": ".csv"}
MULTIPART = "multipart/form-data"
PATH = "application/json"
PATH_BYTES = 64_000  # of a body that names a path


async def receive_input(request: ApiRequest, receiving: Receiving) -> None:
    """Take the input in, whatever its kind.

    Raises:
        UnsupportedMediaTypeError: it is of no kind that is read.
        BodyTooLargeError: it is more than LATTICE_MAX_INGESTION_BYTES.
        MalformedBodyError: it broke off, or is no multipart.
        InvalidInputError: a file of no format that is read, a path that is not there.
        ForbiddenError: a path, and the settings allow none.
    """
    media_type, options = request.content_type
    media_type = media_type.strip().lower()
    _check_length(request, receiving)
    if media_type in ROWS:
        await receiving.open_body("request body", ROWS[media_type])
        async for data in _stream(request):
            await receiving.write(data)
    elif media_type == MULTIPART:
        await _receive_files(request, receiving, options.get("boundary", ""))
    elif media_type == PATH:
        await receiving.add_path(_find_path(request.app.state.settings.ingest_root, await _read_small(request)))
    else:
        kinds = ", ".join([*ROWS, MULTIPART, PATH])
        raise UnsupportedMediaTypeError(f"send one of {kinds}, not {media_type or 'a body without Content-Type'}")
    if receiving.is_empty:
        raise InvalidInputError("body", "is empty")


def _check_length(request: ApiRequest, receiving: Receiving) -> None:
    told = request.headers.get("content-length", "")
    most = receiving.most_bytes
    if told.isdecimal() and most is not None and int(told) > most + PATH_BYTES:  # multipart's own lines are no input
        raise BodyTooLargeError("body", f"may have at most {most:,} bytes; send it in parts")


async def _stream(request: ApiRequest) -> AsyncIterator[bytes]:
    try:
        async for data in request.stream():
            yield data
    except InternalServerException as e:
        raise MalformedBodyError("the request broke off before the end of its body") from e


async def _receive_files(request: ApiRequest, receiving: Receiving, boundary: str) -> None:
    if not boundary:
        raise MalformedBodyError("Content-Type names no boundary")
    opened = False
    try:
        with PushMultipartParser(boundary, max_segment_count=1_000) as parser:
            async for data in _stream(request):
                if parser.closed:
                    break
                for part in parser.parse(data):
                    if isinstance(part, MultipartSegment):
                        name, input_format = _name_file(part.filename)
                        await receiving.open_body(name, input_format)
                        opened = True
                    elif part:
                        await receiving.write(bytes(part))
    except MultipartError as e:
        raise MalformedBodyError(f"the body is no multipart/form-data: {e}") from e
    if not opened:
        raise InvalidInputError("body", "holds no file")


def _name_file(filename: str | None) -> tuple[str, str]:
    if not filename:
        raise InvalidInputError("body", "each part must be a file with a name")
    name = make_storable(filename.replace("\\", "/").lstrip("/"))
    suffix = PurePosixPath(name).suffix.lower()
    if suffix not in FORMATS:
        raise InvalidInputError(name, f"is of no known format; known are {', '.join(FORMATS)}")
    return name, suffix


async def _read_small(request: ApiRequest) -> IngestPath:
    body = bytearray()
    async for data in _stream(request):
        body += data
        if len(body) > PATH_BYTES:
            raise BodyTooLargeError("body", f"that names a path may have at most {PATH_BYTES:,} bytes")
    return decode_body(bytes(body), IngestPath)


def _find_path(root: Path | None, asked: IngestPath) -> Path:
    if root is None:
        raise ForbiddenError("files are not read by their path unless LATTICE_INGEST_ROOT names their folder")
    allowed = root.expanduser().resolve()
    with suppress(OSError, RuntimeError, ValueError):  # a loop of links, a NUL in the name
        found = Path(allowed, asked.path).resolve()
        if found.is_relative_to(allowed) and found.exists():
            return found
    raise InvalidInputError("path", "is no file or folder below LATTICE_INGEST_ROOT")
