"""What a gem holds, told without slots and ids that a move may change: equal portraits are recalled from alike."""

from collections import Counter
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from core.pg import Database
from knowledge.lexical import fetch_lists, score

Place = tuple[str, int]

PASSAGES = """
SELECT coalesce(d.external_id, encode(d.content_hash, 'hex')) AS document, p.ordinal, p.slot, p.passage_id, p.body,
  p.heading, p.tokens, p.around, encode(p.context_hash, 'hex') AS context, p.embedding::text AS embedding,
  encode(t.states, 'hex') AS states, p.closed_at IS NULL AS is_open, p.energy, p.phase, p.coherence, p.uncertainty,
  p.measured_at, p.created_at
FROM passage p JOIN document d ON d.document_id = p.document_id
LEFT JOIN passage_tokens t ON t.gem_id = p.gem_id AND t.slot = p.slot
WHERE p.gem_id = %(gem_id)s ORDER BY 1, 2"""
DOCUMENTS = """
SELECT coalesce(external_id, encode(content_hash, 'hex')) AS document, title, thread, speaker, body, closed_reason,
  CASE WHEN thread IS NOT NULL THEN row_number() OVER (PARTITION BY thread ORDER BY position) END AS place
FROM document d WHERE gem_id = %(gem_id)s ORDER BY 1"""
MENTIONS = """
SELECT coalesce(d.external_id, encode(d.content_hash, 'hex')) AS document, p.ordinal, m.role,
  ARRAY(SELECT n.key FROM entity_name n WHERE n.gem_id = m.gem_id AND n.entity_id = m.entity_id ORDER BY 1) AS names
FROM mention m JOIN passage p ON p.gem_id = m.gem_id AND p.slot = m.slot
JOIN document d ON d.document_id = p.document_id
WHERE m.gem_id = %(gem_id)s ORDER BY 1, 2, 3, 4"""
RELATIONS = """
SELECT s.names AS subject, r.predicate, r.valid_from, r.valid_to, r.closed_reason, r.origin, o.names AS object,
  coalesce(d.external_id, encode(d.content_hash, 'hex')) AS document
FROM relation r JOIN document d ON d.document_id = r.document_id
CROSS JOIN LATERAL (
  SELECT array_agg(n.key ORDER BY n.key) AS names FROM entity_name n
  WHERE n.gem_id = r.gem_id AND n.entity_id = r.subject_id) AS s
CROSS JOIN LATERAL (
  SELECT array_agg(n.key ORDER BY n.key) AS names FROM entity_name n
  WHERE n.gem_id = r.gem_id AND n.entity_id = r.object_id) AS o
WHERE r.gem_id = %(gem_id)s AND r.known_to IS NULL ORDER BY 1, 2, 7, 8"""
SUPERSESSIONS = """
SELECT s.external_id, d.external_id AS document FROM supersession s JOIN document d ON d.document_id = s.document_id
WHERE s.gem_id = %(gem_id)s ORDER BY 1, 2"""


@dataclass(frozen=True)
class Portrait:
    """Everything that recall and the graph read.

    Attributes:
        passages: by document and number, what is stored of each but states; `around` as places.
        states: and those.
        scores: what BM25 gives each for each term of the gem.
        mentions, relations: entities as the sets of their names.
    """

    documents: list[dict[str, Any]]
    passages: dict[Place, dict[str, Any]]
    states: dict[Place, tuple[Any, ...]]
    scores: dict[str, dict[Place, float]]
    mentions: list[tuple[Any, ...]]
    relations: list[dict[str, Any]]
    supersessions: list[tuple[str, str]]

    def differences(self, other: "Portrait", *besides: str) -> str:
        """Say where two differ, for a test to show; nothing if they are equal."""
        found: list[str] = []
        for field in fields(self):
            mine, theirs = getattr(self, field.name), getattr(other, field.name)
            if field.name in besides or mine == theirs:
                continue
            if isinstance(mine, list):
                gone, new = Counter(map(str, mine)), Counter(map(str, theirs))
                found += [f"{field.name}: only here {each}" for each in gone - new]
                found += [f"{field.name}: only there {each}" for each in new - gone]
            else:
                keys = [key for key in mine.keys() | theirs.keys() if mine.get(key) != theirs.get(key)]
                found += [
                    f"{field.name}[{key}]: {mine.get(key)} and {theirs.get(key)}" for key in sorted(keys, key=str)
                ]
        return "\n".join(found)


async def portray(database: Database, tenant: UUID, gem_id: UUID, *, wordings: bool = True) -> Portrait:
    """Portray a gem; the words of titles in texts may be left out, since those of a title that is gone stay."""
    async with database.transaction(tenant, read_only=True) as conn:

        async def fetch(query: str) -> list[dict[str, Any]]:
            async with conn.cursor(row_factory=dict_row) as cursor:
                await cursor.execute(query.encode(), {"gem_id": gem_id})
                return await cursor.fetchall()

        rows = await fetch(PASSAGES)
        places = {row["slot"]: (row["document"], row["ordinal"]) for row in rows}
        terms = await fetch("SELECT DISTINCT term FROM lexical_posting WHERE gem_id = %(gem_id)s ORDER BY term")
        scores: dict[str, dict[Place, float]] = {}
        for term in (row["term"] for row in terms):
            values = score(await fetch_lists(conn, [gem_id], [term]))
            found = {place: values.at(gem_id, slot) for slot, place in places.items() if values.at(gem_id, slot)}
            assert len(values.best(10_000)) == len(found), "the index holds what is no passage"
            if found:
                scores[term] = found
        states = ("energy", "phase", "coherence", "uncertainty", "measured_at")
        shown = [{k: v for k, v in row.items() if k not in {"slot", "passage_id", *states}} for row in rows]
        return Portrait(
            documents=await fetch(DOCUMENTS),
            passages={
                (row["document"], row["ordinal"]): row | {"around": [places.get(slot) for slot in row["around"]]}
                for row in shown
            },
            states={(row["document"], row["ordinal"]): tuple(row[name] for name in states) for row in rows},
            scores=scores,
            mentions=[tuple(row.values()) for row in await fetch(MENTIONS) if wordings or row["role"] < 2],
            relations=await fetch(RELATIONS),
            supersessions=[tuple(row.values()) for row in await fetch(SUPERSESSIONS)],
        )


async def fetch_rows(database: Database, tenant: UUID, query: str, **values: Any) -> list[dict[str, Any]]:
    """Return the rows of a query."""
    async with database.transaction(tenant, read_only=True) as conn, conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query.encode(), values)
        return await cursor.fetchall()
