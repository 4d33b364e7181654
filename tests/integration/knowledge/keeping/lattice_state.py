"""All that a lattice holds, for comparing, and ways to damage it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import psycopg

# of the gem, what only says how often it was written; of the index, what is cut anew; snapshots themselves
DERIVED = ("snapshot", "snapshot_gem", "snapshot_item", "snapshot_member", "lexical_segment", "lexical_posting")
COUNTERS = ("version", "next_slot", "sealed_slot")
Dump = Mapping[str, frozenset[str]]


def dump(url: str, tenant: UUID) -> Dump:
    """Every row of every table of a tenant, as text, by table."""
    with psycopg.connect(url) as conn:
        tables = conn.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE a.attname = 'tenant_id'"
            " AND c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"
        ).fetchall()
        return {
            table: frozenset(
                row
                for (row,) in conn.execute(
                    f"SELECT (to_jsonb(t) - %s::text[])::text FROM {table} t WHERE tenant_id = %s".encode(),
                    (list(COUNTERS) if table == "gem" else [], tenant),
                )
            )
            for (table,) in tables
            if table not in DERIVED
        }


def apply(url: str, statement: str, values: Mapping[str, Any] | None = None) -> int:
    """Do something to the database as its superuser; return how many rows that was."""
    with psycopg.connect(url) as conn:
        return conn.execute(statement.encode(), values).rowcount


def differing(before: Dump, after: Dump) -> dict[str, tuple[list[str], list[str]]]:
    """What was lost and what came, by table."""
    return {
        table: (sorted(before[table] - after[table]), sorted(after[table] - before[table]))
        for table in before
        if before[table] != after[table]
    }
