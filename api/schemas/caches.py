"""The caches of the process over the wire."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta

from api.schemas.wire import View
from api.service import Service

LOOKUPS = "lattice_llm_cache_lookups_total"


class CacheView(View, frozen=True, kw_only=True):
    """A cache of this process, as it stands. Its counts began with the process."""

    name: Annotated[str, Meta(description="`simulations`, `resonance` (recall), `answers` or `embeddings` (of LLMs).")]
    entries: Annotated[int, Meta(description="How many it keeps.")]
    most: Annotated[int, Meta(description="How many it may keep.")]
    bytes: Annotated[int | None, Meta(description="How large they are; null where that is not reckoned.")]
    most_bytes: Annotated[int | None, Meta(description="How large they may be; null where that is not limited.")]
    ttl_s: Annotated[float | None, Meta(description="How long each is kept, in seconds; null where it is not limited.")]
    hits: Annotated[int, Meta(description="Requests that found what they looked for.")]
    misses: Annotated[int, Meta(description="Requests that did not.")]
    hit_ratio: Annotated[float | None, Meta(description="hits / (hits + misses); null before the first request.")]


class CachesView(View, frozen=True, kw_only=True):
    """All caches of this process."""

    caches: Annotated[list[CacheView], Meta(description="Those that are switched on.")]


def list_caches(service: Service) -> CachesView:
    """Return the caches as they stand."""
    return CachesView(caches=list(_look(service)))


def _look(service: Service) -> Iterator[CacheView]:
    for name, cache in (("simulations", service.simulations.cache), ("resonance", service.recall.cache)):
        yield CacheView(
            name=name,
            entries=len(cache),
            most=cache.entries,
            bytes=cache.bytes_held,
            most_bytes=cache.most_bytes,
            ttl_s=getattr(cache, "ttl_s", None),
            hits=cache.hits,
            misses=cache.misses,
            hit_ratio=_ratio(cache.hits, cache.misses),
        )
    llm = service.llm
    if llm.cache is not None:
        yield _view_llm(service, "answers", len(llm.cache), llm.cache.size, llm.cache.ttl_s)
    if llm.embedding is not None and llm.embedding.most_kept:
        yield _view_llm(service, "embeddings", llm.embedding.kept, llm.embedding.most_kept)


def _view_llm(service: Service, name: str, entries: int, most: int, ttl_s: float | None = None) -> CacheView:
    """Return a cache of the router's, whose lookups are counted in the metrics."""
    hits, misses = (
        int(service.metrics_registry.get_sample_value(LOOKUPS, {"cache": name, "hit": hit}) or 0)
        for hit in ("true", "false")
    )
    return CacheView(
        name=name,
        entries=entries,
        most=most,
        bytes=None,
        most_bytes=None,
        ttl_s=ttl_s,
        hits=hits,
        misses=misses,
        hit_ratio=_ratio(hits, misses),
    )


def _ratio(hits: int, misses: int) -> float | None:
    return hits / (hits + misses) if hits + misses else None
