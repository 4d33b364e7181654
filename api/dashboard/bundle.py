"""The page's files as they are served: read from disk again when one has changed, each packed and marked once."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

FOLDER = Path(__file__).parent
PAGE = "page.html"
MISSING_PAGE = "missing.html"
FILES_URL = "/dashboard/files"
MEDIA_TYPES = {  # the framework adds the charset
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}
# libraries of others, which scripts/fetch_assets.py brings
NEEDED = ("cytoscape.esm.min.mjs", "pico.min.css", "uPlot.iife.min.js", "uPlot.min.css")
# the page's own files, its own API, and nothing else; not a single inline script or style
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file.

    Attributes:
        packed: the content, gzipped.
        etag: a weak entity tag, the same for both.
    """

    content: bytes
    packed: bytes
    media_type: str
    etag: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """All files of the page.

    Attributes:
        version: a digest of all of them, part of every file's address, so that browsers may keep files for good.
        page: the page itself, or one that says what is missing.
        files: by their path under the folder.
        missing: the libraries that are not there.
    """

    version: str
    page: StaticFile
    files: Mapping[str, StaticFile]
    missing: tuple[str, ...]


def read_bundle(folder: Path = FOLDER) -> Bundle:
    """Return the files of the page; they are read only if one has changed since the last call."""
    served = [folder / "icon.svg"]
    for part in ("assets", "css", "js"):
        served += [path for path in sorted((folder / part).rglob("*")) if path.suffix in MEDIA_TYPES]
    stats = [path.stat() for path in (folder / PAGE, folder / MISSING_PAGE, *served)]
    return _read(folder, tuple(served), tuple((each.st_mtime_ns, each.st_size) for each in stats))


@lru_cache(maxsize=2)
def _read(folder: Path, served: tuple[Path, ...], _signature: tuple[tuple[int, int], ...]) -> Bundle:
    files = {path.relative_to(folder).as_posix(): _pack(path.read_bytes(), path.suffix) for path in served}
    digest = hashlib.sha256("\n".join(f"{name} {file.etag}" for name, file in files.items()).encode())
    version = digest.hexdigest()[:16]
    missing = tuple(name for name in NEEDED if f"assets/{name}" not in files)
    text = (folder / (MISSING_PAGE if missing else PAGE)).read_text(encoding="utf-8")
    page = text.replace("{files}", f"{FILES_URL}/{version}").replace("{missing}", ", ".join(missing))
    return Bundle(version, _pack(page.encode(), ".html"), files, missing)


def _pack(content: bytes, suffix: str) -> StaticFile:
    etag = f'W/"{hashlib.sha256(content).hexdigest()[:20]}"'
    return StaticFile(content, gzip.compress(content, mtime=0), MEDIA_TYPES[suffix], etag)
