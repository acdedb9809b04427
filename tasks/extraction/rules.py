"""Adjusts the network's scores for a field by rules.

The rules concern the owner of a block of lines, units, labels without a value, the currency of amounts, and words that
several fields claim.
"""

from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy as np

from tasks.extraction.candidates import LABEL, SENDERS, Candidates, CandidateSpan, LineSegment
from tasks.extraction.concepts import CONCEPTS, concepts_of, concepts_of_field
from tasks.extraction.features import FieldText, Matrix
from tasks.extraction.folding import fold
from tasks.extraction.units import prefer_units
from tasks.notation.currencies import currency_of

OWNED = 2.0
"""Bonus on the logit of a place that belongs to the field's party, and penalty on a place that belongs to another
party."""
EMPTY_LABEL_PROBABILITY = 0.99
"""Probability that nothing answers a field whose label has nothing after it."""
IN_CURRENCY = 0.95
"""Probability that a field for a currency means one of the currencies on the page."""
UNLABELLED = 0.01
"""Weight of a currency without a label if another currency has a label. A currency with a label has the weight 1."""
NAMED_BONUS = 2.0
"""Penalty on the logit that nothing answers a field, if a label of the field has a value."""
RIVAL_PENALTY = 2.0
"""Penalty on the logit of a place whose words all certainly belong to another field."""


def apply_rules(logits: Matrix, field: FieldText, candidates: Candidates, units: Sequence[str]) -> None:
    """Apply the field's rules to the logits of its places. `units` is the result of `units_after`."""
    logits[:-1] += OWNED * _ownership(field, candidates)
    prefer_units(logits, field, units)
    if field.concepts == {"currency"}:
        _prefer_currency(logits, candidates)
        return
    labelled = [
        _has_no_value(candidates.segments[index], index, candidates)
        for index, words in enumerate(candidates.labels)
        if _names_field(words, field)
    ]
    if labelled:
        # If no label of the field has a value, probably nothing answers the field. Otherwise, something probably does.
        none = (
            np.logaddexp.reduce(logits[:-1]) + np.log(EMPTY_LABEL_PROBABILITY / (1 - EMPTY_LABEL_PROBABILITY))
            if all(labelled)
            else logits[-1] - NAMED_BONUS
        )
        logits[-1] = none


def separate_rivals(logits: Matrix, fields: Mapping[int, FieldText], candidates: Candidates) -> None:
    """Lower the logits of places that probably belong to another field. `fields` has the fields that are compared, by
    their rows."""
    # A field for a currency is not compared, because the sign of the currency may be in one word with its amount.
    rows = [row for row, field in fields.items() if field.concepts != {"currency"}]
    if not rows:
        return
    probabilities = np.exp(logits[rows] - np.logaddexp.reduce(logits[rows], axis=1, keepdims=True))
    shares = _shares_of_words(probabilities, candidates)
    for row in rows:
        own = fields[row].concepts
        # Two fields with the same meaning may have the same place.
        rivals = [
            index for index, other in enumerate(rows) if other != row and not (own and fields[other].concepts == own)
        ]
        logits[row, :-1] -= RIVAL_PENALTY * shares[rivals].max(axis=0, initial=0.0)


def _shares_of_words(probabilities: Matrix, candidates: Candidates) -> Matrix:
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
    return np.array([_party_agreement(one, party) if one else score_of_others for one in owners], np.float32)


def _party_of_field(field: FieldText) -> str:
    """Return the party in a field's name (such as `seller`). If the field's name has none, return the party in the name
    of the object around the field. Return an empty text if there is no party or more than one."""
    own = {CONCEPTS[name].party for name in field.concepts} - {""}
    context_concepts = concepts_of_field(field.names.around) if field.names.around and not own else frozenset()
    parties = own or {CONCEPTS[name].party for name in context_concepts} - {""}
    return next(iter(parties)) if len(parties) == 1 else ""


def _party_agreement(owner: str, party: str) -> float:
    """Return 1 if the owner of a block is or may be the field's party, −1 if the owner is on the other side, else 0."""
    if owner == party:
        return 1.0
    # A sender may be the seller, and a recipient the customer, but a seller is not a customer.
    is_plain = owner in ("from", "to") or party in ("from", "to")
    return float(is_plain) if (owner in SENDERS) == (party in SENDERS) else -1.0


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


def _names_field(label: tuple[str, ...], field: FieldText) -> bool:
    """True if the words of a label are a name of the field, or have its concepts."""
    return bool(label) and (label in field.names.own or (bool(field.concepts) and concepts_of(label) == field.concepts))


def _concepts_of_label(span: CandidateSpan) -> frozenset[str]:
    return concepts_of(tuple(fold(span.label)))


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
