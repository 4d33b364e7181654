"""Ingestion on a Ray cluster: its processes read, cut and embed; this one plans, asks for what is missing, and writes.

The same `Ingestion` runs as without a cluster. It is only given an embedder and a chunker whose work is done elsewhere,
so that whatever it stores is what it would have stored alone.
"""

import asyncio
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, Self

from core.errors import ConfigurationError
from knowledge.adapters import load_local
from knowledge.bulk.ray_cluster import Cluster, Item, RayChunker, RayEmbedder, RayTokenEmbedder, worker_errors
from knowledge.bulk.ray_worker import LoadEmbedder, SentFile, Worker
from knowledge.documents import SourceDocument
from knowledge.ingest import Ingestion
from knowledge.sources import FORMATS, SourceProblem
from knowledge.sources.reading import MAX_FILE_BYTES, find_files, read_file

PORTION_ITEMS = 64  # that a worker reads and cuts at a time
PORTION_SIZE = 500_000  # characters or bytes of them
ROW_FORMATS = frozenset({".jsonl", ".csv"})  # read here: they may be larger than memory, and are quickly parsed
MOST_RESTARTS = 10  # of one worker
MOST_RETRIES = -1  # of what it was doing: as long as it is started again
ALONE = {"include_dashboard": False, "_node_ip_address": "127.0.0.1"}


@dataclass(slots=True)
class RayEngine:
    """A cluster that works for ingestions; an async context manager.

    Attributes:
        address: of the cluster, as `ray.init` takes it; None starts one on this machine, which ends with the engine.
        workers: processes; by default one for each core of the cluster.
        load: loads the model, in each of them; it must be installed there, as this program must.
        options: further arguments of `ray.init`.
    """

    address: str | None = None
    workers: int | None = None
    load: LoadEmbedder = load_local
    options: dict[str, Any] = field(default_factory=dict)
    _cluster: Cluster | None = None
    _thread: ThreadPoolExecutor | None = None

    async def __aenter__(self) -> Self:
        """Start or join the cluster, and load the model in its workers.

        Raises:
            ConfigurationError: the extra `ray` is not installed, or the cluster cannot be reached.
            EmbedderUnavailableError: a worker cannot load the model.
        """
        # one thread from start to end: the processes of a cluster on this machine end with the thread that started them
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ray")
        try:
            ray = _import_ray(alone=self.address is None)
            self._cluster = await asyncio.wrap_future(self._thread.submit(self._start, ray))
        except BaseException:
            self._thread.shutdown(wait=False)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        cluster, self._cluster = self._cluster, None
        if cluster is not None and self._thread is not None:
            await asyncio.wrap_future(self._thread.submit(cluster.ray.shutdown))
            self._thread.shutdown()

    def over(self, ingestion: Ingestion) -> Ingestion:
        """Return the same ingestion, its work done by the cluster.

        Raises:
            ConfigurationError: the cluster's model is not the ingestion's.
        """
        cluster, ours = self._get_cluster(), ingestion.embedder
        if (ours.model, ours.dimension) != (cluster.model.name, cluster.model.dimension):
            raise ConfigurationError(f"the Ray workers load {cluster.model.name}, the service runs with {ours.model}")
        embedder = RayTokenEmbedder(cluster) if cluster.model.tells_tokens else RayEmbedder(cluster)
        return replace(ingestion, embedder=embedder, chunker=RayChunker(ingestion.chunker, cluster.cuts))

    def read_sources(self, paths: Iterable[str | Path]) -> Iterator[SourceDocument | SourceProblem]:
        """Read files and folders as `knowledge.read_sources` does, in the same order, on the cluster.

        Lazily, for a worker thread; what is read ahead is bounded.
        """
        cluster = self._get_cluster()
        for row in cluster.cut_all(_portions(_list_items(paths))):
            cluster.cuts.add(row)
            yield row.row

    def _start(self, ray: ModuleType) -> Cluster:
        if ray.is_initialized():
            raise ConfigurationError("this process is in a Ray cluster already")
        place = {"address": self.address} if self.address else ALONE
        try:
            ray.init(**{**place, "log_to_driver": False, "configure_logging": False, **self.options})
        except (ConnectionError, OSError, ValueError, RuntimeError) as error:
            raise ConfigurationError(f"the Ray cluster cannot be reached or started: {error}") from error
        try:
            return hire_workers(ray, self.workers or max(1, int(ray.cluster_resources().get("CPU", 1))), self.load)
        except BaseException:
            ray.shutdown()
            raise

    def _get_cluster(self) -> Cluster:
        if self._cluster is None:
            raise ConfigurationError("the Ray engine is not started")
        return self._cluster


def hire_workers(ray: ModuleType, workers: int, load: LoadEmbedder) -> Cluster:
    """Start workers on the cluster that this process is in, and wait until each has loaded its model.

    Raises:
        EmbedderUnavailableError: one cannot load it.
    """
    remote = ray.remote(num_cpus=1, max_restarts=MOST_RESTARTS, max_task_retries=MOST_RETRIES)(Worker)
    actors = [remote.remote(load) for _ in range(workers)]
    with worker_errors(ray):
        return Cluster(ray, actors, ray.get([actor.describe.remote() for actor in actors])[0])


def _import_ray(*, alone: bool) -> ModuleType:
    if alone:  # read at import: a cluster of one machine then listens on loopback only
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing of ours calls home
    try:
        import ray  # noqa: PLC0415 - an extra, and slow to load
        import ray.exceptions  # noqa: PLC0415
    except ImportError as error:
        raise ConfigurationError(
            'the engine `ray` needs the extra: pip install "crystal-lattice[ray]"; Ray may lack a build for this Python'
        ) from error
    module: ModuleType = ray
    return module


def _list_items(paths: Iterable[str | Path]) -> Iterator[Item]:
    """Yield what is sent to the workers: files that are read whole as they are, the rows of the others."""
    for found in find_files(paths):
        if isinstance(found, SourceProblem):
            yield found
            continue
        path, name = found
        suffix = path.suffix.lower()
        if suffix in ROW_FORMATS or suffix not in FORMATS or not path.is_file():
            yield from read_file(path, name)
            continue
        try:
            with path.open("rb") as stream:
                data = stream.read(MAX_FILE_BYTES + 1)  # one too many is told by the reader
        except OSError:
            yield from read_file(path, name)  # which says why
        else:
            yield SentFile(name, suffix, data)


def _portions(items: Iterable[Item]) -> Iterator[Sequence[Item]]:
    portion: list[Item] = []
    size = 0
    for item in items:
        portion.append(item)
        size += len(item.data) if isinstance(item, SentFile) else 0
        size += len(item.text) if isinstance(item, SourceDocument) else 0
        if len(portion) >= PORTION_ITEMS or size >= PORTION_SIZE:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion
