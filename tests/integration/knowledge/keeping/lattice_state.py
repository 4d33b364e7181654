"""All that a lattice holds, for comparing, and ways to damage it."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import psycopg

# of the gem, what only says how often it was written; of the index, what is cut anew; snapshots themselves
DERIVED = ("snapshot", "snapshot_gem", "snapshot_item", "snapshot_member", "lexical_segment", "lexical_posting")
COUNTERS = ("version", "next_slot", "sealed_slot")
NO_SUM = "t -> 'total' IS DISTINCT FROM '[0]'"  # of nothing is as good as none
Dump = Mapping[str, frozenset[str]]


def dump(url: str, tenant: UUID, gem_ids: Sequence[UUID] | None = None) -> Dump:
    """Every row of every table of a tenant, or what is of some gems of it, as text, by table."""
    with psycopg.connect(url) as conn:
        tables = conn.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE a.attname = 'tenant_id'"
            " AND c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"
        ).fetchall()
        gems = None if gem_ids is None else [str(each) for each in gem_ids]
        values = {"tenant": tenant, "counters": list(COUNTERS), "gems": gems}
        return {
            table: frozenset(
                row
                for (row,) in conn.execute(
                    f"SELECT t::text FROM (SELECT to_jsonb(t) - CASE WHEN '{table}' = 'gem' THEN %(counters)s::text[]"
                    f" ELSE '{{}}' END AS t FROM {table} t WHERE tenant_id = %(tenant)s) AS t WHERE {NO_SUM} AND"
                    " (%(gems)s::text[] IS NULL OR coalesce(t ->> 'gem_id', %(gems)s[1]) = ANY(%(gems)s))".encode(),
                    values,
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
