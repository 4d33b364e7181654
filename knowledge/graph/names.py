"""Names: what they are known by, and where a text says one. Pure, offline, for any script.

A name's key is what two ways of writing it have in common, so that they lead to one entity. Names are found by their
capitals: a script without capitals, or a text all in capitals, gives only the names that are known already.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from hashlib import sha256

from knowledge.lexical.terms import STOP_WORDS

MOST_WORDS = 8  # of a name that is found
MOST_NAMES = 40  # found in one passage
LONGEST_KEY = 400  # characters
LONGEST_TEXT = 20_000  # characters of a passage that are read for names; no chunker makes one so long

# surnames that are a first name with an s; of other words the plural and the singular are taken to be one name
_SURNAME_LIST = """
abrahams adams andrews collins daniels davids edwards evans harrys jacobs johns matthews michaels owens peters phillips
richards roberts rogers samuels stephens stevens walters williams
"""
# words that open a sentence with a capital without being part of the name that may follow
_OPENER_LIST = """
according although among another both come despite even every first good great hello hey hi however i'd i'll i'm it's
i've its last later let let's like many may maybe most much next oh ok okay one originally our perhaps please several
since still sure thank thanks therefore though three thus today together tomorrow two unlike upon us well what's within
without wow yeah yes yesterday yet
"""
_SURNAMES = frozenset(_SURNAME_LIST.split())
_OPENERS = STOP_WORDS | frozenset(_OPENER_LIST.split())
_CONNECTORS = (
    "of the|of|the|de la|de las|de los|de l'|de|del|della|dello|di|da|das|do|dos|du|des|la|le|van der|van den|van de|"
    "van|von der|von dem|von|vom|zu|zum|zur|ter|ten|den|der|af|av|bin|ibn|bint|al|el|y|e|for the"
)


def _ranges(points: Iterable[int]) -> str:
    """Return a class of characters, without its brackets."""
    spans: list[list[int]] = []
    for point in points:
        if spans and point == spans[-1][1] + 1:
            spans[-1][1] = point
        else:
            spans.append([point, point])
    return "".join(f"{chr(low)}-{chr(high)}" for low, high in spans)


# vowel signs and accents that stand as characters of their own are part of a word, which \w does not know
_MARKS = _ranges(i for i in range(0x300, 0x3100) if unicodedata.category(chr(i))[0] == "M")
_CAPITALS = _ranges(i for i in (*range(0x41, 0x2D00), *range(0xA640, 0xA800)) if chr(i).isupper() or chr(i).istitle())
_LETTER = rf"[\w{_MARKS}]"
WORD = re.compile(rf"{_LETTER}+(?:['’]{_LETTER}+)*[+#]*")
_CAPITAL = re.compile(rf"[{_CAPITALS}]")
_CAPITALISED = (
    rf"(?:(?:[{_CAPITALS}]\.[ \u00a0]?)+(?=[{_CAPITALS}])|(?:St|Dr|Mt|Ft|Mr|Ms|Mrs)\.[ \u00a0]?)?"
    rf"[{_CAPITALS}]{_LETTER}*(?:['’&-]{_LETTER}+)*[+#]*"
)
_GAP = r"[ \t\u00a0]+"
_PHRASE = re.compile(
    rf"(?<!{_LETTER}){_CAPITALISED}"
    rf"(?:{_GAP}(?:(?:{_CONNECTORS}){_GAP})?{_CAPITALISED}|{_GAP}\d+(?!{_LETTER}|[.,]\d))*"
)
_PART = re.compile(rf"['’]s?{_GAP}|{_GAP}(?:(?:{_CONNECTORS})(?:{_GAP}|$))+")
_SUFFIX = re.compile(r"\s*[(\[（][^()\[\]（）]*[)\]）]\s*$")
_DATE = re.compile(
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December)(?: \d+)+"
    r"|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|January|February|July|September|October|November|December"
)
_BEFORE = " \t\u00a0\"'“”‘’«»„([{*_#>-–—•"  # may stand between the end of a sentence and the first word of the next
_ENDS = frozenset(".!?…:;\n\r。！？")
_FIRST_PERSON = re.compile(r"\b(?:I|I['’](?:m|ve|d|ll)|[Mm]y|[Mm]e|[Mm]ine|[Mm]yself)\b(?![.'’-]\w)")
_SECOND_PERSON = re.compile(r"\b(?:[Yy]ou|[Yy]our|[Yy]ours|[Yy]ourself)\b")


def normalise(name: str) -> str:
    """Return a name's key: the same for other case, spaces and marks, a possessive, or a plural of the last word.

    "The  Harbour-Galleries'" and "the harbour gallery" have one key. It is empty only for a blank name.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    words = WORD.findall(folded.replace("’", "'"))
    key = " ".join((*words[:-1], fold_word(words[-1]))) if words else " ".join(folded.split())
    if len(key) > LONGEST_KEY:
        key = f"{key[: LONGEST_KEY - 20]} {sha256(key.encode()).hexdigest()[:16]}"
    return key


def name_title(title: str) -> list[str]:
    """Return the names that a title gives its document: "Mercury (planet)" also makes it one of those for Mercury."""
    bare = _SUFFIX.sub("", title)
    return [bare, title] if bare and bare != title else [title]


def fold_word(word: str) -> str:
    """Return a word without the possessive and without a simple English plural; what is no plural is cut alike."""
    word = word.removesuffix("'s")
    if len(word) < 4 or word[-1] != "s" or word[-2] in "aiosu'" or word in _SURNAMES or word in STOP_WORDS:
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zzes")):
        return word[:-2]
    return word[:-1]


def find_names(text: str, speaker: str | None = None, listener: str | None = None) -> list[str]:
    """Find the names that a text says, in order, each key once, at most MOST_NAMES.

    A name is a run of capitalised words, joined by "of", "the", "van" and the like; of a joined name its parts are
    names too. A word that opens a sentence is one only if the text capitalises it elsewhere.

    Args:
        text: what is said.
        speaker: who says it, found where the text speaks of itself ("I went", "my").
        listener: to whom, found where it says "you".
    """
    text = text[:LONGEST_TEXT]
    found: dict[str, str] = {}
    for name in (*_persons(text, speaker, listener), *_phrases(text)):
        if len(name) > 1 and len(found) < MOST_NAMES:
            found.setdefault(normalise(name), _bare(name))
    return list(found.values())


def _persons(text: str, speaker: str | None, listener: str | None) -> Iterator[str]:
    if speaker and _FIRST_PERSON.search(text):
        yield speaker
    if listener and _SECOND_PERSON.search(text):
        yield listener


def _phrases(text: str) -> Iterator[str]:
    """Yield capitalised phrases, then their parts."""
    within: dict[str, None] = {}
    opening: list[str] = []
    for match in _PHRASE.finditer(text):
        phrase = _without_openers(match.group())
        if not phrase or _DATE.fullmatch(phrase) or (" " in phrase and phrase.isupper()):
            continue
        if " " not in phrase and phrase == match.group() and _opens_sentence(text, match.start()):
            opening.append(phrase)
        else:
            within[phrase] = None
    said = {_bare(word) for phrase in within for word in phrase.split()}
    whole = [phrase for phrase in (*within, *opening) if phrase in within or _bare(phrase) in said]
    yield from (phrase for phrase in whole if phrase.count(" ") < MOST_WORDS)
    for phrase in whole:
        parts = _PART.split(phrase)
        if len(parts) > 1:
            yield from (part for part in parts if part.casefold() not in _OPENERS)


def _without_openers(phrase: str) -> str:
    while phrase:
        head, _, rest = phrase.partition(" ")
        if head.casefold().replace("’", "'") not in _OPENERS:
            break
        phrase = rest.lstrip()
        while phrase and not _CAPITAL.match(phrase):  # a connector or number that followed what is dropped
            phrase = phrase.partition(" ")[2]
    return phrase


def _opens_sentence(text: str, start: int) -> bool:
    while start > 0 and text[start - 1] in _BEFORE:
        start -= 1
    return start == 0 or text[start - 1] in _ENDS


def _bare(word: str) -> str:
    return word.removesuffix("'s").removesuffix("’s")
