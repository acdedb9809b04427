"""Prefers values from one block of lines for the fields of an object, because a page usually prints them together, and
values below a heading that names the object."""

from collections.abc import Mapping, Sequence
from itertools import groupby

import numpy as np

from models.fair_executor import Slices
from tasks.extraction.candidates import SPANS_AT_ONCE, Candidates
from tasks.extraction.concepts import CONCEPTS, concepts_of_field
from tasks.extraction.features import FieldText, Matrix
from tasks.extraction.folding import folded_words
from tasks.extraction.own_words import is_form_of
from tasks.schema.paths import JsonPath

TOGETHER = 1.5
"""Bonus on the logits of places in the block that answers most of an object's fields."""
FEWEST = 2
"""A block must answer at least this many fields of an object."""
LEAST_PROBABILITY = 0.1
"""A place counts as an answer if its probability is at least this."""

BELOW_OWN_HEADING, BELOW_OTHER_HEADING = 3.0, 6.0
"""Bonus on the logits of places below a heading that names the field's object, and penalty on those below a heading
that names another object with the same field."""
LONGEST_HEADING = 60
"""A heading has at most this many characters."""
MOST_WORDS_OF_HEADING = 5
"""A heading has at most this many words."""

_LETTERHEADS = dict.fromkeys(("company", "issuer", "hotel"), "seller")
"""Concepts of schema objects whose values are usually printed in a letterhead, each with the party that the letterhead
belongs to."""


def party_of_field(field: FieldText) -> str:
    """Return the party in a field's name (such as `seller`). If the field's name has none, return the party in the name
    of the object around the field. Return an empty text if there is no party or more than one."""
    own = {CONCEPTS[name].party for name in field.concepts} - {""}
    context_concepts = concepts_of_field(field.names.around) if field.names.around and not own else frozenset()
    parties = own or {_LETTERHEADS.get(name, CONCEPTS[name].party) for name in context_concepts} - {""}
    return next(iter(parties)) if len(parties) == 1 else ""


def prefer_one_block(logits: Matrix, paths: Mapping[int, JsonPath], candidates: Candidates) -> None:
    """Raise, for each object with several fields, the logits of places in the block that answers most of them.

    `paths` has the paths of the fields outside lists, by their row in `logits`.
    """
    blocks = np.array(candidates.blocks)[[span.first for span in candidates.spans]]
    objects = sorted((path[:-1], row) for row, path in paths.items() if len(path) > 1)
    for _, members in groupby(objects, key=lambda one: one[0]):
        rows = [row for _, row in members]
        if len(rows) < FEWEST:
            continue
        chances = np.exp(logits[rows] - np.logaddexp.reduce(logits[rows], axis=1, keepdims=True))[:, :-1]
        best = np.zeros((len(rows), len(candidates.segments)), np.float32)
        for own, chance in zip(best, chances, strict=True):
            np.maximum.at(own, blocks, np.where(chance >= LEAST_PROBABILITY, chance, 0.0))
        answers = (best > 0).sum(axis=0)
        if int(answers.max(initial=0)) < FEWEST:
            continue
        block = int(np.where(answers >= FEWEST, best.sum(axis=0), 0.0).argmax())
        logits[rows, :-1] += TOGETHER * (blocks == block)


def prefer_own_sections(
    logits: Matrix, fields: Mapping[int, FieldText], paths: Mapping[int, JsonPath], candidates: Candidates
) -> Slices[None]:
    """Raise the logits of places below a heading that names the object around a field, if another object has a field of
    the same name: `On admission` and `On discharge` for the weights of `vitals_on_admission` and `vitals_on_discharge`.

    `fields` and `paths` have the fields outside lists, by their row in `logits`.
    """
    by_name: dict[str, list[int]] = {}
    for row, path in paths.items():
        if len(path) > 1:
            by_name.setdefault(str(path[-1]), []).append(row)
    twins = {row: rows for rows in by_name.values() if len(rows) > 1 for row in rows}
    if not twins:
        return
    headings = yield from _headings_above(candidates)
    places: dict[tuple[str, ...], list[int]] = {}
    for index, heading in enumerate(headings):
        if heading:
            places.setdefault(heading, []).append(index)
    for row, rows in twins.items():
        yield
        own = _own_words(row, rows, fields)
        others = {word for other in rows if other != row for word in _own_words(other, rows, fields)}
        for heading, indices in places.items():
            if _has_one_of(heading, own):
                logits[row, indices] += BELOW_OWN_HEADING
            elif _has_one_of(heading, others):
                logits[row, indices] -= BELOW_OTHER_HEADING


def _own_words(row: int, rows: Sequence[int], fields: Mapping[int, FieldText]) -> set[str]:
    """Return the words that name the object around a field, without those that also name another object of `rows`."""
    others = {word for other in rows if other != row for word in fields[other].names.around}
    return {*fields[row].names.around} - others


def _has_one_of(heading: Sequence[str], words: set[str]) -> bool:
    return any(is_form_of(word, one) for word in words for one in heading)


def _headings_above(candidates: Candidates) -> Slices[list[tuple[str, ...]]]:
    """Return the folded words of the last heading above each span; empty if there is none. A heading is alone in its
    line, and in capitals, marked by Markdown, or followed by a colon."""
    above: list[tuple[str, ...]] = []
    heading: tuple[str, ...] = ()
    passage = None
    for index, segment in enumerate(candidates.segments):
        if index % SPANS_AT_ONCE == 0:
            yield
        if segment.passage is not passage:
            passage, heading = segment.passage, ()
        words = segment.passage.line_words(segment.passage.line_at(segment.words[0]))
        text = segment.text if len(words) <= MOST_WORDS_OF_HEADING + 1 and len(words) == len(segment.words) else ""
        is_marked = text.isupper() or text.startswith(("#", "**")) or text.endswith((":", "**"))
        if is_marked and len(text) <= LONGEST_HEADING and not any(map(str.isdigit, text)):
            heading = tuple(folded_words(text))
        above.append(heading)
    return [above[span.first] for span in candidates.spans]
