"""Finds items below or beside the name of their list, each with its details: `Languages: English (native), Gaelic`.

Brackets, a dash or a colon separate an item from its details (`français – B2`). A code precedes its meaning (`J18.9
Pneumonia`), and a medicine precedes its dose and the times at which it is taken (`Ramipril 5 mg 1-0-1`).
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final, Literal, NamedTuple
from weakref import WeakKeyDictionary

from models.fair_executor import Slices
from models.translation.languages import names_at
from tasks.extraction.boxes import box_of
from tasks.extraction.concepts import PHRASES, concepts_of
from tasks.extraction.cv_sections import is_section
from tasks.extraction.features import types_of
from tasks.extraction.fields import WantedField
from tasks.extraction.folding import fold
from tasks.extraction.names import Names, names_of
from tasks.extraction.passages import LINES_AT_ONCE, Passage
from tasks.extraction.prescribed_medicines import FREQUENCY_WORDS
from tasks.extraction.text_lists import ListItem
from tasks.extraction.values import says_nothing
from tasks.extraction.words_on_page import (
    WordOnPage,
    cell_at,
    cell_of,
    rows_by_column,
    rows_in_columns,
    segments_of_row,
    text_of,
)
from tasks.matches_in_slices import matches_in_slices
from tasks.notation.words import MONTHS, any_of
from tasks.read_table import NO_CELL, ReadCell, ReadTable

Part = Literal["item", "rest", "dose", "frequency", "year"]

ENDING_GAP: Final = 1.5
"""Largest gap between two lines of a list, in heights of a line. A wider gap ends the list."""
FIRST_ENDING_GAP: Final = 3.5
"""Largest gap between the name of a list and its first item, in heights of the name."""
STEPS_APART: Final = 0.6
"""Largest gap, in heights of a line, between the lines of one step."""
MAX_WORDS_OF_STEP: Final = 200
"""Further lines do not continue a step that has this many words or more."""
COLUMN_GAP: Final = 2.5
"""Largest gap between two pieces of one item, in heights of a line. A wider gap separates columns."""
LONGEST_NAME: Final = 4
"""Largest number of words of a list's name."""
FEWEST_IN_CAPITALS: Final = 2
"""Number of lines below a name in capitals that are examined. If all of them are in capitals, too, the list does not
end at a line in capitals."""
MAX_TEXT: Final = 100_000
"""Sentences about languages are searched for in only this many characters at the beginning of a passage."""
MAX_LINES: Final = 60
"""Items are searched for in at most this many lines below the name of their list."""
MAX_PARTS: Final = 3
"""Largest number of fields of an item. A list whose objects have more fields is not searched for."""
MAX_TRIED: Final = 100
"""Items are searched for at no more than this many places with the name of their list."""

_LEVELS: Final = frozenset(fold("level niveau nivel livello poziom nivå proficiency kompetenz sprachniveau"))
_CODES: Final = frozenset(fold("code kod código codice icd"))
_YEARS: Final = frozenset(fold("year jahr année año anno ano jaar rok år"))
_YEAR = re.compile(
    rf"\(?(?:(?:{any_of(MONTHS)})\.? |(?<!\d)\d\d?[./])?(?<![\d-])(?P<year>(?:19|20)\d\d)(?![\d/-])\)?(?: ?[–—-] )?",
    re.IGNORECASE,
)
"""Pattern of a year, with its month and brackets."""
_CODE = re.compile(r"(?=\S*\d)[A-Z0-9][A-Z0-9.-]{1,9}:?")
_UNIT = r"(?:mg|g|µg|mcg|ug|ml|l|IE|IU|j\.?m\.?|UI|%)(?:/\d* ?(?:ml|h|d))?"
_AT_TIME = (
    r"rano|wieczorem|na\snoc|w\społudnie|morgens|mittags|abends|zur\snacht|at\snight|in\sthe\s(?:morning|evening)|by\smouth"
    r"|le\smatin|le\ssoir|au\scoucher|la\smattina|la\ssera|por\sla\s(?:mañana|noche)|’s\sochtends|’s\savonds"
)
_DAILY = (
    r"daily|nightly|weekly|(?:every|each)\s(?:day|night|week)|täglich|tgl\.?|jeden\stag|wöchentlich"
    r"|(?:chaque\sjour|tous\sles\sjours)|todos\slos\sdías|ogni\sgiorno|todos\sos\sdias|dagelijks|elke\sdag"
    r"|(?:co)?dziennie|dagligen|varje\sdag"
)
_PER_DAY = (
    r"(?:a|per)\s(?:day|night|week)|(?:am|pro)\stag|(?:in\sder|pro)\swoche|par\s(?:jour|semaine)"
    r"|(?:al|por)\sdía|(?:a\sla|por)\ssemana|al\sgiorno|(?:alla|a)\ssettimana|(?:por|ao)\sdia|por\ssemana"
    r"|per\s(?:dag|week|dygn|vecka)|daags|om\sdagen|na\sdobę|w\stygodniu"
)
"""Patterns of the times of a day, and of words that say that a number of times is per day. Without a number, only
_DAILY says how often something is taken."""
_TIMES = (
    r"(?:once|twice|thrice|(?:\d{1,2}|[^\W\d_]{2,12})\s(?:times?|fois|veces|vez|volte|volta|vezes|maal|keer|razy|raz"
    r"|gånger|gång|mal)|(?:\d{1,2}|[^\W\d_]{2,7})(?:mal|maal)|raz|\d{1,2})"
)
_EVERY = (
    r"(?:every|alle|toutes\sles|cada|ogni|om\sde|elke|iedere|a\scada|co|var)\s(?:\d{1,2}|[^\W\d_]{2,8})\s?"
    r"(?:hours?|hrs?|h|stunden|std|heures?|horas?|ore|uur|godzin[ya]?|timmar|timme)(?![^\W_])"
)
_MEDICINE = re.compile(
    rf"(?P<item>(?<![^\W_])[^\W\d_][\w-]{{2,60}}(?: [^\W\d_][\w-]{{0,60}}){{0,2}})\s++"
    rf"(?P<dose>\d{{1,9}}(?:[.,]\d{{1,9}})?\s?{_UNIT})(?![^\W_])"
    r"(?:[^\d,;\n]{0,25}?)[\s,:]{0,9}(?P<frequency>(?:\d(?:[.,]\d)?(?: ?[-–] ?\d(?:[.,]\d)?){2,3}"
    rf"|\d ?[x×] ?(?:\d+|daily|a day|/ ?\w+|[^\W\d_]+)|{_EVERY}|(?<![^\W_]){_TIMES}\s(?:{_DAILY}|{_PER_DAY}|{_AT_TIME})"
    rf"|(?<![^\W_])(?:{_DAILY}|{_AT_TIME}))(?![^\W_])(?:\s(?:{_DAILY}|{_PER_DAY}|{_AT_TIME}))?)",
    re.IGNORECASE,
)
_BEFORE_NAMES: Final = frozenset(
    fold(
        "he she they patient the his her is was take takes taking took taken use uses using receive receives "
        "received start starts started continue continues continued given gets prescribed prescribe add added "
        "increase increased reduce reduced stop stopped also then plus and with or on currently er sie der "
        "die das den patientin nimmt nehmen nehme einnehmen erhält erhalten bekommt bekam und sowie dazu mit "
        "außerdem zusätzlich weiter wird il elle le la du des un une patiente prend prendre prenez reçoit et "
        "puis avec ou el los las una paciente toma tomar tome recibe y con además más lo gli paziente prende "
        "prendere assume assumere e ed inoltre o um uma recebe com também hij zij ze het een neemt nemen "
        "gebruikt krijgt en met of ona pacjent pacjentka bierze przyjmuje stosuje i oraz lub z han hon "
        "patienten tar får och med"
    )
)
"""Words before the name of a medicine in a sentence: verbs, conjunctions, articles and pronouns."""
_SPEAKS = re.compile(
    r"\b(?:speak|spoken|spreche|parle|hablo|parlo|falo|spreek|mówię|talar|snakker|taler)\b", re.IGNORECASE
)
MAX_BEFORE: Final = 200
"""At most this many characters before a word for speaking count as a part of its sentence."""
_SPEAKS_IN_SENTENCE = re.compile(rf"[^.!?]{{0,{MAX_BEFORE}}}{_SPEAKS.pattern}[^.!?]{{0,300}}", re.IGNORECASE)
_LONG_WORD = re.compile(r"[^\W\d_]{4,}")
_LEVEL = re.compile(r" ?\((?P<level>[^()]{1,30})\)")
_BRACKETS = re.compile(r"(?P<item>[^()]+?) ?\((?P<rest>[^()]+)\)\W*")
_DASH = re.compile(r"(?P<item>.+?)(?: [-–—] ?| ?[:=] ?|\t)(?P<rest>.+)")
_COLON = re.compile(r"(?P<item>[^:()]+?) ?: (?P<rest>.+)")
_BULLET = re.compile(r"^(?:[-–—*+•·◦▪‣]|\d{1,2}[.)]) ")
_COMMA_OR_BRACKET = re.compile(r"[,;•|()]")
_IN_BRACKETS = re.compile(r"\([^()]*\)")
_LABEL = re.compile(r"[^:]{2,40}:(?= |$)")


_STEPS: Final = frozenset(
    fold(
        "steps instructions directions method procedure schritte anleitung zubereitung anweisungen arbeitsschritte "
        "étapes instructions préparation mode pasos instrucciones preparación elaboración procedimiento passaggi "
        "istruzioni procedimento preparazione passos instruções preparo preparação stappen bereiding instructies "
        "bereidingswijze kroki przygotowanie instrukcje wykonanie steg instruktioner tillagning gör"
    )
)
"""Words in the names of lists of numbered steps. The name of such a list is often not printed."""
_OF_PEOPLE: Final = frozenset(("attendees", "absentees"))
_ROLE = re.compile(r" \([^()]*\)$")
"""Pattern of a person's role in brackets after the name."""
_NUMBERED = re.compile(r"(?P<number>\d{1,2})[.)] (?=\S)")


class _ItemLine(NamedTuple):
    words: Sequence[WordOnPage]
    text: str


class _ShortPiece(NamedTuple):
    """A piece of a row that is short enough to be the name of a list."""

    order: int
    """Index of the piece among all short pieces of the passage."""
    rows: Sequence[Sequence[WordOnPage]]
    """The rows of the piece's column."""
    row: int
    """Index of the piece's row."""
    segment: int
    """Index of the piece in this row."""


class _SameWords(NamedTuple):
    """Pieces that have the same words in their label or, without a label, in their whole text."""

    concepts: frozenset[str]
    pieces: list[_ShortPiece]


_short_pieces_by_passage: "WeakKeyDictionary[Passage, dict[tuple[str, ...], _SameWords]]" = WeakKeyDictionary()
"""The short pieces of each passage, by their words. They are kept as long as the passage itself, because the search for
each list needs them."""


def listed_items(passage: Passage, lists: Sequence[Sequence[WantedField]]) -> Iterator[ReadTable | None]:
    """Yield a table with the items of each list whose objects have two or three fields; None after a slice of work."""
    for fields in lists:
        yield None
        parts = _parts_of(fields)
        if not parts:
            continue
        header = [ReadCell(" ".join(one.names.own[0])) for one in fields]
        if "dose" in parts:
            if body := (yield from _medicines(passage, parts)):
                yield ReadTable([header, *body], is_exact=False, is_whole=True)
            continue
        names = names_of(fields[0].path[:-1], {"type": "array"})
        concepts = names.concepts | frozenset(
            name for one in fields for name in one.names.concepts if name in ("languages", "diagnosis", "medication")
        )
        body = []
        named_pieces = yield from _pieces_called(passage, names, concepts)
        for certainty, piece in named_pieces[:MAX_TRIED]:
            yield None
            body = [_row(passage, line, parts) for line in _block_at(passage, piece, certainty) or ()]
            if body:
                break
        if not body and "languages" in concepts:
            body = yield from _spoken(passage, parts)
        if body:
            yield ReadTable([header, *body], is_exact=False, is_whole=True)


def _parts_of(fields: Sequence[WantedField]) -> list[Part]:
    if not 2 <= len(fields) <= MAX_PARTS:
        return []
    years = [one for one in fields if _is_year(one)]
    texts = [one for one in fields if one not in years]
    if len(years) > 1 or any(not types_of(one.schema) <= {"string"} or "format" in one.schema for one in texts):
        return []
    found: list[Part] = []
    for one in fields:
        words = {word for own in one.names.own for word in own}
        if one in years:
            found.append("year")
        elif "dosage" in one.names.concepts and "dose" not in found:
            found.append("dose")
        elif not one.names.concepts.isdisjoint(("dosage", "frequency")):
            found.append("frequency")
        elif words & _LEVELS or ("item" in found and "rest" not in found):
            found.append("rest")
        else:
            found.append("item")
    if "dose" in found and "rest" in found and "frequency" not in found:
        rest = found.index("rest")
        # Compounds end with such a word, too: `Einnahmeschema`.
        is_frequency = any(word.endswith(tuple(FREQUENCY_WORDS)) for word in fields[rest].names.own[0])
        found[rest] = "frequency" if is_frequency else "rest"
    return found if len(set(found)) == len(found) else []


def _is_year(field: WantedField) -> bool:
    return any(not _YEARS.isdisjoint(own) for own in field.names.own) and "format" not in field.schema


def named_list(passage: Passage, names: Names) -> Slices[list[ListItem]]:
    """Return the texts below or beside the name of a list; empty if there are none."""
    named_pieces = yield from _pieces_called(passage, names, names.concepts)
    block: list[_ItemLine] | None = None
    for certainty, piece in sorted(named_pieces, key=lambda one: -one[0])[:MAX_TRIED]:
        yield
        block = _block_at(passage, piece, certainty)
        if block is not None:
            break
    lines = (line for line in block or () if not says_nothing(line.text, in_words=True))
    return [ListItem(line.text, tuple(word.at for word in line.words)) for line in lines]


def without_roles(names: Names, items: Sequence[ListItem]) -> Sequence[ListItem]:
    """Return the people of a list without the roles in brackets after their names."""
    if names.concepts.isdisjoint(_OF_PEOPLE):
        return items
    bare = [(one, _ROLE.sub("", one.text)) for one in items]
    return [ListItem(text, one.words[: text.count(" ") + 1]) for one, text in bare]


def numbered_steps(passage: Passage, names: Names) -> Slices[list[ListItem]]:
    """Return the numbered lines of a passage, starting with number 1, each with the lines that continue it. Return
    nothing if the list's names do not ask for steps, or if fewer than two lines are numbered."""
    if not any(own[-1] in _STEPS or own[0] in _STEPS for own in names.own if own):
        return []
    found: list[list[int]] = []
    bottom = 0
    for row in rows_in_columns(passage):
        yield
        text = text_of(passage, row)
        begun = _NUMBERED.match(text)
        if begun and int(begun["number"]) == len(found) + 1:
            found.append([word.at for word in row[1:]])
        elif begun and int(begun["number"]) == 1 and len(found) < 2:
            found = [[word.at for word in row[1:]]]
        elif found and row[0].box[1] - bottom <= STEPS_APART * row[0].height and len(found[-1]) < MAX_WORDS_OF_STEP:
            found[-1] += [word.at for word in row]
        elif len(found) >= 2:
            break
        bottom = max(word.box[3] for word in row)
    if len(found) < 2:
        return []
    return [ListItem(" ".join([passage.words[index] for index in own]), tuple(own)) for own in found if own]


def _short_pieces(passage: Passage) -> Slices[dict[tuple[str, ...], _SameWords]]:
    """Return the pieces of rows that may be the name of a list, by their words."""
    if passage in _short_pieces_by_passage:
        return _short_pieces_by_passage[passage]
    found: dict[tuple[str, ...], _SameWords] = {}
    order = 0
    for rows in rows_by_column(passage):
        for index, row in enumerate(rows):
            yield
            for segment_index, segment in enumerate(segments_of_row(row)):
                text = text_of(passage, segment)
                label = _LABEL.match(text)
                words = tuple(fold(_IN_BRACKETS.sub("", label[0][:-1] if label else text)))
                if 0 < len(words) <= LONGEST_NAME:
                    if words not in found:
                        found[words] = _SameWords(concepts_of(words), [])
                    found[words].pieces.append(_ShortPiece(order, rows, index, segment_index))
                    order += 1
    _short_pieces_by_passage[passage] = found
    return found


def _pieces_called(passage: Passage, names: Names, concepts: frozenset[str]) -> Slices[list[tuple[int, _ShortPiece]]]:
    """Return the pieces with the name of a list in the order of the page, each with its certainty (`_certainty`)."""
    found: list[tuple[int, _ShortPiece]] = []
    name_words = {word for words in names.own for word in words}
    for index, (words, same_words) in enumerate((yield from _short_pieces(passage)).items()):
        if index % LINES_AT_ONCE == 0:
            yield
        may_match = words[0] in name_words or same_words.concepts
        if may_match and (certainty := _certainty(words, same_words.concepts, names, concepts)):
            found += [(certainty, piece) for piece in same_words.pieces]
    return sorted(found, key=lambda one: one[1].order)


def _certainty(words: tuple[str, ...], meanings: frozenset[str], names: Names, concepts: frozenset[str]) -> int:
    """Return how certainly words are the name of a list: 3 if they are one of the list's names, 2 if they name no
    concept and are some of the words of one of its names, 1 if they name only concepts of the list, or else 0."""
    if words in names.own:
        return 3
    if not meanings:
        return 2 * any(set(words) < set(own) for own in names.own)
    return int(meanings <= concepts)


def _block_at(passage: Passage, piece: _ShortPiece, certainty: int) -> list[_ItemLine] | None:
    """Return the items below or beside the name of a list; None if nothing is there. For a name of certainty 2, only
    items beside it count."""
    _, rows, at, segment_index = piece
    segments = list(segments_of_row(rows[at]))
    segment = segments[segment_index]
    label = _LABEL.match(text_of(passage, segment))
    if label and (rest := segment[label[0].count(" ") + 1 :]):
        return _items(passage, [rest, *_continued(passage, rows[at + 1 :], rest)], in_line=True)
    if segment_index == 0 and len(segments) > 1 and not _is_name(passage, segments[1]):
        lines = [segments[1], *_beside(rows[at + 1 :], segment, segments[1])]
        return _items(passage, lines, in_line=True)
    if certainty != 2 and (below := list(_below(passage, rows[at + 1 :], segment))):
        return _items(passage, below, in_line=False)
    return None


def _is_name(passage: Passage, words: Sequence[WordOnPage]) -> bool:
    label_words = tuple(fold(text_of(passage, words).rstrip(":")))
    return label_words in PHRASES


def _continued(
    passage: Passage, rows: Sequence[Sequence[WordOnPage]], line: Sequence[WordOnPage]
) -> Iterator[list[WordOnPage]]:
    """Yield the lines that continue `line`: each is near the line before it, which ends with a comma or semicolon."""
    for row in rows[:MAX_LINES]:
        if not passage.words[line[-1].at].endswith((",", ";")) or row[0].box[1] - line[0].box[3] > line[0].height:
            return
        line = list(row)
        yield list(row)


def _beside(
    rows: Sequence[Sequence[WordOnPage]], name: Sequence[WordOnPage], first_line: Sequence[WordOnPage]
) -> Iterator[list[WordOnPage]]:
    """Yield the lines below `first_line`, which is beside a name, up to a wide gap or a line that begins farther left
    than the name ends."""
    bottom = first_line[0].box[3]
    for row in rows[:MAX_LINES]:
        if row[0].box[0] < name[-1].box[2] or row[0].box[1] - bottom > ENDING_GAP * row[0].height:
            return
        bottom = row[0].box[3]
        yield list(row)


def _below(
    passage: Passage, rows: Sequence[Sequence[WordOnPage]], name: Sequence[WordOnPage]
) -> Iterator[list[WordOnPage]]:
    """Yield the lines below a name in its column, up to a wide gap, another name, a heading, or the first label after
    lines without labels."""
    bottom, height, left = name[0].box[3], name[0].height, name[0].box[0]
    found = 0
    has_label = False
    is_in_capitals = text_of(passage, name).isupper() and not all(
        text_of(passage, row).isupper() for row in rows[:FEWEST_IN_CAPITALS]
    )
    for row in rows[:MAX_LINES]:
        segments = list(segments_of_row(row))
        first = next((index for index, one in enumerate(segments) if _is_under(one, name, left)), len(segments))
        own = segments[first:]
        if not own:
            continue
        line = own[0]
        limit = ENDING_GAP * line[0].height if found else FIRST_ENDING_GAP * height
        if line[0].box[1] - bottom > limit or _is_name(passage, line):
            return
        if found and not has_label and _LABEL.match(text_of(passage, line)):
            return
        if is_section(text_of(passage, line)) or (is_in_capitals and text_of(passage, row).isupper()):
            return
        bottom = line[0].box[3]
        found += 1
        has_label = has_label or _LABEL.match(text_of(passage, line)) is not None
        yield [word for one in _together(own) for word in one]


def _together(segments: Sequence[list[WordOnPage]]) -> Iterator[list[WordOnPage]]:
    """Yield the first pieces of a row, up to the gap between two columns."""
    for index, segment in enumerate(segments):
        if index and segment[0].box[0] - segments[index - 1][-1].box[2] > COLUMN_GAP * segment[0].height:
            return
        yield segment


def _is_under(line: Sequence[WordOnPage], name: Sequence[WordOnPage], left: int) -> bool:
    return line[0].box[0] < name[-1].box[2] + name[0].height and line[-1].box[2] > left - name[0].height


def _items(passage: Passage, lines: Sequence[Sequence[WordOnPage]], *, in_line: bool) -> list[_ItemLine]:
    texts = [text_of(passage, line) for line in lines]
    if not in_line and not any(map(commas_in, texts)):
        return [_ItemLine(line, text) for line, text in zip(lines, texts, strict=True)]
    if not in_line and sum(map(_is_item, texts)) * 2 > len(texts) and not any(";" in text for text in texts):
        return [_ItemLine(line, text) for line, text in zip(lines, texts, strict=True)]
    whole, words = " ".join(texts), [word for line in lines for word in line]
    found = []
    begin = position = counted = 0
    for end in [*commas_in(whole), len(whole)]:
        text = whole[begin:end]
        bare = text.strip(" ,;•|.")
        first = begin + len(text) - len(text.lstrip(" ,;•|"))
        if bare:
            position += whole.count(" ", counted, first)
            counted = first
            found.append(_ItemLine(words[position : position + bare.count(" ") + 1], bare))
        begin = end + 1
    return found


def commas_in(text: str) -> list[int]:
    """Return the places of the signs that separate items: the signs outside brackets that no digit follows."""
    found: list[int] = []
    is_inside = False
    for sign in reversed(list(_COMMA_OR_BRACKET.finditer(text))):
        if sign[0] in "()":
            is_inside = sign[0] == ")"
        elif not is_inside and not text[sign.end() : sign.end() + 1].isdecimal():
            found.append(sign.start())
    return found[::-1]


def _is_item(text: str) -> bool:
    """True if a line is a single item with its details."""
    bare = _BULLET.sub("", text, count=1)
    return _CODE.match(bare) is not None or _DASH.fullmatch(bare) is not None


def _medicines(passage: Passage, parts: Sequence[Part]) -> Slices[list[list[ReadCell]]]:
    """Return the cells of each medicine, whose dose and times follow its name: `Ramipril 5 mg 1-0-1`."""
    medicines: list[list[ReadCell]] = []
    for found in matches_in_slices(_MEDICINE, passage.text):
        yield
        if found is None:
            continue
        spans = {part: found.span(part) for part in found.groupdict()}
        spans["item"] = _begin_of_name(found["item"]) + spans["item"][0], spans["item"][1]
        medicines.append([cell_at(passage, *spans[part]) if part in spans else NO_CELL for part in parts])
    return medicines


def _begin_of_name(text: str) -> int:
    """Return where the name of a medicine begins in the text before its dose: after the last word that is not a part of
    such a name, as in `He takes ibuprofen`."""
    begin = 0
    for index, word in enumerate(words := list(re.finditer(r"\S+", text))):
        is_written_small = word[0].islower() or (index == 0 and len(word[0]) > 1)
        if index + 1 < len(words) and is_written_small and not _BEFORE_NAMES.isdisjoint(fold(word[0])):
            begin = words[index + 1].start()
    return begin


def _spoken(passage: Passage, parts: Sequence[Part]) -> Slices[list[list[ReadCell]]]:
    """Return the languages in sentences about what somebody speaks, each with the level in brackets after it."""
    text = passage.text[:MAX_TEXT].replace("\n", " ").replace("\t", " ")
    languages: list[list[ReadCell]] = []
    end = 0
    for spoken in matches_in_slices(_SPEAKS, text):
        yield
        if spoken is None or spoken.start() < end:
            continue
        # Only the word for speaking is searched for, because a search for whole sentences would compare 200 characters
        # at each position.
        begin = max(text.rfind(sign, end, spoken.start()) + 1 for sign in ".!?")
        sentence = _SPEAKS_IN_SENTENCE.match(text, max(begin, end, spoken.start() - MAX_BEFORE))
        assert sentence is not None, "The sentence has the word for speaking."
        end = sentence.end()
        for word in _LONG_WORD.finditer(sentence[0]):
            if not any(len(name) == len(word[0]) for name in names_at(word[0], 0)):
                continue
            level = _LEVEL.match(sentence[0], word.end())
            own = passage.words_between(sentence.start() + word.start(), sentence.start() + word.end())
            boxes = [
                WordOnPage(word_index, box) for word_index in own if (box := box_of(passage, [word_index])) is not None
            ]
            cell = cell_of(passage, boxes) if boxes else ReadCell("")
            part_texts: dict[Part, str] = {"item": word[0], "rest": level["level"] if level else ""}
            languages.append(
                [cell._replace(text=text) if (text := part_texts.get(part, "")) else NO_CELL for part in parts]
            )
    return languages


def _row(passage: Passage, line: _ItemLine, parts: Sequence[Part]) -> list[ReadCell]:
    text = _BULLET.sub("", line.text, count=1).strip()
    found: dict[Part, str]
    year = next(reversed([*_YEAR.finditer(text)]), None) if "year" in parts else None
    if year:
        text = f"{text[: year.start()]} {text[year.end() :]}".strip(" ,;:|·–—-")
    if (code := _CODE.match(text)) and text[code.end() :].strip(" –—-:"):
        found = {"item": code[0], "rest": text[code.end() :]}
    else:
        cut = _COLON.fullmatch(text) or _BRACKETS.fullmatch(text) or _DASH.fullmatch(text)
        found = {"item": cut["item"], "rest": cut["rest"]} if cut else {"item": text, "rest": ""}
    if year:
        found["year"] = year["year"]
    cell = cell_of(passage, line.words)
    texts = [found.get(part, "").strip(" ,;:–—-.") for part in parts]
    return [cell._replace(text=part_text) if part_text else NO_CELL for part_text in texts]
