"""Rules that change the network's scores for a field: the owner of a block of lines, the rounding of a total, labels
with nothing behind them, and the currency of amounts; labels are no values, and fields do not share their words."""

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
"""Bonus on the logit of a place that belongs to the field's party, and penalty if it belongs to another party."""
SENDERS = ("seller", "from")
"""Parties that send a document; the others receive it."""
SURE = 0.99
"""Probability that nothing answers a field whose label has nothing behind it."""
IN_CURRENCY = 0.95
"""Probability that a field for a currency means the page's only one."""
FROM = 1.5
"""Weight of "from" before a name, which labels a sender, in units of `OWNED`."""
_FROM = (["from"], ["by"], ["von"])
NAMED = 2.0
"""Penalty on the logit that nothing answers a field, if a label of the field has something after it."""
INITIAL = 2.0
"""Bonus on the logit of a number after the field's initial, and penalty after the initial of another field."""
FEWEST_FIGURES = 6
"""Fewest figures of a telephone number."""
_INITIALS = {"telephone": ("t", "p", "ph", "fon"), "mobile": ("m", "c", "mob"), "fax": ("f",)}
_OF_INITIALS = {letter: concept for concept, letters in _INITIALS.items() for letter in letters}
UNLABELLED = 0.01
"""Weight of a currency beside an amount if another currency is behind a label."""

LABELLED = 1.0
"""Penalty on the logit of a place with the meaning of a label; doubled if the place is a label word for word."""
LONGEST_LABEL = 4
"""Largest number of words of a place that may be a label."""
RIVAL = 2.0
"""Penalty on the logit of a place whose words all certainly belong to another field."""


def apply_rules(logits: Matrix, field: FieldText, candidates: Candidates) -> None:
    """Apply the rules for the field to the logits of its places."""
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
        # If all labels of the field have nothing behind them, nothing answers the field; else something is likely to.
        none = np.logaddexp.reduce(logits[:-1]) + np.log(SURE / (1 - SURE)) if all(labelled) else logits[-1] - NAMED
        logits[-1] = none
    if field.concepts & _INITIALS.keys():
        logits[:-1] += INITIAL * _initials(field, candidates)


def separate_rivals(logits: Matrix, fields: Mapping[int, FieldText], candidates: Candidates) -> None:
    """Lessen the logits of labels, and of places that probably belong to another of `fields`, given by their rows."""
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
    """Return 2 for each span that is a label word for word, 1 for a span with a label's meaning, 0 for other spans."""
    said = [tuple(fold(span.text)) for span in candidates.spans]
    named = [len(words) <= LONGEST_LABEL and bool(concepts_of(words)) for words in said]
    return np.array([label + (words in PHRASES) for label, words in zip(named, said, strict=True)], np.float32)


def _shares_of_words(chances: Matrix, candidates: Candidates) -> Matrix:
    """Return a matrix of fields × spans: the mean probability that a word of the span belongs to the field.

    `chances` has the probability of each span, and in the last column the probability of no span.
    """
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
    """Return 1 for each span that belongs to the field's party and -1 for each span that belongs to another party."""
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
    """True if the span is a capitalised name behind "from" in a sentence."""
    before = span.label.split()[-1:]
    return span.kind == "piece" and not span.closed and before in _FROM and span.text[:1].isupper()


def _speaks_for(owner: str, party: str) -> float:
    if owner == party:
        return 1.0
    # A sender may be the seller, a recipient the customer; a seller is no customer.
    is_plain = owner in ("from", "to") or party in ("from", "to")
    return float(is_plain) if (owner in SENDERS) == (party in SENDERS) else -1.0


def _prefer_rounded(logits: Matrix, candidates: Candidates) -> None:
    """Prefer the rounded amount for a total if the page states the rounding between the two amounts."""
    numbers = {at: number for at, span in enumerate(candidates.spans) if (number := number_of(span)) is not None}
    total = max(numbers, key=lambda at: logits[at], default=-1)
    for at, by in numbers.items():
        if not 0 < abs(by) < 1 or not _follows(candidates, total, at) or not _is_rounding(candidates.spans[at]):
            continue
        # A rounding without a sign may have been subtracted.
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
    """True if span `other` is behind span `one` on the same page."""
    first, last = candidates.spans[one], candidates.spans[other]
    return first.passage is last.passage and first.words[-1] < last.words[0]


def _prefer_currency(logits: Matrix, candidates: Candidates) -> None:
    """Raise the logits of the page's currencies, each place equally; a currency behind a label for currencies outweighs
    all others."""
    places = {at: code for at, span in enumerate(candidates.spans) if (code := currency_of(span.text))}
    if not places:
        return
    said = {at for at in places if "currency" in concepts_of(tuple(fold(candidates.spans[at].label)))}
    chances = np.array([1.0 if not said or at in said else UNLABELLED for at in places])
    others = np.logaddexp.reduce(np.delete(logits, list(places)))
    shares = np.log(chances / chances.sum())
    logits[list(places)] = others + np.log(IN_CURRENCY / (1 - IN_CURRENCY)) + shares


def _initials(field: FieldText, candidates: Candidates) -> Matrix:
    """Return 1 for each number behind the field's initial, like on business cards, and -1 behind another initial."""
    found = np.zeros(len(candidates.spans), np.float32)
    for at, span in enumerate(candidates.spans):
        said = _OF_INITIALS.get(span.label.strip(" .:|").casefold())
        if said and sum(map(str.isdigit, span.text)) >= FEWEST_FIGURES:
            found[at] = 1.0 if said in field.concepts else -1.0
    return found


def _names_field(label: tuple[str, ...], field: FieldText) -> bool:
    return bool(label) and (label in field.names.own or (bool(field.concepts) and concepts_of(label) == field.concepts))


def _has_nothing(segment: LineSegment, at: int, candidates: Candidates) -> bool:
    """True if a label has no value: nothing behind or beside it, and nothing but another label below it."""
    label = LABEL.match(segment.text)
    if label is None or segment.text[label.end() :].strip() or any(one.left == at for one in candidates.segments):
        return False
    if segment.below < 0:
        return True
    below = candidates.segments[segment.below]
    claimed = LABEL.match(below.text)
    # Without boxes, consecutive lines with labels may be a column whose values follow the last label.
    return claimed is not None and (below.box is not None or bool(below.text[claimed.end() :].strip()))
