"""Fields in the form in which the encoder of pages reads them."""

from collections.abc import Mapping, Sequence
from typing import Any

from models.extraction.page_tokens import FieldKind, Prompt
from tasks.extraction.names import words_of_key

MAX_KEYS = 3
"""Only the keys of a field and of the objects around it, up to this number, are read."""
MAX_DESCRIPTION = 120
"""Only this many characters of a description are read."""


def prompt_text(keys: Sequence[str], description: str) -> str:
    words = " ".join(" ".join(words_of_key(key)) for key in keys[-MAX_KEYS:])
    return f"{words}: {description[:MAX_DESCRIPTION]}" if description else words


def prompt_of(path: Sequence[str | int], schema: Mapping[str, Any], *, in_list: bool) -> Prompt:
    given = schema.get("type")
    types = {given} if isinstance(given, str) else set(given or ())
    kind: FieldKind = "text"
    if types & {"number", "integer"}:
        kind = "number"
    elif schema.get("format") in ("date", "date-time"):
        kind = "date"
    elif schema.get("format") == "time":
        kind = "time"
    texts = [text for key in ("title", "description") if isinstance(text := schema.get(key), str)]
    return Prompt(prompt_text([key for key in path if isinstance(key, str)], " ".join(texts)), kind, in_list)
