import gzip
import json
from datetime import timedelta
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest

from core.errors import (
    ConflictError,
    EmbeddingMismatchError,
    GemNameTakenError,
    GemNotFoundError,
    InvalidInputError,
)
from core.pg import Database
from gems import Gem, GemChange, Gems, Moment
from knowledge import Ingestion, Recall, RecallQuery, parse_document
from knowledge.keeping.restore import ImportWish
from knowledge.keeping.tables import GEM, KNOWLEDGE_TABLES
from reflection import ReflectionRequest, Reflections
from reflection.travelling import REFLECTION_TABLES
from tests.integration.knowledge.keeping.conftest import (
    TALK,
    OtherModel,
    export,
    fetch_one,
    fill,
    importing,
    read_vectors,
    reembedding,
    use,
)

# sums that triggers keep, jobs, an index that is made anew, and links that are found anew when
# somebody asks for them
STAYS = {
    "alert_rule",
    "extraction_run",
    "gem_embedding",
    "ingestion",
    "lexical_posting",
    "lexical_segment",
    "passage_link",
    "passage_linking",
    "snapshot_gem",
    "snapshot_member",
}
EVERYTHING = (GEM, *KNOWLEDGE_TABLES, *REFLECTION_TABLES)


@pytest.fixture
async def rich(database: Database, reflections: Reflections, gem: Gem, tenant: UUID, at: Moment) -> Gem:
    """The gem with an answer that cites, so that its log and states tell of it too, and rows in every other table."""
    await reflections.reflect(tenant, ReflectionRequest(gem.gem_id, "Who paints lighthouses?"), at)
    async with database.transaction(tenant) as conn:
        key = {"gem_id": gem.gem_id, "now": at.now}
        await conn.execute("INSERT INTO graph_predicate VALUES (DEFAULT, %(gem_id)s, 'owns', 'one_at_a_time')", key)
        await conn.execute(
            "INSERT INTO graph_change (gem_id, change_id, kind, entities, facts, undo, made_at) "
            "SELECT gem_id, gen_random_uuid(), 'alias', array_agg(entity_id), '{}', '{\"n\": 1.50}', %(now)s "
            "FROM entity WHERE gem_id = %(gem_id)s GROUP BY gem_id",
            key,
        )
        await conn.execute(
            "INSERT INTO extracted_passage SELECT tenant_id, gem_id, slot, '\\x00ff', '1', 'a model' FROM passage "
            "WHERE gem_id = %(gem_id)s AND slot < 5",
            key,
        )
        await conn.execute(
            "UPDATE entity SET embedding = '[0.1,0.2]' WHERE gem_id = %(gem_id)s AND entity_id = "
            "(SELECT entity_id FROM entity ORDER BY name LIMIT 1)",
            key,
        )
    return gem


def lines_of(packed: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(packed).splitlines()]


async def test_what_is_imported_elsewhere_is_exported_the_same(
    database: Database, rich: Gem, local: Any, tenant: UUID, stranger: UUID, at: Moment
) -> None:
    first = await export(database, tenant, at)
    (done,) = await importing(database, local).carry_out(stranger, BytesIO(first), "f", ImportWish())
    assert (done.gem_id, done.name, done.documents, done.passages) == (rich.gem_id, "friends", 10, 10)
    assert not done.reembedded
    assert await export(database, stranger, at) == first
    later = await export(database, stranger, Moment(at.now + timedelta(days=1), at.time_unit))
    assert lines_of(later)[1:] == lines_of(first)[1:]
    tables = [line.get("table") for line in lines_of(first)]
    assert {table.name for table in EVERYTHING} <= set(tables)


async def test_what_is_imported_is_recalled_the_same(
    database: Database, rich: Gem, recall: Recall, local: Any, tenant: UUID, stranger: UUID, at: Moment
) -> None:
    packed = await export(database, tenant, at)
    await importing(database, local).carry_out(stranger, BytesIO(packed), "f", ImportWish())
    for question in ("Where does Biscuit run?", "When does the ferry leave?", "Who owns the ferry?"):
        query = RecallQuery(question=question, gem_ids=(rich.gem_id,))
        assert await recall.recall(stranger, query, at) == await recall.recall(tenant, query, at)


async def test_slots_close_up_and_the_gem_goes_on_growing(
    database: Database, gem: Gem, ingestion: Ingestion, local: Any, tenant: UUID, stranger: UUID, at: Moment
) -> None:
    gone = UUID(await fetch_one(database, tenant, "SELECT document_id::text FROM document WHERE external_id = 't2'"))
    await ingestion.delete(tenant, gem.gem_id, [gone], at)
    packed = await export(database, tenant, at)
    await importing(database, local).carry_out(stranger, BytesIO(packed), "f", ImportWish())
    assert await fetch_one(database, stranger, "SELECT min(slot), max(slot), count(*) FROM passage") == (0, 8, 9)
    assert (await fetch_one(database, tenant, "SELECT max(slot) FROM passage")) == 9
    around = (await read_vectors(database, stranger))[TALK[3][1]][2]
    bodies = [
        await fetch_one(database, stranger, f"SELECT body FROM passage WHERE slot = {slot}") for slot in around[:2]
    ]
    assert bodies == [TALK[1][1], TALK[0][1]]
    turn = parse_document({"id": "t6", "text": "Then let us go.", "thread": "talk", "speaker": "Ann"})
    for owner in (tenant, stranger):
        await ingestion.ingest(owner, gem.gem_id, [turn], at)
    assert {body: vector for body, (vector, _, _) in (await read_vectors(database, stranger)).items()} == {
        body: vector for body, (vector, _, _) in (await read_vectors(database, tenant)).items()
    }


async def test_many_gems_travel_together_or_one_by_one(
    database: Database, gems: Gems, gem: Gem, ingestion: Ingestion, local: Any, tenant: UUID, stranger: UUID, at: Moment
) -> None:
    await gems.create(tenant, GemChange(name="empty"), at)
    third = await fill(gems, ingestion, tenant, at, "third")
    await gems.archive(tenant, third.gem_id, at)
    packed = await export(database, tenant, at)
    done = await importing(database, local).carry_out(stranger, BytesIO(packed), "f", ImportWish())
    assert {each.name: each.passages for each in done} == {"friends": 10, "empty": 0, "third": 10}
    assert await export(database, stranger, at) == packed
    with pytest.raises(InvalidInputError, match="one gem, not 3"):
        await importing(database, local).carry_out(tenant, BytesIO(packed), "f", ImportWish(rename="x"))
    single = await export(database, tenant, at, [third.gem_id])
    assert [line["name"] for line in lines_of(single) if line.get("table") == "gem"] == ["third"]
    with pytest.raises(GemNotFoundError):
        await export(database, stranger, at, [stranger])


async def test_a_gem_that_is_there_is_refused_but_for_a_copy(
    database: Database, rich: Gem, gems: Gems, recall: Recall, local: Any, tenant: UUID, at: Moment
) -> None:
    packed = await export(database, tenant, at)
    takes = importing(database, local)
    with pytest.raises(GemNameTakenError, match="--rename"):
        await takes.carry_out(tenant, BytesIO(packed), "f", ImportWish())
    with pytest.raises(InvalidInputError, match="visible"):
        await takes.carry_out(tenant, BytesIO(packed), "f", ImportWish(rename=" "))
    (copy,) = await takes.carry_out(tenant, BytesIO(packed), "f", ImportWish(rename="copy"))
    assert copy.gem_id != rich.gem_id
    query = "Who paints lighthouses?"
    one = await recall.recall(tenant, RecallQuery(question=query, gem_ids=(rich.gem_id,)), at)
    other = await recall.recall(tenant, RecallQuery(question=query, gem_ids=(copy.gem_id,)), at)
    assert [(each.text, each.score) for each in one] == [(each.text, each.score) for each in other]
    assert not {each.passage_id for each in one} & {each.passage_id for each in other}
    for table in EVERYTHING:
        if table.copied and table.name not in {"gem", "reflection_attempt"}:
            query = f"SELECT count(*) FILTER (WHERE gem_id = '{rich.gem_id}') , count(*) FROM {table.name}"
            of_one, of_both = await fetch_one(database, tenant, query)
            assert of_both == 2 * of_one
    renamed = GemChange(name="friends of old")
    await gems.update(tenant, rich.gem_id, renamed, at)
    with pytest.raises(ConflictError, match="delete it first"):
        await takes.carry_out(tenant, BytesIO(packed), "f", ImportWish())


async def test_vectors_of_another_model_are_refused_or_made_anew(
    database: Database, gems: Gems, gem: Gem, local: Any, other: OtherModel, tenant: UUID, stranger: UUID, at: Moment
) -> None:
    packed = await export(database, tenant, at)
    takes = importing(database, other)
    with pytest.raises(EmbeddingMismatchError, match="--reembed"):
        await takes.carry_out(stranger, BytesIO(packed), "f", ImportWish())
    (done,) = await takes.carry_out(stranger, BytesIO(packed), "f", ImportWish(reembed=True))
    assert done.reembedded
    await (await reembedding(database, other)).carry_out(tenant)
    assert await read_vectors(database, stranger) == await read_vectors(database, tenant)
    query = "SELECT count(*) FROM passage WHERE num_nonnulls(embedding, embedding_b) <> 1"
    assert await fetch_one(database, stranger, query) == 0
    back = await export(database, stranger, at)
    assert (lines_of(back)[0]["model"], lines_of(back)[0]["dimension"]) == (other.model, 24)
    await gems.delete(tenant, gem.gem_id)
    await importing(database, other).carry_out(tenant, BytesIO(back), "f", ImportWish())
    assert await export(database, tenant, at) == back


async def test_every_table_of_a_gem_travels_or_is_known_to_stay(database: Database, tenant: UUID) -> None:
    query = (
        "SELECT array_agg(DISTINCT c.relname::text) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
        "WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.attname = 'gem_id'"
    )
    with_gems = set(await fetch_one(database, tenant, query))
    assert with_gems == {table.name for table in EVERYTHING if table.under is None} | {"entanglement"} | STAYS


async def test_a_lattice_on_its_other_column_exports_the_same_and_takes_in(
    database: Database, gem: Gem, local: Any, other: OtherModel, tenant: UUID, stranger: UUID, at: Moment
) -> None:
    await (await reembedding(database, other)).carry_out(tenant)
    packed = await export(database, tenant, at)
    await importing(database, other).carry_out(stranger, BytesIO(packed), "f", ImportWish())
    assert await export(database, stranger, at) == packed
    columns = "SELECT count(embedding), count(embedding_b) FROM passage"
    assert (await fetch_one(database, tenant, columns), await fetch_one(database, stranger, columns)) == (
        (0, 10),
        (10, 0),
    )
    (copy,) = await importing(database, other).carry_out(tenant, BytesIO(packed), "f", ImportWish(rename="copy"))
    assert copy.passages == 10
    assert await fetch_one(database, tenant, columns) == (0, 20)
    await use(database, other, local).ingest(tenant, copy.gem_id, [parse_document({"text": "More."})], at)
