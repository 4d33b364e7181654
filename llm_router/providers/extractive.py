"""Answers made of the evidence's own sentences, each cited: needs no network and never fails."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import numpy as np
import structlog
from numpy.typing import NDArray

from core.errors import CassetteMissError
from llm_router.config import EXTRACTIVE, Capabilities, TargetConfig
from llm_router.prompt import Embed, Prompt
from llm_router.providers.provider import Materials, Provider
from llm_router.providers.salience import Candidate, choose, list_candidates, rank_by_words
from llm_router.reply import NO_ANSWER, NO_USAGE, Answer
from llm_router.target import Clocks

log = structlog.get_logger(__name__)

EMBED_LIMIT = 48
"""Sentences whose meaning is compared; the ones with the most of the question's words go first."""

EMBED_TIMEOUT_S = 5.0

Vectors = NDArray[np.float32]


class ExtractiveTarget:
    """The last resort: no model, no network, no invention."""

    provider = EXTRACTIVE
    model = EXTRACTIVE

    def __init__(self, name: str = EXTRACTIVE, embed: Embed | None = None) -> None:
        self.name = name
        self._embed = embed

    async def ask(self, prompt: Prompt, clocks: Clocks) -> Answer:
        """Return the sentences that answer best, or `NO_ANSWER`."""
        return self._answer(await self._find_parts(prompt, clocks.total_s))

    async def stream(self, prompt: Prompt, clocks: Clocks) -> AsyncIterator[str | Answer]:
        """Yield the same answer sentence by sentence."""
        parts = await self._find_parts(prompt, clocks.total_s)
        for part in parts:
            yield part
        yield self._answer(parts)

    async def aclose(self) -> None:
        """Do nothing: there is no connection."""

    async def _find_parts(self, prompt: Prompt, timeout_s: float) -> list[str]:
        candidates = rank_by_words(prompt.question, list_candidates(prompt.evidence))
        vectors = await self._find_vectors(prompt.question, candidates[:EMBED_LIMIT], timeout_s)
        chosen = choose(candidates[: len(vectors) - 1] if vectors is not None else candidates, vectors)
        parts = [f"{each.text} [{each.label}]" for each in chosen] or [NO_ANSWER]
        return [parts[0], *(f" {part}" for part in parts[1:])]

    def _answer(self, parts: list[str]) -> Answer:
        return Answer("".join(parts), self.model, "stop", NO_USAGE)

    async def _find_vectors(self, question: str, candidates: Sequence[Candidate], timeout_s: float) -> Vectors | None:
        """Return the question's vector and then one a candidate, shape (1 + n, d); None where words must do."""
        if self._embed is None or not candidates:
            return None
        texts = [question, *(each.text for each in candidates)]
        try:
            async with asyncio.timeout(min(timeout_s, EMBED_TIMEOUT_S)):
                vectors = np.asarray(await self._embed(texts), dtype=np.float32)
        except CassetteMissError:
            raise  # an answer by words alone would hide that the recording lacks something
        except Exception as error:  # noqa: BLE001 - the last resort answers whatever the embedder does
            log.warning("extractive_embedding_failed", error=type(error).__name__)
            return None
        is_usable = vectors.ndim == 2 and len(vectors) == len(texts) and bool(np.isfinite(vectors).all())
        return vectors if is_usable else None


def _build(config: TargetConfig, materials: Materials) -> ExtractiveTarget:
    return ExtractiveTarget(config.name, materials.embed)


PROVIDER = Provider(build=_build, limits=Capabilities(tools=False, schema=False, vision=False), local=True)
