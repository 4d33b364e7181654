"""The lexical index at 100,000 passages under row-level security, beside the library bm25s in memory."""

import random
from collections import Counter
from collections.abc import AsyncIterator

import bm25s
import numpy as np

from benchmarks.corpus import Writer
from benchmarks.figures import Figure, fresh_database, this_moment, time_each
from core.pg import DEFAULT_TENANT
from gems import Gems
from knowledge.lexical import Entry, Segment, fetch_lists, score, seal
from knowledge.lexical.terms import SCALE, terms_of

PASSAGES = 100_000
SEGMENT = 20_000
QUESTIONS = 200


async def measure() -> AsyncIterator[Figure]:
    """Index the same terms in both, ask both the same questions in turn, and count where the top ten agree."""
    writer = Writer(3)
    passages = [terms_of(writer.text(6)) for _ in range(PASSAGES)]
    reference = bm25s.BM25(k1=1.2, b=0.4, method="lucene")
    reference.index(passages, show_progress=False)
    rng = random.Random(4)
    questions = [sorted(set(rng.sample(rng.choice(passages), 6))) for _ in range(QUESTIONS)]
    async with fresh_database() as (database, _):
        gem = await Gems(database).ensure(DEFAULT_TENANT, "bench", this_moment())
        for number, base in enumerate(range(0, PASSAGES, SEGMENT), start=1):
            counts = [Counter(terms) for terms in passages[base : base + SEGMENT]]
            entries = [
                Entry(base + i, own, Counter({term: SCALE * count for term, count in own.items()}))
                for i, own in enumerate(counts)
            ]
            async with database.transaction(DEFAULT_TENANT) as conn:
                await seal(conn, Segment(gem.gem_id, number, base, 0, 0, 0), entries, [])

        async def ours(i: int) -> list[int]:
            async with database.transaction(DEFAULT_TENANT, read_only=True) as conn:
                lists = await fetch_lists(conn, [gem.gem_id], questions[i])
            return [slot for _, slot in score(lists).best(10)]

        async def theirs(i: int) -> list[int]:
            found, _ = reference.retrieve([questions[i]], k=10, show_progress=False)
            return [int(slot) for slot in found[0]]

        mine, library = await time_each(QUESTIONS, ours), await time_each(QUESTIONS, theirs)
        yield Figure("BM25 p50 at 100,000", float(np.percentile(mine, 50)), "ms")
        yield Figure("BM25 p95 at 100,000", float(np.percentile(mine, 95)), "ms")
        yield Figure("bm25s in memory p50", float(np.percentile(library, 50)), "ms")
        agreed = 0.0
        for i, question in enumerate(questions):
            exact = np.asarray(reference.get_scores(question))
            agreed += float(np.mean(exact[await ours(i)] >= np.sort(exact)[-10] - 4e-6))
        yield Figure("top ten agreed with bm25s, ties equal", agreed / QUESTIONS, "share", "1.0")
