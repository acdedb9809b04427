"""The base of the options of tasks."""

from pydantic import BaseModel, ConfigDict

LONGEST_WORDS = 20_000
"""Wishes are looked for in this many characters of a message."""


class TaskOptions(BaseModel):
    """The wishes of a caller about a task, beside its inputs.

    The JSON schema of a subclass, with the docstrings of its fields, is what language models and clients of the Model
    Context Protocol read. Fields of the type `SkipJsonSchema` are for callers inside.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


def ends_of(text: str, most: int = LONGEST_WORDS) -> str:
    """Return the part of a text that is searched for a user's wishes: at most `most` characters, from its beginning and
    its end. Users put their instructions there, whereas the middle is usually material to work on."""
    if len(text) <= most:
        return text
    end = most // 4
    return f"{text[: most - end]}\n{text[-end:]}"
