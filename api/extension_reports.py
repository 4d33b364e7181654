"""What extensions there are, of every kind."""

from collections.abc import Mapping
from typing import Any

from api.domain_models import DOMAIN_MODELS
from api.integrations import INTEGRATIONS
from axiom.simulation import EVENTS, RULES
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
