"""Prefers values from one block of lines for the fields of an object, because a page usually prints them together."""

from collections.abc import Mapping
from itertools import groupby

import numpy as np

from tasks.extraction.candidates import Candidates
from tasks.extraction.concepts import CONCEPTS, concepts_of_field
from tasks.extraction.features import FieldText, Matrix
from tasks.schema.paths import JsonPath

TOGETHER = 1.5
"""Bonus on the logits of places in the block that answers most of an object's fields."""
FEWEST = 2
"""A block must answer at least this many fields of an object."""
LEAST_PROBABILITY = 0.1
"""A place counts as an answer if its probability is at least this."""

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
