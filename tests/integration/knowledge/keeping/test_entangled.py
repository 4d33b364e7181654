"""Entanglements go out with an export and come in again."""

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import UUID

import psycopg
import pytest

from core.errors import ConflictError, GemNameTakenError, UnreadableSourceError
from core.pg import Database
from gems import (
    Entanglement,
    EntanglementCount,
    Gem,
    GemChange,
    Gems,
    Moment,
    list_entanglements,
    set_entanglement,
)
from knowledge import Ingestion, parse_document
from knowledge.keeping.export import Exports
from knowledge.keeping.restore import ImportedGem, ImportWish
from tests.integration.knowledge.keeping.conftest import export, fetch_one, importing
from tests.integration.knowledge.keeping.forging import Rows, forge

NAMES = ("amber", "beryl", "coral", "diamond")
EXACT = 0.1 + 0.2  # which no decimal of fewer than 17 digits is
LEAST = 5e-324
SET_AT = datetime(2025, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
ALL = EntanglementCount(among=4, leading_out=0)


@pytest.fixture
async def entangled(database: Database, gems: Gems, ingestion: Ingestion, tenant: UUID, at: Moment) -> list[Gem]:
    """Four gems: the first holds a note and is entangled with all others, the last two also with each other."""
    made = [
        await gems.create(tenant, GemChange(name=name), Moment(at.now + timedelta(seconds=i), at.time_unit))
        for i, name in enumerate(NAMES)
    ]
    ids = [gem.gem_id for gem in made]
    await ingestion.ingest(tenant, ids[0], [parse_document({"id": "buoy", "text": "A buoy bell rings."})], at)
    async with database.transaction(tenant) as conn:
        await set_entanglement(conn, ids[0], ids[1], 0.5, SET_AT)
        await set_entanglement(conn, ids[1], ids[0], EXACT, at.now)
        await set_entanglement(conn, ids[2], ids[0], LEAST, SET_AT)
        await set_entanglement(conn, ids[0], ids[3], 1.0, SET_AT)
        await set_entanglement(conn, ids[3], ids[2], 0.0, at.now)
    return made


async def pairs_of(database: Database, tenant: UUID) -> list[Entanglement]:
    async with database.transaction(tenant, read_only=True) as conn:
        return await list_entanglements(conn)


async def count_in(database: Database, tenant: UUID, at: Moment, gem_ids: list[UUID] | None) -> EntanglementCount:
    """What an export reports before its first bytes."""
    told: list[EntanglementCount] = []
    pieces = Exports(database).stream(tenant, gem_ids, at, told.append)
    await anext(pieces)
    await pieces.aclose()
    (count,) = told
    return count


def pairs_in(packed: bytes) -> list[tuple[str, str]]:
    """The pairs of a file by the names of their gems, the gem first that tells of it."""
    names, found = dict[str, str](), list[tuple[str, str]]()
    for line in map(json.loads, gzip.decompress(packed).splitlines()):
        if line.get("table") == "gem":
            names[line["gem_id"]] = gem = line["name"]
        elif line.get("table") == "entanglement":
            found.append((gem, names[line["other_id"]]))
    return found


async def test_pairs_travel_exactly_and_each_is_counted_once(
    database: Database, entangled: list[Gem], local: Any, tenant: UUID, stranger: UUID, at: Moment
) -> None:
    packed = await export(database, tenant, at)
    assert await count_in(database, tenant, at, None) == ALL
    assert set(pairs_in(packed)) == {("beryl", "amber"), ("coral", "amber"), ("diamond", "amber"), ("diamond", "coral")}
    done = await importing(database, local).carry_out(stranger, BytesIO(packed), "f", ImportWish())
    assert [(gem.name, gem.entanglements) for gem in done] == [*zip(NAMES, (0, 1, 1, 2), strict=True)]
    there = await pairs_of(database, stranger)
    assert there == await pairs_of(database, tenant)
    assert [(pair.strength, pair.created_at, pair.updated_at) for pair in there] == [
        (1.0, SET_AT, SET_AT),
        (EXACT, SET_AT, at.now),
        (LEAST, SET_AT, SET_AT),
        (0.0, at.now, at.now),
    ]
    assert await export(database, stranger, at) == packed


async def test_a_pair_travels_only_with_both_of_its_gems(
    database: Database, entangled: list[Gem], local: Any, tenant: UUID, stranger: UUID, at: Moment
) -> None:
    amber, _, coral, diamond = (gem.gem_id for gem in entangled)
    alone = await export(database, tenant, at, [amber])
    assert pairs_in(alone) == []
    assert await count_in(database, tenant, at, [amber]) == EntanglementCount(among=0, leading_out=3)
    (copy,) = await importing(database, local).carry_out(tenant, BytesIO(alone), "f", ImportWish(rename="copy"))
    assert copy.entanglements == 0
    assert len(await pairs_of(database, tenant)) == 4
    both = await export(database, tenant, at, [diamond, coral])
    assert pairs_in(both) == [("diamond", "coral")]
    assert await count_in(database, tenant, at, [diamond, coral]) == EntanglementCount(among=1, leading_out=2)
    await importing(database, local).carry_out(stranger, BytesIO(both), "f", ImportWish())
    assert [pair.strength for pair in await pairs_of(database, stranger)] == [0.0]
    assert await export(database, stranger, at) == both


async def test_pairs_of_a_lattice_that_holds_no_text_travel_alike(
    database: Database, gems: Gems, local: Any, tenant: UUID, stranger: UUID, at: Moment
) -> None:
    one, other = [(await gems.create(tenant, GemChange(name=name), at)).gem_id for name in NAMES[:2]]
    async with database.transaction(tenant) as conn:
        await set_entanglement(conn, one, other, EXACT, SET_AT)
    packed = await export(database, tenant, at)
    await importing(database, local).carry_out(stranger, BytesIO(packed), "f", ImportWish())
    assert await pairs_of(database, stranger) == await pairs_of(database, tenant)
    assert await export(database, stranger, at) == packed


async def test_pairs_of_another_tenant_stay_where_they_are(
    database: Database, entangled: list[Gem], local: Any, tenant: UUID, stranger: UUID, at: Moment
) -> None:
    packed = await export(database, tenant, at)
    await importing(database, local).carry_out(stranger, BytesIO(packed), "f", ImportWish())
    async with database.transaction(stranger) as conn:
        await set_entanglement(conn, entangled[1].gem_id, entangled[2].gem_id, 0.9, at.now)
    assert await export(database, tenant, at) == packed
    assert await count_in(database, tenant, at, None) == ALL
    assert await count_in(database, stranger, at, [entangled[1].gem_id]) == EntanglementCount(among=0, leading_out=2)


async def test_many_pairs_of_one_gem_are_stored_some_at_a_time(
    database: Database,
    entangled: list[Gem],
    gems: Gems,
    local: Any,
    tenant: UUID,
    stranger: UUID,
    at: Moment,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("knowledge.keeping.entangled.ROWS", 2)
    last = await gems.create(tenant, GemChange(name="emerald"), Moment(at.now + timedelta(days=1), at.time_unit))
    async with database.transaction(tenant) as conn:
        for other in entangled[1:]:
            await set_entanglement(conn, last.gem_id, other.gem_id, 0.5, at.now)
    packed = await export(database, tenant, at)
    done = await importing(database, local).carry_out(stranger, BytesIO(packed), "f", ImportWish())
    assert done[-1].entanglements == 3
    assert await pairs_of(database, stranger) == await pairs_of(database, tenant)
    assert await export(database, stranger, at) == packed


async def test_a_file_of_the_version_without_pairs_is_taken(
    database: Database, entangled: list[Gem], local: Any, tenant: UUID, stranger: UUID, at: Moment
) -> None:
    def leave_out(rows: Rows) -> None:
        rows[:] = [row for row in rows if row["table"] != "entanglement"]
        for gem in gems_in(rows):
            del gem["counts"]["entanglement"]

    old = forge(await export(database, tenant, at), leave_out, version=1)
    done = await importing(database, local).carry_out(stranger, BytesIO(old), "f", ImportWish())
    assert [(gem.name, gem.entanglements) for gem in done] == [(name, 0) for name in NAMES]
    assert await pairs_of(database, stranger) == []
    now = await export(database, stranger, at)
    assert json.loads(gzip.decompress(now).splitlines()[0])["version"] == 2


async def test_where_a_gem_is_already_its_pairs_are_left_alone(
    database: Database, entangled: list[Gem], gems: Gems, local: Any, tenant: UUID, at: Moment
) -> None:
    packed = await export(database, tenant, at)
    async with database.transaction(tenant) as conn:
        await set_entanglement(conn, entangled[0].gem_id, entangled[1].gem_id, 0.25, at.now)
    await gems.delete(tenant, entangled[3].gem_id)
    before = await pairs_of(database, tenant)
    with pytest.raises(GemNameTakenError):
        await importing(database, local).carry_out(tenant, BytesIO(packed), "f", ImportWish())
    assert await pairs_of(database, tenant) == before
    assert await fetch_one(database, tenant, "SELECT count(*) FROM gem") == 3


async def test_a_gem_whose_partner_is_deleted_meanwhile_is_not_stored(
    database: Database, database_url: str, entangled: list[Gem], local: Any, tenant: UUID, stranger: UUID, at: Moment
) -> None:
    def delete_first(done: ImportedGem) -> None:
        if done.name == "beryl":
            with psycopg.connect(database_url) as conn:
                conn.execute("DELETE FROM gem WHERE tenant_id = %s AND name = 'amber'", (stranger,))

    packed = await export(database, tenant, at)
    with pytest.raises(ConflictError, match="entangles a gem that was deleted"):
        await importing(database, local).carry_out(stranger, BytesIO(packed), "f", ImportWish(), delete_first)
    assert await fetch_one(database, stranger, "SELECT string_agg(name, ' ') FROM gem") == "beryl"
    assert await pairs_of(database, stranger) == []


def last(rows: Rows) -> dict[str, Any]:
    """A pair of the last gem, which has two."""
    return rows[-1]


def gems_in(rows: Rows) -> Rows:
    return [row for row in rows if row["table"] == "gem"]


def turn(rows: Rows) -> None:
    """Tell of a pair by the first of its gems too."""
    pair = next(row for row in rows if row["table"] == "entanglement")
    first, second, *_ = gems_in(rows)
    first["counts"]["entanglement"] = 1
    rows.insert(rows.index(second), pair | {"other_id": second["gem_id"]})


FORGERIES: dict[str, tuple[Callable[[Rows], Any], str]] = {
    "an unknown gem": (
        lambda rows: last(rows).update(other_id=str(UUID(int=9))),
        "not before it in the file: other_id",
    ),
    "itself": (
        lambda rows: last(rows).update(other_id=gems_in(rows)[-1]["gem_id"]),
        "a gem with itself: other_id",
    ),
    "the same pair twice": (
        lambda rows: last(rows).update(other_id=rows[-2]["other_id"]),
        "entangled already: other_id",
    ),
    "the same pair the other way round": (turn, "not before it in the file: other_id"),
    "no id": (lambda rows: last(rows).update(other_id="amber"), r"UUID.*\$\.other_id"),
    "a strength above one": (lambda rows: last(rows).update(strength=1.0000000000000002), r"\$\.strength"),
    "a strength below zero": (lambda rows: last(rows).update(strength=-5e-324), r"\$\.strength"),
    "a strength that is no number": (lambda rows: last(rows).update(strength="NaN"), r"\$\.strength"),
    "a strength of nothing": (lambda rows: last(rows).update(strength=None), r"\$\.strength"),
    "a strength that is true": (lambda rows: last(rows).update(strength=True), r"\$\.strength"),
    "NaN as Python writes it": (lambda rows: last(rows).update(strength=float("nan")), "is no entanglement"),
    "no strength": (lambda rows: last(rows).pop("strength"), "`strength`"),
    "no time": (lambda rows: last(rows).pop("updated_at"), "`updated_at`"),
    "a time of no zone": (lambda rows: last(rows).update(created_at="2026-03-01T12:00:00"), r"\$\.created_at"),
    "a time without end": (lambda rows: last(rows).update(created_at="infinity"), r"\$\.created_at"),
    "a time that is none in UTC": (
        lambda rows: last(rows).update(updated_at="9999-12-31T23:59:59-14:00"),
        r"\$\.updated_at",
    ),
    "a field that is not known": (lambda rows: last(rows).update(colour="red"), "`colour`"),
    "another table among them": (lambda rows: last(rows).update(table="document"), r"\$\.table"),
}


@pytest.mark.parametrize("case", FORGERIES)
async def test_of_a_file_with_a_pair_that_is_none_nothing_is_stored(
    database: Database, entangled: list[Gem], local: Any, tenant: UUID, stranger: UUID, at: Moment, case: str
) -> None:
    change, told = FORGERIES[case]
    forged = forge(await export(database, tenant, at), change)
    lines = forged.splitlines()
    first = next(number for number, line in enumerate(lines, 1) if line.startswith(b'{"table":"entanglement"'))
    line = first if change is turn else len(lines) - 1
    with pytest.raises(UnreadableSourceError, match=f"line {line} .*{told}"):
        await importing(database, local).carry_out(stranger, BytesIO(forged), "f", ImportWish())
    assert await fetch_one(database, stranger, "SELECT count(*) FROM gem") == 0


async def test_a_pair_that_its_gem_does_not_count_is_refused(
    database: Database, entangled: list[Gem], local: Any, tenant: UUID, stranger: UUID, at: Moment
) -> None:
    def count_otherwise(rows: Rows) -> None:
        gems_in(rows)[1]["counts"] |= {"entanglement": 0, "document": 1}

    forged = forge(await export(database, tenant, at), count_otherwise)
    with pytest.raises(UnreadableSourceError, match="is of a table that has no place here: entanglement"):
        await importing(database, local).carry_out(stranger, BytesIO(forged), "f", ImportWish())
    assert await pairs_of(database, stranger) == []


async def test_a_damaged_line_of_a_pair_is_told_as_damage(
    database: Database, entangled: list[Gem], local: Any, tenant: UUID, stranger: UUID, at: Moment
) -> None:
    plain = gzip.decompress(await export(database, tenant, at))
    damaged = plain.replace(b'"strength":1.0', b'"strength":1.5')
    assert damaged != plain
    with pytest.raises(UnreadableSourceError, match="its lines are not those that were written"):
        await importing(database, local).carry_out(stranger, BytesIO(damaged), "f", ImportWish())
    assert await fetch_one(database, stranger, "SELECT count(*) FROM gem") == 0
