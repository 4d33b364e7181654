"""A new extension that works, to be changed: manifest, module and test."""

from importlib.resources import files
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory

from core.errors import InvalidInputError
from core.extension_folder import MANIFEST
from core.extensions import Kind

DESCRIPTIONS = {
    Kind.UPDATE_RULE: "Goes a share of the way to a target at each step.",
    Kind.EVENT_HANDLER: "Notices where a series is highest.",
    Kind.INTEGRATION: "Writes each finished simulation into a file.",
    Kind.DOMAIN_MODEL: "Attention after a campaign.",
}


def write_skeleton(kind: Kind, name: str, folder: Path) -> Path:
    """Write an extension into a new folder of its name, whole or not at all; return that folder.

    Args:
        kind: one of DESCRIPTIONS.
        name: a Python name in small letters.
        folder: where extensions are; it is made if it is not there.

    Raises:
        InvalidInputError: there is such a folder already, or it cannot be written.
    """
    words = {
        "kind": kind.value,
        "name": name,
        "title": "".join(part.capitalize() for part in name.split("_")),
        "constant": name.upper(),
        "description": DESCRIPTIONS[kind],
    }
    made = folder / name
    if made.exists():
        raise InvalidInputError("NAME", f"{made} is there already")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".new-", dir=folder) as place:
            started = Path(place) / name
            started.mkdir()
            _write(words, f"{MANIFEST}.txt", started / MANIFEST)
            _write(words, f"{kind}.py.txt", started / f"{name}.py")
            _write(words, f"test_{kind}.py.txt", started / f"test_{name}.py")
            started.rename(made)
    except OSError as e:
        raise InvalidInputError("--folder", f"{folder} cannot be written: {e.strerror}") from e
    return made


def _write(words: dict[str, str], skeleton: str, file: Path) -> None:
    text = (files("api.cli") / "skeletons" / skeleton).read_text(encoding="utf-8")
    file.write_text(Template(text).substitute(words), encoding="utf-8")
