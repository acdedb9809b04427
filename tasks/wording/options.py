"""The base of the options of tasks."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import InitErrorDetails

LONGEST_WORDS = 20_000
"""Wishes are looked for in this many characters of a message."""


class TaskOptions(BaseModel):
    """The wishes of a caller about a task, beside its inputs.

    The JSON schema of a subclass, with the docstrings of its fields, is what language models and clients of the Model
    Context Protocol read. Fields of the type `SkipJsonSchema` are for callers inside.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    @classmethod
    def of_caller(cls, given: Mapping[str, Any]) -> Self:
        """Return the options that a caller outside gives. Raises ValidationError."""
        cls.refuse_internal(given)
        return cls.model_validate(dict(given))

    @classmethod
    def refuse_internal(cls, given: Mapping[str, Any]) -> None:
        """Raise ValidationError if a field is for callers inside, as for a field that does not exist."""
        internal = [
            name
            for name, field in cls.model_fields.items()
            if name in given and any(isinstance(one, SkipJsonSchema) for one in field.metadata)  # type: ignore[misc]
        ]
        if internal:
            errors = [InitErrorDetails(type="extra_forbidden", loc=(one,), input=given[one]) for one in internal]
            raise ValidationError.from_exception_data(cls.__name__, errors)


def ends_of(text: str, most: int = LONGEST_WORDS) -> str:
    """Return the part of a text that is searched for a user's wishes: at most `most` characters, from its beginning and
    its end. Users put their instructions there, whereas the middle is usually material to work on."""
    if len(text) <= most:
        return text
    end = most // 4
    return f"{text[: most - end]}\n{text[-end:]}"
