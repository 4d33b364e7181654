"""Extensions of one kind: by entry point and by folder, named, loaded when they are first asked for."""

from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar, cast

from core.errors import ConfigurationError
from core.extension_folder import folder_offers
from core.extensions import Facts, Kind, Offer, State

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Listing:
    """One extension as it stands; nothing is loaded for it.

    Attributes:
        kind: None where a broken manifest does not say.
        name: what it is asked for by.
        version: its own, or its package's.
        description: in a sentence; empty where it comes with a package.
        origin: the package with its version, or the folder.
        state: `ready` is not loaded yet, `off` is switched off.
        problem: why it cannot be used; empty if nothing is known against it.
        in_folder: whether a folder offers it.
    """

    kind: Kind | None
    name: str
    version: str
    description: str
    origin: str
    state: State
    problem: str
    in_folder: bool


class Registry(Generic[T]):
    """What packages, and the folder of extensions that counts in a context, offer in one group.

    Args:
        group: the group's name, such as "lattice.providers".
        noun: what one of them is called in messages.
        kind: what each must be an instance of; None does not look.
    """

    def __init__(self, group: str, noun: str, kind: type[T] | None = None) -> None:
        self._group = group
        self._noun = noun
        self._kind = kind

    def names(self) -> list[str]:
        """Return the names that can be asked for, sorted; nothing is loaded."""
        return sorted({offer.facts.name for offer in self._all() if offer.state in {"ready", "loaded"}})

    def get(self, name: str) -> T:
        """Return the extension of this name, loaded.

        Raises:
            ConfigurationError: none is known by the name, it is switched off, it does not load, it is something else,
                or two claim the name.
        """
        offers = [offer for offer in self._all() if offer.facts.name == name]
        if not offers:
            known = ", ".join(self.names()) or "none"
            raise ConfigurationError(f"{self._noun} {name!r} is unknown; known are {known}")
        try:
            offer = _only(offers)
            loaded = offer.get()
        except LookupError as e:
            raise ConfigurationError(f"{self._noun} {name!r} {e.args[0]}") from e
        if self._kind is not None and not isinstance(loaded, self._kind):
            raise ConfigurationError(f"{self._noun} {name!r} is no {self._kind.__name__}: {offer.facts.value}")
        return cast("T", loaded)

    def close(self, name: str) -> str:
        """Close what is loaded by a name, which ends its use; return what went wrong with that, empty if nothing."""
        return next((problem for offer in self._all() if offer.facts.name == name and (problem := offer.close())), "")

    def describe(self) -> list[Listing]:
        """Return how each stands, by name, those that are switched off or broken included; nothing is loaded."""
        offers = self._all()
        namesakes = {offer: [each for each in offers if each.facts.name == offer.facts.name] for offer in offers}
        return sorted(
            (_describe(offer, namesakes[offer]) for offer in offers), key=lambda each: (each.name, each.origin)
        )

    def _all(self) -> list[Offer]:
        return [*self._installed, *folder_offers(self._group)]

    @cached_property
    def _installed(self) -> list[Offer]:
        """What packages offer; one that is found twice offers the same."""
        points = {(point.name, point.value): point for point in entry_points(group=self._group)}
        return [Offer(_facts_of(point), point.load) for point in points.values()]


def list_broken_manifests() -> list[Listing]:
    """Return what the folder of this context has whose manifest does not even say a kind."""
    return [_describe(offer, [offer]) for offer in folder_offers("")]


def _only(offers: list[Offer]) -> Offer:
    """Return the one that counts among offers of one name.

    Raises:
        LookupError: two of them claim it.
    """
    claims = [offer for offer in offers if offer.facts.enabled] or offers
    if len(claims) > 1:  # of this name alone: a clash of others is no reason not to work
        raise LookupError(_clash(claims))
    return claims[0]


def _clash(claims: list[Offer]) -> str:
    offered = " and ".join(sorted(offer.facts.value for offer in claims))
    if any(offer.facts.in_folder for offer in claims):
        return f"is offered twice: {offered}; remove or rename one"
    return f"is offered by two packages: {offered}; remove one"


def _describe(offer: Offer, namesakes: list[Offer]) -> Listing:
    facts, state, problem = offer.facts, offer.state, offer.problem
    claims = [each for each in namesakes if each.facts.enabled]
    if state != "off" and len(claims) > 1:
        state, problem = "broken", _clash(claims)
    kind = next((each for each in Kind if each.group == facts.group), None)
    shown = "" if state == "off" else problem
    return Listing(kind, facts.name, facts.version, facts.description, facts.origin, state, shown, facts.in_folder)


def _facts_of(point: EntryPoint) -> Facts:
    version = "" if point.dist is None else point.dist.version
    origin = "" if point.dist is None else f"{point.dist.name} {version}"
    return Facts(point.group, point.name, point.value, origin, version)
