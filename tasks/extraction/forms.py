"""Finds all values of a form in what was read: days, times, e-mail addresses and links."""

from collections.abc import Mapping, Sequence
from typing import Final

from tasks.extraction.candidates import Kind, find_candidates
from tasks.extraction.names import names_of
from tasks.extraction.passages import passages_to_search
from tasks.precontext import Entry

_FORMS: Final[Mapping[str, Kind]] = {"date": "day", "time": "time", "email": "email", "website": "uri"}
"""Kind of candidates by the concept whose values have a form of their own."""
_ENDS: Final = ".,;:!?"
"""Signs of the sentence in which a value stands."""


def form_of(name: str) -> Kind | None:
    """Return the form of the values with this name: `day` for "dates"; None if they have none of their own."""
    concepts = names_of((name,), {}).concepts
    return next((_FORMS[concept] for concept in concepts if concept in _FORMS), None)


def values_of_form(read: Sequence[Entry], form: Kind) -> list[str]:
    """Return the values of a form as they are printed, each once, in the order of the texts."""
    spans = find_candidates(passages_to_search(read)).spans
    return list(dict.fromkeys(span.text.rstrip(_ENDS) for span in spans if span.kind == form))
