"""Finds what makes two questions different, however alike they sound, before any similarity counts.

A sentence embedding hears what a question is about. "Disable 2FA" is next to "enable 2FA" there, and "5 mg" next to "50
mg". Here both must say the same of all that changes an answer: figures, units, dates, negations, directions, names,
what is quoted, and the language. A wrong veto costs a hit, a missing one a wrong answer: in doubt they disagree.

Most of what must agree is the same on both sides, or of the same kind: `gist` is a digest of that, under which the
questions are found that may ask the same, without reading any other.

>>> disagree("How do I enable 2FA?", "How do I disable 2FA?")
'opposite'
>>> disagree("How do I buy a ticket?", "How can I purchase tickets?") is None
True
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from itertools import combinations
from typing import Final

from app.chat.cache.questions import ParsedQuestion, Readings, is_code, parse_question, question_words, stem

MAX_CHARS: Final = 1000
"""A longer text disagrees with any other: it is not read."""
_MOST_COMPARED: Final = 16
"""Words whose order is compared."""
_ALIKE: Final = 0.7
"""The share of all words that two questions have at least in common where only places were changed."""
_PREFIXES: Final = ("un", "in", "im", "ir", "il", "dis", "non", "de", "anti", "mis", "un-", "non-")
_PASSIVE: Final = frozenset(("is", "are", "was", "were", "be", "been", "being", "get", "got"))
_ENDINGS: Final = frozenset(
    ("", "e", "er", "or", "ion", "ation", "ition", "ment", "al", "ual", "ance", "ence", "y", "ur", "ar")
)
_LEAST_KIN: Final = 5
_CUT: Final = tuple(
    (_ENDINGS | {each.removesuffix(end) for each in _ENDINGS for end in _ENDINGS if each.endswith(end)}) - {""}
)
"""Endings, and what one of them leaves of a longer one: "ation" less "ion"."""


def disagree(one: str, other: str) -> str | None:
    """Names what one question says and the other does not: "length", "language", "quotation", "address", "code",
    "date", "number", "unit", "negation", "opposite", "direction", "order", "question", "time", "person", "name" or
    "words". None where they may ask the same."""
    if max(len(one), len(other)) > MAX_CHARS:
        return "length"
    return next(_differences(parse_question(one), parse_question(other)), None)


def _differences(a: ParsedQuestion, b: ParsedQuestion) -> Iterator[str]:
    """Yields the differences, those first that are cheap to find."""
    if a.language and b.language and a.language != b.language:
        yield "language"
    if a.quoted != b.quoted:
        yield "quotation"
    if a.addresses != b.addresses:
        yield "address"
    if a.codes != b.codes:
        yield "code"
    if a.dates != b.dates or not _agree(a.days, b.days):
        yield "date"
    if not _agree(a.numbers, b.numbers, ordered=a.has_order and b.has_order):
        yield "number"
    if a.units != b.units:
        yield "unit"
    if _is_denied(a, b):
        yield "negation"
    if _is_opposite(a, b):
        yield "opposite"
    if _is_turned(a, b) or _is_turned(b, a):
        yield "direction"
    if _is_swapped(a, b):
        yield "order"
    if a.question != b.question:
        yield "question"
    if _exclude(a.times, b.times):
        yield "time"
    if _exclude(a.persons, b.persons) or {a.begins_with, b.begins_with} == {"i", "you"}:
        yield "person"
    if _exclude(a.light, b.light):
        yield "words"
    if _lacks(a.names, b.words) or _lacks(b.names, a.words):
        yield "name"
    if _lacks(a.content, b.words) or _lacks(b.content, a.words):
        yield "words"


def _agree(ones: Readings, others: Readings, *, ordered: bool = False) -> bool:
    """Tells whether the numbers or days of both sides can be paired, each pair with a reading in common."""
    if ordered:
        return len(ones) == len(others) and all(one & other for one, other in zip(ones, others, strict=True))
    left = list(others)
    for one in ones:
        found = next((other for other in left if one & other), None)
        if found is None:
            return False
        left.remove(found)
    return not left


def _exclude(ones: frozenset[int], others: frozenset[int]) -> bool:
    return bool(ones and others) and not ones & others


def _is_denied(a: ParsedQuestion, b: ParsedQuestion) -> bool:
    if a.denies != b.denies:
        return True
    ones, others = set(a.content) - set(b.content), set(b.content) - set(a.content)
    return any(
        f"{prefix}{word}" in theirs
        for prefix in _PREFIXES
        for ours, theirs in ((ones, others), (others, ones))
        for word in ours
    )


def _is_opposite(a: ParsedQuestion, b: ParsedQuestion) -> bool:
    opposites = question_words().opposites
    ones, others = set(a.words), set(b.words)
    theirs = others - ones
    return any(not theirs.isdisjoint(opposites[word]) for word in ones - others if word in opposites)


def _is_turned(a: ParsedQuestion, b: ParsedQuestion) -> bool:
    """Tells whether the object of a direction in `a` stands elsewhere in `b`, where something else took its place."""
    for direction, objects in a.objects.items():
        opposite = question_words().opposite_directions.get(direction, ())
        theirs = b.objects.get(direction, frozenset())
        if not objects & theirs and any(objects & b.objects.get(each, frozenset()) for each in opposite):
            return True
        if any(each in b.words for each in objects - theirs) and any(each in a.words for each in theirs - objects):
            return True
    return False


def _is_swapped(a: ParsedQuestion, b: ParsedQuestion) -> bool:
    """Tells whether two words changed places and little else was changed, or two names did."""
    if not (a.has_order and b.has_order):
        return False
    shared = [word for word in dict.fromkeys(a.content) if word in b.content][:_MOST_COMPARED]
    place = {word: b.content.index(word) for word in shared}
    ones, others = set(a.words), set(b.words)
    are_alike = len(ones & others) >= _ALIKE * len(ones | others)
    if are_alike and any(place[x] > place[y] for x, y in combinations(shared, 2)):
        return True
    names = [word for word in shared if word in a.names or word in b.names]
    if any(place[x] > place[y] for x, y in combinations(names, 2)):
        return True
    return any(_is_passive_twin(one, other, shared) for one, other in ((a, b), (b, a)))


def _is_passive_twin(passive: ParsedQuestion, active: ParsedQuestion, shared: Sequence[str]) -> bool:
    """Tells whether `passive` says with "by" what `active` says in the same order without it."""
    if "by" in active.objects or len(shared) < 2 or _PASSIVE.isdisjoint(passive.words):
        return False
    return shared[-1] in passive.objects.get("by", frozenset()) and active.content[-1] == shared[-1]


def _lacks(ones: Sequence[str], others: Sequence[str]) -> bool:
    """Tells whether one of the words is missing among the others, in any form, and has no synonym there."""
    synonyms = question_words().synonyms
    sets = frozenset[int]().union(*(synonyms.get(other, ()) for other in others))
    return any(
        one not in others
        and not synonyms.get(one, frozenset()) & sets
        and not any(_is_kin(one, other) for other in others)
        for one in ones
    )


def _is_kin(one: str, other: str) -> bool:
    """Tells whether two words differ in their endings alone, as "direct" and "director" do."""
    return one[:_LEAST_KIN] == other[:_LEAST_KIN] and any(
        one[:place] == other[:place] and one[place:] in _ENDINGS and other[place:] in _ENDINGS
        for place in range(_LEAST_KIN, min(len(one), len(other)) + 1)
    )


def gist(text: str, scope: str = "") -> bytes:
    """A digest that two texts of a `scope` share unless they `disagree`: of what both must say alike, of the figures in
    their numbers and days, and of the kinds of their words."""
    asked = parse_question(text)
    names, common = _kinds()
    roots = set(map(_root, asked.content)) - common
    said = [
        scope,
        *(sorted(each) for each in (asked.quoted, asked.addresses, asked.codes, asked.dates, asked.units)),
        sorted(sorted({_significant(each) for each in readings}) for readings in asked.numbers),
        sorted(sorted({_in_any_order(each) for each in readings}) for readings in asked.days),
        asked.denies,
        asked.question,
        sorted({names.get(root, root) for root in roots}),
    ]
    return hashlib.sha256(json.dumps(said).encode()).digest()[:16]


def _significant(number: Decimal) -> str:
    """What "1.234", "1,234" and "1234 %" have in common, however they are read."""
    return "".join(map(str, number.as_tuple().digits)).strip("0")


def _in_any_order(day: date) -> tuple[int, ...]:
    """What 3/4/2005 and 4/3/05 have in common."""
    return tuple(sorted((day.year % 100, day.month, day.day)))


@cache
def _kinds() -> tuple[Mapping[str, str], frozenset[str]]:
    """The names of the kinds of roots that synonyms join, directly or by others; and the roots that words without a
    meaning of their own may share with words that have one: those need not stand on both sides."""
    table = question_words()
    members: dict[int, set[str]] = {}
    for word, sets in table.synonyms.items():
        for number in sets:
            members.setdefault(number, set()).add(_root(word))
    kinds: dict[str, set[str]] = {}
    for roots in members.values():
        joined = set[str]().union(*(kinds.get(root, {root}) for root in roots))
        kinds.update(dict.fromkeys(joined, joined))
    little = (*table.little, *table.numbers, *table.dates, *table.unit_names, *filter(is_code, table.synonyms))
    common = set[str]().union(*(kinds.get(root, {root}) for root in map(_root, map(stem, little))))
    return {root: min(kind) for root, kind in kinds.items()}, frozenset(common)


@lru_cache(4096)
def _root(word: str) -> str:
    """The word without all the endings that can be taken off, which words that are kin share."""
    while ending := next((end for end in _CUT if word.endswith(end) and len(word) - len(end) >= _LEAST_KIN), ""):
        word = word.removesuffix(ending)
    return word
