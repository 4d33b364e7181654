"""Links: from the best passages of a question to others that name the same, by mentions."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from knowledge.graph.mentions import NAME, TITLE, WORDING, index_order
from knowledge.graph.rows import Connection, fetch, load

FORWARD = 0.7  # from a text to the document whose title it says
BACK = 0.35
ALIKE = 0.5  # times the rarity of what both name
MOST_DF = 50  # what more passages name tells nothing, however large the gem

MOST_ALIKE = 50  # links in one direction from one passage to others that are alike

_SQL = load("mentions.sql")
_RESONANCE = load("resonance.sql")


@dataclass(frozen=True, slots=True)
class Link:
    """A weighted edge between two passages, each by its gem and slot."""

    source: tuple[UUID, int]
    target: tuple[UUID, int]
    weight: float


@dataclass(frozen=True, slots=True)
class Shared:
    """An entity that seeds mention.

    Attributes:
        seeds: slots of the seeds by the role of their mention.
        slots: those of the passages that may be linked to, by role: of each the first, `bound_df` and one more.
    """

    gem_id: UUID
    seeds: dict[int, list[int]] = field(default_factory=dict)
    slots: dict[int, list[int]] = field(default_factory=dict)


def bound_df(passages: int) -> int:
    """Return how many of a gem's passages may mention what links them: 2%, at least 10, at most MOST_DF."""
    return min(max(10, passages // 50), MOST_DF)


async def fetch_links(
    conn: Connection,
    seeds: Sequence[tuple[UUID, int]],
    passages: Mapping[UUID, int],
    most: int = 200,
    *,
    as_of: datetime | None = None,
    resonance: float = 0.0,
) -> list[Link]:
    """Return the strongest links from some passages, in one query.

    Args:
        conn: a connection in a transaction.
        seeds: passages as (gem, slot).
        passages: how many each of their gems holds.
        most: links at most.
        as_of: only passages that stood at this moment are linked to; None for now.
        resonance: how much it adds to the weight that passages are alike, times their cosine; 0 spares the query, and
            is what recall does (docs/graph.md, "Passages that are alike").
    """
    if not seeds:
        return []
    gem_ids, slots = zip(*dict.fromkeys(seeds), strict=True)
    mosts = [bound_df(passages[gem_id]) for gem_id in gem_ids]
    values = {"gem_ids": list(gem_ids), "slots": list(slots), "mosts": mosts, "as_of": as_of}
    shared: dict[tuple[UUID, UUID], Shared] = {}
    async with index_order(conn):
        rows = await fetch(conn, _SQL["fetch_links"], values)
    for row in rows:
        each = shared.setdefault((row["gem_id"], row["entity_id"]), Shared(row["gem_id"]))
        each.seeds[row["role"]], each.slots[row["role"]] = row["seeds"], row["slots"]
    links = weigh_links(shared.values(), passages, most)
    if not resonance:
        return links
    return add_links(links, await fetch_resonance(conn, seeds, as_of=as_of), resonance, most)


async def fetch_resonance(
    conn: Connection, seeds: Sequence[tuple[UUID, int]], *, as_of: datetime | None = None
) -> list[Link]:
    """Return the links from some passages to others that are alike, in either direction, weighed by their cosine.

    Only links that were made are there: see knowledge.graph.resonance.
    """
    gem_ids, slots = [gem_id for gem_id, _ in seeds], [slot for _, slot in seeds]
    values = {"gem_ids": gem_ids, "slots": slots, "most": MOST_ALIKE, "as_of": as_of}
    links = [
        Link((row["gem_id"], row["slot"]), (row["gem_id"], row["target"]), row["cosine"])
        for row in await fetch(conn, _RESONANCE["fetch_resonance"], values)
    ]
    return sorted(links, key=_strongest)


def add_links(links: Iterable[Link], others: Iterable[Link], weight: float, most: int) -> list[Link]:
    """Return the strongest of both, the weights of the others times `weight`; those of the same ends add."""
    ends = {(link.source, link.target): link.weight for link in links}
    for link in others:
        key = (link.source, link.target)
        ends[key] = ends.get(key, 0.0) + weight * link.weight
    return sorted((Link(*key, total) for key, total in ends.items()), key=_strongest)[:most]


def weigh_links(shared: Iterable[Shared], passages: Mapping[UUID, int], most: int) -> list[Link]:
    """Weigh what seeds and other passages share; the strongest links first, ties by place.

    A text that says a document's title is linked to its passages by FORWARD, and they to it by BACK, unless more
    than `bound_df` texts say it. Two passages are linked by ALIKE · min(1, Σ ln(n/df) / ln n) over the entities that
    both name or have as a title, and that 2 to `bound_df` of the n passages do. Both kinds add.

    Source:
        The weights were measured on multi-hop questions; see docs/recall.md.
    """
    titled: dict[tuple[UUID, int, int], float] = {}
    alike: dict[tuple[UUID, int, int], float] = {}
    for each in shared:
        n = passages[each.gem_id]
        for source, target, weight in _title_edges(each, bound_df(n)):
            key = (each.gem_id, source, target)
            titled[key] = max(titled.get(key, 0.0), weight)
        for source, target, weight in _entity_edges(each, n):
            key = (each.gem_id, source, target)
            alike[key] = alike.get(key, 0.0) + weight
    links = [
        Link((gem_id, source), (gem_id, target), titled.get(key, 0.0) + ALIKE * min(1.0, alike.get(key, 0.0)))
        for key in titled.keys() | alike.keys()
        for gem_id, source, target in (key,)
    ]
    return sorted(links, key=_strongest)[:most]


def _strongest(link: Link) -> tuple[float, tuple[UUID, int], tuple[UUID, int]]:
    return -link.weight, link.source, link.target


def _title_edges(shared: Shared, bound: int) -> Iterable[tuple[int, int, float]]:
    titles = set(shared.slots.get(TITLE, ()))
    own = titles | set(shared.seeds.get(TITLE, ()))
    texts = _slots(shared.slots, NAME, WORDING) - own
    if len(texts) > bound:
        return
    for source in _slots(shared.seeds, NAME, WORDING) - own:
        for target in sorted(titles)[:bound]:  # of a long document its first passages
            yield source, target, FORWARD
    for source in shared.seeds.get(TITLE, ()):
        for target in texts:
            yield source, target, BACK


def _entity_edges(shared: Shared, n: int) -> Iterable[tuple[int, int, float]]:
    members = _slots(shared.slots, TITLE, NAME)
    sources = _slots(shared.seeds, TITLE, NAME)
    df = len(members | sources)
    if not 2 <= df <= bound_df(n) or df >= n:
        return
    weight = math.log(n / df) / math.log(n)
    for source in sources:
        for target in members - {source}:
            yield source, target, weight


def _slots(by_role: Mapping[int, Sequence[int]], *roles: int) -> set[int]:
    return {slot for role in roles for slot in by_role.get(role, ())}
