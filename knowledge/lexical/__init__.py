"""Exact BM25 on plain Postgres: packed postings in immutable segments, scored in numpy."""

from knowledge.lexical.index import fetch_lists, seal
from knowledge.lexical.postings import Entry, Lists, Scores, Segment, count_segments, score, weighted_length
from knowledge.lexical.terms import REACH_AHEAD, REACH_BACK, count_terms, question_terms, weigh_terms

__all__ = [
    "REACH_AHEAD",
    "REACH_BACK",
    "Entry",
    "Lists",
    "Scores",
    "Segment",
    "count_segments",
    "count_terms",
    "fetch_lists",
    "question_terms",
    "score",
    "seal",
    "weigh_terms",
    "weighted_length",
]
