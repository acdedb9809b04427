"""Tasks as tools of language models and of the Model Context Protocol."""

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Tool:
    description: str
    result: Any
    """Type of the result's data."""
    input: Literal["source", "text", "source or text", "url"] = "source"
    """Kind of what the task works on: an input, a text in the options, one of the two, or the URL of a page."""
    is_for_llm: bool = True
    """False if an LLM that answers a request is not offered the tool, because the task runs before it is asked."""
    takes_files: bool = False
    """True if inputs may be given beside the text."""


def simplified(schema: Any) -> Any:
    """Return the schema without titles and without `null` for optional fields, for language models.

    Titles would only repeat names.
    """
    match schema:
        case {"anyOf": [dict() as only, {"type": "null"}], "default": None, **rest}:
            return simplified({key: value for key, value in rest.items() if key != "title"} | only)
        case dict():
            return {
                key: simplified(value)
                for key, value in schema.items()
                if not (key == "title" and isinstance(value, str))
            }
        case list():
            return [simplified(one) for one in schema]
    return schema
