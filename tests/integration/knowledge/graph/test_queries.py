"""Neighbours, paths, communities and central entities of a stored graph, bounded and as of a moment."""

from dataclasses import replace
from itertools import pairwise
from uuid import UUID, uuid4

import pytest

from core.errors import EntityNotFoundError, InvalidInputError
from knowledge.graph.subgraph import Bounds, Subgraph
from tests.integration.knowledge.graph.conftest import Notes, relate

CHAIN = "Ann", "Bo", "Cy", "Di", "Ed", "Fay", "Gus", "Hal", "Ivy"


@pytest.fixture
async def chain(notes: Notes) -> Notes:
    """Nine people, each of whom knows the next; Cy and Di are also named together."""
    for a, b in pairwise(CHAIN):
        await notes.write(f"{a} and {b}", relate(a, "knows", b), entities=["Cy", "Di"] if a == "Cy" else [a])
    return notes


async def around(notes: Notes, name: str, depth: int, bounds: Bounds | None = None) -> Subgraph:
    entity, at = await notes.entity(name), notes.on("2026-12-01")
    return await notes.graph.list_neighbours(
        notes.tenant, notes.gem_id, entity, at, depth=depth, bounds=bounds or Bounds()
    )


async def test_neighbours_are_found_as_far_as_asked(chain: Notes) -> None:
    for depth, names in ((1, "BoCyDi"), (2, "AnnBoCyDiEd"), (3, "AnnBoCyDiEdFay")):
        found = await around(chain, "Cy", depth)
        assert {node.name for node in found.nodes} == {name for name in CHAIN if name in names}
        assert found.nodes[0].name == "Cy"
        assert max(node.depth for node in found.nodes) == depth
        assert not found.cut


async def test_an_edge_tells_what_binds(chain: Notes) -> None:
    found = await around(chain, "Cy", 1)
    names = {node.entity_id: node.name for node in found.nodes}
    edges = {frozenset((names[each.source], names[each.target])): each for each in found.edges}
    told = edges[frozenset(("Cy", "Di"))]
    assert (told.predicates, told.claims, told.passages, told.weight) == (("knows",), 1, 1, 2.0)
    assert [node.name for node in found.nodes] == ["Cy", "Di", "Bo"]


async def test_a_bound_cuts_and_says_so(chain: Notes) -> None:
    found = await around(chain, "Cy", 3, Bounds(nodes=3))
    assert len(found.nodes) <= 3
    assert found.cut
    for bounds, depth in ((Bounds(nodes=0), 1), (Bounds(nodes=10_000), 1), (Bounds(), 4), (Bounds(), 0)):
        with pytest.raises(InvalidInputError):
            await around(chain, "Cy", depth, bounds)


async def test_edges_are_those_known_at_the_moment(notes: Notes) -> None:
    first = await notes.write("one", relate("Ann", "knows", "Bo"), on="2026-01-01")
    await notes.write("two", entities=["Ann", "Cy"], on="2026-03-01")
    await notes.forget(first, on="2026-02-01")

    async def known(as_of: str | None) -> set[str]:
        bounds = Bounds(as_of=None if as_of is None else notes.on(as_of).now)
        return {node.name for node in (await around(notes, "Ann", 1, bounds)).nodes}

    assert await known(None) == {"Ann", "Cy"}
    assert await known("2026-01-15") == {"Ann", "Bo"}
    assert await known("2026-02-15") == {"Ann"}


async def test_paths_lead_over_up_to_seven_edges(chain: Notes) -> None:
    ids = {name: await chain.entity(name) for name in CHAIN}

    async def path(source: UUID, target: UUID) -> list[list[str]]:
        found = await chain.graph.list_paths(chain.tenant, chain.gem_id, source, target, chain.on("2026-12-01"))
        return [[node.name for node in each.nodes] for each in found.items]

    assert await path(ids["Ann"], ids["Hal"]) == [[*CHAIN[:8]]]
    assert await path(ids["Ann"], ids["Ivy"]) == []
    assert await path(ids["Di"], ids["Di"]) == [["Di"]]
    with pytest.raises(EntityNotFoundError):
        await path(ids["Ann"], uuid4())


async def test_communities_and_central_entities(notes: Notes) -> None:
    for i in range(4):
        await notes.write(f"a{i}", entities=["Ann", "Bo", "Cy"])
        await notes.write(f"b{i}", entities=["Di", "Ed", "Fay"])
    await notes.write("bridge", relate("Cy", "knows", "Di"), relate("Hub", "is", "Alone"))
    graph, at = notes.graph, notes.on("2026-12-01")
    found = await graph.list_communities(notes.tenant, notes.gem_id, at)
    members = [{node.name for node in each.members} for each in found.items]
    assert members[:2] in ([{"Ann", "Bo", "Cy"}, {"Di", "Ed", "Fay"}], [{"Di", "Ed", "Fay"}, {"Ann", "Bo", "Cy"}])
    assert members[2] == {"Hub", "Alone"}
    assert found == await graph.list_communities(notes.tenant, notes.gem_id, at)
    strong = await graph.list_central(notes.tenant, notes.gem_id, at, by="degree", limit=2)
    between = await graph.list_central(notes.tenant, notes.gem_id, at, by="betweenness", limit=2)
    for central in (strong, between):
        assert {each.node.name for each in central.items} == {"Cy", "Di"}
    assert strong.items[0].score == 1.0
    cut = await graph.list_central(notes.tenant, notes.gem_id, at, bounds=Bounds(nodes=3))
    assert cut.cut
    assert len(cut.items) == 3


async def test_a_passage_that_names_very_many_binds_none_of_them(notes: Notes) -> None:
    crowd = [f"Guest {i:02}x" for i in range(40)]
    await notes.write("crowd", entities=crowd)
    found = await around(notes, crowd[0], 1)
    assert [node.name for node in found.nodes] == [crowd[0]]


async def test_an_empty_gem_has_no_graph(notes: Notes) -> None:
    at = replace(notes.at)
    assert (await notes.graph.list_communities(notes.tenant, notes.gem_id, at)).items == ()
    for by in ("degree", "betweenness"):
        assert (await notes.graph.list_central(notes.tenant, notes.gem_id, at, by=by)).items == ()
