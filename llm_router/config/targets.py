"""Targets: one model behind one address each, and what it can do."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from urllib.parse import urlsplit

from llm_router.config.checks import dotted, is_positive, is_price, name_all
from llm_router.prices import Prices
from llm_router.target import Clocks

EXTRACTIVE = "extractive"
SCRIPTED = "scripted"
REPLAY = "replay"

PARAMETERS = frozenset({"temperature", "top_p", "stop", "seed", "effort"})


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a target can do. What is not known is assumed, so that an unknown model is tried rather than passed over.

    Attributes:
        context_tokens: prompt and answer together; None if not known.
        max_output_tokens: of one answer; None if not known.
        tools: calls tools.
        schema: gives answers in the form of a JSON schema.
        vision: sees images.
        streaming: gives its answer in pieces; without it, a stream is one piece.
        refuses: the sampling parameters that it does not take, out of `PARAMETERS`.
    """

    context_tokens: int | None = None
    max_output_tokens: int | None = None
    tools: bool = True
    schema: bool = True
    vision: bool = True
    streaming: bool = True
    refuses: frozenset[str] = frozenset()

    def list_problems(self) -> Iterator[str]:
        """Yield what is wrong with these values, each in one phrase."""
        for name in ("context_tokens", "max_output_tokens"):
            count = getattr(self, name)
            if count is not None and count < 1:
                yield f"{name}: must be at least 1"
        for unknown in sorted(self.refuses - PARAMETERS):
            yield f"refuses: {unknown!r} is no parameter; known are {name_all(PARAMETERS)}"


@dataclass(frozen=True, slots=True)
class TargetConfig:
    """One model behind one address.

    Attributes:
        name: unique in the router; what attempts and replies say.
        provider: the name of an adapter, such as "openai", "anthropic" or "extractive".
        model: as the provider names it; `extractive` needs none.
        base_url: None is the provider's own address; for "openai" it usually ends in /v1, for "anthropic" it does not.
        api_key: empty for a server that asks for none.
        api_key_header: sends the key under this name instead of the provider's own, as Azure wants it.
        headers: sent with each request; never a secret.
        query: added to each address, such as an api-version.
        clocks: how long an attempt may take.
        capabilities: what the model can do.
        prices: None if not known.
        legacy_max_tokens: send `max_tokens` to a compatible server that does not know `max_completion_tokens`.
        cassette: the recording that the provider "replay" answers from.
        wire: the provider whose wire a cassette holds.
    """

    name: str
    provider: str
    model: str = ""
    base_url: str | None = None
    api_key: str = field(default="", repr=False)
    api_key_header: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    clocks: Clocks = field(default_factory=Clocks)
    capabilities: Capabilities = field(default_factory=Capabilities)
    prices: Prices | None = None
    legacy_max_tokens: bool = False
    cassette: str | None = None
    wire: str = "openai"

    @property
    def credential(self) -> str:
        """What targets of one key share: a digest, safe to keep and to compare."""
        told = "\0".join((self.provider, self.base_url or "", self.api_key))
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    def list_problems(self) -> Iterator[str]:
        """Yield what is wrong with these values, each with its place in the configuration."""
        where = dotted("targets", self.name)
        if not self.name:
            yield f"{where}: needs a name"
        if not self.model and self.provider not in {EXTRACTIVE, SCRIPTED}:
            yield f"{where}.model: is needed"
        if self.provider == REPLAY and not self.cassette:
            yield f"{where}.cassette: is needed by the provider {REPLAY}"
        if self.base_url is not None and not _is_address(self.base_url):
            yield f"{where}.base_url: must begin with http:// or https://, name a host, and hold no user or password"
        yield from self._list_header_problems(where)
        for clock in fields(self.clocks):
            if not is_positive(getattr(self.clocks, clock.name)):
                yield f"{where}.clocks.{clock.name}: must be a positive number"
        if self.prices is not None and not all(is_price(price) for price in self.prices.amounts()):
            yield f"{where}.prices: must be numbers from 0 to a billion"
        yield from (f"{where}.capabilities.{problem}" for problem in self.capabilities.list_problems())

    def _list_header_problems(self, where: str) -> Iterator[str]:
        if not _is_header_text(self.api_key):
            yield f"{where}.api_key: has characters that no HTTP header can carry"
        if self.api_key_header is not None and not _HEADER_NAME.fullmatch(self.api_key_header):
            yield f"{where}.api_key_header: is no name of an HTTP header"
        for name, text in self.headers.items():
            place = dotted("targets", self.name, "headers", name)
            if not _HEADER_NAME.fullmatch(name):
                yield f"{place}: is no name of an HTTP header"
            if not _is_header_text(text):
                yield f"{place}: has characters that no HTTP header can carry"


_HEADER_NAME = re.compile(r"[0-9A-Za-z!#$%&'*+.^_`|~-]+")


def _is_header_text(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:  # a bracket without its other half
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc
