"""Extensions in a folder: each in a folder of its own, told by its manifest.

`<folder>/<any name>/extension.toml` stands beside the module that it names:

    name = "momentum"
    kind = "update_rule"
    version = "1.0.0"
    description = "A rule that keeps going the way it went."
    entry = "momentum:Momentum"
    enabled = true
"""

import importlib
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import replace
from functools import cached_property
from itertools import count
from pathlib import Path
from threading import Thread
from types import ModuleType

import structlog

from core.errors import ConfigurationError
from core.extensions import Facts, Kind, Offer
from core.text import make_storable

MANIFEST = "extension.toml"
NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
ENTRY = re.compile(r"(?P<module>[A-Za-z_]\w*(\.[A-Za-z_]\w*)*):(?P<object>[A-Za-z_]\w*)", re.ASCII)
LONGEST_TEXT = 500
CLOSE_WITHIN_S = 5.0

_REQUIRED = ("name", "kind", "version", "entry")
_NUMBERS = count()  # so that two folders never share a module
_log = structlog.get_logger(__name__)


class ExtensionFolder:
    """The extensions of one folder, for as long as one service runs.

    Args:
        path: holds a folder for each extension, or is the folder of a single one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._package = f"_lattice_extensions_{next(_NUMBERS)}"

    @cached_property
    def offers(self) -> tuple[Offer, ...]:
        """What is there, by the names of the folders; read once, and nothing of it is loaded.

        Raises:
            ConfigurationError: the folder is none, or cannot be read.
        """
        try:
            single = (self.path / MANIFEST).is_file()
            inner = [self.path] if single else sorted(each for each in self.path.iterdir() if not _is_hidden(each))
        except OSError as e:
            raise ConfigurationError(f"{self.path}: is no folder of extensions: {e.strerror}") from e
        return tuple(offer for at, each in enumerate(inner) if (offer := self._offer(each, at)) is not None)

    def close(self) -> None:
        """Close what was loaded, and forget all: the folder is read anew if it is used again.

        What hangs, be it in its loading or in its closing, is left behind after a few seconds.
        """
        closing = Thread(target=_close_all, args=(vars(self).pop("offers", ()),), name="closing", daemon=True)
        closing.start()
        closing.join(CLOSE_WITHIN_S)
        if closing.is_alive():
            _log.warning("extensions_left_behind", folder=str(self.path))
        for name in [name for name in sys.modules if name.startswith(f"{self._package}_")]:
            del sys.modules[name]

    def _offer(self, folder: Path, at: int) -> Offer | None:
        """Return what a folder offers, be it only a fault; None if it has no manifest."""
        name = make_storable(folder.name)  # of bytes that may be no text
        facts = Facts("", name, f"folder {name}", f"folder {name}", in_folder=True)
        module = ""
        try:
            if not (folder / MANIFEST).is_file():
                return None
            told = tomllib.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            facts = _read_manifest(told, facts)
            if not facts.problem:
                module = str(told["entry"])
                facts = replace(facts, problem=_stray(folder, self.path, module))
        except (OSError, ValueError) as e:
            facts = replace(facts, problem=make_storable(f"has a broken {MANIFEST}: {e}"))
        except RecursionError:
            facts = replace(facts, problem=f"has a broken {MANIFEST}: it is nested too deeply")
        return Offer(facts, lambda: _load(f"{self._package}_{at}", folder, module))


_FOLDER: ContextVar[ExtensionFolder | None] = ContextVar("extension_folder", default=None)


def use(folder: ExtensionFolder | None) -> None:
    """Let a folder count for what is called from now on in this context; None leaves packages alone."""
    _FOLDER.set(folder)


@contextmanager
def using(folder: ExtensionFolder | None) -> Iterator[None]:
    """Let a folder count for what is called within; None leaves packages alone."""
    token = _FOLDER.set(folder)
    try:
        yield
    finally:
        _FOLDER.reset(token)


def folder_offers(group: str | None = None) -> list[Offer]:
    """Return what the folder of this context offers, in one group or in all, broken manifests included."""
    folder = _FOLDER.get()
    offers = () if folder is None else folder.offers
    return [offer for offer in offers if group is None or offer.facts.group == group]


def _close_all(offers: Iterable[Offer]) -> None:
    for offer in offers:
        offer.close()


def _is_hidden(path: Path) -> bool:
    return path.name.startswith((".", "__"))


def _read_manifest(told: Mapping[str, object], facts: Facts) -> Facts:
    """Return what a manifest says, as far as it can be used, with the first thing that is wrong with it."""
    name, kind, entry = told.get("name"), told.get("kind"), told.get("entry")
    if isinstance(name, str) and NAME.fullmatch(name):
        facts = replace(facts, name=name)
    if isinstance(kind, str) and kind in list(Kind):
        facts = replace(facts, group=Kind(kind).group)
    for problem in _faults_of(told):
        return replace(facts, problem=f"has a broken {MANIFEST}: {problem}")
    return replace(
        facts,
        value=f"{entry} of {facts.origin}",
        version=str(told["version"]),
        description=str(told.get("description", "")),
        enabled=bool(told.get("enabled", True)),
    )


def _faults_of(told: Mapping[str, object]) -> Iterator[str]:
    """Yield what is wrong with a manifest; a later fault may be there only because of an earlier one."""
    texts = (*_REQUIRED, "description")
    yield from (f"{key} is not known" for key in sorted(told.keys() - {*texts, "enabled"}))
    yield from (f"{key} is required" for key in _REQUIRED if key not in told)
    for key in texts:
        text = told.get(key, "-")
        if not isinstance(text, str) or not 0 < len(text) <= LONGEST_TEXT:
            yield f"{key} must be a text of 1 to {LONGEST_TEXT} characters"
    if not NAME.fullmatch(str(told["name"])):
        yield f"name must begin with a small letter, then small letters, digits, _ or -, not {told['name']!r}"
    if told["kind"] not in list(Kind):
        yield f"kind must be one of {', '.join(Kind)}, not {told['kind']!r}"
    if not ENTRY.fullmatch(str(told["entry"])):
        yield f'entry must be like "module:Object", a module of its folder, not {told["entry"]!r}'
    if not isinstance(told.get("enabled", True), bool):
        yield "enabled must be true or false"


def _stray(folder: Path, root: Path, entry: str) -> str:
    """Return what is wrong with where the entry's module lies; links are followed. Empty if nothing is."""
    module = folder.joinpath(*entry.partition(":")[0].split("."))
    candidates = (module / "__init__.py", module.with_name(f"{module.name}.py"))
    file = next((each for each in candidates if each.is_file()), None)
    if file is None:
        return f"has no {candidates[1].relative_to(folder)}, which its entry names"
    home = folder.resolve()
    if not home.is_relative_to(root.resolve()) or not file.resolve().is_relative_to(home):
        return "has an entry that leaves the folder"
    return ""


def _load(package: str, folder: Path, entry: str) -> object:
    """Return the object of an entry; its folder is a package of its own, so `from .other import …` works in it."""
    module, _, name = entry.partition(":")
    parent = ModuleType(package)
    parent.__path__ = [str(folder)]
    sys.modules[package] = parent
    importlib.invalidate_caches()
    try:
        return getattr(importlib.import_module(f"{package}.{module}"), name)
    except BaseException:
        with suppress(KeyError):
            del sys.modules[package]
        raise
