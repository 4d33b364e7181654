"""A local Ray of two workers stores what this process alone would store, whatever becomes of a worker."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import psutil
import pytest

from core.errors import ConfigurationError, EmbedderUnavailableError
from core.pg import Database
from gems import Gem, GemChange, Gems, Moment
from knowledge import Ingestion, SourceDocument, SourceProblem, read_sources
from knowledge.adapters import load_fastembed
from knowledge.bulk import ray_engine
from knowledge.bulk.ray_engine import RayEngine, hire_workers
from knowledge.embedding import TokenEmbedder

pytestmark = [
    # not importorskip: the engine sets the stage before it imports Ray
    pytest.mark.skipif(find_spec("ray") is None, reason="the extra `ray` is not installed, or not for this Python"),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::FutureWarning", "ignore::DeprecationWarning"),
]

SMALL = {"num_cpus": 3, "object_store_memory": 100_000_000}
STORED = (
    "SELECT d.external_id, d.title, d.source, d.thread, d.speaker, d.position, d.content_hash, d.passages, p.ordinal, "
    "p.heading, p.body, p.start_char, p.end_char, p.tokens, p.around, p.context_hash, p.embedding::text, t.states "
    "FROM document d JOIN passage p USING (tenant_id, document_id) "
    "LEFT JOIN passage_tokens t ON t.tenant_id = p.tenant_id AND t.gem_id = p.gem_id AND t.slot = p.slot "
    "WHERE d.gem_id = %s ORDER BY p.slot"
)


def run_apart(work: Coroutine[None, None, object]) -> None:
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


@pytest.fixture(scope="module")
def ray_environment() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "disabled")  # nothing but loopback can reach it
        ray_engine._import_ray(alone=True)  # the first import decides where it listens
        yield


@pytest.fixture(scope="module")
def refusal(ray_environment: None) -> ConfigurationError:
    """What is told of a cluster that is not there; asked first of all: in a cluster, a process can join no other."""
    with pytest.raises(ConfigurationError) as caught:
        run_apart(RayEngine(address="no address").__aenter__())
    return caught.value


@pytest.fixture(scope="module")
def engine(refusal: ConfigurationError) -> Iterator[RayEngine]:
    engine = RayEngine(workers=2, options=dict(SMALL))
    run_apart(engine.__aenter__())
    yield engine
    run_apart(engine.__aexit__(None, None, None))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Texts long and short, a conversation, rows that are wrong, a file that cannot be read."""
    notes = tmp_path / "notes"
    (notes / "deep").mkdir(parents=True)
    for i in range(9):
        text = f"# Walk {i}\n\n" + "\n\n".join(f"Part {j}. The tide came in at pier {i}, slowly." * 6 for j in range(i))
        (notes / f"walk{i}.md").write_text(text, encoding="utf-8")
    (notes / "deep" / "page.html").write_text("<h1>Lighthouse</h1><p>It turned all night.</p>", encoding="utf-8")
    (notes / "broken.pdf").write_bytes(b"%PDF-nothing")
    (notes / "drawing.dwg").write_bytes(b"AC1032")
    turns = [f'{{"text": "Turn {i} about harbour {i % 3}.", "thread": "t", "speaker": "A{i % 2}"}}' for i in range(40)]
    (notes / "talk.jsonl").write_text("\n".join([*turns[:20], "nonsense", *turns[20:]]), encoding="utf-8")
    (notes / "table.csv").write_text("text,title\nA row of a table,Rows\nAnother one,Rows\n", encoding="utf-8")
    return notes


async def store(
    ingestion: Ingestion, rows: Iterable[SourceDocument | SourceProblem], tenant: UUID, gem: Gem, at: Moment
) -> list[SourceProblem]:
    found = await asyncio.to_thread(list, rows)
    documents = [row for row in found if isinstance(row, SourceDocument)]
    await ingestion.ingest(tenant, gem.gem_id, documents, at)
    return [row for row in found if isinstance(row, SourceProblem)]


@pytest.fixture
def make_gem(gems: Gems, tenant: UUID, at: Moment) -> Callable[[str], Any]:
    return lambda name: gems.create(tenant, GemChange(name=name), at)


def test_a_cluster_that_is_not_there_is_told_of(refusal: ConfigurationError) -> None:
    assert "cannot be reached" in refusal.message


async def test_a_worker_that_cannot_load_its_model_is_told_of(engine: RayEngine) -> None:
    assert engine._cluster is not None
    with pytest.raises(EmbedderUnavailableError, match="worker of the Ray cluster"):
        hire_workers(engine._cluster.ray, 1, partial(load_fastembed, "no such model"))


async def test_a_cluster_whose_workers_cannot_work_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        calls.append("hire")
        raise EmbedderUnavailableError("no model")

    calls: list[str] = []
    stub = SimpleNamespace(
        is_initialized=lambda: False,
        init=lambda **_: calls.append("init"),
        shutdown=lambda: calls.append("shutdown"),
    )
    monkeypatch.setattr(ray_engine, "_import_ray", lambda *, alone: stub)
    monkeypatch.setattr(ray_engine, "hire_workers", fail)
    with pytest.raises(EmbedderUnavailableError):
        await RayEngine(workers=1).__aenter__()
    assert calls == ["init", "hire", "shutdown"]


async def test_an_engine_that_is_not_started_says_so(ingestion: Ingestion) -> None:
    with pytest.raises(ConfigurationError, match="not started"):
        RayEngine().over(ingestion)


async def test_a_cluster_stores_what_this_process_stores(
    engine: RayEngine, ingestion: Ingestion, database: Database, tenant: UUID, at: Moment, folder: Path,
    make_gem: Callable[[str], Any],
) -> None:  # fmt: skip
    here, there = await make_gem("here"), await make_gem("there")
    problems = await store(ingestion, read_sources([folder]), tenant, here, at)
    # before there are texts to be found again in the lattice, so that the workers must read them all
    async with database.transaction(tenant) as conn:
        await conn.execute("UPDATE passage SET context_hash = sha256(context_hash)")
    told = await store(engine.over(ingestion), engine.read_sources([folder]), tenant, there, at)
    assert told == problems
    assert len(problems) == 3
    async with database.transaction(tenant) as conn:
        await conn.execute("UPDATE passage SET context_hash = NULL")
        one, other = [await (await conn.execute(STORED, (gem.gem_id,))).fetchall() for gem in (here, there)]
    assert one == other
    assert len(one) > 60


async def test_a_cluster_of_this_machine_listens_on_loopback_only(engine: RayEngine) -> None:
    processes = psutil.Process().children(recursive=True)
    heard = [found.laddr.ip for each in processes for found in each.net_connections() if found.status == "LISTEN"]
    assert heard
    assert {ip.removeprefix("::ffff:") for ip in heard} == {"127.0.0.1"}


async def test_work_of_a_worker_that_dies_is_done_again(engine: RayEngine, ingestion: Ingestion) -> None:
    embedder = engine.over(ingestion).embedder
    assert isinstance(embedder, TokenEmbedder)
    texts = [f"The tide came in {i} times." for i in range(200)]
    reading = asyncio.create_task(embedder.read(texts, [len(text) for text in texts]))
    await asyncio.sleep(0.5)
    assert engine._cluster is not None
    engine._cluster.ray.kill(engine._cluster.actors[0], no_restart=False)
    found = await reading
    expected = await ingestion.embedder.embed(texts)
    assert all((each.vector == vector).all() for each, vector in zip(found, expected, strict=True))
