"""Decides booleans and enums by what is printed: a ticked box, the word behind the field's label, or the words of a
choice in the text.

A network finds the word behind a label in any language. Rules decide what the network cannot know: which of several
printed options is ticked, and whether the words that name a field are denied (`kein Aufzug`).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

import numpy as np

from tasks.extraction.affinity import affinity, likeness
from tasks.extraction.candidates import CandidateSpan, LineSegment
from tasks.extraction.fields import FormField
from tasks.extraction.folding import fold
from tasks.extraction.names import Names
from tasks.extraction.passages import Passage
from tasks.extraction.probability import FieldScores
from tasks.extraction.yes_and_no import DENIALS, EMPTY, TICKED, Words, answer_of, choice_of, words_of
from tasks.precontext import Entry
from tasks.schema.paths import JsonPath

MOST_SPANS: Final = 200
"""Largest number of spans, the likeliest first, whose words may decide a field."""
TICKED_BY_LABEL: Final = 0.95
"""Probability of a ticked option that is next to words naming the field, or that is the only one with the words of the
choice."""
TICKED_ALONE: Final = 0.75
"""Probability of a ticked option if nothing shows that its group belongs to the field."""
BEHIND_OWN_LABEL: Final = 0.95
"""Probability of a word behind a label that has the words of the field's name."""
MOST_LABEL_WORDS: Final = 6
OTHER_WORDS: Final = 0.2
"""Amount by which each word of a label beyond MOST_LABEL_WORDS lowers its likeness: a long text is a sentence, not a
label."""
BEHIND_LABEL: Final = 0.9
"""Largest probability of a word that the network finds behind a field's label."""
BESIDE_OTHERS: Final = 0.4
"""Largest probability of a word that is printed next to other choices."""
LIKELY: Final = 0.5
"""Least probability, according to the network, of a word that decides a field."""
PRINTED_BY_LABEL: Final = 0.8
"""Probability of a choice whose words are printed near words that name the field."""
PRINTED_ALONE: Final = 0.6
"""Probability of the only choice of an enum whose words are printed."""
DENIED: Final = 0.75
"""Probability that a boolean is false if its name is printed behind a word that denies it."""
NAMED: Final = 0.55
"""Probability that a boolean is true if its name is printed and not denied."""
ALIKE: Final = 0.6
"""Least share of a field's words that a label must have to name the field."""
SHORTEST_CHOICE: Final = 3
"""Least number of letters of a choice that is searched for in running text. A shorter one, such as `M`, counts only
behind a label or a box."""
MOST_PRINTED: Final = 20
"""Largest number of places that are compared for the words of one choice."""
MOST_LABEL_LINES: Final = 8
"""Largest number of lines with boxes that follow the line naming their group."""
NEAR: Final = 3
"""Largest number of words between a denial and what it denies."""

CROSSES: Final = frozenset(("x", "X", "×", "✓", "✔", "✗", "✘", "√"))
"""Words and signs that count as a cross in the cells of a table."""
MOST_HEADS: Final = 12
"""Largest number of texts above a mark that are examined to find the header of its column."""
FEWEST_MARKS: Final = 2
"""Fewest rows with a mark in a table of options."""

_MARK = re.compile("|".join(map(re.escape, sorted((*TICKED, *EMPTY), key=len, reverse=True))))
_CIRCLES = frozenset("○◯")
"""Signs that are used both as bullets and as empty circles."""
_LITTLE = frozenset(
    fold("is has have was are can does with and or of the a an in for to if whether included required flag yes no")
)
"""Words that say nothing about the subject of a boolean in its name."""
_BEFORE_PRICE = re.compile(r"[^\W\d][^\d€£$]*(?= (?:[€£$]|[A-Z]{3} )? ?\d)")
"""Pattern of the words of an option before its price."""
_CELL_END = re.compile(r"\t|\s{3,}|\n")
_CLAUSE = re.compile(r"[.,;:!?\n\t()]")


class Decision(NamedTuple):
    """The value of a boolean or an enum, with the words on the page that decide it."""

    value: Any
    probability: float
    passage: Passage
    words: tuple[int, ...]
    entry: Entry | None = None
    """The entry that contains the passage: a text that was read, or the text of the request."""


class _Option(NamedTuple):
    passage: Passage
    words: tuple[int, ...]
    text: str
    is_ticked: bool
    group: str
    """The text that says what the options are about, such as a question before them; may be empty."""


def decide(
    fields: Mapping[JsonPath, tuple[FormField, Names]],
    lists: Mapping[JsonPath, tuple[Sequence[str], Names]],
    read: Sequence[Entry],
    passages: Sequence[Passage],
    scored: FieldScores | None,
) -> dict[JsonPath, Decision]:
    """Return the decisions for those `fields` that the passages of the entries `read` decide, and for the items of
    `lists` of choices, where several may be ticked. Synchronous."""
    options = [option for passage in passages for option in _options(passage)]
    options += _options_in_cells(scored.candidates.segments) if scored else ()
    found = {}
    for path, (field, names) in fields.items():
        values = _values_of(field.schema)
        decision = (
            _by_box(values, names, options)
            or _behind_own_label(values, names, scored)
            or _behind_label(values, path, scored)
            or (_by_words(values, names, passages) if "enum" in field.schema else _by_name(names, passages))
        )
        if decision is not None:
            found[path] = decision
    for path, (choices, names) in lists.items():
        found |= {(*path, at): one for at, one in enumerate(_by_boxes(choices, names, options))}
    return {path: one._replace(entry=read[one.passage.entry]) for path, one in found.items()}


def _values_of(schema: Mapping[str, Any]) -> Sequence[Any]:
    return [value for value in schema["enum"] if value is not None] if "enum" in schema else (True, False)


def _meaning(text: str, values: Sequence[Any]) -> Any:
    """Return the value that `text` means as a whole, or None."""
    if values[0] is True:
        return answer_of(text, is_cell=False)
    return choice_of(text, values)


def _options(passage: Passage) -> Iterator[_Option]:
    """Yield the options next to the boxes of a passage. A mark stands before its option, or behind it if a mark ends
    the line."""
    has_ticks = any(sign in passage.text for sign in TICKED)
    start, group, below = 0, "", 0
    for line in passage.text.split("\n"):
        marks = [mark for mark in _MARK.finditer(line) if has_ticks or mark[0] not in _CIRCLES]
        if not marks:
            group, below = line.strip().rstrip(":"), 0
        else:
            head = line[: marks[0].start()].strip()
            is_behind = bool(head) and not line[marks[-1].end() :].strip() and not head.endswith((":", "?"))
            label, _, first = head.rpartition(":") if is_behind else (head, "", "")
            of = label.strip().rstrip(":") or (group if below < MOST_LABEL_LINES else "")
            bounds = [marks[0].start() - len(first.lstrip()) - 1 if is_behind else 0, *(mark.end() for mark in marks)]
            for number, mark in enumerate(marks):
                if is_behind:
                    begin, end = max(0, bounds[number]), mark.start()
                else:
                    begin, end = mark.end(), marks[number + 1].start() if number + 1 < len(marks) else len(line)
                    cell = _CELL_END.search(line, begin + len(line[begin:end]) - len(line[begin:end].lstrip()), end)
                    end = cell.start() if cell else end
                text = line[begin:end].strip(" \t:,;/|")
                if text:
                    low, high = min(begin, mark.start()), max(end, mark.end())
                    words = passage.words_between(start + low, start + max(low + 1, len(line[:high].rstrip())))
                    yield _Option(passage, words, text, mark[0] in TICKED, of)
            below += 1
        start += len(line) + 1


def _options_in_cells(segments: Sequence[LineSegment]) -> list[_Option]:
    """Return the options of tables whose header row names them. Each further row is a question with a mark in one
    column."""
    marks = [at for at, segment in enumerate(segments) if segment.text in CROSSES and segment.box]
    found = []
    for at in marks:
        mark, head = segments[at], _head_of(at, segments)
        if mark.left < 0 or head is None or mark.box is None:
            continue
        label = mark.left
        # The text at the left end of the row is the question.
        for _ in range(MOST_HEADS):
            if segments[label].left < 0:
                break
            label = segments[label].left
        if segments[label].text not in CROSSES:
            found.append(_Option(mark.passage, mark.words, head, True, segments[label].text))
    return found if len(found) >= FEWEST_MARKS else []


def _head_of(at: int, segments: Sequence[LineSegment]) -> str | None:
    """Return the header of the column that contains a mark: the text above it, past the marks of other rows."""
    mark = segments[at]
    above = [
        one
        for one in segments
        if one.box and mark.box and one.passage is mark.passage and one.box[3] <= mark.box[1]
        and one.box[0] < mark.box[2] and one.box[2] > mark.box[0]
    ]  # fmt: skip
    nearest = sorted(above, key=lambda one: -one.box[3] if one.box else 0)[:MOST_HEADS]
    return next((one.text for one in nearest if one.text not in CROSSES), None)


def _naming(names: Names, text: str) -> float:
    """Return the share of the words of a field's name that occur in `text`, 0 to 1."""
    said = words_of(text)
    if not said:
        return 0.0
    shares = [0.0]
    for name in names.own:
        wanted = [word for word in name if word not in _LITTLE] or list(name)
        shares.append(sum(max(likeness(word, one) for word in said) for one in wanted) / len(wanted))
    return max(shares)


def _by_box(values: Sequence[Any], names: Names, options: Sequence[_Option]) -> Decision | None:
    """Decide by a ticked option. Its group is found by its options, which are the field's values, or by its name, which
    is the field's."""
    own = _meant(values, options)
    ticked = [(option, meant) for option, meant in own if option.is_ticked]
    ranked = sorted(ticked, key=lambda one: -_naming(names, one[0].group))
    if ranked:
        [(option, value), *others] = ranked
        if _naming(names, option.group) >= ALIKE:
            return Decision(value, TICKED_BY_LABEL, option.passage, option.words)
        if values[0] is not True and not any(other[1] != value for other in others):
            is_whole = len({meant for _, meant in own}) > 1
            return Decision(value, TICKED_BY_LABEL if is_whole else TICKED_ALONE, option.passage, option.words)
    if values[0] is True:
        best = max(options, key=lambda one: _naming(names, one.text), default=None)
        if best is not None and _naming(names, best.text) >= ALIKE:
            return Decision(best.is_ticked, TICKED_BY_LABEL, best.passage, best.words)
    return None


def _by_boxes(values: Sequence[str], names: Names, options: Sequence[_Option]) -> list[Decision]:
    """Decide the items of a list by the ticked options of one group: the group with the list's name, or else the only
    group that offers two of the values."""
    groups: dict[str, list[tuple[_Option, Any]]] = {}
    for option, meant in _meant(values, options):
        groups.setdefault(option.group, []).append((option, meant))
    several = {group: own for group, own in groups.items() if len({meant for _, meant in own}) > 1}
    if not several:
        return []
    best = max(several, key=lambda group: _naming(names, group))
    is_named = _naming(names, best) >= ALIKE
    if not is_named and len(several) > 1:
        return []
    own = several[best]
    probability = TICKED_BY_LABEL if is_named or len({meant for _, meant in own}) == len(values) else TICKED_ALONE
    ticked = {meant: option for option, meant in own if option.is_ticked}
    return [Decision(value, probability, option.passage, option.words) for value, option in ticked.items()]


def _meant(values: Sequence[Any], options: Sequence[_Option]) -> list[tuple[_Option, Any]]:
    """Return the options that mean one of the values, each with its value. A price may follow the words: `Full
    £32.00`."""
    found = []
    for option in options:
        value = _meaning(option.text, values)
        if value is None and (words := _BEFORE_PRICE.match(option.text)):
            value = _meaning(words[0], values)
        if value is not None:
            found.append((option, value))
    return found


def _behind_own_label(values: Sequence[Any], names: Names, scored: FieldScores | None) -> Decision | None:
    """Decide by the word behind a label, or in the same row, if the label has the words of the field's name."""
    best: tuple[float, Decision] | None = None
    segments = scored.candidates.segments if scored else []
    for span in scored.candidates.spans if scored else ():
        value = _meaning(span.text, values)
        if value is None:
            continue
        first = segments[span.first]
        beside = segments[first.left].text if first.left >= 0 and span.words[0] == first.words[0] else ""
        label = span.label or beside
        share = _naming(names, label) / (1 + OTHER_WORDS * max(0, len(words_of(label)) - MOST_LABEL_WORDS))
        is_better = share >= ALIKE and (best is None or share > best[0])
        if scored and is_better and not _is_one_of_several(span, values, scored):
            best = share, Decision(value, BEHIND_OWN_LABEL, span.passage, span.words)
    return best[1] if best else None


def _is_one_of_several(span: CandidateSpan, values: Sequence[Any], scored: FieldScores) -> bool:
    """True if other values are printed in the span's line. Forms print several choices side by side and mark one of
    them; the mark may not have been recognised."""
    line = span.passage.line_at(span.words[0])
    beside = {
        _meaning(one.text, values)
        for one in scored.candidates.spans
        if one.passage is span.passage and one.passage.line_at(one.words[0]) == line
    }
    return len(beside - {None}) > 1


def _behind_label(values: Sequence[Any], path: JsonPath, scored: FieldScores | None) -> Decision | None:
    """Decide by the word that the network finds behind the field's label, if the word means one of the values."""
    row = scored.rows.get(path) if scored is not None else None
    if scored is None or row is None:
        return None
    chances = scored.probabilities[row]
    sums: dict[Any, float] = {}
    first: dict[Any, int] = {}
    for at in np.argsort(-chances[:-1], kind="stable")[:MOST_SPANS]:
        value = _meaning(scored.candidates.spans[at].text, values)
        if value is not None:
            sums[value] = sums.get(value, 0.0) + float(chances[at])
            first.setdefault(value, int(at))
    if not sums:
        return None
    value = max(sums, key=lambda one: sums[one])
    chance = sums[value] / (sum(sums.values()) + float(chances[-1]))
    if chance < LIKELY:
        return None
    span = scored.candidates.spans[first[value]]
    most = BESIDE_OTHERS if _is_one_of_several(span, values, scored) else BEHIND_LABEL
    return Decision(value, round(min(chance, most), 4), span.passage, span.words)


def _by_words(values: Sequence[Any], names: Names, passages: Sequence[Passage]) -> Decision | None:
    """Decide by a choice whose words are printed in the text: the only such choice, or the one next to words that name
    the field."""
    found: list[tuple[float, int, Any, Passage, tuple[int, ...]]] = []
    for order, (value, passage, words) in enumerate(_printed(values, passages)):
        found.append((affinity(passage, words, names), -order, value, passage, words))
    if not found:
        return None
    near, _, value, passage, words = max(found, key=lambda one: one[:2])
    others = [one for one in found if one[2] != value]
    if not others:
        return Decision(value, PRINTED_BY_LABEL if near >= ALIKE else PRINTED_ALONE, passage, words)
    if near >= ALIKE and near > max(other[0] for other in others):
        return Decision(value, PRINTED_ALONE, passage, words)
    return None


def _printed(values: Sequence[Any], passages: Sequence[Passage]) -> Iterator[tuple[Any, Passage, tuple[int, ...]]]:
    """Yield the places where the words of a choice are printed as in the enum."""
    choices = {value: words_of(value) for value in values}
    for passage in passages:
        texts = [words_of(text) for text in passage.tokens.texts]
        places: dict[str, list[int]] = {}
        for at, token in enumerate(texts):
            if token:
                places.setdefault(token[0], []).append(at)
        for value, words in choices.items():
            if sum(map(len, words)) < SHORTEST_CHOICE:
                continue
            for at in islice(places.get(words[0], ()), MOST_PRINTED):
                longer = any(
                    len(other) > len(words) and other[: len(words)] == words and _reads(texts, at, other)
                    for other in choices.values()
                )
                if _reads(texts, at, words) and not longer:
                    own = sorted(set(passage.tokens.words[at : at + len(words)]))
                    yield value, passage, tuple(own)


def _reads(texts: Sequence[Words], at: int, words: Words) -> bool:
    return [text[0] if text else "" for text in texts[at : at + len(words)]] == list(words)


def _by_name(names: Names, passages: Sequence[Passage]) -> Decision | None:
    """Decide a boolean by its name in the text: false if a denial is near, else true."""
    wanted = [[word for word in name if word not in _LITTLE] for name in names.own]
    for passage in passages:
        start = 0
        for clause in _clauses(passage.text):
            said = words_of(clause)
            for name in filter(None, wanted):
                places = [next((at for at, word in enumerate(said) if likeness(word, one) >= 1), -1) for one in name]
                if not said or min(places) < 0 or sum(map(len, name)) < SHORTEST_CHOICE:
                    continue
                begin = start + len(clause) - len(clause.lstrip())
                words = passage.words_between(begin, max(begin + 1, start + len(clause.rstrip())))
                around = said[max(0, min(places) - NEAR) : max(places) + 1 + NEAR]
                if any(
                    phrase == tuple(around[at : at + len(phrase)]) for phrase in DENIALS for at in range(len(around))
                ):
                    return Decision(False, DENIED, passage, words)
                return Decision(True, NAMED, passage, words)
            start += len(clause) + 1
    return None


def _clauses(text: str) -> list[str]:
    return _CLAUSE.sub("\n", text).split("\n")
