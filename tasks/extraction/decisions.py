"""Decides booleans and enums by what is printed: a ticked box, the word after the field's label, or the words of a
choice in the text.

A network finds the word after a label in any language. Rules decide what the network cannot know: which of several
printed options is ticked, and whether the words that name a field are denied (`kein Aufzug`).
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, Literal, NamedTuple

import numpy as np

from tasks.extraction.affinity import affinity
from tasks.extraction.candidates import CandidateSpan
from tasks.extraction.fields import FormField
from tasks.extraction.folding import fold
from tasks.extraction.names import Names
from tasks.extraction.passages import Passage
from tasks.extraction.probability import FieldScores
from tasks.extraction.word_likeness import word_likeness
from tasks.extraction.yes_and_no import (
    DENIALS,
    EMPTY,
    TICKED,
    EnumValues,
    Words,
    answer_after_label,
    answer_of,
    is_denied,
    is_left_open,
    is_limited,
    is_turned,
    is_turned_name,
    words_of,
)
from tasks.precontext import Entry
from tasks.schema.paths import JsonPath

MAX_SPANS: Final = 200
"""Largest number of spans, the likeliest first, whose words may decide a field."""
TICKED_BY_LABEL: Final = 0.95
"""Probability of a ticked option that is next to words naming the field, or beside options for other values of the
field."""
TICKED_ALONE: Final = 0.75
"""Probability of a ticked option if nothing shows that its group belongs to the field."""
MAX_NAMING_WORDS: Final = 200
"""Largest number of words at the beginning of a text that are compared with a field's name."""
MAX_LABEL_WORDS: Final = 6
"""A text of more words is a sentence and not a label."""
BEHIND_LABEL: Final = 0.9
"""Largest probability of a word that the network finds after a field's label."""
BESIDE_OTHERS: Final = 0.4
"""Largest probability of a word that is printed next to other choices."""
LEAST_PROBABILITY: Final = 0.5
"""Least probability, according to the network, of a word that decides a field."""
PRINTED_BY_LABEL: Final = 0.8
"""Probability of the only choice of an enum whose words are printed, if they are near words that name the field."""
PRINTED_ALONE: Final = 0.6
"""Probability of the only printed choice if no words near it name the field. One of several printed choices has this
probability, too, if it is nearest to words that name the field."""
DENIED_PROBABILITY: Final = 0.75
"""Probability that a boolean is false if its name is printed near a word that denies it."""
NAME_PRINTED: Final = 0.55
"""Probability that a boolean is true if its name is printed and not denied."""
LEAST_NAMING_SHARE: Final = 0.6
"""Least share of a field's words that a label must have to name the field."""
SHORTEST_CHOICE: Final = 3
"""Least number of letters of a choice, or of a boolean's name, that is searched for in running text. A shorter choice,
such as `M`, counts only after a label or a box."""
MAX_PRINTED: Final = 20
"""Largest number of places in a passage with a choice's first word that are compared with the choice."""
MAX_LABEL_LINES: Final = 8
"""Largest number of lines with boxes that follow the line naming their group."""
MAX_WORDS_TO_DENIAL: Final = 3
"""Largest number of words between a denial and the name that it denies."""

_MARK = re.compile("|".join(map(re.escape, sorted((*TICKED, *EMPTY), key=len, reverse=True))))
_CIRCLES = frozenset("○◯")
"""Signs that are used both as bullets and as empty circles."""
_FUNCTION_WORDS = frozenset(
    fold("is has have was are can does with and or of the a an in for to if whether included required flag yes no")
)
"""Words in a boolean's name that say nothing about its subject."""
_BEFORE_PRICE = re.compile(r"[^\W\d][^\d€£$]*(?= (?:[€£$]|[A-Z]{3} )? ?\d)")
"""Pattern of the words of an option before its price."""
_CELL_END = re.compile(r"\t|\s{3,}|\n")
_CLAUSE = re.compile(r"[.,;:!?\n\t()]")


class Decision(NamedTuple):
    """The value of a boolean, an enum or a converted number, with the words on the page that decide it."""

    value: Any
    probability: float
    passage: Passage
    words: tuple[int, ...]
    entry: Entry | None = None
    """The entry that contains the passage: a text that was read, or the text of the request."""
    is_derived: bool = False
    """True if the value is computed from the words, such as a number that is converted to another unit."""
    by: Literal["", "box", "word behind the label", "name in a clause", "printed choice"] = ""
    """The kind of print that decided a choice; empty for another value."""


class _PrintedOption(NamedTuple):
    passage: Passage
    words: tuple[int, ...]
    text: str
    is_ticked: bool
    group: str
    """The text that names the subject of the options, such as a question before them; may be empty."""


def decide(
    fields: Mapping[JsonPath, tuple[FormField, Names]],
    lists: Mapping[JsonPath, tuple[Sequence[str], Names]],
    read: Sequence[Entry],
    passages: Sequence[Passage],
    scored: FieldScores | None,
) -> dict[JsonPath, Decision]:
    """Return the decisions for those of `fields` that the passages of the entries `read` decide. `lists` are lists of
    choices, of which several may be ticked. Each ticked choice is the decision for one item."""
    if not (fields or lists):
        return {}
    options = [option for passage in passages for option in _options(passage)]
    found = {}
    for path, (field, names) in fields.items():
        values, naming = _Values(field.schema), _Naming(names)
        if _is_left_open(values, naming, scored):
            continue
        if (decision := _by_box(values, naming, options)) is not None:
            found[path] = decision._replace(by="box")
        elif _is_unticked(values, naming, options):
            continue
        elif (decision := _behind_label(values, naming, path, scored)) is not None:
            found[path] = decision._replace(by="word behind the label")
        elif not values.are_truths and (decision := _by_words(values, names, passages)) is not None:
            found[path] = decision._replace(by="printed choice")
        elif values.are_truths and (decision := _by_name(names, passages)) is not None:
            found[path] = decision._replace(by="name in a clause")
    for path, (choices, names) in lists.items():
        ticked = _by_boxes(_Values({"enum": choices}), _Naming(names), options)
        found |= {(*path, index): one._replace(by="box") for index, one in enumerate(ticked)}
    return {path: one._replace(entry=read[one.passage.entry]) for path, one in found.items()}


class _Values:
    """The values that a field may have: the values of an enum, or true and false."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.are_truths = "enum" not in schema
        self.count = 2 if self.are_truths else sum(value is not None for value in schema["enum"])
        self.choices = EnumValues(schema.get("enum", ()))

    def meant_by(self, text: str) -> Any:
        """Return the value that `text` means as a whole, or None."""
        return answer_of(text, is_cell=False) if self.are_truths else self.choices.meant_by(text)

    def meant_by_span(self, span: CandidateSpan) -> Any:
        """Return the value that the text of a span means as a whole, or None."""
        is_behind_label = self.are_truths and span.kind == "part" and span.has_colon
        return answer_after_label(span.text) if is_behind_label else self.meant_by(span.text)


class _Naming:
    """Measures how well texts name a field. Each text is compared once."""

    def __init__(self, names: Names) -> None:
        self._names = [[word for word in name if word not in _FUNCTION_WORDS] or list(name) for name in names.own]
        self.is_denied = any(name[:1] in DENIALS for name in names.own)
        """True if the field's name begins with a denial: `non_smoking`."""
        self.words = [word for name in self._names for word in name]
        self._names_as_given = names.own
        self._known: dict[str, float] = {}

    def by(self, text: str) -> float:
        """Return the share of the words of the field's name that occur at the beginning of `text`, 0 to 1."""
        if text not in self._known:
            naming_words = dict.fromkeys(words_of(text)[:MAX_NAMING_WORDS])
            shares = (
                sum(max(word_likeness(word, one) for word in naming_words) for one in wanted) / len(wanted)
                for wanted in (self._names if naming_words else ())
                if wanted
            )
            self._known[text] = max(shares, default=0.0)
        return self._known[text]

    def is_turned_by(self, label: str) -> bool:
        """True if a label asks for the opposite of what the field asks for: `No smoking` for `smoking_allowed`."""
        return is_turned(label) and not any(is_turned_name(name, label) for name in self._names_as_given)

    def by_each(self, texts: Sequence[str]) -> list[float]:
        """Return how well each of the texts names the field."""
        return [self.by(text) for text in texts]


def _options(passage: Passage) -> Iterator[_PrintedOption]:
    """Yield the options next to the boxes of a passage. A box is before its option, or after it if the line begins with
    text and ends with a box."""
    has_ticks = any(sign in passage.text for sign in TICKED)
    start, group, lines_below = 0, "", 0
    for line in passage.text.split("\n"):
        marks = [mark for mark in _MARK.finditer(line) if has_ticks or mark[0] not in _CIRCLES]
        if not marks:
            group, lines_below = line.strip().rstrip(":"), 0
        else:
            head = line[: marks[0].start()].strip()
            is_behind = bool(head) and not line[marks[-1].end() :].strip() and not head.endswith((":", "?"))
            label, _, first_text = head.rpartition(":") if is_behind else (head, "", "")
            option_group = label.strip().rstrip(":") or (group if lines_below < MAX_LABEL_LINES else "")
            bounds = [
                marks[0].start() - len(first_text.lstrip()) - 1 if is_behind else 0,
                *(mark.end() for mark in marks),
            ]
            for index, mark in enumerate(marks):
                if is_behind:
                    begin, end = max(0, bounds[index]), mark.start()
                else:
                    begin, end = mark.end(), marks[index + 1].start() if index + 1 < len(marks) else len(line)
                    cell = _CELL_END.search(line, begin + len(line[begin:end]) - len(line[begin:end].lstrip()), end)
                    end = cell.start() if cell else end
                text = line[begin:end].strip(" \t:,;/|")
                if text:
                    start_of_words, end_of_words = min(begin, mark.start()), max(end, mark.end())
                    words = passage.words_between(
                        start + start_of_words, start + max(start_of_words + 1, len(line[:end_of_words].rstrip()))
                    )
                    yield _PrintedOption(passage, words, text, mark[0] in TICKED, option_group)
            lines_below += 1
        start += len(line) + 1


def _by_box(values: _Values, naming: _Naming, options: Sequence[_PrintedOption]) -> Decision | None:
    """Decide by a ticked option whose group names the field. Otherwise, an enum is decided if only one of its values is
    ticked. A boolean is decided by the box of an option that names the field, whether ticked or not."""
    own = _meant(values, options)
    ticked = [(option, meaning) for option, meaning in own if option.is_ticked]
    if ticked:
        shares = naming.by_each([option.group for option, _ in ticked])
        best = max(range(len(ticked)), key=lambda index: shares[index])
        option, value = ticked[best]
        is_only = all(one.group != option.group or meaning == value for one, meaning in ticked)
        if shares[best] >= LEAST_NAMING_SHARE:
            return Decision(value, TICKED_BY_LABEL if is_only else TICKED_ALONE, option.passage, option.words)
        if not values.are_truths and all(other == value for _, other in ticked):
            is_whole = len({meaning for _, meaning in own}) > 1
            return Decision(value, TICKED_BY_LABEL if is_whole else TICKED_ALONE, option.passage, option.words)
        if not values.are_truths and all(one.group == option.group for one, _ in ticked):
            return Decision(value, TICKED_ALONE, option.passage, option.words)  # one of several ticked options
    if values.are_truths and options:
        shares = naming.by_each([option.text for option in options])
        index = max(range(len(options)), key=lambda index: shares[index])
        if shares[index] >= LEAST_NAMING_SHARE:
            option = options[index]
            if len(option_words := words_of(option.text)) > 1 and option_words[:1] in DENIALS and not naming.is_denied:
                # An empty box beside `Not refundable` only suggests the opposite.
                probability = TICKED_BY_LABEL if option.is_ticked else TICKED_ALONE
                return Decision(not option.is_ticked, probability, option.passage, option.words)
            return Decision(option.is_ticked, TICKED_BY_LABEL, option.passage, option.words)
    return None


def _is_unticked(values: _Values, naming: _Naming, options: Sequence[_PrintedOption]) -> bool:
    """True if two or more of the field's values stand beside boxes of one group, none of which is ticked. The group
    must name the field, unless it offers all values of an enum."""
    groups: dict[str, list[tuple[_PrintedOption, Any]]] = {}
    for option, meaning in _meant(values, options):
        groups.setdefault(option.group, []).append((option, meaning))
    for group, own in groups.items():
        offered = len({meaning for _, meaning in own})
        is_own = (offered == values.count and not values.are_truths) or naming.by(group) >= LEAST_NAMING_SHARE
        if offered > 1 and is_own and not any(option.is_ticked for option, _ in own):
            return True
    return False


def _by_boxes(values: _Values, naming: _Naming, options: Sequence[_PrintedOption]) -> list[Decision]:
    """Decide the items of a list by the ticked options of one group that offers two or more of the values. The group
    must name the list, unless it is the only such group."""
    groups: dict[str, list[tuple[_PrintedOption, Any]]] = {}
    for option, meaning in _meant(values, options):
        groups.setdefault(option.group, []).append((option, meaning))
    several = [group for group, own in groups.items() if len({meaning for _, meaning in own}) > 1]
    if not several:
        return []
    shares = naming.by_each(several)
    index = max(range(len(several)), key=lambda index: shares[index])
    is_named = shares[index] >= LEAST_NAMING_SHARE
    if not is_named and len(several) > 1:
        return []
    own = groups[several[index]]
    probability = TICKED_BY_LABEL if is_named or len({meaning for _, meaning in own}) == values.count else TICKED_ALONE
    ticked = {meaning: option for option, meaning in own if option.is_ticked}
    return [Decision(value, probability, option.passage, option.words) for value, option in ticked.items()]


def _meant(values: _Values, options: Sequence[_PrintedOption]) -> list[tuple[_PrintedOption, Any]]:
    """Return the options that mean one of the values, each with its value. A price may follow the words: `Full
    £32.00`."""
    found = []
    for option in options:
        value = values.meant_by(option.text)
        if value is None and (words := _BEFORE_PRICE.match(option.text)):
            value = values.meant_by(words[0])
        if value is not None:
            found.append((option, value))
    return found


def _is_left_open(values: _Values, naming: _Naming, scored: FieldScores | None) -> bool:
    """True if the text after a label that names the field leaves the answer open: `Insured: pending`.

    Nothing else on the page decides such a field, neither an empty box nor the words of its name.
    """
    found = False
    for span in scored.candidates.spans if scored else ():
        if span.kind != "part" or not span.has_colon or naming.by(span.label) < LEAST_NAMING_SHARE:
            continue
        if len(words_of(span.label)) > MAX_LABEL_WORDS:
            continue
        if values.meant_by(span.text) is not None or not is_left_open(span.text):
            return False
        found = True
    return found


def _is_no_answer(span: CandidateSpan) -> bool:
    """True if the words before a span deny it or limit it: `not paid`, `partially paid`."""
    return is_denied(span.text_before) or is_limited(span.text_before)


def _answer(
    values: _Values, value: Any, probability: float, span: CandidateSpan, label: str, naming: _Naming
) -> Decision:
    """Return the decision by an answer after a label. It is the opposite if the label denies what the field names: a no
    behind `No smoking` only suggests a yes."""
    if values.are_truths and naming.is_turned_by(label):
        value, probability = not value, min(probability, TICKED_ALONE)
    return Decision(value, probability, span.passage, span.words)


def _is_one_of_several(span: CandidateSpan, values: _Values, scored: FieldScores) -> bool:
    """True if other values are printed in the span's line. Forms print several choices side by side and mark one of
    them; the mark may not have been recognised."""
    line = span.passage.line_at(span.words[0])
    values_in_line = {
        values.meant_by(one.text)
        for one in scored.candidates.spans
        if one.passage is span.passage and one.passage.line_at(one.words[0]) == line and not is_denied(one.text_before)
    }
    return len(values_in_line - {None}) > 1


def _behind_label(values: _Values, naming: _Naming, path: JsonPath, scored: FieldScores | None) -> Decision | None:
    """Decide by the word that the network finds after the field's label, if the word means one of the values."""
    row = scored.rows.get(path) if scored is not None else None
    if scored is None or row is None:
        return None
    chances = scored.probabilities[row]
    sums: dict[Any, float] = {}
    first_spans: dict[Any, int] = {}
    for index in np.argsort(-chances[:-1], kind="stable")[:MAX_SPANS]:
        span = scored.candidates.spans[index]
        value = values.meant_by_span(span)
        if value is not None and not _is_no_answer(span):
            sums[value] = sums.get(value, 0.0) + float(chances[index])
            first_spans.setdefault(value, int(index))
    if not sums:
        return None
    value = max(sums, key=lambda one: sums[one])
    chance = sums[value] / (sum(sums.values()) + float(chances[-1]))
    if chance < LEAST_PROBABILITY:
        return None
    span = scored.candidates.spans[first_spans[value]]
    largest_chance = BESIDE_OTHERS if _is_one_of_several(span, values, scored) else BEHIND_LABEL
    label = span.label or scored.candidates.labels_of(span).get("left", "")
    return _answer(values, value, round(min(chance, largest_chance), 4), span, label, naming)


def _by_words(values: _Values, names: Names, passages: Sequence[Passage]) -> Decision | None:
    """Decide by a choice whose words are printed in the text: the only such choice, or the one next to words that name
    the field."""
    found: list[tuple[float, int, Any, Passage, tuple[int, ...]]] = []
    printed = _printed(values.choices, passages)
    for order, (value, passage, words) in enumerate(printed):
        found.append((affinity(passage, words, names), -order, value, passage, words))
    if not found:
        return None
    affinity_of_best, _, value, passage, words = max(found, key=lambda one: one[:2])
    other_values = [one for one in found if one[2] != value]
    if not other_values:
        return Decision(
            value, PRINTED_BY_LABEL if affinity_of_best >= LEAST_NAMING_SHARE else PRINTED_ALONE, passage, words
        )
    if affinity_of_best >= LEAST_NAMING_SHARE and affinity_of_best > max(other[0] for other in other_values):
        return Decision(value, PRINTED_ALONE, passage, words)
    return None


def _printed(choices: EnumValues, passages: Sequence[Passage]) -> list[tuple[Any, Passage, tuple[int, ...]]]:
    """Return the places where the words of a choice are printed as in the enum. Places are left out if the text before
    them denies the choice, or if the words begin a longer choice."""
    words_of_values = dict(zip(choices.values, choices.words, strict=True))
    options_by_first: dict[str, list[Words]] = {}
    for words in words_of_values.values():
        options_by_first.setdefault(words[0] if words else "", []).append(words)
    found: list[tuple[Any, Passage, tuple[int, ...]]] = []
    for passage in passages:
        texts: list[Words] = []
        places: dict[str, list[int]] = {}
        for position, text in enumerate(passage.tokens.texts):
            texts.append(words_of(text))
            if texts[-1]:
                places.setdefault(texts[-1][0], []).append(position)
        for value, words in words_of_values.items():
            if sum(map(len, words)) < SHORTEST_CHOICE:
                continue
            for position in islice(places.get(words[0], ()), MAX_PRINTED):
                if not _has_words_at(texts, position, words):
                    continue
                longer = (
                    other
                    for other in options_by_first[words[0]]
                    if len(other) > len(words) and _has_words_at(texts, position, other)
                )
                own = sorted(set(passage.tokens.words[position : position + len(words)]))
                is_denied = _is_denied_at(passage, position) or _answer_after(passage, own[-1]) is False
                if next(longer, None) is None and not is_denied:
                    found.append((value, passage, tuple(own)))
    return found


def _is_denied_at(passage: Passage, token: int) -> bool:
    """True if the text before a token denies it, within its word (`non-refundable`) or in the words before."""
    tokens = passage.tokens
    word = tokens.words[token]
    first = bisect_left(tokens.words, word)
    own = tokens.texts[first:token]
    before = " ".join([passage.text_before(word), *own])
    return own[-1:] == ["non"] or is_denied(before) or is_limited(before)


def _answer_after(passage: Passage, word: int) -> bool | None:
    """Return the answer after a label that ends with this word: `Paid: no`."""
    if not passage.words[word].endswith(":"):
        return None
    rest = range(word + 1, passage.line_words(passage.line_at(word)).stop)
    return answer_after_label(" ".join([passage.words[one] for one in rest]))


def _has_words_at(texts: Sequence[Words], position: int, words: Words) -> bool:
    return [text[0] if text else "" for text in texts[position : position + len(words)]] == list(words)


def _by_name(names: Names, passages: Sequence[Passage]) -> Decision | None:
    """Decide a boolean by the first clause that has its name: false if a denial is near the name, else true."""
    wanted = [[word for word in name if word not in _FUNCTION_WORDS] for name in names.own]
    for passage in passages:
        start = 0
        for clause in _clauses(passage.text):
            clause_words = words_of(clause)
            for name in filter(None, wanted):
                places: list[int] = []
                for one in name:
                    if places and places[-1] < 0:
                        break
                    places.append(
                        next((index for index, word in enumerate(clause_words) if word_likeness(word, one) >= 1), -1)
                    )
                if places[-1] < 0 or sum(map(len, name)) < SHORTEST_CHOICE:
                    continue
                begin = start + len(clause) - len(clause.lstrip())
                words = passage.words_between(begin, max(begin + 1, start + len(clause.rstrip())))
                nearby_words = clause_words[
                    max(0, min(places) - MAX_WORDS_TO_DENIAL) : max(places) + 1 + MAX_WORDS_TO_DENIAL
                ]
                if any(
                    phrase == tuple(nearby_words[index : index + len(phrase)])
                    for phrase in DENIALS
                    for index in range(len(nearby_words))
                ):
                    return Decision(False, DENIED_PROBABILITY, passage, words)
                if _answer_after(passage, words[-1]) is False:
                    return Decision(False, DENIED_PROBABILITY, passage, words)
                return Decision(True, NAME_PRINTED, passage, words)
            start += len(clause) + 1
    return None


def _clauses(text: str) -> list[str]:
    return _CLAUSE.sub("\n", text).split("\n")
