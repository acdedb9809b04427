"""Finds values that others on the same line replace: `Total: 49.00 (correct: 54.00)`, `Gate: B22 changed to B46`,
`moved from 3 June to 5 June`, `~~49.00~~ 54.00`. Also finds values that a later sentence corrects: `Correction: total
is 54.00`.

The line's label is next to the old value, so the network that scores candidates would prefer the old value. Therefore,
the new value gets the old value's score.

A new account (`Sort code: … (changed to …)`) is doubtful, because whoever wants to divert a payment writes so, too.
A value that words call a former one (`previously planned for 3 June`) is doubtful. For a field that asks for the former
value, the values beside it are doubtful instead.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from models.fair_executor import Slices
from tasks.extraction.candidates import SPANS_AT_ONCE, Candidates, CandidateSpan
from tasks.extraction.features import FieldText, Matrix
from tasks.extraction.folding import fold, without_accents
from tasks.extraction.passages import Passage
from tasks.extraction.units import unit_of
from tasks.notation.currencies import is_currency

REPLACED: Final = 12.0
"""Penalty on the logit of a value that another value replaces."""
_MAX_WORDS_BETWEEN: Final = 3
"""At most this many words, such as a currency, are between a value and the words that say that it is replaced."""
_MAX_WORDS_OF_OLD: Final = 8
"""A value that another value replaces has at most this many words."""
_MAX_WORDS_TO_VERB: Final = 6
"""A verb such as `moved` is right before `from 3 June to 5 June`, or begins at most this many words after the first
word of the new value."""
_MAX_WORDS_TO_VALUE: Final = 4
"""A value is among this many words after the words that announce it or call it a former one."""
_WORDS_BEFORE, _WORDS_AFTER = 3, 2
"""A later sentence corrects the value that has a word in common with the new one: in its label, or among this many
words before and after it."""
_SHORTEST_WORD, _STEM = 3, 5
"""Only words of at least _SHORTEST_WORD letters are compared. Two words are the same if their first _STEM letters are:
`adult`, `adults`."""
_MAX_STRUCK: Final = 60
"""A struck text has at most this many words."""
_ACCOUNTS: Final = frozenset(("account", "account_holder", "iban", "bic", "sort_code", "routing_number"))
"""Concepts of fields that say where money goes."""
_TEXTS: Final = ("part", "piece", "word")
"""Kinds of candidates that may be any text."""
_SEPARATES = re.compile(r".*[,;:()\[\]–—/|-]|\W+")
"""Pattern of a word after which a word such as `now` begins a remark."""
_OPENS: Final = ("(", "[", "–", "—", "-")
_CLOSES: Final = (")", "]", ",", ";", ".")
WORDS_AT_ONCE: Final = 100
"""One slice of the work examines this many words of a line."""
STRUCK = re.compile(r"(?<!~)~~(?!~)|</?(?:s|del|strike)>", re.IGNORECASE)
"""Pattern of the marks around deleted text: Markdown's `~~`, and HTML's `<s>`, `<del>` and `<strike>`. Longer runs are
fillers or rulings."""

_Words = tuple[str, ...]
_TABLE: Final[Mapping[str, dict[str, str]]] = tomllib.loads(
    Path(__file__).with_name("replacements.toml").read_text("utf-8")
)


def _plain(word: str) -> str:
    return without_accents("".join(fold(word)))


def _phrases(table: str, key: str) -> Iterator[_Words]:
    for phrase in " ".join(_TABLE[table][key].split()).split(", "):
        yield tuple(map(_plain, phrase.split()))


def _single(table: str, key: str) -> frozenset[str]:
    return frozenset(word for phrase in _phrases(table, key) for word in phrase)


class _Phrase(NamedTuple):
    """A place of a phrase in the table."""

    table: str
    """`old_first` or `new_first`: which of the values is before the words."""
    key: str
    """`words` for phrases that always count; `separated` for those that count only after a comma, a bracket or a dash,
    and not right before a closing sign; `remarks` for those that count after the same signs, even right before a
    closing sign."""


_PHRASES: Final[Mapping[_Words, _Phrase]] = {
    phrase: _Phrase(table, key)
    for table in ("old_first", "new_first")
    for key in reversed(_TABLE[table])
    for phrase in _phrases(table, key)
}
_LONGEST: Final = max(map(len, _PHRASES))
_BETWEEN, _FORMER = _single("between", "words"), _single("former", "names")
_FROM, _TO = _single("from_to", "from"), _single("from_to", "to")
_VERBS: Final = frozenset(_phrases("from_to", "verbs"))
_FORMER_BEFORE: Final = frozenset(_phrases("former", "before"))
_ANNOUNCED: Final = frozenset(_phrases("announced", "words"))
_HEADED: Final = _single("announced", "headed")
_LONGEST_REMARK: Final = max(map(len, _FORMER_BEFORE | _ANNOUNCED))
_SENTENCE_ENDS: Final = (".", "!", "?", ";")


class _Side(NamedTuple):
    """The place of a value: the index of its first word, of its last word, or of both. −1 stands for an unknown
    index."""

    first: int = -1
    last: int = -1


class _Replacement(NamedTuple):
    """A place in a line where one value replaces another."""

    old: _Side
    new: Sequence[_Side]
    """Places of the new value, the likelier one first."""
    is_struck: bool = False
    """True if Markdown or HTML strikes the old value through."""
    is_certain: bool = False
    """True if the words leave no doubt that the old value was replaced, even if no candidate fits the new one."""


class _Remark(NamedTuple):
    """Words that say something about the value after them."""

    first: int
    """Index of the first of these words."""
    value: int
    """Index of the word after them."""
    is_correction: bool
    """True if the words announce a new value, False if they call the value a former one."""


class _Correction(NamedTuple):
    """A value that a sentence announces in place of an earlier value."""

    first: int
    """Index of the first word of the announcement."""
    span: int


class Replacements:
    """The candidates whose values are replaced by others. Call `read` before `settle`."""

    def __init__(self, candidates: Candidates) -> None:
        self._spans = candidates.spans
        self._passages = candidates.passages
        self._pairs: list[tuple[int, int]] = []
        """Pairs of indices: of a span that contains the old value, or both values, and of the span of the new value."""
        self._doubtful: frozenset[int] = frozenset()
        self._corrections: dict[tuple[int, str, str], _Correction] = {}
        """The last correction of each passage, by the kind of the value and the beginning of a word beside it."""
        self._former: set[int] = set()
        """Indices of the spans that words call former values."""
        self._beside_former: set[int] = set()
        """Indices of the other spans in the line of a former value that have the same kind."""
        self._contrasted: list[tuple[int, int]] = []
        """Pairs of indices: of a former value, and of the only other value of the same kind and unit in its line."""
        self._by_first: dict[tuple[int, int], list[int]] = {}
        self._by_last: dict[tuple[int, int], list[int]] = {}
        """Indices of the spans by their last word; in `_by_first`, by their first word."""

    def read(self) -> Slices[None]:
        days: set[tuple[int, int]] = set()
        for index, span in enumerate(self._spans):
            if index % SPANS_AT_ONCE == 0:
                yield
            if span.kind == "day":
                days.update((id(span.passage), word) for word in span.words)
        for index, span in enumerate(self._spans):
            if index % SPANS_AT_ONCE == 0:
                yield
            if span.kind in ("line", "block") or (span.kind == "number" and (id(span.passage), span.words[0]) in days):
                continue
            self._by_first.setdefault((id(span.passage), span.words[0]), []).append(index)
            self._by_last.setdefault((id(span.passage), span.words[-1]), []).append(index)
        for passage in self._passages:
            for line in range(len(passage.lines)):
                yield
                words = passage.line_words(line)
                plain = yield from _plain_words(passage, words)
                for place in (yield from _replacements_in(passage, words, plain)):
                    yield
                    self._pair(passage, place)
                for remark in (yield from _remarks_in(passage, words, plain)):
                    yield
                    self._note(passage, remark, words)
        if self._corrections or self._former:
            yield from self._apply_remarks()

    def _note(self, passage: Passage, remark: _Remark, line: range) -> None:
        """Keep what a remark says about the value after it."""
        for word in range(remark.value, min(remark.value + _MAX_WORDS_TO_VALUE, line.stop)):
            found = self._by_first.get((id(passage), word), ())
            values = [index for index in found if self._spans[index].kind not in _TEXTS]
            if not values:
                continue
            if not remark.is_correction:
                self._former.update(values)
                return
            for index in values:
                key = (id(passage), self._spans[index].kind)
                for stem in self._stems(index, remark.value):
                    self._corrections[(*key, stem)] = _Correction(remark.first, index)
            return

    def _stems(self, index: int, start: int = 0) -> frozenset[str]:
        """Return the beginnings of the words beside a span, from `start` on, and of its label."""
        span = self._spans[index]
        passage, (first, last) = span.passage, (span.words[0], span.words[-1])
        line = passage.line_words(passage.line_at(first))
        before = range(max(line.start, start, first - _WORDS_BEFORE), first)
        after = range(last + 1, min(line.stop, last + 1 + _WORDS_AFTER))
        words = [passage.words[word] for word in (*before, *after)]
        if span.has_colon and not start:
            words += span.label.split()[-_WORDS_BEFORE:]
        plain = frozenset(map(_plain, words)) - _BETWEEN
        return frozenset(word[:_STEM] for word in plain if len(word) >= _SHORTEST_WORD and word.isalpha())

    def _apply_remarks(self) -> Slices[None]:
        """Find the values that the corrections are about, and the values beside former ones."""
        lines = set()
        for count, index in enumerate(self._former):
            if count % WORDS_AT_ONCE == 0:
                yield
            lines.add(self._line_and_kind(index))
        rivals: dict[tuple[object, ...], list[int]] = {}
        earlier: dict[int, set[int]] = {}
        later: set[int] = set()
        for index, span in enumerate(self._spans):
            if index % WORDS_AT_ONCE == 0:
                yield
            if span.kind in _TEXTS or index not in self._by_first.get((id(span.passage), span.words[0]), ()):
                continue
            if index not in self._former and (place := self._line_and_kind(index)) in lines:
                rivals.setdefault((*place, self._word_after(index)), []).append(index)
            if not self._corrections:
                continue
            for stem in self._stems(index):
                correction = self._corrections.get((id(span.passage), span.kind, stem))
                if correction is None:
                    continue
                if span.words[-1] < correction.first:
                    earlier.setdefault(correction.span, set()).add(index)
                elif span.words[0] > self._spans[correction.span].words[-1]:
                    # The correction may be before the value that it corrects, or be out of date itself.
                    later |= {index, correction.span}
        self._beside_former.update(index for others in rivals.values() for index in others)
        for count, index in enumerate(self._former):
            if count % WORDS_AT_ONCE == 0:
                yield
            others = rivals.get((*self._line_and_kind(index), self._word_after(index)), ())
            if len(others) == 1:
                self._contrasted.append((index, others[0]))
        for new, olds in earlier.items():
            if len(olds) == 1:
                self._pairs.append((min(olds), new))
        self._doubtful = self._doubtful.union(later, earlier, *earlier.values())

    def _word_after(self, index: int) -> str:
        """Return the word after a number in its line, such as a unit; empty for any other span."""
        span = self._spans[index]
        word = span.words[-1] + 1
        line = span.passage.line_words(span.passage.line_at(span.words[0]))
        return _plain(span.passage.words[word]) if word < line.stop and span.kind == "number" else ""

    def _line_and_kind(self, index: int) -> tuple[int, int, str]:
        span = self._spans[index]
        return id(span.passage), span.passage.line_at(span.words[0]), span.kind

    def _pair(self, passage: Passage, place: _Replacement) -> None:
        """Keep each pair of an old and a new span at a place."""
        olds = [index for index in self._at(passage, place.old) if len(self._spans[index].words) <= _MAX_WORDS_OF_OLD]
        for side in place.new:
            news = self._at(passage, side)
            pairs = [
                (old, new)
                for old in olds
                if (new := self._best(old, news)) is not None and (place.is_struck or self._are_values(old, new))
            ]
            for old, new in pairs:
                self._pairs.append((old, new))
                if self._spans[old].kind in _TEXTS:
                    self._pairs += ((index, new) for index in self._with_remark(old, new))
                    if not any(map(str.isdigit, self._spans[old].text)):
                        # Without figures, nothing shows that both texts are values.
                        self._doubtful |= {new}
            if pairs:
                return
        if place.is_certain:
            self._doubtful |= {index for index in olds if self._spans[index].kind not in _TEXTS}

    def _at(self, passage: Passage, side: _Side) -> list[int]:
        """Return the spans at a place. Words such as a currency may be between a span and the place."""
        key = id(passage)
        if side.first >= 0 and side.last >= 0:
            inside = range(side.first, side.last + 1)
            return [
                index
                for word in inside
                for index in self._by_first.get((key, word), ())
                if self._spans[index].words[-1] <= side.last
            ]
        line = passage.line_words(passage.line_at(max(side)))
        if side.first >= 0:
            words = _beside(passage, range(side.first, line.stop))
            return [index for word in words for index in self._by_first.get((key, word), ())]
        words = _beside(passage, range(side.last, line.start - 1, -1))
        return [index for word in words for index in self._by_last.get((key, word), ())]

    def _are_values(self, old: int, new: int) -> bool:
        """True if two spans have a known form, or the first of them follows a colon."""
        first, _ = sorted((self._spans[old], self._spans[new]), key=lambda span: span.words)
        return first.kind not in _TEXTS or first.has_colon

    def _best(self, old: int, news: Sequence[int]) -> int | None:
        """Return the index of the span among `news` that may replace `old` and has the most similar number of words;
        None if no span may replace it."""
        span = self._spans[old]
        alike = [index for index in news if _may_replace(self._spans[index], span)]
        words = len(span.words)
        return min(alike, key=lambda index: abs(len(self._spans[index].words) - words), default=None)

    def _with_remark(self, old: int, new: int) -> Iterator[int]:
        """Yield the spans of text that begin in the first of the two values or between them, and are not wholly inside
        the new value."""
        first, second = sorted((self._spans[old].words, self._spans[new].words))
        own = frozenset(self._spans[new].words)
        key = id(self._spans[old].passage)
        for word in range(first[0], second[0]):
            for index in self._by_first.get((key, word), ()):
                if self._spans[index].kind in _TEXTS and not own.issuperset(self._spans[index].words):
                    yield index

    def settle(self, logits: Matrix, field: FieldText) -> frozenset[int]:
        """Raise each new value's score to that of the old value that it replaces, and lower the old value's score. If
        the field asks for a former value, raise the score of former values and lower the score of the values that
        replace them. Return the indices of the spans whose probability is limited."""
        before = logits.copy()
        if not _FORMER.isdisjoint(map(_plain, field.full.split())):
            pairs = [(other, former) for former, other in self._contrasted]
            doubtful = frozenset(self._beside_former)
        else:
            pairs = [*self._pairs, *self._contrasted]
            doubtful = self._doubtful.union(self._former)
        for old, new in pairs:
            logits[new] = max(logits[new], before[old])
        olds = {old for old, _ in pairs}
        logits[list(olds)] -= REPLACED
        if not _ACCOUNTS.isdisjoint(field.concepts):
            doubtful = doubtful.union(new for _, new in pairs)
        return doubtful.union(olds)


def _may_replace(new: CandidateSpan, old: CandidateSpan) -> bool:
    if old.kind not in _TEXTS:
        return new.kind == old.kind
    return new.kind in _TEXTS and _shape(new.text) == _shape(old.text)


def _shape(text: str) -> tuple[bool, bool]:
    """Return whether a text has figures, and whether its first letter or figure is a small letter."""
    first = next(filter(str.isalnum, text), "")
    return any(map(str.isdigit, text)), first.islower()


def _beside(passage: Passage, words: range) -> Iterator[int]:
    """Yield the words up to and including the first word that cannot be between a value and the phrase."""
    for word in words[: _MAX_WORDS_BETWEEN + 1]:
        yield word
        plain = _plain(passage.words[word])
        if plain and plain not in _BETWEEN and not is_currency(plain) and not unit_of(plain):
            # A word without letters and figures, such as the currency `€`, does not end the search.
            return


def _plain_words(passage: Passage, words: range) -> Slices[list[str]]:
    plain: list[str] = []
    for word in words:
        if word % WORDS_AT_ONCE == 0:
            yield
        plain.append(_plain(passage.words[word]))
    return plain


def _remarks_in(passage: Passage, words: range, plain: Sequence[str]) -> Slices[list[_Remark]]:
    """Return the words of a line that announce a correction or call a value a former one."""
    found = []
    for at, word in enumerate(words):
        if word % WORDS_AT_ONCE == 0:
            yield
        if plain[at] in _HEADED and passage.words[word].endswith(":"):
            if not at or passage.words[word - 1].endswith(_SENTENCE_ENDS):
                found.append(_Remark(word, word + 1, is_correction=True))
            continue
        for size in range(_LONGEST_REMARK, 0, -1):
            phrase = tuple(plain[at : at + size])
            if phrase in _FORMER_BEFORE or phrase in _ANNOUNCED:
                found.append(_Remark(word, word + len(phrase), is_correction=phrase in _ANNOUNCED))
                break
    return found


def _replacements_in(passage: Passage, words: range, plain: Sequence[str]) -> Slices[list[_Replacement]]:
    """Return the places in a line where one value replaces another."""
    found = []
    opening = -1
    for at, word in enumerate(words):
        if word % WORDS_AT_ONCE == 0:
            yield
        for _ in STRUCK.finditer(passage.words[word]):
            if opening >= 0 and word - opening < _MAX_STRUCK:
                after = [_Side(first=word + 1)] if word < words[-1] else []
                before = [_Side(last=opening - 1)] if opening > words[0] else []
                found.append(_Replacement(_Side(opening, word), (*after, *before), is_struck=True))
            opening = word if opening < 0 else -1
        if plain[at] in _FROM and (to := _to_after(plain, at)):
            old, new = _Side(word + 1, words[to] - 1), _Side(first=words[to] + 1)
            found.append(_Replacement(old, (new,), is_certain=True))
        elif place := _place_by_phrase(passage, words, plain, at):
            found.append(place)
    return found


def _place_by_phrase(passage: Passage, words: range, plain: Sequence[str], at: int) -> _Replacement | None:
    """Return the replacement that the phrase at the index `at` of a line states; None if no phrase begins there."""
    sizes = range(min(_LONGEST, len(words) - at - 1), 0, -1) if at else ()
    size = next((size for size in sizes if tuple(plain[at : at + size]) in _PHRASES), 0)
    if not size:
        return None
    table, key = _PHRASES[tuple(plain[at : at + size])]
    if key != "words":
        is_separated = passage.words[words[at]].startswith(_OPENS) or _SEPARATES.fullmatch(passage.words[words[at - 1]])
        if not is_separated or (key == "separated" and passage.words[words[at + size - 1]].endswith(_CLOSES)):
            return None
    before, after = _Side(last=words[at - 1]), _Side(first=words[at + size])
    if table == "old_first":
        return _Replacement(before, (after,), is_certain=key == "words")
    return _Replacement(after, (before,))


def _to_after(plain: Sequence[str], at: int) -> int | None:
    """Return the index of the `to` that belongs to the `from` at the index `at`, as in `moved from 3 to 5 June` and
    `from 3 to 5 June moved`. Return None if there is no `to`, or no verb."""
    places = range(at + 2, min(at + 2 + _MAX_WORDS_OF_OLD, len(plain) - 1))
    to = next((index for index in places if plain[index] in _TO), None)
    if to is None:
        return None
    near = [*range(at - 2, at), *range(to + 2, min(to + 2 + _MAX_WORDS_TO_VERB, len(plain)))]
    has_verb = any(tuple(plain[index : index + size]) in _VERBS for index in near if index >= 0 for size in (1, 2))
    return to if has_verb else None
