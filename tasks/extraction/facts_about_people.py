"""Turns facts about people into lines with labels: `born 4 March 1931` becomes `Date of birth: 4 March 1931`.

The facts are in sentences, in brackets after a name (`Agnes Pollard (chair)`), and in the large print of a CV.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, islice
from statistics import median
from typing import Final, NamedTuple

from tasks.extraction.coded_texts import CodedLine, in_row
from tasks.extraction.concepts import concepts_of
from tasks.extraction.cv_sections import is_section
from tasks.extraction.folding import fold
from tasks.extraction.parts import parts_of_name
from tasks.notation.dates import find_days
from tasks.result import SourceLine

MAX_TEXT: Final = 50_000
"""A page is searched only if it has at most this many characters."""
MAX_FACTS: Final = 40
MAX_TEXT_BEFORE: Final = 200
"""The label of a line is looked for in this many characters before a verb."""
MAX_CHARS_AFTER_VERB: Final = 60
"""The date and the place of an event may be in either order. The first of them is read from at most this many
characters after the verb, and the second from at most this many characters after the first."""
ROLES: Final = frozenset(("chair", "minute_taker", "owner", "teacher", "organizer", "author", "doctor", "contact"))
"""Concepts that a word in brackets after a name may state."""

FEWEST_SECTIONS: Final = 2
"""A CV has at least this many headings of sections."""
FIRST_LINES: Final = 2
"""If nothing shows the size of the print, the name on a CV is in one of this many lines at its head."""
LARGE: Final = 1.3
"""The print of the name on a CV is at least this many times as large as the usual print."""
LONGEST_NAME: Final = 4
_TITLES: Final = frozenset(
    ("curriculum vitae", "curriculum", "lebenslauf", "cv", "resume", "résumé", "hoja de vida", "życiorys")
)

_RELATIVES: Final = frozenset(
    fold(
        "wife husband spouse partner mother father mum mom dad parent son daughter sister brother friend neighbour "
        "grandmother grandfather guardian aunt uncle ehefrau ehemann frau mann mutter vater eltern sohn tochter "
        "schwester bruder freund freundin nachbar nachbarin großmutter oma opa partnerin épouse époux mère père fils "
        "fille sœur frère ami amie conjoint conjointe compagne compagnon esposa esposo mujer marido madre padre hijo "
        "hija hermana hermano amigo amiga pareja moglie marito figlio figlia sorella fratello amico amica nonna nonno "
        "mãe pai filho filha irmã irmão esposo amigo vrouw man moeder vader zoon dochter zus broer vriend vriendin "
        "żona mąż matka ojciec syn córka siostra brat fru make mor far mamma pappa syster bror sambo"
    )
)
"""Words for relatives, such as `daughter`."""

_BORN = re.compile(
    r"(?:(?<!\w)(?:born|geboren|née? le|né\(e\) le|nat[oa]|nacid[oa]|nascid[oa]|urodz\w{2,6}|ur\.|född|født)"
    r"|\*)(?=[\s\d])",
    re.IGNORECASE,
)
_DIED = re.compile(
    r"(?:(?<!\w)(?:died|gestorben|verstorben|verstarb|starb|décédée? le|morte? le|fallecid[oa]|falleció|murió"
    r"|decedut[oa]|falecid[oa]|faleceu|morreu|overleden|overleed|zmarł[ay]?|avled)|†)(?=[\s\d])",
    re.IGNORECASE,
)
_WORD = r"(?<!\w)[^\W\d_a-zß-öø-ÿ][\w'’]{0,40}"
_NAME = (
    rf"{_WORD}(?:-{_WORD})?(?:[ -](?:(?:am|an der|an|auf|bei|de|de la|del|la|le|sur|upon|on|of)[ -])?{_WORD}){{0,3}}"
)
_BEFORE_PLACE = r"(?:in|à|a|ad|en|em|te|w|we|i|zu|near|bei)"
_PLACE = re.compile(rf"[\s,]*(?:{_BEFORE_PLACE}) (?P<place>{_NAME})")
_BEFORE_DATE = re.compile(r"[\s,:]*(?:on|am|le|il|el|op|dnia|den|the|em|a|dia|w dniu)?[\s:]*", re.IGNORECASE)
_MARRIED = re.compile(
    r"\b(?:(?:her|his) (?:husband|wife)|(?:was |is )?married(?: to)?|verheiratet (?:\w+ \d{4} )?mit"
    r"|heiratete(?: \d{4})?|(?:seit \d{4} )mit|épousa|casad[oa] con|sposat[oa] con|sposò|casad[oa] com"
    r"|getrouwd met|gift med)\b,?"
    rf"(?: (?:the|der|dem|die|la|le|il|el|de|den) [a-zß-öø-ÿ]\w+|(?: der| dem) {_WORD}(?= {_WORD} ))?"
    rf" (?P<name>{_WORD}(?:[ -]{_WORD}){{1,3}})"
)
_ROLE = re.compile(
    rf"(?P<name>{_WORD}(?:[ -](?:(?:van|von|de|der|den|di|da|del) )*{_WORD}){{1,3}}) \((?P<role>[^()\d]{{3,30}})\)"
)


class _Fact(NamedTuple):
    label: str
    concepts: frozenset[str]
    start: int
    end: int


def facts_about_people(lines: Sequence[SourceLine]) -> list[CodedLine]:
    """Return lines with labels for the births, deaths, marriages and roles in brackets on a page, and for the name on a
    CV."""
    lengths = accumulate(len(word) + 1 for line in lines for word in line.words)
    if any(length > MAX_TEXT for length in lengths):
        return []
    words = [(number, index) for number, line in enumerate(lines) for index in range(len(line.words))]
    texts = [lines[number].words[index] for number, index in words]
    starts = [0, *accumulate(len(text) + 1 for text in texts)][:-1]
    if not words:
        return []
    # A line that begins with a capital letter is taken to begin something new, so no name runs on into it from the line
    # above.
    breaks = {index for index, (_, word) in enumerate(words) if not word and texts[index][0].isupper()}
    text = "".join(f"{text}{chr(10) if index + 1 in breaks else ' '}" for index, text in enumerate(texts))
    found: list[CodedLine] = []
    for fact in [*_facts_in(text)][:MAX_FACTS]:
        first, last = bisect_right(starts, fact.start) - 1, bisect_right(starts, fact.end - 1) - 1
        found.append(_line_of(fact, text[fact.start : fact.end], lines, words[first : last + 1], len(found)))
    for label, concept, own in _name_on_cv(lines, words):
        text = " ".join(lines[number].words[index] for number, index in own)
        found.append(_line_of(_Fact(label, frozenset((concept,)), 0, 0), text, lines, own, len(found)))
    return found


def _name_on_cv(
    lines: Sequence[SourceLine], words: Sequence[tuple[int, int]]
) -> Iterator[tuple[str, str, Sequence[tuple[int, int]]]]:
    """Yield the name at the head of a CV, and the parts of the name.

    The name is the text in the largest print or, if nothing shows the size of the print, one of the first `FIRST_LINES`
    lines.
    """
    texts = [" ".join(line.words) for line in lines]
    if sum(map(is_section, texts)) < FEWEST_SECTIONS:
        return
    names = [index for index, line in enumerate(lines) if _may_be_name(line.words)]
    heights = {index: height for index in names if (height := _height(lines[index]))}
    if heights:
        largest = max(heights, key=lambda index: heights[index])
        usual = median(height for line in lines if (height := _height(line)))
        chosen = [largest] if heights[largest] >= LARGE * usual else []
        if chosen and len(lines[largest].words) == 1 and heights.get(largest + 1, 0) >= heights[largest] / LARGE:
            chosen.append(largest + 1)
    else:
        chosen = [index for index in names if index < FIRST_LINES][:1]
    own = [word for word in words if word[0] in chosen]
    parts = parts_of_name(" ".join(lines[number].words[index] for number, index in own))
    if not parts:
        return
    yield "Name", "name", own
    size = len(parts["first_name"].split())
    is_first = parts["first_name"].split()[0] == lines[own[0][0]].words[own[0][1]]
    yield "Given names", "first_name", own[:size] if is_first else own[-size:]
    yield "Surname", "last_name", own[size:] if is_first else own[:-size]


def _may_be_name(words: Sequence[str]) -> bool:
    text = " ".join(words)
    is_alphabetic = all(word[0].isupper() and not any(map(str.isdigit, word)) for word in words)
    return len(words) <= LONGEST_NAME and is_alphabetic and not is_section(text) and text.casefold() not in _TITLES


def _height(line: SourceLine) -> float:
    """Return the height of a line's print; 0 if its place is unknown."""
    if line.boxes:
        return median(bottom - top for _, top, _, bottom in line.boxes)
    if line.bounds:
        return median(bounds["bottom_left"]["y"] - bounds["top_left"]["y"] for bounds in line.bounds)
    return 0


def _facts_in(text: str) -> Iterator[_Fact]:
    for label, kind, verb in (("Born", "birth", _BORN), ("Died", "death", _DIED)):
        found = next((one for one in islice(verb.finditer(text), MAX_FACTS) if not _is_of_relative(text, one)), None)
        if found is not None:
            yield from _event(text, found.end(), label, kind)
    if found := _MARRIED.search(text):
        yield _Fact("Spouse", frozenset(("spouse",)), *found.span("name"))
    for role in _ROLE.finditer(text):
        if len(role_words := fold(role["role"])) == 1 and role_words[0] in _RELATIVES:
            yield _Fact("Relationship", frozenset(("relationship",)), *role.span("role"))
        elif concepts := concepts_of(tuple(role_words)) & ROLES:
            yield _Fact(role["role"], concepts, *role.span("name"))


def _is_of_relative(text: str, verb: re.Match[str]) -> bool:
    """True if the label of a verb's line names a relative, whose fact it is: `Mother: Sue Lee, born 3 May 1950`."""
    start = text.rfind("\n", max(0, verb.start() - MAX_TEXT_BEFORE), verb.start()) + 1
    label, colon, _ = text[max(start, verb.start() - MAX_TEXT_BEFORE) : verb.start()].partition(":")
    return bool(colon) and not _RELATIVES.isdisjoint(fold(label))


def _event(text: str, start: int, label: str, kind: str) -> Iterator[_Fact]:
    """Yield the date and the place that follow a verb in either order."""
    position = start
    for _ in range(2):
        lead = _BEFORE_DATE.match(text, position)
        begin = lead.end() if lead else position
        day = next(find_days(text[begin : begin + MAX_CHARS_AFTER_VERB]), None)
        if day is not None and day.start == 0:
            yield _Fact(label, frozenset((kind,)), begin, begin + day.end)
            position = begin + day.end
        elif place := _PLACE.match(text, position, position + MAX_CHARS_AFTER_VERB):
            yield _Fact(f"{label} in", frozenset((f"{kind}_place",)), *place.span("place"))
            position = place.end()


def _line_of(
    fact: _Fact, text: str, lines: Sequence[SourceLine], words: Sequence[tuple[int, int]], row: int
) -> CodedLine:
    label = f"{fact.label}:".split()
    places = [words[0]] * len(label) + list(words)
    first = lines[words[0][0]]
    line = replace(
        first,
        words=(*label, *text.split()),
        bounds=tuple([lines[number].bounds[index] for number, index in places]) if first.bounds else (),
        confidences=tuple([lines[number].confidences[index] for number, index in places]) if first.confidences else (),
        continues=False,
    )
    return CodedLine(in_row(line, row), len(label), fact.concepts, is_whole=False)
