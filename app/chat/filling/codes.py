"""Values that are known by how they are written: codes of accounts and banks, and what says that there is none."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from app.chat.evidence.concepts import concepts_of
from app.chat.evidence.labels import Names
from app.chat.evidence.passages import fold
from app.chat.filling.spans import Span
from models.safety.personal_data import iban_length

CODES = ("iban", "bic")
"""Concepts whose fields only such a code may fill."""
_IBAN = re.compile(r"(?<![^\W_])[A-Z]{2}\d\d(?: ?[A-Z0-9]){11,30}")
_BIC = re.compile(r"(?<![^\W_])[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?(?![^\W_])")
"""ISO 9362: bank, country, place, and a branch or none."""
_NOTHING = re.compile(r"n/a|n\.a\.?|none", re.IGNORECASE)


def with_form(schema: Mapping[str, Any], names: Names) -> Mapping[str, Any]:
    """The schema of a field with the format that its names say, where it says none itself."""
    form = next((name for name in CODES if names.concepts == {name}), None)
    return schema if form is None or "format" in schema else {**schema, "format": form}


def codes_in(span: Span, *forms: str) -> Iterator[str]:
    """The codes of these forms in a span, cut exactly; without forms, of all of them."""
    if "iban" in (forms or CODES):
        for found in _IBAN.finditer(span.text):
            if length := iban_length(found[0]):
                yield found[0][:length]
            elif found[0] == span.text and "iban" in concepts_of(tuple(fold(span.label))):
                # One with a wrong check digit is what the page says it is.
                yield span.text
    if "bic" in (forms or CODES):
        yield from (found[0] for found in _BIC.finditer(span.text))


def says_nothing(value: Any, *, in_words: bool) -> bool:
    """Whether what stands where a value would says that there is none: signs alone, or `in_words`, too."""
    if not isinstance(value, str):
        return False
    return not any(map(str.isalnum, value)) or (in_words and _NOTHING.fullmatch(value) is not None)
