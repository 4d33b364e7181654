"""Extensions over the wire."""

from dataclasses import replace
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from api.extension_reports import Description
from api.schemas.wire import ParameterView, View
from core.registry import Listing

KindName = Literal["update_rule", "event_handler", "integration", "domain_model", "provider"]


class ExtensionView(View, frozen=True, kw_only=True):
    """An extension as it stands in the process that answers."""

    kind: Annotated[KindName | None, Meta(description="What it extends; null if its manifest does not say.")]
    name: Annotated[str, Meta(description="What it is asked for by.")]
    version: Annotated[str, Meta(description="Its own, or its package's.")]
    description: Annotated[str, Meta(description="In a sentence; empty for those of packages.")]
    origin: Annotated[str, Meta(description="The package with its version, or the folder.")]
    state: Annotated[
        Literal["ready", "loaded", "off", "broken"],
        Meta(description="`ready` is not loaded yet: that happens when it is first used."),
    ]
    problem: Annotated[str | None, Meta(description="Why it cannot be used, as far as this is known without loading.")]


class ExtensionList(View, frozen=True, kw_only=True):
    """Every extension, built-in ones included."""

    items: Annotated[list[ExtensionView], Meta(description="By kind and name.")]


def to_extension(listing: Listing) -> ExtensionView:
    """Return an extension as it is shown."""
    return ExtensionView(
        kind=None if listing.kind is None else listing.kind.value,
        name=listing.name,
        version=listing.version,
        description=listing.description,
        origin=listing.origin,
        state=listing.state,
        problem=listing.problem or None,
    )


class ExtensionDetail(View, frozen=True, kw_only=True):
    """An extension that was loaded to be shown."""

    extension: Annotated[ExtensionView, Meta(description="How it stands.")]
    parameters: Annotated[list[ParameterView], Meta(description="What a rule, detector or domain model takes.")]


class ExtensionDetails(View, frozen=True, kw_only=True):
    """The extensions of one name; there is one of each kind at the most."""

    items: Annotated[list[ExtensionDetail], Meta(description="By kind.")]


def to_details(found: Description) -> ExtensionDetail:
    """Return an extension with its parameters as it is shown."""
    return ExtensionDetail(
        extension=to_extension(replace(found.listing, description=found.description)),
        parameters=msgspec.convert(found.parameters, list[ParameterView], from_attributes=True),
    )
