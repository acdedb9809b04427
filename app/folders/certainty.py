"""Says in one word how sure a value is. The same words stand in tables, in the terminal and on pages."""

from typing import Any

LEAST_SURE, LEAST_LIKELY = 0.9, 0.7
"""A value is `sure` if its probability is at least LEAST_SURE, `likely` if it is at least LEAST_LIKELY, and otherwise
`unsure`. A workbook's colours have the same steps."""
SURE, LIKELY, UNSURE, EMPTY = "sure", "likely", "unsure", "empty"


def is_empty(value: Any) -> bool:
    return value in (None, "")


def certainty(value: Any, probability: float | None) -> str:
    """Return the word for `value`, or an empty text if its probability is not known."""
    if is_empty(value):
        return EMPTY
    if probability is None:
        return ""
    return SURE if probability >= LEAST_SURE else LIKELY if probability >= LEAST_LIKELY else UNSURE
