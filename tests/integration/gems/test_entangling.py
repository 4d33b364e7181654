from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from core.errors import EntanglementNotFoundError, GemArchivedError, GemNotFoundError, InvalidInputError
from core.pg import Database
from gems import Entanglements, Gem, GemChange, Gems, Moment
from knowledge import Ingestion, parse_document

BOATS = ["The ferry leaves the harbour at noon.", "The sailing boat is moored at the quay."]
SHIPS = ["The cargo ship waits outside the harbour.", "A tug brings the ship to the quay."]
TAXES = ["Value added tax is due on the tenth of the month.", "The tax office refunds what was overpaid."]


@pytest.fixture
def links(database: Database) -> Entanglements:
    return Entanglements(database)


@pytest.fixture
async def three(gems: Gems, ingestion: Ingestion, tenant: UUID, at: Moment) -> list[Gem]:
    made = []
    for name, texts in {"boats": BOATS, "ships": SHIPS, "taxes": TAXES}.items():
        gem = await gems.create(tenant, GemChange(name), at)
        await ingestion.ingest(tenant, gem.gem_id, [parse_document({"text": text}) for text in texts], at)
        made.append(gem)
    return made


async def test_a_pair_is_seen_from_both_ends(links: Entanglements, three: list[Gem], tenant: UUID, at: Moment) -> None:
    boats, ships, _ = three
    told = await links.entangle(tenant, boats.gem_id, ships.gem_id, 0.4, at)
    assert (told.gem.name, told.strength, told.interference) == ("ships", 0.4, 1.0)
    for one, other in ((boats, ships), (ships, boats)):
        (partner,) = await links.list_partners(tenant, one.gem_id, at)
        assert (partner.gem.name, partner.strength, partner.created_at) == (other.name, 0.4, at.now)
    (pair,) = await links.list_pairs(tenant, 10)
    assert {pair.gem_id, pair.other_id} == {boats.gem_id, ships.gem_id}


async def test_saying_it_again_from_the_other_end_sets_the_strength(
    links: Entanglements, three: list[Gem], tenant: UUID, at: Moment
) -> None:
    boats, ships, taxes = three
    await links.entangle(tenant, boats.gem_id, ships.gem_id, 0.4, at)
    later = replace(at, now=at.now + timedelta(days=1))
    await links.entangle(tenant, ships.gem_id, boats.gem_id, 0.9, later)
    await links.entangle(tenant, taxes.gem_id, boats.gem_id, 0.2, later)
    partners = await links.list_partners(tenant, boats.gem_id, later)
    assert [(each.gem.name, each.strength, each.created_at) for each in partners] == [
        ("ships", 0.9, at.now),
        ("taxes", 0.2, later.now),
    ]
    assert len(await links.list_pairs(tenant, 1)) == 1


async def test_a_pair_is_taken_apart_once(links: Entanglements, three: list[Gem], tenant: UUID, at: Moment) -> None:
    boats, ships, _ = three
    await links.entangle(tenant, boats.gem_id, ships.gem_id, 0.4, at)
    await links.disentangle(tenant, ships.gem_id, boats.gem_id, at)
    assert await links.list_partners(tenant, boats.gem_id, at) == []
    with pytest.raises(EntanglementNotFoundError):
        await links.disentangle(tenant, ships.gem_id, boats.gem_id, at)


async def test_what_cannot_be_entangled_is_refused(
    links: Entanglements, gems: Gems, three: list[Gem], tenant: UUID, at: Moment
) -> None:
    boats, ships, taxes = three
    with pytest.raises(GemNotFoundError):
        await links.entangle(tenant, boats.gem_id, uuid4(), 0.5, at)
    with pytest.raises(GemNotFoundError):
        await links.list_partners(tenant, uuid4(), at)
    with pytest.raises(InvalidInputError):
        await links.entangle(tenant, boats.gem_id, boats.gem_id, 0.5, at)
    for strength in (-0.1, 1.1, float("nan")):
        with pytest.raises(InvalidInputError, match="strength"):
            await links.entangle(tenant, boats.gem_id, ships.gem_id, strength, at)
    await gems.archive(tenant, taxes.gem_id, at)
    with pytest.raises(GemArchivedError):
        await links.entangle(tenant, boats.gem_id, taxes.gem_id, 0.5, at)
    stranger = uuid4()
    with pytest.raises(GemNotFoundError):
        await links.entangle(stranger, boats.gem_id, ships.gem_id, 0.5, at)
    assert await links.list_pairs(stranger, 10) == []


async def test_neighbours_are_those_that_hold_the_like(
    links: Entanglements, gems: Gems, three: list[Gem], tenant: UUID, at: Moment
) -> None:
    boats, ships, _ = three
    near, far = await links.list_neighbours(tenant, boats.gem_id, at, 10)
    assert (near.gem.name, far.gem.name) == ("ships", "taxes")
    assert 0 <= far.resonance < near.resonance <= 1
    back, _ = await links.list_neighbours(tenant, ships.gem_id, at, 10)
    assert back.resonance == pytest.approx(near.resonance)
    assert [each.gem.name for each in await links.list_neighbours(tenant, boats.gem_id, at, 1)] == ["ships"]
    await gems.archive(tenant, ships.gem_id, at)
    assert [each.gem.name for each in await links.list_neighbours(tenant, boats.gem_id, at, 10)] == ["taxes"]


async def test_an_empty_gem_has_no_neighbours_and_is_none(
    links: Entanglements, gems: Gems, three: list[Gem], tenant: UUID, at: Moment
) -> None:
    empty = await gems.create(tenant, GemChange("empty"), at)
    assert await links.list_neighbours(tenant, empty.gem_id, at, 10) == []
    assert await links.suggest(tenant, empty.gem_id, at, 10) == []
    assert "empty" not in {each.gem.name for each in await links.list_neighbours(tenant, three[0].gem_id, at, 10)}


async def test_what_is_alike_is_suggested_until_it_is_entangled(
    links: Entanglements, three: list[Gem], tenant: UUID, at: Moment
) -> None:
    boats, ships, _ = three
    (suggestion,) = await links.suggest(tenant, boats.gem_id, at, 10)
    assert suggestion.gem.name == "ships"
    assert suggestion.strength == pytest.approx(suggestion.resonance, abs=5e-4)  # both are fresh
    await links.entangle(tenant, boats.gem_id, ships.gem_id, suggestion.strength, at)
    assert await links.suggest(tenant, boats.gem_id, at, 10) == []


async def test_what_is_forgotten_is_not_suggested(
    links: Entanglements, three: list[Gem], tenant: UUID, at: Moment
) -> None:
    much_later = replace(at, now=at.now + 2000 * at.time_unit)
    assert await links.suggest(tenant, three[0].gem_id, much_later, 10) == []
