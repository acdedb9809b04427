"""Searches the texts that were read for a value: as it is, in another notation, or with a few characters changed."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import islice
from typing import Any

from rapidfuzz.distance import Levenshtein
from rapidfuzz.fuzz import partial_ratio_alignment

from tasks.extraction.evidence import NORMALISED_SCORE, MatchKind
from tasks.extraction.folding import fold, look_alike
from tasks.notation.currencies import currency_of, find_currencies, may_be_in
from tasks.notation.dates import Day, parse_day
from tasks.notation.numbers import Number, parse_number
from tasks.tracing.traced_passages import TracedPassage

MAX_OCCURRENCES = 50
"""At most this many places of a value in a passage are examined. Pages rarely repeat a number more often."""
OTHER_READING_SCORE = 0.85
"""Score of a value that is equal only in a less likely reading of a day or of a currency's sign, or in one of several
readings of a number."""
EDITS_PER_CHARACTER = 1 / 6
"""OCR or a model may have changed at most this share of a text's characters: one letter in six. In a text of five
letters, only characters that look alike may differ."""
FIGURE_COST = 3
"""A changed digit counts as this many edits, because it makes a different number."""
MIN_FUZZY_LENGTH, MAX_FUZZY_LENGTH = 5, 500
"""Texts of MIN_FUZZY_LENGTH to MAX_FUZZY_LENGTH characters are compared by edit distance. A shorter text becomes
another word by one edit, and the search for a longer text takes too long."""
PIECES = 64
"""Fewer than this many n-grams of a text are looked up to find where it may occur."""
MAX_HITS = 1_000
"""At most this many occurrences of one n-gram are examined. Further occurrences are skipped, because the rarer n-grams
of a text show where the text is."""
BUCKET = 8
"""Occurrences of n-grams are counted by the place where the text would begin, in buckets of this many characters, so
that a few missing or additional characters do not separate the n-grams of one occurrence."""

_TRUE, _FALSE = ("true", "yes"), ("false", "no")


@dataclass(frozen=True, slots=True)
class ValueMatch:
    passage: TracedPassage
    words: tuple[int, ...]
    """Indices of the words, ascending."""
    kind: MatchKind
    score: float
    """Agreement of value and text, 0 to 1."""


def find_matches(value: Any, passages: Sequence[TracedPassage], *, is_quantity: bool = False) -> list[ValueMatch]:
    """Return the matches of the best kind that occurs, or an empty list. A boolean matches words such as `yes`. A
    quantity never matches a part of a code."""
    ways: list[Callable[[TracedPassage], Iterator[ValueMatch]]] = []
    match value:
        case bool():
            spellings = _TRUE if value else _FALSE
            return [one for passage in passages for word in spellings for one in _match_text(word, passage)]
        case int() | float():
            written = Number(0, 0, str(value), frozenset([Decimal(str(value))]))
            ways = [partial(_match_number, written, typed=True)]
        case str() if (day := parse_day(value)) is not None:
            ways = [partial(_match_day, value, day)]
        case str() if (number := parse_number(value)) is not None:
            # A number may also be a piece of a code: the house number of an address, or the end of a telephone number.
            ways = [partial(_match_number, number), *(() if is_quantity else (partial(_match_text, value),))]
        case str() if code := currency_of(value):
            ways = [partial(_match_currency, value, code)]
        case str():
            ways = [partial(_match_text, value), partial(_match_misread, value)]
    for way in ways:
        found = [one for passage in passages for one in way(passage)]
        for kind in ("exact", "normalised", "fuzzy"):
            if best := [one for one in found if one.kind == kind]:
                return best
    return []


def _match_text(text: str, passage: TracedPassage) -> Iterator[ValueMatch]:
    """Find the same letters and digits. The match is exact if the signs between them are the same, too."""
    needle = "".join(fold(text))
    if not needle:
        return
    stream = passage.stream
    for start, end in stream.occurrences(needle, stream.text, MAX_OCCURRENCES):
        words = stream.words_between(start, end)
        exact = _without_spaces(text) in _without_spaces("".join([passage.words[word] for word in words]))
        yield ValueMatch(passage, words, "exact" if exact else "normalised", 1.0 if exact else NORMALISED_SCORE)


def _without_spaces(text: str) -> str:
    return "".join(text.casefold().split())


def _match_number(number: Number, passage: TracedPassage, *, typed: bool = False) -> Iterator[ValueMatch]:
    """Find the same number. `typed` states that the number is a JSON number, in which 9 and 9.00 are equal."""
    for found in passage.numbers_read_as(number.readings)[:MAX_OCCURRENCES]:
        exact = found.is_plain if typed else found.digits == number.digits
        yield _quantity_match(found, passage, exact=exact, sure=len(found.readings) == 1)


def _match_day(text: str, day: Day, passage: TracedPassage) -> Iterator[ValueMatch]:
    for found in passage.days_read_as(day.readings)[:MAX_OCCURRENCES]:
        written = _without_spaces(text[day.start : day.end])
        exact = written == _without_spaces(passage.text[found.start : found.end]) and day.end == len(text.strip())
        yield _quantity_match(found, passage, exact=exact, sure=day.readings[0] == found.readings[0])


def _quantity_match(found: Number | Day, passage: TracedPassage, *, exact: bool, sure: bool) -> ValueMatch:
    score = 1.0 if exact else NORMALISED_SCORE if sure else OTHER_READING_SCORE
    words = passage.words_between(found.start, found.end)
    return ValueMatch(passage, words, "exact" if exact else "normalised", score)


def _match_currency(text: str, code: str, passage: TracedPassage) -> Iterator[ValueMatch]:
    """Find the same sign or code, and other signs and codes of the same currency."""
    found = (one for one in find_currencies(passage.text) if may_be_in(passage.text[one.start : one.end], code))
    for one in islice(found, MAX_OCCURRENCES):
        exact = passage.text[one.start : one.end] == text
        score = 1.0 if exact else NORMALISED_SCORE if one.code == code else OTHER_READING_SCORE
        yield ValueMatch(passage, passage.words_between(one.start, one.end), "exact" if exact else "normalised", score)


def _match_misread(text: str, passage: TracedPassage) -> Iterator[ValueMatch]:
    """Find the text with differences in characters that OCR confuses and, if the text is long, with a few edits."""
    plain = "".join(fold(text))
    needle = look_alike(plain)
    stream = passage.stream
    found = list(stream.occurrences(needle, stream.look_alike, MAX_OCCURRENCES)) if len(plain) > 2 else []
    spans = {*found, *(_nearby_spans(needle, passage) if MIN_FUZZY_LENGTH <= len(needle) <= MAX_FUZZY_LENGTH else ())}
    for start, end in sorted(spans):
        cost = _cost(plain, needle, stream.text[start:end], stream.look_alike[start:end])
        if cost <= len(needle) * EDITS_PER_CHARACTER:
            yield ValueMatch(passage, stream.words_between(start, end), "fuzzy", max(0.0, 1 - cost / len(needle)))


def _nearby_spans(needle: str, passage: TracedPassage) -> Iterator[tuple[int, int]]:
    """Yield spans of whole tokens that have at least about a third of the n-grams of `needle`, in the same order."""
    stream = passage.stream.look_alike
    size = 2 if len(needle) < 9 else 3
    diagonals: Counter[int] = Counter()
    offsets = range(0, len(needle) - size + 1, 1 + len(needle) // PIECES)
    for offset in offsets:
        piece = needle[offset : offset + size]
        start = -1
        for _ in range(MAX_HITS):
            start = stream.find(piece, start + 1)
            if start < 0:
                break
            diagonals[(start - offset) // BUCKET] += 1
    wanted = len(offsets) / 3
    for diagonal, votes in diagonals.most_common(4):
        if votes + max(diagonals[diagonal - 1], diagonals[diagonal + 1]) < wanted:
            return
        # The votes may come from the neighbouring buckets, too.
        left = max(0, (diagonal - 1) * BUCKET)
        window = stream[left : (diagonal + 2) * BUCKET + len(needle)]
        alignment = partial_ratio_alignment(needle, window)
        if alignment is not None:
            start = passage.stream.nearest_edge(left + alignment.dest_start)
            end = passage.stream.nearest_edge(left + alignment.dest_end)
            if start < end:
                yield start, end


def _cost(plain: str, needle: str, found: str, found_alike: str) -> float:
    """Return the cost of the edits from `needle` to `found_alike`: 1 per character, FIGURE_COST per digit.

    Characters that look alike are equal in `needle` and `found_alike`. `plain` and `found` are the texts as written.
    """
    cost = 0.0
    for edit in Levenshtein.editops(needle, found_alike):
        left = plain[edit.src_pos : edit.src_pos + 1] if edit.tag != "insert" else ""
        right = found[edit.dest_pos : edit.dest_pos + 1] if edit.tag != "delete" else ""
        cost += FIGURE_COST if left.isdigit() or right.isdigit() else 1
    return cost
