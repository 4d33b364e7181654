import math
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from core.errors import ForgettingNotFoundError, GemArchivedError, GemNotFoundError, InvalidInputError
from core.pg import Database
from gems import Gem, Gems, Moment, QuantumState, evolve
from knowledge import Ingestion, Recall, RecallQuery, parse_document
from knowledge.keeping.forgetting import Forgetting, ForgettingPolicy
from reflection import ReflectionRequest, Reflections
from tests.integration.knowledge.keeping.conftest import fetch_one, fill

ALL = ForgettingPolicy(most_share=1.0)


@pytest.fixture
def forgetting(database: Database) -> Forgetting:
    return Forgetting(database)


def after(at: Moment, days: float) -> Moment:
    return Moment(at.now + timedelta(days=days), at.time_unit)


async def test_a_document_has_faded_when_the_formula_says(
    forgetting: Forgetting, gem: Gem, tenant: UUID, at: Moment
) -> None:
    fades_days = 30 * math.log(1 / 0.05)  # energy 1, coherence 1, τ of 30 days
    policy = ForgettingPolicy(for_at_least=timedelta(days=10), most_share=1.0)
    assert not (await forgetting.plan(tenant, gem.gem_id, policy, after(at, fades_days + 9.999))).documents
    plan = await forgetting.plan(tenant, gem.gem_id, policy, after(at, fades_days + 10.001))
    assert (len(plan.documents), plan.open) == (9, 9)  # the tenth is superseded already
    for each in plan.documents:
        dt = (each.faded_at - at.now) / at.time_unit
        assert evolve(QuantumState.new(), dt).coherence == pytest.approx(0.05, rel=1e-9)
        assert each.coherence == pytest.approx(0.05 * math.exp(-10.001 / 30), rel=1e-6)


async def test_the_last_passage_to_fade_decides(
    database: Database, forgetting: Forgetting, gem: Gem, tenant: UUID, at: Moment
) -> None:
    async with database.transaction(tenant) as conn:
        await conn.execute(
            "UPDATE passage p SET energy = 64 FROM document d "
            "WHERE d.document_id = p.document_id AND d.external_id = 'crane'"
        )
        await conn.execute(
            "UPDATE passage p SET coherence = 0 FROM document d "
            "WHERE d.document_id = p.document_id AND d.external_id = 't0'"
        )
    plan = await forgetting.plan(tenant, gem.gem_id, ALL, after(at, 400))
    assert "crane" not in {each.external_id for each in plan.documents}
    assert plan.documents[0].external_id == "t0"
    assert (plan.documents[0].faded_at, plan.documents[0].coherence) == (at.now, 0)
    fades = 64 * 30 * math.log(1 / 0.05)
    later = await forgetting.plan(tenant, gem.gem_id, ALL, after(at, fades + 181))
    crane = next(each for each in later.documents if each.external_id == "crane")
    assert abs(crane.faded_at - at.now - timedelta(days=fades)) < timedelta(milliseconds=1)


async def test_an_energy_beyond_all_time_is_no_error(
    database: Database, forgetting: Forgetting, gem: Gem, tenant: UUID, at: Moment
) -> None:
    async with database.transaction(tenant) as conn:
        await conn.execute("UPDATE passage SET energy = 1e308")
    plan = await forgetting.plan(tenant, gem.gem_id, ALL, Moment(after(at, 1e5).now, timedelta(days=1e6)))
    assert not plan.documents
    least = ForgettingPolicy(below=math.ulp(0), most_share=1.0)
    assert not (await forgetting.plan(tenant, gem.gem_id, least, after(at, 400))).documents
    async with database.transaction(tenant) as conn:
        await conn.execute("UPDATE passage SET energy = 1e-300")
    assert len((await forgetting.plan(tenant, gem.gem_id, ALL, after(at, 400))).documents) == 9


async def test_forgotten_is_not_recalled_yet_kept_and_comes_back_whole(
    database: Database, forgetting: Forgetting, gem: Gem, recall: Recall, tenant: UUID, at: Moment
) -> None:
    late = after(at, 400)
    query = RecallQuery(question="Who owns the ferry?", gem_ids=(gem.gem_id,))
    before = await recall.recall(tenant, query, late)
    relations = "SELECT array_agg((predicate, known_to, closed_reason)::text ORDER BY relation_id) FROM relation"
    known = await fetch_one(database, tenant, relations)
    rows = "SELECT (SELECT count(*) FROM document), (SELECT count(*) FROM passage), (SELECT count(*) FROM relation)"
    kept = await fetch_one(database, tenant, rows)
    plan, run = await forgetting.carry_out(tenant, gem.gem_id, ALL, late)
    assert run.documents == len(plan.documents) == 9
    assert await recall.recall(tenant, query, late) == []
    assert await fetch_one(database, tenant, rows) == kept
    assert await fetch_one(database, tenant, "SELECT count(*) FROM relation WHERE known_to IS NULL") == 0
    assert (await forgetting.plan(tenant, gem.gem_id, ALL, late)).documents == ()
    undone = await forgetting.undo(tenant, gem.gem_id, None, late)
    assert undone == run
    assert await recall.recall(tenant, query, late) == before
    assert await fetch_one(database, tenant, relations) == known
    closed = "SELECT count(*), min(closed_reason) FROM document WHERE closed_at IS NOT NULL"
    assert await fetch_one(database, tenant, closed) == (1, "superseded")
    with pytest.raises(ForgettingNotFoundError):
        await forgetting.undo(tenant, gem.gem_id, None, late)


async def test_runs_are_undone_one_by_one_the_last_first_unless_named(
    database: Database, forgetting: Forgetting, gem: Gem, tenant: UUID, at: Moment
) -> None:
    some = ForgettingPolicy(most_share=0.34)
    plan, first = await forgetting.carry_out(tenant, gem.gem_id, some, after(at, 400))
    assert (len(plan.documents), plan.faded, plan.open) == (3, 9, 9)
    _, second = await forgetting.carry_out(tenant, gem.gem_id, some, after(at, 401))
    assert second.documents == 2
    with pytest.raises(ForgettingNotFoundError):
        await forgetting.undo(tenant, gem.gem_id, uuid4(), after(at, 402))
    assert await forgetting.undo(tenant, gem.gem_id, first.run_id, after(at, 402)) == first
    assert await forgetting.undo(tenant, gem.gem_id, None, after(at, 402)) == second
    assert await fetch_one(database, tenant, "SELECT count(*) FROM document WHERE closed_at IS NULL") == 9


async def test_what_was_cited_stays_unless_told_otherwise(
    forgetting: Forgetting, gem: Gem, reflections: Reflections, tenant: UUID, at: Moment
) -> None:
    request = ReflectionRequest(gem.gem_id, "What does the gantry crane lift?")
    told = await reflections.reflect(tenant, request, at)
    cited = {each.document_id for each in told.evidence if each.cited}
    assert cited
    late = after(at, 4000)
    kept = await forgetting.plan(tenant, gem.gem_id, ALL, late)
    assert not cited & {each.document_id for each in kept.documents}
    strict = ForgettingPolicy(most_share=1.0, keep_used=False)
    assert cited <= {each.document_id for each in (await forgetting.plan(tenant, gem.gem_id, strict, late)).documents}


async def test_what_is_told_anew_after_it_was_forgotten_holds_again(
    database: Database, forgetting: Forgetting, gem: Gem, ingestion: Ingestion, tenant: UUID, at: Moment
) -> None:
    late = after(at, 400)
    await forgetting.carry_out(tenant, gem.gem_id, ALL, late)
    crane = parse_document({"id": "crane", "text": "The crane was sold."})
    await ingestion.ingest(tenant, gem.gem_id, [crane], late)
    open_ids = "SELECT array_agg(external_id) FROM document WHERE closed_at IS NULL"
    assert await fetch_one(database, tenant, open_ids) == ["crane"]
    assert (await forgetting.undo(tenant, gem.gem_id, None, late)).documents == 8


async def test_other_gems_and_tenants_are_left_alone(
    database: Database,
    forgetting: Forgetting,
    gems: Gems,
    gem: Gem,
    ingestion: Ingestion,
    tenant: UUID,
    stranger: UUID,
    at: Moment,
) -> None:
    await fill(gems, ingestion, tenant, at, "second")
    await fill(gems, ingestion, stranger, at, "apart")
    await forgetting.carry_out(tenant, gem.gem_id, ALL, after(at, 400))
    count = "SELECT count(*) FROM document WHERE closed_reason = 'forgotten'"
    assert (await fetch_one(database, tenant, count), await fetch_one(database, stranger, count)) == (9, 0)
    with pytest.raises(GemNotFoundError):
        await forgetting.plan(stranger, gem.gem_id, ALL, at)
    with pytest.raises(GemNotFoundError):
        await forgetting.undo(stranger, gem.gem_id, None, at)
    await gems.archive(tenant, gem.gem_id, at)
    with pytest.raises(GemArchivedError):
        await forgetting.carry_out(tenant, gem.gem_id, ALL, after(at, 400))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("below", 0.0),
        ("below", 1.1),
        ("below", math.nan),
        ("for_at_least", timedelta(days=-1)),
        ("for_at_least", timedelta(days=40_000)),
        ("most_share", 1.5),
    ],
)
def test_a_policy_out_of_bounds_is_refused(field: str, value: Any) -> None:
    with pytest.raises(InvalidInputError, match=field):
        ForgettingPolicy(**{field: value})
