"""From text to terms: lower case, words of two letters or more, no stop words, Snowball stems. Pure."""

import re
import threading
from collections import Counter
from collections.abc import Mapping, Sequence

import Stemmer

WORD = re.compile(r"\b\w\w+\b")
LONGEST_TERM = 100  # characters; what no word reaches is cut, since a term must fit into a page of an index
_STOP_WORDS = """
about above after again all also am an and any are as at be because been before being below between both but by
can could did do does doing down during each few for from further had has have having he her here hers herself
him himself his how if in into is it its itself just me more most my myself no nor not now of off on once only or
other our ours out over own same she should so some such than that the their theirs them themselves then there
these they this those through to too under until up very was we were what when where which while who whom why
will with would you your yours
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())

# what a passage borrows from its neighbours in a thread, by distance; in twentieths, so that all are whole numbers
SCALE = 20
NEIGHBOUR_WEIGHTS: Mapping[int, int] = {-4: 2, -3: 4, -2: 6, -1: 10, 0: SCALE, 1: 6, 2: 3}
REACH_BACK = 4
REACH_AHEAD = 2

_local = threading.local()  # a stemmer keeps a cache and is not safe to share between threads


def terms_of(text: str) -> list[str]:
    """Return the terms of a text in order, repeats kept."""
    words = [word for word in WORD.findall(text.lower()) if word not in STOP_WORDS]
    stemmer = getattr(_local, "stemmer", None)
    if stemmer is None:
        stemmer = _local.stemmer = Stemmer.Stemmer("english")
    stems: list[str] = stemmer.stemWords(words)
    return [stem[:LONGEST_TERM] for stem in stems]


def question_terms(question: str) -> list[str]:
    """Return the distinct terms of a question; each counts once, however often it is said."""
    return sorted(set(terms_of(question)))


def count_terms(text: str, title: str | None) -> Counter[str]:
    """Return how often each term occurs in a passage's own text; a title is counted once more."""
    counts = Counter(terms_of(text))
    if title:
        counts.update(terms_of(title))
    return counts


def weigh_terms(thread: Sequence[Counter[str]], index: int) -> Counter[str]:
    """Return the weighted frequencies of one passage of a thread, in twentieths.

    Args:
        thread: own frequencies of consecutive passages.
        index: the passage's place among them; what lies outside the sequence does not exist.

    Source:
        The decay by distance was measured on conversations: see docs/recall.md, "Lexical".
    """
    weighed: Counter[str] = Counter()
    for offset, weight in NEIGHBOUR_WEIGHTS.items():
        if 0 <= index + offset < len(thread):
            for term, count in thread[index + offset].items():
                weighed[term] += weight * count
    return weighed
