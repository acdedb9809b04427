"""Finds differences in meaning between two questions, however alike they sound.

A sentence embedding shows the subject of a question: "disable 2FA" lies near "enable 2FA", and "5 mg" near "50 mg". The
vetoes compare every detail that changes an answer: numbers, units, dates, negations, directions, names, quotations and
the language. A needless veto costs a hit, but a missing veto gives a wrong answer. So doubt counts as a difference.

Most of these details must be equal, or of the same kind, in both questions. The digest of these details is the `gist`
of a question. Questions that may ask the same have the same digest, so only questions with the same digest are read.

>>> find_veto("How do I enable 2FA?", "How do I disable 2FA?")
'opposite'
>>> find_veto("How do I buy a ticket?", "How can I purchase tickets?") is None
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
"""Only texts with at most this many characters are compared. A longer text is taken to differ from every other text."""
_MAX_COMPARED: Final = 16
"""The order of at most this many shared words is compared."""
_LEAST_ALIKE: Final = 0.7
"""A different order of words counts as a difference between two questions if they have at least this share of all their
words in common."""
_PREFIXES: Final = ("un", "in", "im", "ir", "il", "dis", "non", "de", "anti", "mis", "un-", "non-")
_PASSIVE: Final = frozenset(("is", "are", "was", "were", "be", "been", "being", "get", "got"))
_ENDINGS: Final = frozenset(
    ("", "e", "er", "or", "ion", "ation", "ition", "ment", "al", "ual", "ance", "ence", "y", "ur", "ar")
)
_LEAST_KIN: Final = 5
_REMOVABLE_ENDINGS: Final = tuple(
    (_ENDINGS | {each.removesuffix(end) for each in _ENDINGS for end in _ENDINGS if each.endswith(end)}) - {""}
)
"""Endings, and parts of endings that remain after a shorter ending was removed, such as "at" of "ation" after "ion" was
removed."""


def find_veto(first: str, second: str) -> str | None:
    """Return the kind of the first difference found between two questions, or None if they may ask the same.

    The kinds are "length", "language", "quotation", "address", "code", "date", "number", "unit", "negation",
    "opposite", "direction", "order", "question", "time", "person", "name" and "words".
    """
    if max(len(first), len(second)) > MAX_CHARS:
        return "length"
    return next(_differences(parse_question(first), parse_question(second)), None)


def _differences(a: ParsedQuestion, b: ParsedQuestion) -> Iterator[str]:
    """Yield the differences, beginning with those that are cheap to find."""
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
    if _has_other_direction(a, b) or _has_other_direction(b, a):
        yield "direction"
    if _is_swapped(a, b):
        yield "order"
    if a.kind != b.kind:
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
    """True if the numbers or days of both questions can be paired so that each pair has a reading in common."""
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


def _has_other_direction(a: ParsedQuestion, b: ParsedQuestion) -> bool:
    """True if an object that has a direction in `a` occurs elsewhere in `b`, where another object has that
    direction."""
    for direction, objects in a.objects.items():
        opposite = question_words().opposite_directions.get(direction, ())
        theirs = b.objects.get(direction, frozenset())
        if not objects & theirs and any(objects & b.objects.get(each, frozenset()) for each in opposite):
            return True
        if any(each in b.words for each in objects - theirs) and any(each in a.words for each in theirs - objects):
            return True
    return False


def _is_swapped(a: ParsedQuestion, b: ParsedQuestion) -> bool:
    """True if two names have changed places, if two other words have changed places in otherwise similar questions, or
    if one question is in the passive voice with the order of words of the other."""
    if not (a.has_order and b.has_order):
        return False
    shared = [word for word in dict.fromkeys(a.content) if word in b.content][:_MAX_COMPARED]
    index = {word: b.content.index(word) for word in shared}
    ones, others = set(a.words), set(b.words)
    are_alike = len(ones & others) >= _LEAST_ALIKE * len(ones | others)
    if are_alike and any(index[x] > index[y] for x, y in combinations(shared, 2)):
        return True
    names = [word for word in shared if word in a.names or word in b.names]
    if any(index[x] > index[y] for x, y in combinations(names, 2)):
        return True
    return any(_is_passive_twin(one, other, shared) for one, other in ((a, b), (b, a)))


def _is_passive_twin(passive: ParsedQuestion, active: ParsedQuestion, shared: Sequence[str]) -> bool:
    """True if `passive` is in the passive voice with "by", and `active` has the same order of words without "by"."""
    if "by" in active.objects or len(shared) < 2 or _PASSIVE.isdisjoint(passive.words):
        return False
    return shared[-1] in passive.objects.get("by", frozenset()) and active.content[-1] == shared[-1]


def _lacks(ones: Sequence[str], others: Sequence[str]) -> bool:
    """True if some word of `ones` has no counterpart in `others`: the same word, another form of it, or a synonym."""
    synonyms = question_words().synonyms
    sets = frozenset[int]().union(*(synonyms.get(other, ()) for other in others))
    return any(
        one not in others
        and not synonyms.get(one, frozenset()) & sets
        and not any(_is_kin(one, other) for other in others)
        for one in ones
    )


def _is_kin(first: str, second: str) -> bool:
    """True if two words differ only in their endings, like "direct" and "director"."""
    return first[:_LEAST_KIN] == second[:_LEAST_KIN] and any(
        first[:index] == second[:index] and first[index:] in _ENDINGS and second[index:] in _ENDINGS
        for index in range(_LEAST_KIN, min(len(first), len(second)) + 1)
    )


def gist(text: str, scope: str = "") -> bytes:
    """Return a digest that two texts of a `scope` share unless `find_veto` finds a difference between them.

    The digest covers the details that must be equal, the digits of numbers and dates, and the kinds of the words.
    """
    question = parse_question(text)
    names, common = _kinds()
    roots = set(map(_root, question.content)) - common
    details = [
        scope,
        *(
            sorted(each)
            for each in (question.quoted, question.addresses, question.codes, question.dates, question.units)
        ),
        sorted(sorted({_significant(each) for each in readings}) for readings in question.numbers),
        sorted(sorted({_in_any_order(each) for each in readings}) for readings in question.days),
        question.denies,
        question.kind,
        sorted({names.get(root, root) for root in roots}),
    ]
    return hashlib.sha256(json.dumps(details).encode()).digest()[:16]


def _significant(number: Decimal) -> str:
    """Return the digits of a number without leading and trailing zeros. They are equal for all readings of "1.234",
    "1,234" and "1234 %"."""
    return "".join(map(str, number.as_tuple().digits)).strip("0")


def _in_any_order(day: date) -> tuple[int, ...]:
    """Return the sorted parts of a date, with a year of two digits. They are equal for 3/4/2005 and 4/3/05."""
    return tuple(sorted((day.year % 100, day.month, day.day)))


@cache
def _kinds() -> tuple[Mapping[str, str], frozenset[str]]:
    """Return the name of each root's kind, and the roots that a digest leaves out.

    A kind is a set of roots that synonyms join, directly or through others. The roots left out belong to the kinds of
    function words, numbers, dates, units and codes, which need not occur in both questions.
    """
    table = question_words()
    members: dict[int, set[str]] = {}
    for word, sets in table.synonyms.items():
        for number in sets:
            members.setdefault(number, set()).add(_root(word))
    kinds: dict[str, set[str]] = {}
    for roots in members.values():
        joined = set[str]().union(*(kinds.get(root, {root}) for root in roots))
        kinds.update(dict.fromkeys(joined, joined))
    little = (*table.function_words, *table.numbers, *table.dates, *table.unit_names, *filter(is_code, table.synonyms))
    common = set[str]().union(*(kinds.get(root, {root}) for root in map(_root, map(stem, little))))
    return {root: min(kind) for root, kind in kinds.items()}, frozenset(common)


@lru_cache(4096)
def _root(word: str) -> str:
    """Return the word without every ending that can be removed. Words that differ only in their endings share it."""
    while ending := next(
        (end for end in _REMOVABLE_ENDINGS if word.endswith(end) and len(word) - len(end) >= _LEAST_KIN), ""
    ):
        word = word.removesuffix(ending)
    return word
