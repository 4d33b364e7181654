"""Extensions by entry point: named, loaded when they are first asked for."""

from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar, cast

from core.errors import ConfigurationError

T = TypeVar("T")


class Registry(Generic[T]):
    """What packages offer under one entry-point group.

    Args:
        group: the group's name, such as "lattice.providers".
        noun: what one of them is called in messages.
        kind: what each must be an instance of; None does not look.
    """

    def __init__(self, group: str, noun: str, kind: type[T] | None = None) -> None:
        self._group = group
        self._noun = noun
        self._kind = kind
        self._loaded: dict[str, T] = {}

    def names(self) -> list[str]:
        """Return all names, sorted; nothing is loaded."""
        return sorted(self._points)

    def get(self, name: str) -> T:
        """Return the extension of this name, loaded.

        Raises:
            ConfigurationError: none is known by the name, it does not load, it is something else, or two packages
                claim the name.
        """
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def _load(self, name: str) -> T:
        points = self._points.get(name)
        if not points:
            known = ", ".join(self.names()) or "none"
            raise ConfigurationError(f"{self._noun} {name!r} is unknown; known are {known}")
        if len(points) > 1:  # of this name alone: a clash of others is no reason not to work
            offers = " and ".join(sorted(points))
            raise ConfigurationError(f"{self._noun} {name!r} is offered by two packages: {offers}; remove one")
        ((value, point),) = points.items()
        try:
            loaded = point.load()
        except Exception as e:  # it is somebody else's code, and may fail in any way
            raise ConfigurationError(f"{self._noun} {name!r} does not load: {type(e).__name__}: {e}") from e
        if self._kind is not None and not isinstance(loaded, self._kind):
            raise ConfigurationError(f"{self._noun} {name!r} is no {self._kind.__name__}: {value}")
        return cast("T", loaded)

    @cached_property
    def _points(self) -> dict[str, dict[str, EntryPoint]]:
        """By name and then by what is offered; a package that is found twice offers the same."""
        points: dict[str, dict[str, EntryPoint]] = {}
        for point in entry_points(group=self._group):
            points.setdefault(point.name, {})[point.value] = point
        return points
