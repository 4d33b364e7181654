"""Exact BM25 on plain Postgres: packed postings in immutable segments, scored in numpy."""

from knowledge.lexical.index import fetch_lists, merge_due, seal
from knowledge.lexical.postings import Entry, Lists, Scores, Segment, count_segments, score, weighted_length
from knowledge.lexical.terms import REACH_AHEAD, REACH_BACK, STOP_WORDS, count_terms, question_terms, weigh_terms

__all__ = [
    "REACH_AHEAD",
    "REACH_BACK",
    "STOP_WORDS",
    "Entry",
    "Lists",
    "Scores",
    "Segment",
    "count_segments",
    "count_terms",
    "fetch_lists",
    "merge_due",
    "question_terms",
    "score",
    "seal",
    "weigh_terms",
    "weighted_length",
]
