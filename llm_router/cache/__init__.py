"""Whole answers kept for the same question: keys, a cache in the process, one that replicas share, single flight."""

from core.flights import Flight, Flights, wait_for
from llm_router.cache.answers import AnswerCache, build_answer_cache
from llm_router.cache.keys import digest_prompt, identify_target, key_of

__all__ = [
    "AnswerCache",
    "Flight",
    "Flights",
    "build_answer_cache",
    "digest_prompt",
    "identify_target",
    "key_of",
    "wait_for",
]
