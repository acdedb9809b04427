"""Tasks as tools of language models and of the Model Context Protocol: one catalogue, whose two users differ in how a
caller names an input."""

from collections.abc import Mapping, Sequence
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


def parameters_of(options: Mapping[str, Any], inputs: Mapping[str, Any], required: Sequence[str]) -> dict[str, Any]:
    """Return the closed JSON Schema of a tool's arguments, for language models: its `inputs`, of which `required` must
    be given, and the options of its task, whose schema is `options`."""
    properties = options.get("properties", {})
    needed = [name for name in options.get("required", ()) if name in properties]
    parts = {"type": "object", "properties": {**inputs, **properties}, "required": [*needed, *required]}
    definitions = {"$defs": options["$defs"]} if "$defs" in options else {}
    return dict(simplified({**parts, "additionalProperties": False, **definitions}))


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
