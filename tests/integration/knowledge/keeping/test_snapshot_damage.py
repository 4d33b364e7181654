"""Snapshot, damage, restore: the same lattice, in every row of every table, and in what is found."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from core.pg import Database
from gems import Entanglements, Gem, Moment, replay
from knowledge import Recall, RecallQuery
from knowledge.keeping import RestoreWish, Snapshots
from tests.integration.knowledge.keeping.lattice_state import apply, differing, dump


def some(table: str, key: str) -> str:
    """Rows of a table, drawn by the seed."""
    return (
        f"{key} IN (SELECT {key} FROM {table} ORDER BY md5({key}::text || %(seed)s::text) LIMIT 1 + abs(%(seed)s) %% 3)"
    )


BREAKING = "sums of another length"  # no passage can be written any more
SUMS = {
    "sums of embeddings": "UPDATE gem_embedding SET total[2] = total[2] + 1 WHERE %(seed)s IS NOT NULL",
    BREAKING: "UPDATE gem_embedding SET total = '{1, 2}' WHERE %(seed)s IS NOT NULL",
    "sums deleted": "DELETE FROM gem_embedding WHERE %(seed)s IS NOT NULL",
    "sums of no passages": "INSERT INTO gem_embedding (tenant_id, gem_id, source, dimension, total) SELECT tenant_id,"
    " gem_id, 'embedding_b', 2, '{1, 0.5, 0.5}' FROM gem WHERE %(seed)s IS NOT NULL ON CONFLICT DO NOTHING",
}
DAMAGES = {
    "gem deleted": f"DELETE FROM gem WHERE {some('gem', 'gem_id')}",
    "gem rewritten": "UPDATE gem SET name = name || %(seed)s::text, description = 'x', meta = '{\"x\": 1}',"
    f" feedback = 0.5, ratings = 7, archived_at = now(), speakers = '{{Eve}}' WHERE {some('gem', 'gem_id')}",
    "state of gems": f"UPDATE gem SET energy = 2, phase = 1, coherence = 0.25, uncertainty = 0.5, measured_at = now()"
    f" WHERE {some('gem', 'gem_id')}",
    "documents deleted": f"DELETE FROM document WHERE {some('document', 'document_id')}",
    "documents rewritten": "UPDATE document SET title = 'Other', body = 'Other.', meta = '{}', closed_at = now(),"
    f" closed_reason = 'forgotten', position = NULL WHERE {some('document', 'document_id')}",
    "numbers written otherwise": "UPDATE document SET meta = '{\"n\": 1.50}' WHERE meta = '{\"n\": 1.5}'"
    " AND %(seed)s IS NOT NULL",
    "documents renamed": "UPDATE document SET external_id = external_id || %(seed)s::text"
    f" WHERE {some('document', 'document_id')}",
    "passages deleted": f"DELETE FROM passage WHERE {some('passage', 'passage_id')}",
    "passages rewritten": "UPDATE passage SET body = 'Other.', closed_at = now(), around = '{}', tokens = 1,"
    f" context_hash = NULL WHERE {some('passage', 'passage_id')}",
    "passages counted otherwise": f"UPDATE passage SET ordinal = ordinal + 7 WHERE {some('passage', 'passage_id')}",
    "state of passages": "UPDATE passage SET energy = 2, phase = 1, coherence = 0.25, uncertainty = 0.5,"
    f" measured_at = now() WHERE {some('passage', 'passage_id')}",
    "vectors": "UPDATE passage SET embedding = embedding - embedding - embedding"
    f" WHERE {some('passage', 'passage_id')}",
    "token states deleted": f"DELETE FROM passage_tokens WHERE {some('passage_tokens', 'slot')}",
    "token states rewritten": f"UPDATE passage_tokens SET states = '\\x00' WHERE {some('passage_tokens', 'slot')}",
    "mentions deleted": f"DELETE FROM mention WHERE {some('mention', 'slot')}",
    "mentions added": "INSERT INTO mention (tenant_id, gem_id, slot, entity_id, role) SELECT e.tenant_id, e.gem_id, 0,"
    f" e.entity_id, 2 FROM entity e WHERE {some('entity', 'entity_id')} ON CONFLICT DO NOTHING",
    "extractions forgotten": "DELETE FROM extracted_passage WHERE %(seed)s IS NOT NULL",
    "entities deleted": f"DELETE FROM entity WHERE {some('entity', 'entity_id')}",
    "entities renamed": f"UPDATE entity SET name = 'Other', kind = 'thing' WHERE {some('entity', 'entity_id')}",
    "names given away": "UPDATE entity_name n SET entity_id = (SELECT e.entity_id FROM entity e WHERE"
    " e.gem_id = n.gem_id ORDER BY md5(e.entity_id::text || %(seed)s::text) LIMIT 1)"
    f" WHERE {some('entity_name', 'key')}",
    "relations deleted": "DELETE FROM relation WHERE %(seed)s IS NOT NULL",
    "relations rewritten": "UPDATE relation SET predicate = 'sells', valid_to = now(), slot = NULL WHERE %(seed)s > 0",
    "predicates": "INSERT INTO graph_predicate (tenant_id, gem_id, predicate, cardinality) SELECT tenant_id, gem_id,"
    " 'owns', 'one' FROM gem WHERE %(seed)s IS NOT NULL ON CONFLICT DO NOTHING",
    "changes of the graph": "INSERT INTO graph_change (tenant_id, gem_id, change_id, kind, entities, made_at) SELECT"
    " tenant_id, gem_id, gen_random_uuid(), 'alias', '{}', now() FROM gem WHERE %(seed)s IS NOT NULL",
    "supersessions": "DELETE FROM supersession WHERE %(seed)s IS NOT NULL",
    "entanglements deleted": "DELETE FROM entanglement WHERE %(seed)s IS NOT NULL",
    "entanglements weakened": "UPDATE entanglement SET strength = 0.01 WHERE %(seed)s IS NOT NULL",
    "reflections deleted": "DELETE FROM reflection WHERE %(seed)s IS NOT NULL",
    "evidence deleted": "DELETE FROM reflection_evidence WHERE label = 1 + abs(%(seed)s) %% 3",
    "attempts deleted": "DELETE FROM reflection_attempt WHERE %(seed)s IS NOT NULL",
    "log cut": "DELETE FROM measurement WHERE cause <> 'restore' AND measurement_id %% 2 = abs(%(seed)s) %% 2",
    "index cut": "DELETE FROM lexical_segment WHERE %(seed)s IS NOT NULL",
    **{name: statement for name, statement in SUMS.items() if name != BREAKING},
    "index emptied": "DELETE FROM lexical_posting WHERE %(seed)s IS NOT NULL",
}
QUESTION = "Who runs along the water, and what does the ferry cost?"

damages = st.lists(st.tuples(st.sampled_from(sorted(DAMAGES)), st.integers(-1_000, 1_000)), min_size=1, max_size=4)


@pytest.fixture
def extracted(used: Gem, database_url: str) -> Gem:
    """The gem, with passages into which a model has looked."""
    statement = (
        "INSERT INTO extracted_passage (tenant_id, gem_id, slot, content_hash, version, model)"
        " SELECT tenant_id, gem_id, slot, '\\x01', '1', 'm' FROM passage"
    )
    apply(database_url, statement)
    return used


@example(plan=[("vectors", 0), ("vectors", 0)], is_whole=False)  # -0 has become 0, which is equal and not the same
@settings(
    max_examples=12,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(plan=damages, is_whole=st.booleans())
async def test_snapshot_damage_restore_gives_the_same_lattice(
    snapshots: Snapshots,
    recall: Recall,
    database: Database,
    extracted: Gem,
    tenant: UUID,
    at: Moment,
    database_url: str,
    plan: list[tuple[str, int]],
    is_whole: bool,
) -> None:
    before = dump(database_url, tenant)
    found = await recall.recall(tenant, RecallQuery(QUESTION), at)
    whole = await snapshots.create(tenant, None, at)
    for name, seed in plan:
        apply(database_url, DAMAGES[name], {"seed": seed})
    for wish in [RestoreWish()] if is_whole else [RestoreWish(gem.gem_id) for gem in whole.gems]:
        await snapshots.restore(tenant, whole.snapshot_id, wish, at)
    check_same(before, dump(database_url, tenant))
    assert await recall.recall(tenant, RecallQuery(QUESTION), at) == found
    for each in await snapshots.compare(tenant, whole.snapshot_id):  # the log alone, to which the restore was added
        assert replace(each, tables={}).is_none
        assert [(name, rows.removed, rows.changed) for name, rows in each.tables.items()] == [("measurement", 0, 0)]
    async with database.transaction(tenant, read_only=True) as conn:
        assert (await replay(conn, at)).agrees


@pytest.mark.parametrize("damage", sorted(SUMS))
async def test_sums_that_passages_do_not_give_are_told_and_made_right(
    snapshots: Snapshots,
    database: Database,
    used: Gem,
    tenant: UUID,
    at: Moment,
    database_url: str,
    damage: str,
) -> None:
    before = dump(database_url, tenant)
    taken = await snapshots.create(tenant, None, at)
    near = Entanglements(database)
    (neighbour,) = await near.list_neighbours(tenant, used.gem_id, at, 5)
    apply(database_url, SUMS[damage], {"seed": 0})
    found = await snapshots.verify(tenant, taken.snapshot_id)
    assert sorted((each.kind, each.name) for each in found.shown) == [
        ("embedding", "friends"),
        ("embedding", "harbour"),
    ]
    await snapshots.restore(tenant, taken.snapshot_id, RestoreWish(), at)
    assert (await snapshots.verify(tenant, taken.snapshot_id)).is_sound
    check_same(before, dump(database_url, tenant))
    (found_again,) = await near.list_neighbours(tenant, used.gem_id, at, 5)
    assert found_again.resonance == neighbour.resonance > 0


def check_same(before: Any, after: Any) -> None:
    """Check that nothing is other than it was but the log, to which the restore was added."""
    found = differing(before, after)
    lost, came = found.pop("measurement", ([], []))
    assert found == {}
    assert lost == []
    assert all('"cause": "restore"' in row for row in came)
