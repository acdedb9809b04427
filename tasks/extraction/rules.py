"""Adjusts the network's scores for a field by rules.

Among other things, the rules concern the owner of a block of lines, the rounding of a total, labels without a value,
the currency of amounts, labels mistaken for values, and words that several fields claim.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy as np

from models.fair_executor import Slices
from tasks.extraction.candidates import LABEL, SENDERS, SPANS_AT_ONCE, Candidates, CandidateSpan, LineSegment
from tasks.extraction.concepts import CONCEPTS, PHRASES, concepts_of, concepts_of_field
from tasks.extraction.features import FieldText, Matrix
from tasks.extraction.folding import fold
from tasks.extraction.units import prefer_units
from tasks.extraction.values import number_of
from tasks.notation.currencies import currency_of

OWNED = 2.0
"""Bonus on the logit of a place that belongs to the field's party, and penalty on a place that belongs to another
party."""
EMPTY_LABEL_PROBABILITY = 0.99
"""Probability that nothing answers a field whose label has nothing after it."""
IN_CURRENCY = 0.95
"""Probability that a field for a currency means one of the currencies on the page."""
FROM_WEIGHT = 1.5
"""Weight of a word such as "from" before a name, which labels a sender, in units of `OWNED`."""
_FOUR_FIGURES, _TWO_LETTERS = re.compile(r"\d{4}"), re.compile(r"[A-Z]{2}\W?")
"""Patterns of the two words of a Dutch postcode."""
_SENDER_WORDS = (["from"], ["by"], ["von"])
_LETTERHEADS = dict.fromkeys(("company", "issuer", "hotel"), "seller")
"""Concepts of schema objects whose values are usually printed in a letterhead, each with the party that the letterhead
belongs to."""
NAMED_BONUS = 2.0
"""Penalty on the logit that nothing answers a field, if a label of the field has a value. For a field with several
concepts, the same number is the bonus on a place whose label has exactly these concepts: `Telephone of the
landlord`."""
INITIAL = 2.0
"""Bonus on the logit of a number after the field's initial, and penalty on a number after the initial of another
field."""
FEWEST_FIGURES = 6
"""Least number of digits of a telephone number."""
_INITIALS = {"telephone": ("t", "p", "ph", "fon"), "mobile": ("m", "c", "mob"), "fax": ("f",)}
_OF_INITIALS = {letter: concept for concept, letters in _INITIALS.items() for letter in letters}
UNLABELLED = 0.01
"""Weight of a currency without a label if another currency has a label. A currency with a label has the weight 1."""

CUT = 5.0
"""Penalty on the logit of a text that is cut out of a longer code, or that has too few digits for the number that the
field asks for."""
_GROUP = re.compile(r"\d{4}")
_BORN = r"\b(?:19|20)\d\d,? (?:in|à|en|a|em|te|w|i)"
_BORN_IN, _BORN_IN_PLACE = re.compile(rf"{_BORN}$", re.IGNORECASE), re.compile(rf"{_BORN} ", re.IGNORECASE)
BORN_IN = 3.0
"""Bonus on the logit of a text after a year and a preposition (`02.08.1976 in`) as a place of birth, and penalty on a
text that contains a year and a preposition."""
NO_ADDRESS = 12.0
"""Penalty on the logit of a text without an @ for an e-mail address."""
NUMBERS = frozenset(name for name, concept in CONCEPTS.items() if concept.kind == "number") - {
    "bic", "platform", "gate", "seat", "coach", "engine", "version", "plate", "reference", "payment_reference",
    "approval_code", "room", "terminal",
}  # fmt: skip
"""Concepts of numbers that always contain digits."""
_NUMBERED = re.compile(r"(?:n|nr|no|num|n°|nº|№|#)[.:]? [^\s\d]*+\d\S*+", re.IGNORECASE)
_JOINS, _JOINS_ON = re.compile(r"[\w./-]"), re.compile(r"[\w]|[./-]\w")
"""Patterns of the characters before and after a part of a code."""
LONGEST_CODE = 200
"""A code, with what may be before or after it, has at most this many characters."""
_GOES_ON = re.compile(r"\S*\d\S*[,;] (?:[^\W\d_]+[.:]? ){1,3}\S*\d\S*")
"""Pattern of a code with another value after it: `20-48-11, account 63310927`."""
_FIGURES = re.compile(r"\d[\d ]*")

LABEL_PENALTY = 1.0
"""Penalty on the logit of a place with the meaning of a label. It is doubled if the place is a label word for word, or
part of such a label."""
LONGEST_LABEL = 4
"""Largest number of words of a place that may be a label."""
LONGEST_LABEL_TEXT = 200
"""A place that may be a label has at most this many characters, with the signs around it."""
RIVAL_PENALTY = 2.0
"""Penalty on the logit of a place whose words all certainly belong to another field."""


def apply_rules(
    logits: Matrix,
    field: FieldText,
    candidates: Candidates,
    units: Sequence[str],
    cut: Matrix | float = 0.0,
) -> None:
    """Apply the field's rules to the logits of its places. `units` and `cut` are the results of `units_after` and
    `are_cut`."""
    logits[:-1] += OWNED * _ownership(field, candidates)
    if not field.is_number:
        logits[:-1] -= CUT * cut
    if "postcode" in field.concepts:
        logits[:-1] -= CUT * np.array([_lacks_letters(span) for span in candidates.spans])
    if fewest := _fewest_figures(field):
        figures = np.array([sum(map(str.isdigit, span.text)) for span in candidates.spans])
        logits[:-1] -= CUT * (figures < fewest)
    if "birth_place" in field.concepts:
        logits[:-1] += BORN_IN * np.array([_BORN_IN.search(span.label) is not None for span in candidates.spans])
        logits[:-1] -= BORN_IN * np.array([_BORN_IN_PLACE.search(span.text) is not None for span in candidates.spans])
    if "email" in field.concepts:
        logits[:-1] -= NO_ADDRESS * np.array(["@" not in span.text for span in candidates.spans])
    if len(field.concepts) > 1:
        logits[:-1] += NAMED_BONUS * np.array([_concepts_of_label(span) == field.concepts for span in candidates.spans])
    prefer_units(logits, field, units)
    if "total" in field.concepts:
        _prefer_rounded(logits, candidates)
    if field.concepts == {"currency"}:
        _prefer_currency(logits, candidates)
        return
    labelled = [
        _has_no_value(candidates.segments[index], index, candidates)
        for index, words in enumerate(candidates.labels)
        if names_field(words, field)
    ]
    if labelled:
        # If no label of the field has a value, probably nothing answers the field. Otherwise, something probably does.
        none = (
            np.logaddexp.reduce(logits[:-1]) + np.log(EMPTY_LABEL_PROBABILITY / (1 - EMPTY_LABEL_PROBABILITY))
            if all(labelled)
            else logits[-1] - NAMED_BONUS
        )
        logits[-1] = none
    if field.concepts & _INITIALS.keys():
        logits[:-1] += INITIAL * _initials(field, candidates)


def separate_rivals(logits: Matrix, fields: Mapping[int, FieldText], candidates: Candidates) -> Slices[None]:
    """Lower the logits of labels, and of places that probably belong to another field. `fields` has the fields that are
    compared, by their rows."""
    # A field for a currency is not compared, because the sign of the currency may be in one word with its amount.
    rows = [row for row, field in fields.items() if field.concepts != {"currency"}]
    if not rows:
        return
    logits[rows, :-1] -= LABEL_PENALTY * (yield from _are_labels(candidates))
    yield
    probabilities = np.exp(logits[rows] - np.logaddexp.reduce(logits[rows], axis=1, keepdims=True))
    yield
    shares = yield from _shares_of_words(probabilities, candidates)
    for row in rows:
        yield
        own = fields[row].concepts
        # Two fields with the same meaning may have the same place.
        rivals = [
            index for index, other in enumerate(rows) if other != row and not (own and fields[other].concepts == own)
        ]
        logits[row, :-1] -= RIVAL_PENALTY * shares[rivals].max(axis=0, initial=0.0)


def _are_labels(candidates: Candidates) -> Slices[Matrix]:
    """Return 2 for each span that is a label word for word, or part of such a label, 1 for a span with a label's
    meaning, and 0 for any other span."""
    whole: list[bool] = []
    for segment in candidates.segments:
        if len(whole) % SPANS_AT_ONCE == 0:
            yield
        whole.append(_words_of_label(segment.text) in PHRASES)
    found: list[float] = []
    for span in candidates.spans:
        if len(found) % SPANS_AT_ONCE == 0:
            yield
        words = _words_of_label(span.text)
        is_named = len(words) <= LONGEST_LABEL and bool(concepts_of(words))
        is_whole = whole[span.first] and span.first == span.last
        found.append(2.0 if is_whole else float(is_named + (words in PHRASES)))
    return np.array(found, np.float32)


def _words_of_label(text: str) -> tuple[str, ...]:
    """Return the words of a text, or none if it is too long for a label."""
    return tuple(fold(text)) if len(text) <= LONGEST_LABEL_TEXT else ()


def are_cut(candidates: Candidates) -> Matrix:
    """Return 1 for each span that is a piece of a code or of a row of digits, that begins with `No.`, or that is a code
    with another one after it."""
    others = (_NUMBERED, _GOES_ON)
    return np.array(
        [
            _is_cut(span) or (len(span.text) <= LONGEST_CODE and any(one.fullmatch(span.text) for one in others))
            for span in candidates.spans
        ],
        np.float32,
    )


def _lacks_letters(span: CandidateSpan) -> bool:
    """True for the figures of a Dutch postcode without the letters after them: `1234` before `AB`."""
    after = span.words[-1] + 1
    return (
        _FOUR_FIGURES.fullmatch(span.text) is not None
        and after < len(span.passage.words)
        and after in span.passage.line_words(span.passage.line_at(span.words[-1]))
        and _TWO_LETTERS.fullmatch(span.passage.words[after]) is not None
    )


def _is_cut(span: CandidateSpan) -> bool:
    passage, first, last = span.passage, span.words[0], span.words[-1]
    if span.first != span.last or not any(map(str.isdigit, span.text)):
        return False
    text = " ".join([passage.words[word] for word in span.words])
    text_before, found, text_after = text.partition(span.text)
    if not found or (text_before and _JOINS.match(text_before[-1])) or (text_after and _JOINS_ON.match(text_after)):
        return bool(found)
    if not _FIGURES.fullmatch(span.text):
        return False
    line = passage.line_words(passage.line_at(first))
    neighbours = [passage.words[word] for word in (first - 1, last + 1) if word in line]
    # An account number may continue in the next line: `61 1090` above `2398 0000 0001`.
    groups = [passage.words[word] for word in range(last, min(last + 3, len(passage.words)))]
    goes_on = last + 1 not in line and len(span.words) > 1 and len(groups) == 3 and all(map(_GROUP.fullmatch, groups))
    return goes_on or any(_FIGURES.fullmatch(word) for word in neighbours)


def _shares_of_words(probabilities: Matrix, candidates: Candidates) -> Slices[Matrix]:
    """Return a matrix of fields × spans: the mean probability that a word of the span belongs to the field.

    `probabilities` has the probability of each span, and in the last column the probability of no span.
    """
    first = list(accumulate((len(passage.words) for passage in candidates.passages), initial=0))
    begin = dict(zip(map(id, candidates.passages), first, strict=False))
    words = np.concatenate([np.array(span.words) + begin[id(span.passage)] for span in candidates.spans])
    sizes = np.array([len(span.words) for span in candidates.spans])
    spans = np.repeat(np.arange(len(sizes)), sizes)
    found = np.empty((len(probabilities), len(sizes)), np.float32)
    for row, span_probabilities in zip(found, probabilities, strict=True):
        yield
        word_probabilities = np.minimum(1, np.bincount(words, span_probabilities[spans], first[-1]))
        row[:] = np.bincount(spans, word_probabilities[words], len(sizes)) / sizes
    return found


def _ownership(field: FieldText, candidates: Candidates) -> Matrix | float:
    """Return how well the owner of each span agrees with the field's party, in units of `OWNED`."""
    party = _party_of_field(field)
    if not party:
        return 0.0
    owners = [candidates.parties[span.first] for span in candidates.spans]
    # No label names the owner of a letterhead. If another block belongs to the customer, the letterhead does not.
    score_of_others = -1.0 if party in owners and party not in SENDERS else 0.0
    found = np.array([_party_agreement(one, party) if one else score_of_others for one in owners], np.float32)
    if party in SENDERS:
        found += [FROM_WEIGHT * _is_from(span) for span in candidates.spans]
    return found


def _party_of_field(field: FieldText) -> str:
    """Return the party in a field's name (such as `seller`). If the field's name has none, return the party in the name
    of the object around the field. Return an empty text if there is no party or more than one."""
    own = {CONCEPTS[name].party for name in field.concepts} - {""}
    context_concepts = concepts_of_field(field.names.around) if field.names.around and not own else frozenset()
    parties = own or {_LETTERHEADS.get(name, CONCEPTS[name].party) for name in context_concepts} - {""}
    return next(iter(parties)) if len(parties) == 1 else ""


def _is_from(span: CandidateSpan) -> bool:
    """True if the span is a capitalised name after a word such as "from" in a sentence."""
    word_before = span.label.split()[-1:]
    return span.kind == "piece" and not span.has_colon and word_before in _SENDER_WORDS and span.text[:1].isupper()


def _party_agreement(owner: str, party: str) -> float:
    """Return 1 if the owner of a block is or may be the field's party, −1 if the owner is on the other side, else 0."""
    if owner == party:
        return 1.0
    # A sender may be the seller, and a recipient the customer, but a seller is not a customer.
    is_plain = owner in ("from", "to") or party in ("from", "to")
    return float(is_plain) if (owner in SENDERS) == (party in SENDERS) else -1.0


def _prefer_rounded(logits: Matrix, candidates: Candidates) -> None:
    """Prefer the rounded amount for a total if the page states a rounding between the unrounded amount and the rounded
    one."""
    numbers = {index: number for index, span in enumerate(candidates.spans) if (number := number_of(span)) is not None}
    total = max(numbers, key=lambda index: logits[index], default=-1)
    for index, rounding in numbers.items():
        if (
            not 0 < abs(rounding) < 1
            or not _follows(candidates, total, index)
            or not _is_rounding(candidates.spans[index])
        ):
            continue
        # A rounding without a sign may have been subtracted.
        results = {round(numbers[total] + one, 2) for one in (rounding, -abs(rounding))}
        if later := [one for one, number in numbers.items() if number in results and _follows(candidates, index, one)]:
            best = max(later, key=lambda one: logits[one])
            unrounded = [one for one, number in numbers.items() if number == numbers[total]]
            highest, least = logits[total], logits[best]
            logits[unrounded] = np.minimum(logits[unrounded], least)
            logits[best] = highest
            return


def _is_rounding(span: CandidateSpan) -> bool:
    return "rounding" in _concepts_of_label(span)


def _follows(candidates: Candidates, earlier: int, later: int) -> bool:
    """True if span `later` is after span `earlier` on the same page."""
    first, last = candidates.spans[earlier], candidates.spans[later]
    return first.passage is last.passage and first.words[-1] < last.words[0]


def _prefer_currency(logits: Matrix, candidates: Candidates) -> None:
    """Give the page's currencies the probability `IN_CURRENCY` together. Each place gets an equal share, unless some
    places have a label for currencies. Such places outweigh the others."""
    places = {index: code for index, span in enumerate(candidates.spans) if (code := currency_of(span.text))}
    if not places:
        return
    labelled = {index for index in places if "currency" in _concepts_of_label(candidates.spans[index])}
    weights = np.array([1.0 if not labelled or index in labelled else UNLABELLED for index in places])
    others = np.logaddexp.reduce(np.delete(logits, list(places)))
    shares = np.log(weights / weights.sum())
    logits[list(places)] = others + np.log(IN_CURRENCY / (1 - IN_CURRENCY)) + shares


def _initials(field: FieldText, candidates: Candidates) -> Matrix:
    """Return 1 for each number after the field's initial, as on business cards, −1 for each number after another
    initial, and 0 for any other span."""
    found = np.zeros(len(candidates.spans), np.float32)
    for index, span in enumerate(candidates.spans):
        concept = _OF_INITIALS.get(span.label.strip(" .:|").casefold())
        if concept and sum(map(str.isdigit, span.text)) >= FEWEST_FIGURES:
            found[index] = 1.0 if concept in field.concepts else -1.0
    return found


def names_field(label: tuple[str, ...], field: FieldText) -> bool:
    """True if the words of a label are a name of the field, or have its concepts."""
    return bool(label) and (label in field.names.own or (bool(field.concepts) and concepts_of(label) == field.concepts))


def _concepts_of_label(span: CandidateSpan) -> frozenset[str]:
    return concepts_of(tuple(fold(span.label)))


def _fewest_figures(field: FieldText) -> int:
    """Return the least number of digits that the field's value has."""
    if field.concepts & _INITIALS.keys():
        return FEWEST_FIGURES
    return int(bool(field.concepts) and field.concepts <= NUMBERS)


def _has_no_value(segment: LineSegment, index: int, candidates: Candidates) -> bool:
    """True if a label has no value: nothing is after it or beside it, and there is nothing below it, or only another
    label."""
    label = LABEL.match(segment.text)
    if label is None or segment.text[label.end() :].strip() or any(one.left == index for one in candidates.segments):
        return False
    if segment.below < 0:
        return True
    below = candidates.segments[segment.below]
    claimed = LABEL.match(below.text)
    # Without boxes, consecutive lines of labels may be a column whose values follow the last label.
    return claimed is not None and (below.box is not None or bool(below.text[claimed.end() :].strip()))
