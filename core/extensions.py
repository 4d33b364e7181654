"""Extensions: code of others that joins ours by name.

One is offered by a package that is installed, as an entry point of its kind's group, or by a folder of the operator's
(`core.extension_folder`). `core.registry.Registry(group, noun).get(name)` finds both. What is offered is known without
a line of its code having run; the code is loaded when it is first asked for, and a broken one fails alone.

Which folder counts is a matter of context, not of the process: `with using(ExtensionFolder(path)):` holds for what is
called within it, in tasks and threads started there too, so several applications in one process, and tests, each have
their own. Without one there are only packages. Whoever resolves names deep inside, as the rulebook of simulations does,
calls `Registry.get` and needs to know nothing of this.

The code of an extension runs with all rights of the process. It comes from packages and from the folder that the
operator names, never from a request.
"""

import atexit
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from threading import RLock
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import structlog

from core.text import make_storable

State = Literal["ready", "loaded", "off", "broken"]

OFF = "is switched off"
LONGEST_FAULT = 500
HOOKS = ("name", "version", "enabled", "initialize", "get_metadata", "close")  # what `Extension` has

_log = structlog.get_logger(__name__)


class Kind(StrEnum):
    """What an extension extends."""

    UPDATE_RULE = "update_rule"
    EVENT_HANDLER = "event_handler"
    INTEGRATION = "integration"
    DOMAIN_MODEL = "domain_model"
    PROVIDER = "provider"

    @property
    def group(self) -> str:
        """The group of entry points in which packages offer it."""
        return f"lattice.{self}s"

    @property
    def noun(self) -> str:
        """What one of them is called in messages."""
        return self.replace("_", " ")

    @property
    def needs(self) -> tuple[str, ...]:
        """What its users call, so that whatever lacks it is refused before it is used."""
        match self:
            case Kind.UPDATE_RULE:
                return ("from_dict", "to_dict")
            case Kind.EVENT_HANDLER:
                return ("from_dict", "to_dict", "variables", "detect")
            case Kind.DOMAIN_MODEL:
                return ("from_dict", "scenario")
            case Kind.INTEGRATION:
                return ("deliver",)
            case Kind.PROVIDER:
                return ()  # their registry knows their class


@runtime_checkable
class Extension(Protocol):
    """What an object that a folder offers must have; a class may be such an object itself, as one of `Plugin` is.

    Attributes:
        name: the one under which it is offered.
        version: its own; the manifest says the same.
        enabled: False takes it out of use.
    """

    name: str
    version: str
    enabled: bool

    def initialize(self) -> None:
        """Get ready: called once, before the first use."""
        ...

    def get_metadata(self) -> Mapping[str, object]:
        """Return what there is to know about it, JSON values; `trial` may hold the parameters of a trial."""
        ...

    def close(self) -> None:
        """Give back what `initialize` took; called when the service ends."""
        ...


class Plugin:
    """Defaults for extensions that are classes, made as often as they are used: rules, detectors, domain models.

    A rule is `@dataclass(frozen=True, slots=True) class Momentum(Plugin, Rule)` with its parameters as fields.
    """

    __slots__ = ()
    name: ClassVar[str] = ""
    version: ClassVar[str] = "1.0.0"
    enabled: ClassVar[bool] = True

    @classmethod
    def initialize(cls) -> None:
        """Get ready: called once, before the first use."""

    @classmethod
    def get_metadata(cls) -> Mapping[str, object]:
        """Return what there is to know about it, JSON values; `trial` may hold the parameters of a trial."""
        return {}

    @classmethod
    def close(cls) -> None:
        """Give back what `initialize` took."""


class Integration:
    """Tells another system what happened; the class is offered, and made once, without arguments."""

    name: ClassVar[str] = ""
    version: ClassVar[str] = "1.0.0"
    enabled: ClassVar[bool] = True

    def initialize(self) -> None:
        """Get ready: called once, before the first delivery."""

    def get_metadata(self) -> Mapping[str, object]:
        """Return what there is to know about it, JSON values."""
        return {}

    def close(self) -> None:
        """Give back what `initialize` took."""

    def deliver(self, happening: Mapping[str, object], /) -> None:
        """Pass on what happened; called in a thread of its own, one happening after the other.

        Args:
            happening: `happening` names its kind, the rest are JSON values about it.
        """
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an extension before its code runs.

    Attributes:
        group: its kind's group of entry points; empty where a manifest does not say.
        name: what it is asked for by.
        value: which object it is; the same value is the same extension, found twice.
        origin: the package with its version, or the folder.
        version: its own, or its package's.
        description: in a sentence.
        enabled: False if its manifest takes it out of use.
        problem: why it cannot be used, as far as this is known yet.
        in_folder: whether a manifest tells all this; the object must agree with it then.
    """

    group: str
    name: str
    value: str
    origin: str
    version: str = ""
    description: str = ""
    enabled: bool = True
    problem: str = ""
    in_folder: bool = False


@dataclass(eq=False, slots=True)
class Offer:
    """An extension that can be had.

    Args:
        facts: what is known of it.
        fetch: run its code and return the object it offers.
    """

    facts: Facts
    _fetch: Callable[[], object]
    _problem: str = ""
    _loaded: list[Any] = field(default_factory=list)
    _lock: RLock = field(default_factory=RLock)

    @property
    def problem(self) -> str:
        """Why it cannot be used; empty if nothing is known against it."""
        return self._problem or self.facts.problem or ("" if self.facts.enabled else OFF)

    @property
    def state(self) -> State:
        """How it stands, without its code being run for the answer."""
        if self.problem:
            return "off" if self.problem == OFF else "broken"
        return "loaded" if self._loaded else "ready"

    def get(self) -> object:
        """Return the object, loaded and initialised once. What failed once is not tried again.

        Raises:
            LookupError: it cannot be used; says why.
        """
        with self._lock:
            if not self._loaded and self.state == "ready":
                self._load()
            if self.problem:
                raise LookupError(self.problem)
            return self._loaded[0]

    def close(self) -> str:
        """Close it if it was initialised, which ends its use; return what went wrong with that, empty if nothing."""
        with self._lock:
            if not self._loaded or not isinstance(self._loaded[0], Extension):
                return ""
            thing = self._loaded.pop()
            self._problem = "is closed"
        try:
            thing.close()
        except (Exception, SystemExit) as e:  # noqa: BLE001 - it is somebody else's code, and may fail in any way
            problem = f"does not close: {tell_fault(e)}"
            _log.warning("extension_close_failed", extension=self.facts.name, problem=problem)
            return problem
        return ""

    def _load(self) -> None:
        try:
            thing = self._fetch()
            if isinstance(thing, type) and issubclass(thing, Integration):
                thing = thing()
            self._problem = _misfit(thing, self.facts)
            if not self._problem and isinstance(thing, Extension):
                thing.initialize()
        except (Exception, SystemExit) as e:  # noqa: BLE001 - it is somebody else's code, and may fail in any way
            self._problem = f"does not load: {tell_fault(e)}"
        if self._problem not in {"", OFF}:
            _log.warning("extension_broken", extension=self.facts.name, origin=self.facts.origin, problem=self._problem)
        if not self._problem:
            self._loaded.append(thing)
            if not self.facts.in_folder and isinstance(thing, Extension):  # packages stay for as long as the process
                atexit.register(self.close)


def tell_fault(error: BaseException) -> str:
    """Return in words what somebody else's code raised: text that can be stored, of any length or none though it be."""
    try:
        text = str(error)[:LONGEST_FAULT]
    except Exception:  # noqa: BLE001 - its own __str__ may fail in any way
        return type(error).__name__
    return make_storable(f"{type(error).__name__}: {text}")


def _misfit(thing: object, facts: Facts) -> str:
    """Return why an object is not the extension that was announced; empty if it is."""
    kind = next((each for each in Kind if each.group == facts.group), None)
    needs = (*(HOOKS if facts.in_folder else ()), *(kind.needs if kind else ()))
    missing = ", ".join(each for each in needs if not hasattr(thing, each))
    if missing:
        return f"is no {kind.noun if kind else 'extension'}: {facts.value} lacks {missing}"
    if not isinstance(thing, Extension):
        return ""
    if thing.enabled is False:
        return OFF
    if thing.name != facts.name:
        return f"calls itself {thing.name!r}"
    if facts.in_folder and thing.version != facts.version:
        return f"has version {thing.version!r}, its manifest says {facts.version!r}"
    return ""
