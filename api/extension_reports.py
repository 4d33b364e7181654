"""What extensions there are, of every kind."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from api.domain_models import DOMAIN_MODELS
from api.integrations import INTEGRATIONS
from api.parameters import Parameter, list_parameters, summarise
from axiom.simulation import EVENTS, RULES
from core.errors import ConfigurationError, ExtensionNotFoundError
from core.extensions import Kind
from core.registry import Listing, Registry, list_broken_manifests
from llm_router import PROVIDERS

REGISTRIES: Mapping[Kind, Registry[Any]] = {
    Kind.UPDATE_RULE: RULES,
    Kind.EVENT_HANDLER: EVENTS,
    Kind.INTEGRATION: INTEGRATIONS,
    Kind.DOMAIN_MODEL: DOMAIN_MODELS,
    Kind.PROVIDER: PROVIDERS,
}


def list_extensions(kind: Kind | None = None) -> list[Listing]:
    """Return all extensions, or those of one kind, by kind and name; nothing is loaded.

    Folders whose manifest does not even say a kind come last, unless a kind is asked for.
    """
    kinds = list(Kind) if kind is None else [kind]
    found = [listing for each in kinds for listing in REGISTRIES[each].describe()]
    return found if kind is not None else [*found, *list_broken_manifests()]


@dataclass(frozen=True, slots=True)
class Description:
    """All there is to know of an extension that is loaded, or why it is not.

    Attributes:
        listing: how it stands, with a problem if it cannot be loaded.
        description: in a sentence.
        parameters: of a rule, detector or domain model.
    """

    listing: Listing
    description: str
    parameters: tuple[Parameter, ...]


def describe_extensions(name: str) -> list[Description]:
    """Return the extensions of a name, of whatever kind, loaded for it.

    Raises:
        ExtensionNotFoundError: there is none.
    """
    found = [_describe(each) for each in list_extensions() if each.name == name]
    if not found:
        raise ExtensionNotFoundError(f"no extension is named {name!r}; list them to see which there are")
    return found


def _describe(listing: Listing) -> Description:
    if listing.kind is None:
        return Description(listing, listing.description, ())
    registry = REGISTRIES[listing.kind]
    try:
        thing = registry.get(listing.name)
    except ConfigurationError as e:
        return Description(replace(_again(registry, listing), problem=e.message), listing.description, ())
    now = _again(registry, listing)
    return Description(now, listing.description or summarise(thing), list_parameters(thing))


def _again(registry: Registry[Any], listing: Listing) -> Listing:
    """Return how an extension stands now that its code has run."""
    return next(each for each in registry.describe() if (each.name, each.origin) == (listing.name, listing.origin))
