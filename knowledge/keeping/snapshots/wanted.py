"""Rows that are to be there: they wait in tables of their own, and a table is then made like them, row by row.

All is done by statements over whole sets, composed from what the database says of its tables.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psycopg import sql

from core.pg import Connection
from core.sql import load_queries
from knowledge.keeping.snapshots.layout import OF_DOCUMENTS, PLACED, STATE, TOKENS, Layout, StoredTable
from knowledge.keeping.tables import GEM
from knowledge.passages import COLUMNS

_SQL = load_queries("knowledge.sql", "snapshot_restores.sql")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The rows of one table that are to be there."""

    conn: Connection
    table: StoredTable

    @property
    def name(self) -> sql.Identifier:
        """The table in which they wait."""
        return sql.Identifier("pg_temp", f"wanted_{self.table.name}")

    async def open(self) -> None:
        """Make the table in which they wait."""
        wanted = sql.Identifier(f"wanted_{self.table.name}")
        await self.conn.execute(sql.SQL(_SQL["make_wanted"]).format(wanted=wanted, table=self._table))

    async def clear(self) -> None:
        """Take all away that waits."""
        await self._run("clear_wanted", {})

    async def stage(self, content: bytes) -> None:
        """Add the rows of a content."""
        values = sql.SQL(", ").join(self._value(name, {}) for name in self.table.columns)
        await self._run("stage_rows", {"rows": content.decode()}, values=values)

    async def stage_of_documents(self) -> None:
        """Add the rows that stand in the contents of documents which wait."""
        placed = self.table.name in PLACED
        given = {name: sql.SQL("p.{}").format(sql.Identifier(name)) for name in ("gem_id", "slot")} if placed else {}
        values = sql.SQL(", ").join(self._value(name, given) for name in self.table.columns)
        query = "stage_placed" if placed else "stage_of_documents"
        await self._run(query, {}, values=values, name=sql.Literal(self.table.name))

    async def stage_passages(self, column: str) -> None:
        """Add the passages of these documents, their vectors into a column."""
        given: dict[str, sql.Composable] = {name: sql.SQL("s.{}").format(sql.Identifier(name)) for name in STATE}
        given |= {name: sql.SQL("NULL") for name in COLUMNS} | {column: sql.SQL("v.vector")}
        values = sql.SQL(", ").join(self._value(name, given) for name in self.table.columns)
        await self._run("stage_passages", {}, values=values)

    async def keep_cited(self) -> None:
        """Add the rows that are there and would be lost with documents which come from other gems."""
        await self._run("keep_cited", {}, told=_list(self.table.columns, "t"))

    async def follow_documents(self) -> None:
        """Let the rows name the gems that their documents are in now."""
        await self._run("follow_documents", {})

    async def drop(self, gem_id: object) -> None:
        """Delete the rows of a gem that are not among them."""
        where = self.table.where()
        await self._run("drop_rows", {"gem_id": gem_id}, where=where)

    async def drop_of_documents(self) -> None:
        """Delete those rows of the documents, or passages, which wait, that are not among them."""
        await self._run("drop_placed" if self.table.name in PLACED else "drop_of_documents", {})

    async def update(self, left_out: Sequence[str] = ()) -> None:
        """Change the rows that are there and not alike."""
        kept = {*self.table.key, *self.table.fixed, *left_out}
        columns = [name for name in self.table.columns if name not in kept]
        if not columns:
            return
        assigned = [sql.SQL("{0} = w.{0}").format(sql.Identifier(name)) for name in columns]
        await self._run(
            "update_rows",
            {},
            changes=sql.SQL(", ").join(assigned),
            old=_list(columns, "t"),
            new=_list(columns, "w"),
        )

    async def insert(self) -> None:
        """Add the rows that are missing; of history, those alone that still have what they need."""
        needs: list[sql.Composable] = [sql.SQL("true")]
        if self.table.is_history or self.table.name not in {*OF_DOCUMENTS, GEM.name}:
            for need in self.table.needs:
                pairs = zip(need.target_columns, need.columns, strict=True)
                equal = [sql.SQL("n.{} = w.{}").format(sql.Identifier(a), sql.Identifier(b)) for a, b in pairs]
                found = sql.SQL("EXISTS (SELECT FROM {} AS n WHERE {})")
                needs.append(found.format(sql.Identifier(need.target), sql.SQL(" AND ").join(equal)))
        await self._run("insert_rows", {}, needs=sql.SQL(" AND ").join(needs))

    async def _run(self, query: str, parameters: Mapping[str, object], **parts: sql.Composable) -> None:
        keys = [sql.SQL("t.{0} = w.{0}").format(sql.Identifier(name)) for name in self.table.key]
        names = {
            "table": self._table,
            "wanted": self.name,
            "columns": sql.SQL(", ").join(map(sql.Identifier, self.table.columns)),
            "keys": sql.SQL(" AND ").join(keys),
            "key": sql.SQL(", ").join(map(sql.Identifier, self.table.key)),
        }
        await self.conn.execute(sql.SQL(_SQL[query]).format(**(names | parts)), parameters or None)

    @property
    def _table(self) -> sql.Identifier:
        return sql.Identifier(self.table.name)

    def _value(self, name: str, given: Mapping[str, sql.Composable]) -> sql.Composable:
        """Return where a column comes from; what a snapshot from before it was there does not tell is filled."""
        if name in given:
            return given[name]
        told, filled = sql.SQL("r.{}").format(sql.Identifier(name)), self.table.filled[name]
        return told if filled is None else sql.SQL("coalesce({}, {})").format(told, sql.SQL(filled))


async def open_wanted(conn: Connection, layout: Layout) -> dict[str, Wanted]:
    """Make the tables in which the rows of all tables wait, by name, each after those that it needs."""
    await conn.execute(_SQL["make_waiting"])
    found = {name: Wanted(conn, table) for name, table in layout.tables.items()}
    for wanted in found.values():
        await wanted.open()
    return found


def split_order(layout: Layout) -> tuple[list[str], list[str]]:
    """Return the tables of the gem as a whole that come before documents, and those that come after them."""
    names = [name for name in layout.tables if name not in {GEM.name, TOKENS}]
    place = names.index("document")
    after = [name for name in names[place:] if name not in OF_DOCUMENTS]
    return names[:place], after


def _list(columns: Sequence[str], alias: str) -> sql.Composed:
    told = [sql.SQL("{}.{}").format(sql.Identifier(alias), sql.Identifier(name)) for name in columns]
    return sql.SQL(", ").join(told)
