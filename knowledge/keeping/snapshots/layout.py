"""Which tables a snapshot holds, and in which kind of content: those that an export carries, and entanglements.

Columns and keys are read from the database itself, so that a later version's snapshots hold its new columns too.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from psycopg import sql

from core.pg import Connection
from core.sql import load_queries
from knowledge.keeping.tables import GEM, KNOWLEDGE_TABLES, TravellingTable
from knowledge.keeping.vectors import fetch
from knowledge.passages import COLUMNS

ENTANGLEMENT = TravellingTable("entanglement", ("gem_id", "other_id"))
OF_DOCUMENTS = ("document", "supersession", "passage", "extracted_passage", "mention")  # one content a document
PLACED = ("extracted_passage", "mention")  # of these a slot tells the passage
STATE = ("slot", "around", "energy", "phase", "coherence", "uncertainty", "measured_at")  # of passages, a content too
TOKENS = "passage_tokens"  # goes with the vectors, in the third content of a document

_SQL = load_queries("knowledge.sql", "snapshots.sql")


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """What a row needs: a row of `target` whose columns equal its own."""

    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoredTable:
    """A table as this database has it.

    Attributes:
        table: how its rows are found and told apart.
        filled: its columns, and what fills each in a row that was stored before it was there; None leaves it null.
        fixed: columns that Postgres numbers once and for all.
        key: its primary key.
        needs: its foreign keys.
        is_history: whether its rows are never taken away again.
    """

    table: TravellingTable
    filled: Mapping[str, str | None]
    fixed: frozenset[str]
    key: tuple[str, ...]
    needs: tuple[ForeignKey, ...]
    is_history: bool

    @property
    def name(self) -> str:
        """The table's name."""
        return self.table.name

    @property
    def columns(self) -> list[str]:
        """All but the tenant, which the database fills."""
        return [name for name in self.filled if name != "tenant_id"]

    def where(self) -> sql.Composed:
        """Return which rows of the table `t`, which names its gem, are those of a gem."""
        own = sql.SQL("t.gem_id = %(gem_id)s")
        if self.name == ENTANGLEMENT.name:
            return sql.SQL("({} OR t.other_id = %(gem_id)s)").format(own)
        if self.table.beside is None:
            return sql.SQL("{}").format(own)
        # what is of another gem and beside a row of this one would go with this one
        above, key = map(sql.Identifier, self.table.beside)
        beside = sql.SQL("({} OR t.{} IN (SELECT b.{} FROM {} AS b WHERE b.gem_id = %(gem_id)s))")
        return beside.format(own, key, key, above)

    def source(self) -> sql.Composed:
        """Return where the rows of a gem are found, the table as `t`."""
        table = sql.Identifier(self.name)
        if self.table.under is None:
            return sql.SQL("{} AS t WHERE {}").format(table, self.where())
        above, key = map(sql.Identifier, self.table.under)
        joined = sql.SQL("{} AS t JOIN {} AS a USING (tenant_id, {}) WHERE a.gem_id = %(gem_id)s")
        return joined.format(table, above, key)

    def read(self) -> sql.Composed:
        """Return the query that reads the rows of a gem."""
        return sql.SQL(_SQL["read_rows"]).format(
            columns=pick(self.columns),
            source=self.source(),
            order=sql.SQL(", ").join(sql.SQL("t.{}").format(sql.Identifier(name)) for name in self.table.order),
        )


@dataclass(frozen=True, slots=True)
class Layout:
    """All tables of a snapshot.

    Attributes:
        tables: by name, each after those that it needs.
    """

    tables: Mapping[str, StoredTable]

    @property
    def chunked(self) -> list[StoredTable]:
        """Those whose rows are told of the gem as a whole, not of one document."""
        apart = {GEM.name, TOKENS, *OF_DOCUMENTS}
        return [table for name, table in self.tables.items() if name not in apart]

    @property
    def citing(self) -> list[StoredTable]:
        """Those of history whose rows go with a document, whose gem they name."""
        needing = [table for table in self.tables.values() if "document" in {need.target for need in table.needs}]
        return [table for table in needing if table.is_history]

    def told(self, name: str) -> list[str]:
        """Return the columns of a table that stand in the content of a document."""
        left_out = {"passage": {*STATE, *COLUMNS}} | {name: {"gem_id", "slot"} for name in PLACED}
        return [column for column in self.tables[name].columns if column not in left_out.get(name, ())]


async def read_layout(conn: Connection, more: Sequence[TravellingTable]) -> Layout:
    """Return the tables of a snapshot; `more` are those of reflections, whose rows are history like the log's."""
    history = {"measurement", *(table.name for table in more)}
    tables = (GEM, *KNOWLEDGE_TABLES, *more, ENTANGLEMENT)
    values = {"tables": [table.name for table in tables]}
    columns, keys = await fetch(conn, _SQL["list_columns"], values), await fetch(conn, _SQL["list_keys"], values)
    primary = {row["table"]: tuple(row["columns"]) for row in keys if row["is_primary"]}
    return Layout(
        {
            table.name: StoredTable(
                table,
                {row["column"]: row["filled"] for row in columns if row["table"] == table.name},
                frozenset(row["column"] for row in columns if row["table"] == table.name and row["is_fixed"]),
                primary[table.name],
                tuple(
                    ForeignKey(tuple(row["columns"]), row["target"], tuple(row["target_columns"]))
                    for row in keys
                    if row["table"] == table.name and not row["is_primary"]
                ),
                table.name in history,
            )
            for table in tables
        }
    )


def pick(columns: Iterable[str]) -> sql.Composed:
    """Return columns of the table that a query calls `t`."""
    return sql.SQL(", ").join(sql.SQL("t.{}").format(sql.Identifier(name)) for name in columns)
