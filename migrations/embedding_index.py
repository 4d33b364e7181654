"""Indexes over embeddings: one for each column and dimension in use, whoever's lattice that is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import DDL, text
from sqlalchemy.exc import DBAPIError

from core.errors import ConfigurationError, StoreBusyError
from migrations.runner import NO_RIGHT, run_on_schema, run_unlocked
from migrations.status import SchemaStatus

if TYPE_CHECKING:
    from sqlalchemy import Connection

BUILD_KEY = 0x1A771CF  # any constant but the migrations' own: builds online exclude each other under it
DIMENSION_MOST = 4_000  # that an HNSW index takes of halfvec
COLUMNS = ("embedding", "embedding_b")
LINK_BYTES = 400  # that an embedding takes in the index besides its numbers
MEMORY_MOST_KB = 2_097_152
PARALLEL_WORKERS = 7  # at the most: the server has a limit of its own
NO_ROOM = {"53100", "53200"}  # disk full, which shared memory counts as; out of memory
OF_THE_SCHEMA = ("embedding", 384)  # comes with the first tables, and stays for lattices to come

_INDEX = (
    "INDEX %(online)s IF NOT EXISTS %(name)s ON passage USING hnsw ((%(column)s::halfvec(%(dimension)s)) "
    "halfvec_cosine_ops) WHERE vector_dims(%(column)s) = %(dimension)s"
)
_IS_VALID = text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")
_SIZE = text("SELECT pg_relation_size(to_regclass(:name))")
# the graph is built in memory as long as it fits, several times quicker than on disk; the rows say how large it will be
_PREPARE = text(
    "SELECT set_config('maintenance_work_mem', least(:most, greatest(65536, "
    "3 * pg_relation_size('passage') / 2048))::bigint || 'kB', false), "
    "set_config('max_parallel_maintenance_workers', :workers, false)"
)
_USED = text(
    "SELECT EXISTS (SELECT FROM lattice WHERE embedding_column = :column AND embedding_dimension = :dimension "
    "OR embedding_column <> :column AND next_dimension = :dimension)"
)


@dataclass(frozen=True, slots=True)
class EmbeddingIndexes:
    """The indexes of one database, made and dropped as its owner while others read and write.

    Attributes:
        url: of the owner, as for `upgrade`.
    """

    url: str

    async def ensure(self, column: str, dimension: int) -> None:
        """Make the index unless it is there; a half-made one, left behind by a crash, is made anew.

        Raises:
            ConfigurationError: no index can be made for the dimension.
            StoreBusyError: another process makes or drops one at this moment.
            DatabaseUnfitError, StoreUnavailableError: as `upgrade`.
        """
        await _alone(self.url, lambda connection: _ensure_online(connection, column, dimension))

    async def count(self, column: str, dimension: int) -> int:
        """Return about how many embeddings the index holds, told by its size; 0 if it is not there.

        Raises:
            StoreUnavailableError: as `upgrade`.
        """
        held = 0

        def work(connection: "Connection") -> None:
            nonlocal held
            size = connection.execute(_SIZE, {"name": _name(column, dimension)}).scalar() or 0
            held = size // (2 * dimension + LINK_BYTES)

        await run_unlocked(self.url, work)
        return held

    async def drop(self, column: str, dimension: int) -> None:
        """Drop the index until `ensure` makes it again: all embeddings are compared meanwhile, which is slow and exact.

        Raises:
            StoreBusyError, StoreUnavailableError: as `ensure`.
        """
        await _alone(self.url, lambda connection: _drop_online(connection, column, dimension))

    async def release(self, column: str, dimension: int) -> bool:
        """Drop the index if no lattice uses it any more, and say whether it was; that of the schema is emptied.

        An owner who may not see every tenant's lattice cannot know, so for him it stays; it costs little.

        Raises:
            StoreBusyError, StoreUnavailableError: as `ensure`.
        """
        released = False

        def work(connection: "Connection") -> None:
            nonlocal released
            released = _release(connection, column, dimension)

        await _alone(self.url, work)
        return released


async def ensure_embedding_index(url: str, dimension: int, column: str = "embedding") -> SchemaStatus:
    """Make the index over embeddings of this dimension unless it is there; the first tables have that of 384.

    Passages wait while it is made over those that are stored.

    Raises:
        ConfigurationError: no index can be made for the dimension.
        DatabaseUnfitError, StoreUnavailableError: as `upgrade`.
    """
    drop, create = _statement("DROP", column, dimension), _statement("CREATE", column, dimension)

    def work(connection: "Connection") -> None:
        if connection.execute(_IS_VALID, {"name": _name(column, dimension)}).scalar() is False:
            connection.execute(drop)  # half-made, left behind by a crash
        connection.execute(create)

    return await run_on_schema(url, lambda _, connection: work(connection))


def _statement(verb: str, column: str, dimension: int, *, online: bool = False) -> DDL:
    if column not in COLUMNS:
        raise ConfigurationError(f"{column!r} is no column of embeddings")
    if not 1 <= dimension <= DIMENSION_MOST:
        raise ConfigurationError(
            f"embeddings of {dimension} dimensions cannot be indexed; at most {DIMENSION_MOST:,} can"
        )
    context = {"name": _name(column, dimension), "column": column, "dimension": dimension}
    context["online"] = "CONCURRENTLY" if online else ""
    template = {"CREATE": f"CREATE {_INDEX}", "DROP": "DROP INDEX %(online)s %(name)s"}
    template["REINDEX"] = "REINDEX INDEX %(online)s %(name)s"
    return DDL(template[verb], context=context)  # type: ignore[no-untyped-call]  # SQLAlchemy's gap


def _name(column: str, dimension: int) -> str:
    return f"passage_{column}_{dimension}_idx"


async def _alone(url: str, work: Callable[["Connection"], None]) -> None:
    """Run work without a transaction: an index is made beside other work only so."""

    def guarded(connection: "Connection") -> None:
        key = {"key": BUILD_KEY}
        # tried, not waited for: whoever waits holds a snapshot, and a build waits for all snapshots to end
        if not connection.execute(text("SELECT pg_try_advisory_lock(:key)"), key).scalar_one():
            raise StoreBusyError("another process makes or drops an index over embeddings; repeat when it is done")
        try:
            work(connection)
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), key)

    await run_unlocked(url, guarded)


def _ensure_online(connection: "Connection", column: str, dimension: int) -> None:
    if connection.execute(_IS_VALID, {"name": _name(column, dimension)}).scalar():
        return
    for workers in (PARALLEL_WORKERS, 0):
        _drop_online(connection, column, dimension)  # what a crash left behind
        connection.execute(_PREPARE, {"most": MEMORY_MOST_KB, "workers": str(workers)})
        try:
            connection.execute(_statement("CREATE", column, dimension, online=True))
        except DBAPIError as e:  # workers share memory, of which a container may have little
            if not workers or getattr(e.orig, "sqlstate", None) not in NO_ROOM:
                raise
        else:
            return


def _drop_online(connection: "Connection", column: str, dimension: int) -> None:
    if connection.execute(_IS_VALID, {"name": _name(column, dimension)}).scalar() is not None:
        connection.execute(_statement("DROP", column, dimension, online=True))


def _release(connection: "Connection", column: str, dimension: int) -> bool:
    if connection.execute(_IS_VALID, {"name": _name(column, dimension)}).scalar() is None:
        return False
    connection.execute(text("SET row_security = off"))  # rather an error than the rows of no tenant
    try:
        if connection.execute(_USED, {"column": column, "dimension": dimension}).scalar_one():
            return False
    except DBAPIError as e:
        if getattr(e.orig, "sqlstate", None) == NO_RIGHT:
            return False
        raise
    verb = "REINDEX" if (column, dimension) == OF_THE_SCHEMA else "DROP"
    connection.execute(_statement(verb, column, dimension, online=True))
    return True
