"""What is known of a field whatever the network makes of it: whose a block is, what a total was rounded to, labels with
nothing behind them, the currency that amounts are in, that labels are no values and fields do not share their words."""

from collections.abc import Mapping
from itertools import accumulate

import numpy as np

from tasks.extraction.candidates import LABEL, Candidates, CandidateSpan, LineSegment
from tasks.extraction.concepts import CONCEPTS, PHRASES, concepts_of
from tasks.extraction.features import FieldText, Matrix
from tasks.extraction.folding import fold
from tasks.extraction.values import number_of
from tasks.notation.currencies import currency_of

OWNED = 2.0
"""Bonus on the logit of a place that belongs to the field's party, and malus where it belongs to another."""
SENDERS = ("seller", "from")
"""Parties that send a document; the others receive it."""
SURE = 0.99
"""Probability that nothing answers a field whose label has nothing behind it."""
IN_CURRENCY = 0.95
"""Probability that a field for a currency means the page's only one."""
FROM = 1.5
"""Weight of "from" before a name as the label of a sender."""
_FROM = (["from"], ["by"], ["von"])
NAMED = 2.0
"""Malus on the logit that nothing answers a field, where a label of its own has something behind it."""
INITIAL = 2.0
"""Bonus on the logit of a number behind the field's initial, and malus behind another's."""
FEWEST_FIGURES = 6
"""Fewest figures of a telephone number."""
_INITIALS = {"telephone": ("t", "p", "ph", "fon"), "mobile": ("m", "c", "mob"), "fax": ("f",)}
_OF_INITIALS = {letter: concept for concept, letters in _INITIALS.items() for letter in letters}
UNLABELLED = 0.01
"""Weight of a currency beside an amount where another one stands behind a label."""

LABELLED = 1.0
"""Malus on the logit of a place that says what a label does; twice as much where it is word for word a label."""
LONGEST_LABEL = 4
"""Most words of a place that is a label."""
RIVAL = 2.0
"""Malus on the logit of a place whose words are all certainly another field's."""


def apply_rules(logits: Matrix, field: FieldText, candidates: Candidates) -> None:
    """Changes the logits of a field's places by what is known of them."""
    logits[:-1] += OWNED * _ownership(field, candidates)
    if "total" in field.concepts:
        _prefer_rounded(logits, candidates)
    if field.concepts == {"currency"}:
        _prefer_currency(logits, candidates)
        return
    labelled = [
        _has_nothing(candidates.segments[at], at, candidates)
        for at, words in enumerate(candidates.labels)
        if _names_field(words, field)
    ]
    if labelled:
        # All of its labels have nothing behind them, or one has.
        none = np.logaddexp.reduce(logits[:-1]) + np.log(SURE / (1 - SURE)) if all(labelled) else logits[-1] - NAMED
        logits[-1] = none
    if field.concepts & _INITIALS.keys():
        logits[:-1] += INITIAL * _initials(field, candidates)


def separate_rivals(logits: Matrix, fields: Mapping[int, FieldText], candidates: Candidates) -> None:
    """Lessens the logits of labels, and of places that other ones of `fields` are likely to have, by their rows."""
    # The sign of a currency may be in one word with its amount.
    rows = [row for row, field in fields.items() if field.concepts != {"currency"}]
    if not rows:
        return
    logits[rows, :-1] -= LABELLED * _are_labels(candidates)
    chances = np.exp(logits[rows] - np.logaddexp.reduce(logits[rows], axis=1, keepdims=True))
    shares = _shares_of_words(chances, candidates)
    for row in rows:
        own = fields[row].concepts
        # Two fields that mean the same have the same place.
        rivals = [at for at, other in enumerate(rows) if other != row and not (own and fields[other].concepts == own)]
        logits[row, :-1] -= RIVAL * shares[rivals].max(axis=0, initial=0.0)


def _are_labels(candidates: Candidates) -> Matrix:
    """How far each span is a label: 2 word for word, 1 by what it says, 0 not."""
    said = [tuple(fold(span.text)) for span in candidates.spans]
    named = [len(words) <= LONGEST_LABEL and bool(concepts_of(words)) for words in said]
    return np.array([label + (words in PHRASES) for label, words in zip(named, said, strict=True)], np.float32)


def _shares_of_words(chances: Matrix, candidates: Candidates) -> Matrix:
    """Fields × spans: how probably the words of a span are a field's, on the average. `chances`: of each span and of
    none."""
    first = list(accumulate((len(passage.words) for passage in candidates.passages), initial=0))
    begin = dict(zip(map(id, candidates.passages), first, strict=False))
    words = np.concatenate([np.array(span.words) + begin[id(span.passage)] for span in candidates.spans])
    sizes = np.array([len(span.words) for span in candidates.spans])
    spans = np.repeat(np.arange(len(sizes)), sizes)
    found = np.empty((len(chances), len(sizes)), np.float32)
    for row, chance in zip(found, chances, strict=True):
        of_word = np.minimum(1, np.bincount(words, chance[spans], first[-1]))
        row[:] = np.bincount(spans, of_word[words], len(sizes)) / sizes
    return found


def _ownership(field: FieldText, candidates: Candidates) -> Matrix | float:
    """1 for each span that belongs to the party which the field is of, -1 for one that belongs to another."""
    parties = {CONCEPTS[name].party for name in field.concepts} - {""}
    if len(parties) != 1:
        return 0.0
    [party] = parties
    owners = [candidates.parties[span.first] for span in candidates.spans]
    # A letterhead is nobody's by its labels: it is not the customer's where another block is.
    others = -1.0 if party in owners and party not in SENDERS else 0.0
    found = np.array([_speaks_for(one, party) if one else others for one in owners], np.float32)
    if party in SENDERS:
        found += [FROM * _is_from(span) for span in candidates.spans]
    return found


def _is_from(span: CandidateSpan) -> bool:
    """Whether a capitalised name stands behind "from" in a sentence."""
    before = span.label.split()[-1:]
    return span.kind == "piece" and not span.closed and before in _FROM and span.text[:1].isupper()


def _speaks_for(owner: str, party: str) -> float:
    if owner == party:
        return 1.0
    # A sender may be the seller, a recipient the customer; a seller is no customer.
    is_plain = owner in ("from", "to") or party in ("from", "to")
    return float(is_plain) if (owner in SENDERS) == (party in SENDERS) else -1.0


def _prefer_rounded(logits: Matrix, candidates: Candidates) -> None:
    """A total's, where the page says by how much it was rounded: the amount below that which it came to is meant."""
    numbers = {at: number for at, span in enumerate(candidates.spans) if (number := number_of(span)) is not None}
    total = max(numbers, key=lambda at: logits[at], default=-1)
    for at, by in numbers.items():
        if not 0 < abs(by) < 1 or not _follows(candidates, total, at) or not _is_rounding(candidates.spans[at]):
            continue
        # An amount without a sign may have been taken off.
        meant = {round(numbers[total] + one, 2) for one in (by, -abs(by))}
        if later := [one for one, number in numbers.items() if number in meant and _follows(candidates, at, one)]:
            best = max(later, key=lambda one: logits[one])
            unrounded = [one for one, number in numbers.items() if number == numbers[total]]
            highest, least = logits[total], logits[best]
            logits[unrounded] = np.minimum(logits[unrounded], least)
            logits[best] = highest
            return


def _is_rounding(span: CandidateSpan) -> bool:
    return "rounding" in concepts_of(tuple(fold(span.label)))


def _follows(candidates: Candidates, one: int, other: int) -> bool:
    """Whether a span stands behind another one on its page."""
    first, last = candidates.spans[one], candidates.spans[other]
    return first.passage is last.passage and first.words[-1] < last.words[0]


def _prefer_currency(logits: Matrix, candidates: Candidates) -> None:
    """Raises each currency by how often the page has it; the one behind a label that asks for it, above all."""
    places = {at: code for at, span in enumerate(candidates.spans) if (code := currency_of(span.text))}
    if not places:
        return
    said = {at for at in places if "currency" in concepts_of(tuple(fold(candidates.spans[at].label)))}
    chances = np.array([1.0 if not said or at in said else UNLABELLED for at in places])
    others = np.logaddexp.reduce(np.delete(logits, list(places)))
    shares = np.log(chances / chances.sum())
    logits[list(places)] = others + np.log(IN_CURRENCY / (1 - IN_CURRENCY)) + shares


def _initials(field: FieldText, candidates: Candidates) -> Matrix:
    """1 for each number behind the first letter of what the field asks for, as on business cards; -1 behind another."""
    found = np.zeros(len(candidates.spans), np.float32)
    for at, span in enumerate(candidates.spans):
        said = _OF_INITIALS.get(span.label.strip(" .:|").casefold())
        if said and sum(map(str.isdigit, span.text)) >= FEWEST_FIGURES:
            found[at] = 1.0 if said in field.concepts else -1.0
    return found


def _names_field(label: tuple[str, ...], field: FieldText) -> bool:
    return bool(label) and (label in field.names.own or (bool(field.concepts) and concepts_of(label) == field.concepts))


def _has_nothing(segment: LineSegment, at: int, candidates: Candidates) -> bool:
    """Whether nothing stands behind a label, nor beside or below it where no other label claims that."""
    label = LABEL.match(segment.text)
    if label is None or segment.text[label.end() :].strip() or any(one.left == at for one in candidates.segments):
        return False
    if segment.below < 0:
        return True
    below = candidates.segments[segment.below]
    claimed = LABEL.match(below.text)
    # Without boxes, labels above each other may be a column whose values come after them.
    return claimed is not None and (below.box is not None or bool(below.text[claimed.end() :].strip()))
