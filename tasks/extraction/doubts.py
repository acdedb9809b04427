"""Finds reasons to doubt a copied value in the text around it: a denial, another unit, a comparison, another order of
day and month, or other values after the same label.

The network scores a value by its labels, and knows little of these words, because few documents print them. These words
therefore limit the probability of a value, whatever its score.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence, Set
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, Final

from tasks.extraction.candidates import Candidates, CandidateSpan
from tasks.extraction.concepts import concepts_within
from tasks.extraction.features import FieldText, field_text, types_of, wants_iso
from tasks.extraction.fields import WantedField
from tasks.extraction.folding import fold, folded_words, without_accents
from tasks.extraction.opposites import sides_of
from tasks.extraction.other_quantities import is_other_quantity
from tasks.extraction.own_words import COMMON, content_of, is_form_of
from tasks.extraction.replacements import STRUCK
from tasks.extraction.rules import code_of, names_field
from tasks.extraction.units import has_other_sign, lacks_unit, rescaled, states_no_unit, unit_after, unit_of, units_of
from tasks.extraction.values import key_of, number_of
from tasks.extraction.yes_and_no import is_denied
from tasks.markdown_text import ATTACHMENT, ATTACHMENTS
from tasks.notation.currencies import ANY as CURRENCY
from tasks.notation.currencies import currency_of
from tasks.notation.dates import Day
from tasks.notation.numbers import Number, find_numbers, likeliest
from tasks.notation.order_of_days import FIGURES_OF_DAY, has_one_order
from tasks.notation.words import NUMBERS, WEEKDAYS

DENIED: Final = 0.3
"""A value that the text before it denies, as in `not A1`, has at most this probability."""
IN_OTHER_UNIT: Final = 0.4
"""A number that is printed in a unit or magnitude other than its field's has at most this probability."""
DOUBTFUL: Final = 0.85
"""A doubtful value has at most this probability: a bound (`below 5`), an amount that is not due (`30.00 waived`), a
number beside another currency or an unknown unit, a number that only its unit names or that lacks the unit of another
one, a day that may be two (03/04/05), one of several values after the same label, one of several e-mail addresses,
telephone numbers or IBANs, a value that another one has replaced (`Old IBAN`), the value of a similar label
(`Estimated total`), one that must not be used (`Do not pay to IBAN …`), and one beside a word that mixes scripts to
look like a Latin word (`Tоtаl`)."""
COUNTED_FROM: Final = 0.4
"""The day in the text after a label has at most this probability if another day is counted from it: `Due: 30 days
after 3 May 2026`. Without a label, it is doubtful."""
IN_NAME_OF_FILE: Final = 0.5
"""A value in the name of an attached file has at most this probability, because a name states nothing about the
e-mail."""
IN_ONE_OF_SEVERAL_ROWS: Final = 0.5
"""A value in one of several rows of a table has at most this probability if nothing tells the row (`several_rows`)."""

_NEAR: Final = 50
"""Words that speak against a number are searched for in this many characters before the number, and in the same number
of characters after it."""
_TABLE: Final[Mapping[str, Any]] = tomllib.loads(Path(__file__).with_name("doubts.toml").read_text("utf-8"))


def _any_of(table: str, key: str) -> str:
    phrases = " ".join(_TABLE[table][key].split()).split(", ")
    return "|".join(re.escape(without_accents(phrase)) for phrase in sorted(phrases, key=len, reverse=True))


_MONEY: Final = without_accents(CURRENCY.casefold())
_COMPARED_BEFORE = re.compile(
    rf"(?:(?<!\w)(?:{_any_of('comparisons', 'before')}|{_any_of('comparisons', 'verbs')})|[<>≤≥])"
    r"[\s=]*(?:\W{0,3}|[^\W\d_]{1,3} ?)$"
)
"""Pattern of a comparison at the end of the text before a number. A currency may be between them."""
_WORD_COMPARED_BEFORE = re.compile(rf"(?<!\w)(?:{_any_of('comparisons', 'words')})\W{{0,3}}$")
_TIME_COMPARED_BEFORE = re.compile(rf"[:：]\s*(?:{_any_of('comparisons', 'times')})\s$")
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d")
_CONDITION_BEHIND = re.compile(
    rf"\s?(?:(?:{_MONEY}|%)(?!\w))?[\s,;(–-]{{0,3}}(?:(?:{_any_of('conditions', 'between')})\s)?"
    rf"(?:{_any_of('conditions', 'behind')})(?!\w)"
)
"""Pattern of a condition right behind a value: `10.00 EUR, if paid late`."""
_CONDITION_BEFORE = re.compile(rf"\W{{0,3}}(?:{_any_of('conditions', 'before')})(?!\w)")
_EXAMPLE_BEFORE = re.compile(rf"(?<!\w)(?:{_any_of('examples', 'before')})[\s:(]{{0,3}}$")
_BEGINS_AS_EXAMPLE = re.compile(rf"[\s(]{{0,2}}(?:{_any_of('examples', 'before')})[\s:]")
_DENIED_DAY_BEFORE = re.compile(
    rf"(?<!\w)(?:{_any_of('denied_days', 'denials')})(?:\s[^\W\d_]{{1,20}}){{0,2}}"
    rf"\s(?:{_any_of('denied_days', 'before')})\s$"
)
"""Pattern of a denied verb before a day. Words such as `after` and `later than` make the day one of a limit."""
_PART_OF_COUNT = re.compile(
    rf"(?P<noun>(?: [^\W\d_][\w-]{{0,29}}){{1,3}}| ?(?=\+)) ?(?:[,;+&]|(?<= )(?:{_any_of('parts', 'between')})(?= ))"
    r" ?\d{1,3}(?![\d.,:%]*\d)(?:[ -][^\W\d_]|\s*(?:[^\w\s:]|$))"
)
"""Pattern of a noun behind a count and another count: `2 doubles + 1 single`."""
_SUBTRACTED_BEFORE = re.compile(
    rf"(?<!\w)(?:{_any_of('subtractions', 'before')})\s(?:\s*[^\w\s:：]{{1,3}}|[^\W\d_]{{1,3}} ?)?$"
)
"""Pattern of a word for a minus sign at the end of the text before a number: `minus 5`. A currency may be between
them. A label (`Less: 20.00`) does not count."""
_LOSS_BEFORE = re.compile(
    rf"(?P<before>[^\W\d_]*\W?)(?<!\w)(?:{_any_of('losses', 'words')})"
    rf"(?:\W{{1,3}}(?:{_any_of('losses', 'between')})(?!\w)){{0,5}}+"
    rf"\W{{0,3}}(?:{_MONEY})?\W{{0,2}}$"
)
"""Pattern of a word for a negative result at the end of the text before a number: `a net loss for the year of EUR`."""
_SIDE_AFTER = re.compile(
    rf" ?(?:{_MONEY})? ?(?:\(?(?:dr|cr)\.?(?!\w)|(?:s|d)\.?\s*$|(?:{_any_of('credits', 'after')})\.?\s*(?:[^\w\s]|$))"
)
"""Pattern of a mark of a debit or credit after an amount with two decimals: `350.00 DR`, `206,48 S`, `12.40 in credit`.
Documents differ in whether such an amount is negative."""
_COMPARED_AFTER = re.compile(rf" ?\+(?![\w+]| ?\d)|,? ?(?:{_any_of('comparisons', 'after')})(?!\w)")
_LETTER_O_AFTER = re.compile(r"o(?!\w| ?[cf]\b)")
_RANGE_BEFORE = re.compile(
    rf"(?:(?<=\d)|(?<=\d\W)) ?(?:{_MONEY})? ?"
    rf"(?:[-–—]|(?<![^\W\d_])(?:{_any_of('ranges', 'between')})(?=\W)) ?(?:{_MONEY})? ?$"
)
_RANGE_AFTER = re.compile(
    rf" ?(?P<unit>{_MONEY}|%|[^\W\d_]{{1,12}}?)? ?(?:[-–—] ?|(?<![^\W\d_])(?:{_any_of('ranges', 'between')}) )"
    rf"(?:{_MONEY})? ?(?P<digits>\d[\d.,' ]*(?<=\d))\s*(?P<next>%|[^\W\d_]+|\W|$)"
)
"""Patterns of the rest of a range around a number: `10 to 12`, `1,000 - 1,500 EUR`."""
_IS_MONEY = re.compile(_MONEY)
_NOT_DUE_AFTER = re.compile(
    rf"(?:[^\w\n]|(?<!\w)(?:{_MONEY}|{_any_of('not_due', 'between')})(?!\w)){{0,{_NEAR}}}+"
    rf"(?<!\w)(?:{_any_of('not_due', 'after')})(?=\s*(?:[^\w\s]|$)|\s+(?:on|by|am|le|el|il|in)\b)"
)
_NOT_DUE_BEFORE = re.compile(
    rf"(?:(?<!\w)(?:{_any_of('not_due', 'before')})|\((?:[^()]*\W)?(?:{_any_of('not_due', 'in_brackets')}))"
    rf":?[^\w)]{{0,3}}(?:{_MONEY})? ?$"
    # In `: No. 4711`, "No." is not a word for nothing.
    rf"|[:：]\s*(?!no[.:#]? ?$)(?:{_any_of('nothing', 'values')}|{_any_of('not_due', 'after')})(?!\w)"
    rf"[^\n\d]{{0,{_NEAR}}}$"
)


def _words_of(table: str, key: str) -> frozenset[str]:
    return frozenset(fold(without_accents(" ".join(_TABLE[table][key].split(",")))))


_ESTIMATED_BEFORE = re.compile(
    rf"(?:(?P<sign>(?<![~≈])(?:{_any_of('estimates', 'signs')}))|(?<!\w)(?:{_any_of('estimates', 'words')}))"
    rf"\s?(?:{_MONEY})?\s?$"
)
"""Pattern of a sign or word of an estimate at the end of the text before a number: `~100`, `est. EUR 100`."""
_ESTIMATES: Final = _words_of("estimates", "asked")
_IN_LETTERS = "|".join(re.escape(without_accents(word)) for word in sorted(NUMBERS, key=len, reverse=True))
_COUNTED_FROM = re.compile(
    rf"(?<!\w)(?:\d{{1,4}}(?: ?\(\w{{1,12}}\))?|{_IN_LETTERS}|{_any_of('relative_days', 'one')})"
    rf"[ -](?:{_any_of('relative_days', 'units')}) (?:{_any_of('relative_days', 'after')})"
    rf"(?: (?:{_any_of('relative_days', 'articles')}))?[ :]{{0,2}}$"
)
"""Pattern of a time at the end of the text before a day from which the time counts: `30 days after`."""
_NOT_BEFORE = re.compile(rf"(?<!\w)(?:{_any_of('relative_days', 'not_before')})[ :]{{0,2}}$")
_OTHER_ERA_AFTER = re.compile(rf",? ?\(?(?:{_any_of('relative_days', 'eras')})(?!\w)")
_BUDDHIST_YEARS: Final = range(2400, 2700)
"""Years that are hardly ever of the Common Era. Thai documents print them without a mark."""
_STARTS: Final = _words_of("relative_days", "starts")
_DEADLINES: Final = frozenset(
    fold("due deadline expiry expires expiration until by end limit frist fällig faellig échéance")
)
_LIMITS: Final = _words_of("limits", "names")
_CREDITS: Final = _words_of("credits", "names")
_COUNTS, _COUNTED = (_words_of("counts", key) for key in ("asked", "counted"))
_TAXES: Final = frozenset(("taxes", "levies"))
"""Groups of opposites whose words in a label say that a value is an amount of money: `Total excl. VAT`."""
_BEGINS_POSTCODE = re.compile(r"\d{4}")
"""Pattern of the beginning of a postcode, which is beside the floor in an address and has too many digits for one."""
_LOSSES, _GAINS, _JOINING = (_words_of("losses", key) for key in ("words", "gains", "joining"))
_OLD: Final = _words_of("superseded", "certain")
_FORMER: Final = _OLD | _words_of("superseded", "contrasted")
_CURRENT: Final = _words_of("superseded", "current")
_ASKS_FOR_FORMER: Final = _FORMER | _words_of("superseded", "asked")
_REPLACED: Final = (
    rf"(?:(?:{_any_of('superseded', 'after')})(?!\w)|(?:{_any_of('superseded', 'last')})(?=\s*(?:[^\w\s]|$)))"
)
"""Pattern of words that say that another value has replaced the value before them. Some of these words count only
before a sign or at the end: `AB12CD, cancelled free of charge until …` does not count."""
_FORMER_AFTER = re.compile(rf" ?(?P<unit>{_MONEY}|[^\W\d_]{{1,12}})??[ (\[,;–-]{{0,3}}{_REPLACED}")
_FORMER_WITHIN = re.compile(rf"\w ?[(\[,;–-][ (\[,;–-]{{0,3}}{_REPLACED}")
_UNUSED_BEFORE = re.compile(rf"(?<!\w)(?:{_any_of('superseded', 'before')})(?!\w)")
_SIMILAR: Final = frozenset(
    tuple(fold(phrase)) for phrase in without_accents(" ".join(_TABLE["similar"]["labels"].split())).split(", ")
)
_LONGEST_SIMILAR: Final = max(map(len, _SIMILAR))
_ASKS_FOR_SIMILAR: Final = {phrase[0] for phrase in _SIMILAR if len(phrase) == 1} | _words_of("similar", "asked")
_MAX_WORDS_AFTER: Final = 6
_LABEL_END = (":", "：")
_NAMING: Final = {
    concept: tuple(without_accents(" ".join(words.split())).split(", ")) for concept, words in _TABLE["naming"].items()
}
_OF_ACCOUNTS: Final = frozenset(fold("iban bank account number no konto code banque compte cuenta conto rekening"))
_FILES: Final = frozenset(
    fold("attachment attachments file files filename filenames document documents enclosure enclosures")
)
_OF_TIME: Final = frozenset(fold("time hour hours clock zeit uhrzeit heure hora ora tijd godzina tid"))
_SENTENCE_END = re.compile(r"(?<=[.!?;])\s")
_SENTENCE_OR_LABEL_END = re.compile(r"(?<=[.!?;:])\s")
_PAUSE = re.compile(r"[,:()|](?:\s|$)|\s[-–—|·](?:\s|$)")
_STEM: Final = 4
_SHORTEST_PART: Final = 5
"""A part of a compound, such as German `Gesamtgewicht`, has at least this many letters."""
_WORD = re.compile(r"[^\W\d_]{2,}")
_FEWEST_WORDS: Final = 4
"""A sentence has at least this many words."""
_FAR: Final = 40
"""The sentence around a value has at most this many words before the value, and after it."""
_LONGEST_COMPARED: Final = 100
_LIKE_ENOUGH: Final = 0.9
"""Two texts that are at least this similar, 0 to 1, are the same text with letters that were misread. At most
_LONGEST_COMPARED characters of each are compared."""
_MINUS_SIGNS: Final = frozenset("-−–(")


def largest_probability(
    field: WantedField, span: CandidateSpan, candidates: Candidates, *, is_converted: bool = False
) -> float:
    """Return the largest probability, 0 to 1, that a field has its value from a span. `is_converted` is True if the
    value is in the field's own unit, whatever the unit of the span."""
    if is_denied(span.text_before):
        return DENIED
    text = field_text(field.schema, field.names)
    if _is_example(text, span):
        return DENIED
    if _is_in_name_of_file(text, span):
        return IN_NAME_OF_FILE
    place = span.day or span.number
    if place is not None and (_is_conditional(text, span, place) or _is_time_compared(text, span, place)):
        return DOUBTFUL
    if text.concepts == {"floor"} and _BEGINS_POSTCODE.match(span.text):
        return DENIED
    if types_of(field.schema) & {"number", "integer"} and span.number is not None:
        if not is_converted and rescaled(text, span, candidates) is not None:
            return IN_OTHER_UNIT
        is_in_other = not is_converted and (
            has_other_sign(text, span) or (states_no_unit(text) and candidates.is_magnitude_stated)
        )
        if (
            is_in_other
            or _is_doubtful_number(text, span)
            or _is_estimate(text, span, candidates)
            or _is_part_of_count(text, span)
            or is_other_quantity(text, span)
            or _is_loss(text, span, candidates)
            or (_counts(text) and _is_money(span, candidates))
            or lacks_unit(text, span, candidates)
            or (unit_after(span) in units_of(text) - {"percent"} and _is_unnamed(text, span, candidates))
        ):
            return DOUBTFUL
    if span.day is not None and (largest := _largest_of_day(text, span)) < 1:
        return largest
    is_doubtful = (
        (wants_iso(field.schema) and _is_ambiguous_day(span, candidates))
        or _is_struck(span)
        or _is_beside_lookalikes(span, candidates)
        or _is_contradicted(text, span, candidates)
        or (_is_superseded(span, candidates) and not _asks_for(_ASKS_FOR_FORMER, field, text))
        or (_is_of_similar_label(span, candidates) and not _asks_for(_ASKS_FOR_SIMILAR, field, text))
        or _is_one_of_several(span, candidates)
        or (_ends_range_of_times(span) and _is_unnamed(text, span, candidates))
        or _is_one_of_several_contacts(text, span, candidates)
    )
    return DOUBTFUL if is_doubtful else 1.0


def is_word_compared(text_before: str) -> bool:
    """True if the words before a word make it a bound: `less than high`."""
    return _WORD_COMPARED_BEFORE.search(without_accents(text_before[-_NEAR:].casefold())) is not None


def is_left_to_condition_behind(text_behind: str) -> bool:
    """True if the words right behind a value leave it to a condition: `approved subject to board decision`."""
    return _CONDITION_BEHIND.match(without_accents(text_behind[:_NEAR].casefold())) is not None


def _is_conditional(field: FieldText, span: CandidateSpan, place: Number | Day) -> bool:
    """True if a condition is right behind a value, or at the beginning of its sentence, and has no word of the field's
    name: `Fee: 10.00 if paid late` is sure for `late_fee`."""
    behind = _CONDITION_BEHIND.match(_around(span, place)[1])
    text = span.passage.text
    if behind:
        condition = _SENTENCE_END.split(text[place.end : place.end + 2 * _NEAR].split("\n")[0])[0]
    else:
        before = text[max(0, place.start - 4 * _NEAR) : place.start]
        condition = _SENTENCE_OR_LABEL_END.split(" ".join(before.split()) + " ")[-1]
        if not _CONDITION_BEFORE.match(without_accents(condition.casefold())):
            return False
    words = [without_accents(word) for word in folded_words(condition)]
    wanted = {without_accents(word) for name in field.names.own for word in content_of(name)} - COMMON
    near = wanted if behind else wanted - set(words[-_MAX_WORDS_AFTER:])
    return not any(
        is_form_of(word, one) or word[:_SHORTEST_PART] == one[:_SHORTEST_PART] for word in words for one in near
    )


def _is_example(field: FieldText, span: CandidateSpan) -> bool:
    """True if the words before a value, or its first words, make it an example: `e.g. INV-0001`."""
    if "example" in field.full.casefold():
        return False
    before = without_accents(span.text_before.casefold())
    return bool(
        _EXAMPLE_BEFORE.search(before) or _BEGINS_AS_EXAMPLE.match(without_accents(span.text[:_NEAR].casefold()))
    )


def _is_in_name_of_file(field: FieldText, span: CandidateSpan) -> bool:
    """True if a value is in a line that names attached files in an e-mail, and the field does not ask for
    files."""
    passage = span.passage
    first = passage.line_words(passage.line_at(span.words[0])).start
    if passage.words[first] not in (ATTACHMENT, ATTACHMENTS):
        return False
    return _FILES.isdisjoint(word for name in field.names.own for word in name)


def _is_beside_lookalikes(span: CandidateSpan, candidates: Candidates) -> bool:
    """True if the lines of a value or of its labels have words that mix scripts. Nobody writes such words unless by
    mistake or to be read otherwise by a program than by people."""
    segment, passage = candidates.segments[span.first], span.passage
    labels = (candidates.segments[index] for index in (segment.left, segment.above) if index >= 0)
    lines = {passage.line_at(word) for word in (span.words[0], span.words[-1])}
    lines |= {passage.line_at(label.words[0]) for label in labels if label.passage is passage}
    return any(passage.lines[line].has_lookalikes for line in lines)


def _is_part_of_count(field: FieldText, span: CandidateSpan) -> bool:
    """True if a count after a label is that of one part, and the next part follows: `Employees: 12 full-time, 7
    part-time`."""
    assert span.number
    first = span.words[0]
    if not span.number.digits.isdecimal() or not span.passage.text_before(first).endswith(_LABEL_END):
        return False
    behind = _PART_OF_COUNT.match(_around(span, span.number)[1])
    if behind is None:
        return False
    if any(_unit_or_currency(noun) for noun in behind["noun"].split()):
        return False
    nouns = folded_words(behind["noun"])
    wanted = {word for name in field.names.own for word in content_of(name)} - COMMON
    # Adults are guests, but they are not all of them, so synonyms do not count.
    return not any(without_accents(noun)[:_STEM] == without_accents(one)[:_STEM] for noun in nouns for one in wanted)


def _is_time_compared(field: FieldText, span: CandidateSpan, place: Number | Day) -> bool:
    """True if only a word such as `before` stands between a label and a day or a year, and the field is not for a
    limit."""
    is_time = span.day is not None or (_YEAR.fullmatch(span.text) is not None and not unit_after(span))
    names = {without_accents(word) for name in field.names.own for word in name}
    return is_time and names.isdisjoint(_DEADLINES) and bool(_TIME_COMPARED_BEFORE.search(_around(span, place)[0]))


def _is_struck(span: CandidateSpan) -> bool:
    """True if Markdown or HTML strikes a value through: `~~…~~`, `<s>…</s>`."""
    passage, first = span.passage, span.words[0]
    before = " ".join(passage.words[passage.line_words(passage.line_at(first)).start : first])
    opening = STRUCK.match(passage.words[first])
    return (len(STRUCK.findall(before)) + (opening is not None)) % 2 == 1


def _is_superseded(span: CandidateSpan, candidates: Candidates) -> bool:
    """True if the label of a value, or the words after the value, say that another value has replaced it: `Old IBAN:
    …`, `… (replaced by …)`."""
    start, end = span.words[-1] + 1, candidates.segments[span.last].words[-1] + 1
    after = " ".join(span.passage.words[start : min(start + _MAX_WORDS_AFTER, end)])
    stated = _FORMER_AFTER.match(without_accents(after.casefold()))
    if stated is not None and (not stated["unit"] or _unit_or_currency(stated["unit"])):
        return True
    if _FORMER_WITHIN.search(without_accents(span.text.casefold())) or _is_said_not_to_be_used(span):
        return True
    return span.has_colon and _is_label_of_former(span, candidates)


def _is_label_of_former(span: CandidateSpan, candidates: Candidates) -> bool:
    """True if a label begins with a word such as `old`. A label with a word such as `previous` counts only if another
    label is the same without this word, or has a word such as `current` instead."""
    label = _own_label(span, candidates)
    if _FORMER.isdisjoint(label):
        return False
    named = tuple(word for word in label if word not in _FORMER)
    if named and label[0] in _OLD:
        return True
    return bool(named) and any(
        tuple(word for word in _without_accents(other) if word not in _CURRENT) == named for other in candidates.labels
    )


def _is_said_not_to_be_used(span: CandidateSpan) -> bool:
    """True if the sentence before a value forbids its use: `Do not pay to IBAN …`. A condition (`If you do not pay, …`)
    forbids nothing, and what must not be done before a day says nothing against the day."""
    if span.day is not None:
        return False
    passage, first = span.passage, span.words[0]
    start = passage.line_words(passage.line_at(first)).start
    before = " ".join(passage.words[max(start, first - _FAR) : first])
    before = _SENTENCE_END.split(without_accents(before[-4 * _NEAR :].casefold()))[-1]
    return _UNUSED_BEFORE.search(before) is not None and not _CONDITION_BEFORE.match(before)


def _is_of_similar_label(span: CandidateSpan, candidates: Candidates) -> bool:
    """True if a label begins with words that make it the label of a similar value: `Previous total`, `Est. total`."""
    label = _own_label(span, candidates) if span.has_colon else ()
    return any(label[:size] in _SIMILAR for size in range(1, min(_LONGEST_SIMILAR, len(label) - 1) + 1))


def _own_label(span: CandidateSpan, candidates: Candidates) -> tuple[str, ...]:
    """Return the folded words of a value's label without those of the segment to the left, which name something else:
    `Old Trafford    Kick-off: 9:00`."""
    is_own = span.label in candidates.segments[span.first].text
    return _without_accents(fold(span.label) if is_own else candidates.labels[span.first])


def _without_accents(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(map(without_accents, words))


def _asks_for(asking: Set[str], field: WantedField, text: FieldText) -> bool:
    """True if the name of a field has one of the words `asking`."""
    return not asking.isdisjoint(_without_accents(fold(" ".join([*map(str, field.path), text.full]))))


def _is_doubtful_number(field: FieldText, span: CandidateSpan) -> bool:
    """True if a number is the bound of a range (`below 5`, `18+`, `10 to 12`) and the field does not ask for a bound.
    Also true if the number is said to be subtracted (`less 5`), has its sign in words (`minus 5`) or a mark of a debit
    or credit, may be a thousand times as large (`64.300`), or is not due."""
    assert span.number
    before, after = _around(span, span.number)
    if _SUBTRACTED_BEFORE.search(before) or _NOT_DUE_BEFORE.search(before) or _NOT_DUE_AFTER.match(after):
        return True
    # A sign in words (`minus 5`, `5 below zero`) is doubtful, because a deduction of "minus 5" may well be 5.
    readings = span.number.readings
    is_negative = bool(readings) and max(readings) < 0
    # In `64.300`, nothing on the page says whether the point separates thousands or decimals.
    may_be_larger = len(readings) > 1 and abs(likeliest(readings, span.number.digits)) < max(map(abs, readings))
    asks_for_side = not _CREDITS.isdisjoint(_without_accents(fold(field.full)))
    is_of_side = span.number.digits[-3:-2] in (".", ",") and _SIDE_AFTER.match(after) and not asks_for_side
    # In `4o`, OCR may have read a letter instead of a zero; but the letter may also belong to an ordinal number.
    if may_be_larger or is_of_side or _LETTER_O_AFTER.match(after):
        return True
    if is_negative and _MINUS_SIGNS.isdisjoint(span.passage.text[span.number.start : span.number.end]):
        return True
    is_bound = (
        _COMPARED_BEFORE.search(before)
        or _COMPARED_AFTER.match(after)
        or _RANGE_BEFORE.search(before)
        or _begins_range(span, _RANGE_AFTER.match(after))
    )
    return bool(is_bound) and _LIMITS.isdisjoint(map(without_accents, fold(field.full)))


def _around(span: CandidateSpan, place: Number | Day) -> tuple[str, str]:
    """Return the text near a number or day, before and after it in its line, in small letters without accents."""
    text = span.passage.text
    before = text[max(0, place.start - _NEAR) : place.start].split("\n")[-1]
    after = text[place.end : place.end + _NEAR].split("\n")[0]
    return without_accents(before.casefold()), without_accents(after.casefold())


def _is_estimate(field: FieldText, span: CandidateSpan, candidates: Candidates) -> bool:
    """True if a sign or word says that a number is an estimate, and the field does not ask for one. Before a measure,
    as in `~ 5 kg`, the number counts as the value, and words count only before amounts of money."""
    assert span.number
    found = _ESTIMATED_BEFORE.search(_around(span, span.number)[0])
    if found is None or not _ESTIMATES.isdisjoint(_without_accents(fold(field.full))):
        return False
    return not unit_after(span) if found["sign"] else _is_money(span, candidates)


def _largest_of_day(field: FieldText, span: CandidateSpan) -> float:
    """Return the largest probability of a day by the words around it: those of another calendar (`2569 B.E.`), and
    those of a time that counts from the day (`30 days after`), unless the field asks for the start."""
    assert span.day
    before, after = _around(span, span.day)
    if _DENIED_DAY_BEFORE.search(before):
        return DENIED
    if _OTHER_ERA_AFTER.match(after) or span.day.readings[0].year in _BUDDHIST_YEARS:
        return IN_OTHER_UNIT
    if any(not _STARTS.isdisjoint(_without_accents(name)) for name in field.names.own):
        return 1.0
    if _COUNTED_FROM.search(before):
        return COUNTED_FROM if span.has_colon else DOUBTFUL
    return DOUBTFUL if _NOT_BEFORE.search(before) else 1.0


def _is_loss(field: FieldText, span: CandidateSpan, candidates: Candidates) -> bool:
    """True if the words before a number say that it is negative, although no sign does: `a loss of 0.6 million`. For a
    field that asks for a loss alone, the number is positive."""
    assert span.number
    if min(span.number.readings, default=0) < 0:
        return False
    names = {without_accents(word) for name in field.names.own for word in name}
    if not _LOSSES.isdisjoint(names) and _GAINS.isdisjoint(names):
        return False
    start = span.number.start
    line = span.passage.text[max(0, start - 2 * _NEAR) : start].split("\n")[-1]
    texts = (line, candidates.labels_of(span).get("left", "")[-2 * _NEAR :])
    found = filter(None, (_LOSS_BEFORE.search(without_accents(text.casefold())) for text in texts))
    return any(not (one["before"].endswith(("(", "/")) or one["before"].strip() in _JOINING) for one in found)


def _counts(field: FieldText) -> bool:
    """True if the name of a field asks how many there are of something: `total_days`."""
    names = [_without_accents(name) for name in field.names.own]
    return any(not _COUNTS.isdisjoint(name[:-1]) and name[-1] in _COUNTED for name in names if name)


def _is_money(span: CandidateSpan, candidates: Candidates) -> bool:
    """True if a currency stands beside a number, or its label says whether tax is included."""
    assert span.number
    words, first, last = span.passage.words, span.words[0], span.words[-1]
    number = span.passage.text[span.number.start : span.number.end]
    neighbors = (*words[max(0, first - 1) : first], *words[last + 1 : last + 2], number.strip("0123456789.,- "))
    label = span.label or candidates.labels_of(span).get("left", "")
    groups = {side.group for side in sides_of(folded_words(label[:_NEAR]))}
    return any(currency_of(word.rstrip(").,;")) for word in neighbors) or not _TAXES.isdisjoint(groups)


def _ends_range_of_times(span: CandidateSpan) -> bool:
    before = span.passage.text_before(span.words[0])
    return span.kind == "time" and _RANGE_BEFORE.search(without_accents(before.casefold()) + " ") is not None


def _is_unnamed(field: FieldText, span: CandidateSpan, candidates: Candidates) -> bool:
    """True if neither the sentence around a value nor its label has a word of the field's name or of its concept, as in
    `Grip strength rose to 31 kg` for `weight_kg`."""
    wanted = {word for name in field.names.own for word in content_of(name)} - COMMON - _OF_TIME
    words, first, last = span.passage.words, span.words[0], span.words[-1] + 1
    # A range of times is seldom in another line than the words that name it, and often in one of several lines that do
    # not end like sentences.
    line = span.passage.line_words(span.passage.line_at(first)) if span.kind == "time" else range(len(words))
    before = _SENTENCE_END.split(" ".join(words[max(line.start, first - _FAR) : first]))[-1]
    after = _SENTENCE_END.split(" ".join(words[last : min(line.stop, last + _FAR)]))[0]
    if span.has_colon or not wanted or len(_WORD.findall(f"{before} {after}")) < _FEWEST_WORDS:
        return False
    if not _WORD.search(_PAUSE.split(before)[-1]):
        return False  # `born 1962, 91 kg`: no other word names the number, either
    near = folded_words(" ".join([before, after, *candidates.labels_of(span).values()]))
    if not field.concepts.isdisjoint(concepts_within(near)):
        return False
    starts = tuple(start for concept in field.concepts for start in _NAMING.get(concept, ()))
    plain = list(map(without_accents, near))
    return not any(
        (starts and word.startswith(starts))
        or any(is_form_of(word, one) or (len(one) >= _SHORTEST_PART and one in word) for one in wanted)
        for word in plain
    )


def _begins_range(span: CandidateSpan, rest: re.Match[str] | None) -> bool:
    """True if a number and the text after it form a range. The second number must be the larger one. The only word that
    may follow it is a unit or currency, which must be that of the first number if the first number has one. In `120.00
    - 3 nights` and `2 and 3 baths`, the second number counts something else."""
    if rest is None:
        return False
    assert span.number
    second = next(find_numbers(rest["digits"]), None)
    if second is None or not second.readings or max(second.readings) <= min(span.number.readings, default=0):
        return False
    own, unit = (_unit_or_currency(rest[name] or "") for name in ("unit", "next"))
    if rest["unit"] and not own:
        return False
    return own == unit or not own if unit else not rest["next"][:1].isalpha()


def _unit_or_currency(text: str) -> str:
    return text if _IS_MONEY.fullmatch(text) else unit_of(text)


def _is_ambiguous_day(span: CandidateSpan, candidates: Candidates) -> bool:
    """True if a day lacks its year, or if a day in figures has several readings, and nothing in the document shows
    their order. Figures with points between them have the day first everywhere."""
    if span.day is not None and span.day.lacks_year:
        return True
    if span.day is None or has_one_order(span.day):
        return False
    figures = FIGURES_OF_DAY.match(span.text)
    return figures is not None and figures[1] != "." and not candidates.is_order_of_days_shown


def _is_one_of_several(span: CandidateSpan, candidates: Candidates) -> bool:
    """True if another line, among the data of the same party, has the same label and another value. The headers of a
    forwarded mail do not speak against those of the mail itself."""
    if not _is_behind_label(span):
        return False
    label, value = span.label.casefold(), _value_of(span)
    line, party = span.passage.line_at(span.words[0]), candidates.parties[span.first]
    return any(
        other.kind == span.kind
        and other.passage is span.passage
        and other.has_colon
        and other.label.casefold() == label
        and (other_line := other.passage.line_at(other.words[0])) != line
        and other_line not in other.passage.forwarded_headers
        and candidates.parties[other.first] == party
        and _is_behind_label(other)
        and _value_of(other) != value
        for other in candidates.spans
    )


def _is_one_of_several_contacts(field: FieldText, span: CandidateSpan, candidates: Candidates) -> bool:
    """True if a text has several e-mail addresses, telephone numbers or IBANs, and nothing tells whose the value is."""
    if candidates.parties[span.first]:
        return False
    if "email" in field.concepts:
        return len(candidates.emails) > 1
    if field.concepts == {"iban"}:
        is_role_named = any(set(content_of(name)) - COMMON - _OF_ACCOUNTS for name in field.names.own)
        return not is_role_named and len(candidates.ibans) > 1
    own = "".join(filter(str.isdigit, span.text))
    asks_for_phone = not field.concepts.isdisjoint(("telephone", "mobile"))
    # A part of a number is not another number.
    return asks_for_phone and any(other not in own and own not in other for other in candidates.telephones)


def _is_contradicted(field: FieldText, span: CandidateSpan, candidates: Candidates) -> bool:
    """True if a value of a barcode or a two-dimensional code differs from what is printed behind labels that name the
    field, as on a paper with a code that was pasted over another one. A misread letter makes no difference."""
    code = code_of(span)
    if code is None or not code.is_drawn or code.concepts.isdisjoint(field.concepts):
        return False
    is_typed = span.kind in ("day", "number")
    printed: dict[int, CandidateSpan] = {}
    for other in candidates.spans:
        if not other.has_colon or other.passage.codes or (is_typed and other.kind != span.kind):
            continue
        longest = printed.get(other.first)
        if (longest is None or len(other.text) > len(longest.text)) and names_field(tuple(fold(other.label)), field):
            printed[other.first] = other  # The other texts after the label are parts of this one.
    return bool(printed) and not any(_agree(span, other) for other in printed.values())


def _agree(span: CandidateSpan, other: CandidateSpan) -> bool:
    one, two = _value_of(span), _value_of(other)
    if not (isinstance(one, str) and isinstance(two, str)):
        return bool(one == two)
    one, two = one[:_LONGEST_COMPARED], two[:_LONGEST_COMPARED]
    return one in two or two in one or SequenceMatcher(None, one, two, autojunk=False).ratio() >= _LIKE_ENOUGH


def _is_behind_label(span: CandidateSpan) -> bool:
    """True if a value comes right after its label, or after a weekday there: `Date: Mon, 4 May 2026`."""
    first, words = span.words[0], span.passage.words
    if span.day is not None and first > 0 and words[first - 1].rstrip(",.").casefold() in WEEKDAYS:
        first -= 1
    return span.has_colon and first > 0 and words[first - 1].endswith(_LABEL_END)


def _value_of(span: CandidateSpan) -> Any:
    return span.day.readings if span.day else number_of(span) if span.kind == "number" else key_of(span.text)
