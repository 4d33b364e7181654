"""Rows with embeddings, and what a gem holds of them."""

import base64
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np

from core.pg import Database
from gems import Gem
from knowledge.lexical import fetch_lists, score

DIMENSION = 384
WORDS = ["harbour", "lighthouse", "greyhound", "exhibit", "walk", "Ann"]


def vector(seed: int) -> list[float]:
    return [float(x) for x in np.random.default_rng(seed).normal(size=DIMENSION).astype("f4")]


def make_rows(count: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for i in range(count):
        text = f"  Walk {i} to the {WORDS[i % 4]}, number {i}.\n"
        row: dict[str, Any] = {"id": f"r{i}", "text": text, "embedding": vector(i)}
        if i % 3 == 0:
            row |= {"title": f"Walk to Site{i}", "speaker": "Ann", "occurred_at": "2024-05-08T10:00:00Z"}
        if i % 4 == 0:
            row |= {"metadata": {"n": i, "über": [True]}, "entities": ["Ann", f"Site{i}"]}
        if i % 5 == 0:
            del row["id"]
            row["embedding"] = base64.b64encode(np.array(vector(i), "<f4").tobytes()).decode()
        rows.append(row)
    return rows


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


DOCUMENTS = (
    "SELECT d.external_id, d.title, d.source, d.thread, d.speaker, d.position, d.occurred_at, d.meta, d.entities, "
    "d.relations, d.supersedes, d.body, d.content_hash, d.passages, d.created_at, d.updated_at, d.closed_at, "
    "p.ordinal, p.slot, p.heading, p.body, p.start_char, p.end_char, p.tokens, p.around, p.context_hash, "
    "p.embedding::text, p.embedding_b, p.energy, p.phase, p.coherence, p.uncertainty, p.measured_at, p.created_at, "
    "p.closed_at "
    "FROM document d JOIN passage p USING (tenant_id, document_id) WHERE d.gem_id = %s ORDER BY p.slot"
)
MENTIONS = (
    "SELECT m.slot, e.name, m.role FROM mention m JOIN entity e USING (tenant_id, gem_id, entity_id) "
    "WHERE m.gem_id = %s ORDER BY 1, 2, 3"
)
GEM = "SELECT next_slot, sealed_slot, speakers FROM gem WHERE gem_id = %s"


async def read(database: Database, tenant: UUID, query: str, gem: Gem) -> list[tuple[Any, ...]]:
    async with database.transaction(tenant, read_only=True) as conn:
        return await (await conn.execute(query, (gem.gem_id,))).fetchall()


async def stored(database: Database, tenant: UUID, gem: Gem) -> list[list[tuple[Any, ...]]]:
    """All that a gem holds, without the ids that are drawn anew each time."""
    return [await read(database, tenant, query, gem) for query in (DOCUMENTS, MENTIONS, GEM)]


async def score_words(database: Database, tenant: UUID, gem: Gem, count: int) -> dict[str, list[float]]:
    async with database.transaction(tenant, read_only=True) as conn:
        found = {}
        for word in ("walk", "harbour", "lighthous", "greyhound", "site3", "number"):
            scores = score(await fetch_lists(conn, [gem.gem_id], [word]))
            found[word] = [scores.at(gem.gem_id, slot) for slot in range(count)]
        return found
