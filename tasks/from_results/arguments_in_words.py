"""Finds the arguments of a call in the user's own words: the city in "What is the weather like in Paris today?".

The network is trained on documents, in which a value has a label. In a sentence, the word before an argument shows
which parameter it is for (`in Paris`, `by Queen`), or capitals show that it is a name. A whole sentence is an argument
only if it is a name.
"""

import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from tasks.extraction.concepts import CONCEPTS
from tasks.extraction.copied_fields import CopiedFields
from tasks.extraction.decisions import Decision
from tasks.extraction.features import types_of
from tasks.extraction.fields import FormField, fields_of
from tasks.extraction.names import Names, names_of
from tasks.extraction.passages import Passage, passages_to_search
from tasks.extraction.probability import ValuePlace
from tasks.extraction.word_likeness import word_likeness
from tasks.notation.cldr import MONTHS, WEEKDAYS
from tasks.notation.numbers import Number, likeliest
from tasks.precontext import Entry
from tasks.schema.checker import prepared_checker
from tasks.schema.paths import JsonPath

BEHIND_CUE: Final = 0.9
"""Probability of a name after a word that introduces arguments of its parameter, such as `in` before places."""
UNCAPITALISED: Final = 0.7
"""Probability of a word in lower case after such an introducing word."""
BESIDE_NAME: Final = 0.9
"""Probability of a number beside a word of the parameter's name."""
ONLY_CANDIDATE: Final = 0.6
"""Probability of the only name that no other parameter took, and of each remaining number if there are as many
remaining numbers as undecided parameters."""
LEAST_PROBABILITY: Final = 0.5
"""A text that nothing in the sentence introduces counts only if the network gives it at least this probability."""
LONGEST: Final = 4
"""An argument without capitals has at most this many words."""
LONGEST_CLAUSE: Final = 12
"""The end of a clause may be an argument if it has at most this many words."""
MAX_WORDS: Final = 400
"""Arguments are searched for only in messages with at most this many words, because longer texts are documents."""
MAX_CHARS: Final = 10_000
"""Arguments are searched for only in messages with at most this many characters. Words may be of any length."""
SHORTEST_CUE: Final = 3
"""A word with fewer letters than this introduces only arguments that begin with a capital, unless it is in
`_SHORT_CUES`. Other short words, such as the Portuguese `a`, mean something else in other languages."""

_SHORT_CUES: Final = frozenset(("in", "at", "by", "to", "on"))
_TABLE: Final = tomllib.loads(Path(__file__).with_name("arguments_in_words.toml").read_text("utf-8"))
_SENTENCE_ENDS, _CLAUSE_ENDS = tuple(".!?;"), tuple(".,!?:;")
_AFTER_END = "\"'”)"
_SIGNS_AROUND = ".,;:!?()[]\"'“”„‘’«» "
_OPENING, _CLOSING = "\"“„«‘'", "\"”“»’'"


class _Cue(NamedTuple):
    """Words before arguments, and words of the parameters' names to which they apply."""

    names: frozenset[str]
    before: frozenset[str]
    takes_clause: bool


_CUES: Final = [
    _Cue(frozenset(row["names"].split()), frozenset(row["before"].split()), row.get("takes_clause", False))
    for row in _TABLE["cues"]
]
_ARTICLES, _INSIDE, _ENDS = (frozenset(_TABLE["words"][key].split()) for key in ("articles", "inside", "ends"))
_DAYS: Final = MONTHS.common.keys() | WEEKDAYS.common.keys()
_ENDING: Final = _ENDS.union(word for cue in _CUES for word in cue.before if len(word) >= SHORTEST_CUE)


def with_arguments(schema: Mapping[str, Any], copied: CopiedFields, entry: Entry) -> CopiedFields:
    """Return the fields with the texts and numbers in `entry`, the user's own words, that fit them.

    A text that was already copied from these words remains only if it may be an argument.
    """
    passages = passages_to_search([entry])
    if any(len(passage.words) > MAX_WORDS or len(passage.text) > MAX_CHARS for passage in passages):
        return copied
    fields = {one.path: one for one in fields_of(schema)}
    names = {path: names_of(path, one.schema) for path, one in fields.items()}
    texts = {path: _cues_of(names[path]) for path, one in fields.items() if _is_free_text(one, names[path])}
    numbers = {path: names[path] for path, one in fields.items() if types_of(one.schema) & {"number", "integer"}}
    copies = {path: value for path, value in copied.values.items() if path in texts and isinstance(value, str)}
    copy_places = {path: copied.place(path, value) for path, value in copies.items()}
    copy_places = {path: place for path, place in copy_places.items() if _may_be_argument(place, passages)}
    found: dict[JsonPath, Decision] = {}
    for passage in reversed(passages):
        # A choice that has been decided uses up its words: "the temperature in Celsius in Paris".
        choices = (
            one for path, one in copied.decided.items() if path not in texts and one.passage.text == passage.text
        )
        taken = {at for one in choices if isinstance(one.value, str) for at in one.words}
        left = {path: cues for path, cues in texts.items() if path not in found}
        found |= _behind_cues(passage, left, taken)
        taken |= {at for one in found.values() if one.passage is passage for at in one.words}
        taken |= {
            at
            for place in copy_places.values()
            if place and _passage_of(place, passages) is passage
            for at in place.words
        }
        left = {path: cues for path, cues in left.items() if path not in found.keys() | copy_places.keys()}
        found |= _only_name(passage, left, taken)
    if numbers and passages:
        found |= _numbers_in(passages[-1], numbers, [path for path in numbers if path in copied.improbable])
    checker = prepared_checker(schema)
    found = {
        path: one._replace(entry=entry)
        for path, one in found.items()
        if checker.of_part(fields[path].schema).accepts(one.value)
    }
    values = {path: value for path, value in copied.values.items() if path not in copies}
    values |= {path: copies[path].strip(_SIGNS_AROUND) for path in copy_places}
    return replace(
        copied,
        values=values | {path: one.value for path, one in found.items()},
        improbable={path: value for path, value in copied.improbable.items() if path not in found.keys() | texts},
        decided={**copied.decided, **found},
    )


def _behind_cues(
    passage: Passage, left: Mapping[JsonPath, Sequence[_Cue]], taken: Collection[int]
) -> dict[JsonPath, Decision]:
    """Find a text for each parameter of `left`, by the cues before its arguments. No two parameters get the same words.

    The words of `taken` are the arguments of other parameters.
    """
    found: dict[JsonPath, Decision] = {}
    taken = set(taken)
    for path, cues in left.items():
        spans = (span for cue in cues for span in _behind(passage, cue) if taken.isdisjoint(span))
        if span := next(spans, None):
            found[path] = _decision(passage, span, BEHIND_CUE if _is_name(passage, span[0]) else UNCAPITALISED)
            taken.update(span)
    return found


def _only_name(
    passage: Passage, left: Mapping[JsonPath, Sequence[_Cue]], taken: Collection[int]
) -> dict[JsonPath, Decision]:
    """If `left` has only one parameter for a name, and only one name belongs to no other parameter, assign this name to
    it."""
    alone = [path for path, cues in left.items() if not any(cue.takes_clause for cue in cues)]
    names = [span for span in _names_in(passage) if set(span).isdisjoint(taken)]
    return {alone[0]: _decision(passage, names[0], ONLY_CANDIDATE)} if len(alone) == len(names) == 1 else {}


def _numbers_in(
    passage: Passage, numbers: Mapping[JsonPath, Names], undecided: Collection[JsonPath]
) -> dict[JsonPath, Decision]:
    """Find a number for each parameter, beside a word of its name: "for 3 days".

    If there are as many other numbers as `undecided` parameters, the parameters get the numbers in order: "Add 3 and
    5".
    """
    left = [(number, passage.words_between(number.start, number.end)) for number in passage.numbers]
    found: dict[JsonPath, Decision] = {}
    for step in (1, -1):
        for path in [path for path in numbers if path not in found]:
            own = _words_of(numbers[path]) - _ENDING
            nearby = [one for one in left if own and _is_beside(passage, one[1], step, own)]
            if nearby:
                left.remove(nearby[0])
                found[path] = _number(passage, *nearby[0], BESIDE_NAME)
    undecided = [path for path in undecided if path not in found]
    if len(undecided) == len(left):
        found |= {path: _number(passage, *one, ONLY_CANDIDATE) for path, one in zip(undecided, left, strict=True)}
    return found


def _is_beside(passage: Passage, words: Sequence[int], step: int, own: Collection[str]) -> bool:
    at = words[-1] + 1 if step > 0 else words[0] - 1
    if step > 0 and _ends(_CLAUSE_ENDS, passage.words[words[-1]]):
        return False
    return 0 <= at < len(passage.words) and any(word_likeness(_bare(passage, at), word) == 1 for word in own)


def _number(passage: Passage, number: Number, words: tuple[int, ...], probability: float) -> Decision:
    reading = likeliest(number.readings, number.digits)
    value = int(reading) if reading == reading.to_integral_value() else float(reading)
    return Decision(value, probability, passage, words)


def _decision(passage: Passage, words: range, probability: float) -> Decision:
    return Decision(
        " ".join(passage.words[index] for index in words).strip(_SIGNS_AROUND), probability, passage, tuple(words)
    )


def _may_be_argument(place: ValuePlace | None, passages: Sequence[Passage]) -> bool:
    """True if a place is a name that has several words or is a whole sentence, or if it is probable and does not begin
    its sentence."""
    if place is None or not place.words:
        return False
    passage, first, last = _passage_of(place, passages), min(place.words), max(place.words)
    sentence = next(one for one in _sentences(passage) if first in one)
    # The first word of a sentence has a capital in any case.
    if (last > first or len(sentence) == 1) and _is_all_name(passage, range(first, last + 1)):
        return True
    return first > sentence.start and last in sentence and place.probability >= LEAST_PROBABILITY


def _passage_of(place: ValuePlace, passages: Sequence[Passage]) -> Passage:
    return next(one for one in passages if any(line.pointer == place.pointer for line in one.lines))


def _is_free_text(field: FormField, names: Names) -> bool:
    """True if the value of a field is a text whose form neither the schema nor the field's name determines."""
    has_form = not {CONCEPTS[name].kind for name in names.concepts}.isdisjoint(("amount", "count", "date", "time"))
    is_bare = not field.schema.keys() & {"enum", "const", "format", "pattern"}
    return types_of(field.schema) == {"string"} and is_bare and not has_form


def _cues_of(names: Names) -> list[_Cue]:
    return [cue for cue in _CUES if not _words_of(names).isdisjoint(cue.names)]


def _words_of(names: Names) -> set[str]:
    return {word for name in names.own[:2] for word in name}


def _behind(passage: Passage, cue: _Cue) -> Iterator[range]:
    """Yield the arguments that a cue introduces."""
    for sentence in _sentences(passage):
        for index in sentence:
            word = _bare(passage, index)
            if word in cue.before and not _ends(_CLAUSE_ENDS, passage.words[index].rstrip(":")):
                span = _argument(passage, range(index + 1, sentence.stop), takes_clause=cue.takes_clause)
                if span and (len(word) >= SHORTEST_CUE or word in _SHORT_CUES or _is_name(passage, span[0])):
                    yield span


def _argument(passage: Passage, words: range, *, takes_clause: bool = False) -> range:
    """Return the argument that begins with the first of `words`, after any articles; empty if there is none."""
    start = next((index for index in words if takes_clause or not _is_article(passage, index)), words.stop)
    words = range(start, words.stop)
    if words and passage.words[start][0] in _OPENING:
        ends = (index for index in words if passage.words[index].rstrip(".,!?;:")[-1:] in _CLOSING)
        return range(start, next(ends, start - 1) + 1)
    is_name = bool(words) and _is_name(passage, start)
    max_words = LONGEST_CLAUSE if takes_clause else len(words) if is_name else LONGEST
    for index in words[:max_words]:
        word = _bare(passage, index)
        if is_name and not takes_clause:
            follows = words.stop > index + 1 and _is_name(passage, index + 1)
            goes_on = _is_name(passage, index) or (word in _INSIDE and follows)
        else:
            goes_on = takes_clause or (word not in _ENDING | _DAYS and any(map(str.isalpha, word)))
        if not goes_on:
            return range(start, index)
        if _ends(_CLAUSE_ENDS, passage.words[index]):
            return range(start, index + 1)
    return words[:max_words]


def _names_in(passage: Passage) -> Iterator[range]:
    """Yield the names that neither begin a sentence nor follow an article, and sentences that consist of names."""
    for sentence in _sentences(passage):
        if _is_all_name(passage, sentence):
            yield sentence
            continue
        last = sentence.start
        for at in sentence[1:]:
            is_own = _is_name(passage, at) and _bare(passage, at) not in _ENDS
            if at > last and is_own and not _is_article(passage, at - 1):
                span = _argument(passage, range(at, sentence.stop))
                last = span[-1]
                yield span


def _sentences(passage: Passage) -> Iterator[range]:
    start = 0
    for line in range(len(passage.lines)):
        words = passage.line_words(line)
        for index in words:
            if index + 1 == words.stop or _ends(_SENTENCE_ENDS, passage.words[index]):
                yield range(start, index + 1)
                start = index + 1


def _ends(signs: tuple[str, ...], word: str) -> bool:
    """True if a word ends with one of `signs`, apart from closing quotes and brackets.

    A pattern would be tried at each sign of a word, which may have thousands.
    """
    return word.rstrip(_AFTER_END).endswith(signs)


def _is_name(passage: Passage, index: int) -> bool:
    word = passage.words[index].strip(_SIGNS_AROUND)
    is_day = word.lower() in _DAYS
    return word[:1].isupper() and word != "I" and not is_day and any(map(str.isalpha, word))


def _is_all_name(passage: Passage, sentence: range) -> bool:
    """True if a sentence consists of a name: "Berlin", but not "Thanks"."""
    is_short = len(sentence) <= LONGEST
    return is_short and all(_is_name(passage, at) and _bare(passage, at) not in _ENDS for at in sentence)


def _is_article(passage: Passage, index: int) -> bool:
    return _bare(passage, index) in _ARTICLES and not _is_name(passage, index) and passage.words[index] != "I"


def _bare(passage: Passage, index: int) -> str:
    return passage.words[index].strip(_SIGNS_AROUND).lower()
