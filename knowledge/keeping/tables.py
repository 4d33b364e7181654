"""Which tables travel with a gem when it is exported, and what of them. Columns are read from the database itself."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from psycopg import sql

from core.pg import Connection
from core.sql import load_queries
from knowledge.keeping.vectors import fetch

_SQL = load_queries("knowledge.sql", "transfer.sql")

VECTOR = "embedding"  # what an export calls the current vector, whichever column holds it
ELSEWHERE = "embedding_b"


@dataclass(frozen=True, slots=True)
class TravellingTable:
    """A table whose rows travel with their gem.

    Attributes:
        name: of the table.
        order: columns by which its rows are told apart.
        left_out: columns that the importing lattice fills by itself.
        under: the table above it and the key they share, for a table that does not name its gem.
        beside: a table and the key they share, for one whose rows travel only where their row there is of the same gem.
        copied: whether its rows also go into a copy of the gem under other ids.
    """

    name: str
    order: tuple[str, ...]
    left_out: frozenset[str] = frozenset()
    under: tuple[str, str] | None = None
    beside: tuple[str, str] | None = None
    copied: bool = True


GEM = TravellingTable("gem", ("gem_id",), frozenset({"version", "next_slot", "sealed_slot", "merged_into"}))
KNOWLEDGE_TABLES = (
    TravellingTable("entity", ("entity_id",)),
    TravellingTable("entity_name", ("key",)),
    TravellingTable("document", ("created_at", "document_id")),
    TravellingTable("supersession", ("external_id", "document_id")),
    TravellingTable("passage", ("slot",)),
    TravellingTable("passage_tokens", ("slot",)),
    TravellingTable("extracted_passage", ("slot",)),
    TravellingTable("mention", ("slot", "entity_id", "role")),
    TravellingTable("graph_predicate", ("predicate",)),
    TravellingTable("relation", ("relation_id",)),
    TravellingTable("graph_change", ("ordinal",), copied=False),  # tells ids inside of what undoes it
    TravellingTable("measurement", ("measurement_id",)),
)

Columns = Mapping[str, str]  # the type of each, by name


@dataclass(frozen=True, slots=True)
class TableLayout:
    """What of a table travels, as this database has it."""

    table: TravellingTable
    columns: Columns

    def count(self) -> sql.Composed:
        """Return the query that counts the rows of a gem."""
        return self._fit("count_rows")

    def read(self, vector_column: str) -> sql.Composed:
        """Return the query that reads the rows of a gem, the current vector from the column that holds it."""
        where = self._places(vector_column)
        read = [_read_column(where.get(name, name), name, kind) for name, kind in self.columns.items()]
        order = [_order_by(name, self.columns.get(name, "")) for name in self.table.order]
        return self._fit(
            "read_rows",
            columns=sql.SQL(", ").join(read),
            order=sql.SQL(", ").join(order),
        )

    def insert(self, names: Sequence[str], vector_column: str) -> sql.Composed:
        """Return the statement that stores a row of these columns."""
        where = self._places(vector_column)
        return self._fit(
            "insert_row",
            columns=sql.SQL(", ").join(sql.Identifier(where.get(name, name)) for name in names),
            values=sql.SQL(", ").join(sql.Placeholder(name) for name in names),
        )

    def _places(self, vector_column: str) -> Mapping[str, str]:
        return {VECTOR: vector_column} if self.table.name == "passage" else {}

    def _fit(self, query: str, **parts: sql.Composable) -> sql.Composed:
        above, key = self.table.under or self.table.beside or ("", "")
        if above and query != "insert_row":
            query += "_under" if self.table.under else "_beside"
        names = {"table": self.table.name, "above": above, "key": key}
        return sql.SQL(_SQL[query]).format(**{name: sql.Identifier(each) for name, each in names.items()}, **parts)


async def read_layouts(conn: Connection, tables: Sequence[TravellingTable]) -> dict[str, TableLayout]:
    """Return what of these tables travels, by name, in their order."""
    rows = await fetch(conn, _SQL["list_columns"], {"tables": [table.name for table in tables]})
    return {
        table.name: TableLayout(
            table, {row["column"]: row["type"] for row in rows if row["table"] == table.name and _travels(row, table)}
        )
        for table in tables
    }


def slot_columns(columns: Columns) -> Iterator[str]:
    """List the columns that hold slots, which are numbered anew in every lattice."""
    yield from (name for name in columns if name in {"slot", "around"})


def _travels(row: Mapping[str, str], table: TravellingTable) -> bool:
    column = row["column"]
    owner = {"tenant_id"} if table.name == GEM.name else {"tenant_id", "gem_id"}
    return column not in owner | table.left_out and (column != ELSEWHERE or table.name != "passage")


def _read_column(column: str, name: str, kind: str) -> sql.Composed:
    if kind == "jsonb":  # as text, so that it travels digit by digit
        return sql.SQL("t.{}::text AS {}").format(sql.Identifier(column), sql.Identifier(name))
    return sql.SQL("t.{} AS {}").format(sql.Identifier(column), sql.Identifier(name))


def _order_by(name: str, kind: str) -> sql.Composed:
    template = sql.SQL('t.{} COLLATE "C"') if kind == "text" else sql.SQL("t.{}")
    return template.format(sql.Identifier(name))
