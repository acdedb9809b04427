"""Lists of objects that are filled from a text without the network."""

from typing import Any

from tasks.extraction.extract import copy_fields
from tasks.extraction.given_values import GivenValues
from tests.filling import OR_NULL, STRING, pasted

__all__ = ["OR_NULL", "TEXT", "list_in"]
TEXT = STRING


def list_in(text: str, name: str, /, **columns: Any) -> Any:
    """Return the list called `name` whose objects have such fields, as far as tables fill it."""
    item = {"type": "object", "properties": columns, "required": list(columns), "additionalProperties": False}
    schema = {"type": "object", "properties": {name: {"type": "array", "items": item}}, "required": [name]}
    document = pasted(f"Extract the fields.\n\n{text}").document
    assert document is not None
    return copy_fields(schema, GivenValues(), [document], None).values.get((name,))
