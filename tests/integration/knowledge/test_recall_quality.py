"""Recall on a labelled set of our own, tests/data/recall: each channel is guarded, on one ingestion for all tests."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from numpy.typing import NDArray

from core.embedded import EmbeddedServer
from core.pg import Connection, Database, PoolConfig
from gems import GemChange, Gems, Moment
from knowledge import (
    CHANNELS,
    AskedQuestion,
    Case,
    Chunker,
    FusionWeights,
    Ingestion,
    Recall,
    RecallQuery,
    SourceDocument,
    gather_case,
    parse_document,
    rank_documents,
    summarise_recall,
    summarise_recall_by_group,
)
from knowledge.calibration import probability
from knowledge.tuning import order_case
from tests.conftest import make_database, run_apart
from tests.integration.conftest import MONTH, NOON

DATA = Path(__file__).parents[2] / "data" / "recall"
YEARS = 10
TODAY = Moment(NOON, MONTH)
WEIGHTS = FusionWeights()
SEEDS = 30

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """A question with what was found for it: all material of today, and the same material of ten years."""

    row: Row
    case: Case
    ranking: tuple[str, ...]
    aged: tuple[str, ...]

    def asked(self, ranking: Sequence[str]) -> AskedQuestion:
        return AskedQuestion(tuple(ranking), frozenset(self.row["evidence"]), self.row["group"], 0.0)

    def without(self, channel: str | None) -> AskedQuestion:
        order = order_case(self.case, WEIGHTS.without(channel) if channel else WEIGHTS)
        return self.asked(rank_documents(str(self.case.names[self.case.documents[place]]) for place in order))


@dataclass(frozen=True, slots=True, eq=False)
class Lattice:
    """One tenant's material, written at once or over ten years."""

    tenant: UUID
    gems: dict[str, UUID]


@dataclass(frozen=True, slots=True, eq=False)
class Quality:
    answered: tuple[Answered, ...]
    vectors: tuple[dict[str, NDArray[np.float32]], dict[str, NDArray[np.float32]]]

    def figures(self, channel: str | None = None) -> dict[str, float]:
        return summarise_recall([each.without(channel) for each in self.answered], (5, 10))

    def group_figures(self, channel: str | None = None) -> dict[str, dict[str, float]]:
        return dict(summarise_recall_by_group([each.without(channel) for each in self.answered], (5, 10)))


def read_rows(name: str) -> list[Row]:
    return [json.loads(line) for line in (DATA / f"{name}.jsonl").read_text("utf-8").splitlines()]


async def write(database: Database, local: Any, *, years: int) -> Lattice:
    """Ingest all documents into gems of a new tenant, in equal parts over the years until today."""
    lattice = Lattice(uuid4(), {})
    ingestion = Ingestion(database, local, Chunker(local.tokenizer))
    rows = read_rows("documents")
    for name in sorted({row["gem"] for row in rows}):
        documents = [parse_document(row) for row in rows if row["gem"] == name]
        first = replace(TODAY, now=NOON - timedelta(days=365 * years))
        lattice.gems[name] = (await Gems(database).create(lattice.tenant, GemChange(name), first)).gem_id
        parts = np.array_split(np.arange(len(documents)), years + 1)
        for age, part in zip(range(years, -1, -1), parts, strict=True):
            at = replace(TODAY, now=NOON - timedelta(days=365 * age))
            chosen: list[SourceDocument] = [documents[i] for i in part]
            await ingestion.ingest(lattice.tenant, lattice.gems[name], chosen, at)
    return lattice


async def read_vectors(database: Database, lattice: Lattice) -> dict[str, NDArray[np.float32]]:
    async def read(conn: Connection) -> dict[str, NDArray[np.float32]]:
        cursor = await conn.execute(
            "SELECT d.external_id, p.embedding::text FROM passage p JOIN document d USING (tenant_id, document_id)"
        )
        return {name: np.array(json.loads(vector), np.float32) for name, vector in await cursor.fetchall()}

    return await database.retrying(lattice.tenant, read, read_only=True)


async def answer(recall: Recall, today: Lattice, aged: Lattice, row: Row) -> Answered:
    rankings = []
    for lattice in (today, aged):
        query = RecallQuery(row["question"], (lattice.gems[row["gem"]],), 50)
        found = await recall.recall(lattice.tenant, query, TODAY)
        rankings.append(rank_documents(str(each.external_id) for each in found))
    query = RecallQuery(row["question"], (today.gems[row["gem"]],))
    case = await gather_case(recall, today.tenant, query, TODAY, frozenset(row["evidence"]), seeds=SEEDS)
    assert case is not None
    return Answered(row, case, rankings[0], rankings[1])


@pytest.fixture(scope="module")
def quality(server: EmbeddedServer, template: str, local: Any) -> Iterator[Quality]:
    async def measure(url: str) -> Quality:
        async with Database(PoolConfig(url)) as database:
            today, aged = [await write(database, local, years=years) for years in (0, YEARS)]
            recall = Recall(database, local, WEIGHTS)
            answered = [await answer(recall, today, aged, row) for row in read_rows("questions")]
            return Quality(tuple(answered), (await read_vectors(database, today), await read_vectors(database, aged)))

    for url in make_database(server, template):
        yield run_apart(measure(url))


def test_the_evidence_is_found(quality: Quality) -> None:
    figures = quality.figures()
    assert figures["recall@10"] >= 0.95
    assert figures["ndcg@10"] >= 0.84


def test_what_is_computed_from_the_channels_is_what_recall_gives(quality: Quality) -> None:
    for each in quality.answered:
        assert each.without(None).ranking[:10] == each.ranking[:10], each.row["question"]


@pytest.mark.parametrize("channel", CHANNELS)
def test_no_channel_lowers_recall_and_each_changes_something(quality: Quality, channel: str) -> None:
    assert quality.figures(channel)["ndcg@10"] <= quality.figures()["ndcg@10"] + 0.02
    assert any(each.without(channel).ranking != each.without(None).ranking for each in quality.answered)


@pytest.mark.parametrize(
    ("channel", "group"),
    [
        ("late", "temporal"),
        ("dense", "plain"),
        ("lexical", "one note"),
        ("speaker", "speaker"),
        ("title", "one note"),
        ("link", "two-hop"),
        ("novelty", "two-hop"),
    ],
)
def test_a_channel_earns_its_place_where_it_should(quality: Quality, channel: str, group: str) -> None:
    assert quality.group_figures()[group]["ndcg@10"] > quality.group_figures(channel)[group]["ndcg@10"]


def test_a_link_never_lowers_anything_least_of_all_its_seed(quality: Quality) -> None:
    cases = [each.case for each in quality.answered if each.case.bridges]
    assert len(cases) > 30
    for case in cases:
        assert case.link.min() >= 0.0
        seeds = {bridge.source for bridge in case.bridges}
        assert seeds <= set(order_case(case, WEIGHTS))


def test_equal_texts_have_equal_vectors_however_they_were_ingested(quality: Quality) -> None:
    at_once, over_years = quality.vectors
    assert len(at_once) == len(read_rows("documents"))
    for name, vector in at_once.items():
        np.testing.assert_array_equal(vector, over_years[name], err_msg=name)


def test_ten_years_of_material_recalled_today_lose_nothing(quality: Quality) -> None:
    fresh = summarise_recall([each.asked(each.ranking) for each in quality.answered], (5, 10))
    aged = summarise_recall([each.asked(each.aged) for each in quality.answered], (5, 10))
    assert aged["recall@10"] >= fresh["recall@10"] - 0.01  # the state may turn near ties, no more
    assert aged["ndcg@10"] >= fresh["ndcg@10"] - 0.02
    for each in quality.answered:
        assert set(each.row["evidence"]).intersection(each.ranking[:10]) <= set(each.aged[:20]), each.row["question"]


def test_a_probability_parts_evidence_from_the_rest_across_questions(quality: Quality) -> None:
    cases = [each.case for each in quality.answered]
    found = np.concatenate([probability(case.channels, case.coverage, case.link) for case in cases])
    relevant = np.concatenate([case.relevant for case in cases])
    assert found[relevant].mean() > 10 * found[~relevant].mean()
    likely = found >= 0.5
    assert relevant[likely].mean() > 0.5
    assert relevant[found < 0.01].mean() < 0.01
