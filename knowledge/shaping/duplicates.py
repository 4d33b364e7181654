"""Texts that say the same: equal ones, and near-duplicates by the share of their word triples. Pure."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from math import ceil

SAME = 0.9  # least Jaccard similarity of the triples of two near-duplicates
FEWEST_WORDS = 5  # below, one word is too much of a text: only equal ones are folded

_WORDS = re.compile(r"\w+(?:['’]\w+)*")
# Words of which one turns a text round, besides names: numbers, dates, negations.
_TELLING = re.compile(
    r"\w*\d\w*|\w+n['’]t|no|not|never|none|nobody|nothing|nor|neither|without|cannot|except|unless|all|some|always|most"
    r"|least|more|less|before|after|until|am|pm|yes|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
    r"|(?:thir|four|fif|six|seven|eigh|nine)teen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|hundred|thousand|\w+illion"
    r"|half|first|second|third|\w+th|last|next|yesterday|today|tomorrow|(?:sun|mon|tues|wednes|thurs|fri|satur)day"
    r"|january|february|march|april|may|june|july|august|(?:septem|octo|novem|decem)ber|spring|summer|autumn|fall|winter"
)


def fold_duplicates(texts: Sequence[str]) -> list[int]:
    """Return for each text, best first, the index of the first one that it repeats; its own if it repeats none.

    Texts are the same if they are equal but for case and space, or, with enough words, if they share nearly all triples
    of words and differ in no number, date, negation or name: "meet at 5" does not repeat "meet at 6".
    """
    found: list[int] = []
    equal: dict[str, int] = {}
    triples: dict[int, frozenset[int]] = {}
    holders: defaultdict[int, list[int]] = defaultdict(list)  # of a triple: the earlier texts it leads to
    for i, text in enumerate(texts):
        normal = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
        if (first := equal.setdefault(normal, i)) != i:
            found.append(found[first])
            continue
        words = _WORDS.findall(normal)
        mine = frozenset(
            map(hash, zip(words, words[1:], words[2:], strict=False)) if len(words) >= FEWEST_WORDS else ()
        )
        leads = _leads(mine)
        near = sorted({j for triple in leads for j in holders[triple]})
        alike = (j for j in near if _overlap(triples[j], mine) >= SAME and _tell_the_same(texts[j], text))
        same = next(alike, i)
        if same == i:
            triples[i] = mine
            for triple in leads:
                holders[triple].append(i)
        found.append(same)
    return found


def _leads(triples: frozenset[int]) -> list[int]:
    """Return the smallest of the triples, so many that two texts that are the same have one of them in common.

    Source:
        Chaudhuri, Ganti, Kaushik, "A primitive operator for similarity joins in data cleaning", ICDE 2006.
    """
    return sorted(triples)[: len(triples) - ceil(SAME * len(triples)) + 1] if triples else []


def _overlap(first: frozenset[int], second: frozenset[int]) -> float:
    shared = len(first & second)
    return shared / (len(first) + len(second) - shared)


def _tell_the_same(first: str, second: str) -> bool:
    """Return whether two texts have the same numbers, dates and negations in the same order, and the same names.

    A name is a capitalised word that the other text lacks, however it is written there.
    """
    told, names, words = [], [], []
    for text in (first, second):
        written = _WORDS.findall(unicodedata.normalize("NFKC", text))
        lower = [word.casefold() for word in written]
        told.append([word for word in lower if _TELLING.fullmatch(word)])
        names.append({word.casefold() for word in written if word[0].isupper()})
        words.append(set(lower))
    return told[0] == told[1] and names[0] <= words[1] and names[1] <= words[0]
