"""Words as the extractive target compares them: stems without the words that carry no matter."""

import re
from functools import lru_cache

import Stemmer

_STOP_WORDS = """
    a about above after again against all also am an and any are as at be because been before being below between both
    but by can could did do does doing done down during each few for from further had has have having he her here hers
    herself him himself his how i if in into is it its itself just may me might mine more most much must my myself no
    nor not now of off on once only or other our ours ourselves out over own please same shall she should so some such
    tell than that the their theirs them themselves then there these they this those through to too under until up upon
    us very was we were what when where which while who whom whose why will with would you your yours yourself
    yourselves
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_STEM = Stemmer.Stemmer("english")


def find_stems(text: str) -> frozenset[str]:
    """Return the stems of a text's content words."""
    words = (match.lower().replace("’", "'").removesuffix("'s") for match in _WORD.findall(text))
    return frozenset(_stem(word) for word in words if word not in STOP_WORDS)


@lru_cache(maxsize=16_384)
def _stem(word: str) -> str:
    return str(_STEM.stemWord(word))
