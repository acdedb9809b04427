"""Recognises questions, and turns a question or an order ("What is the total?", "List the items.") into a schema of the
printed values that it asks for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.chat.planning.asked_names import PRINTED_KINDS, AskedName, name_model
from app.chat.planning.described_json import field_asked_for, key_of_name, kinds_of, object_of
from app.chat.planning.function_words import without_function_words

LONGEST: Final = 300
"""Only questions with at most this many characters are searched for names of values."""
_QUESTION_MARKS: Final = ("?", "？", "؟")


@dataclass(frozen=True, slots=True)
class RequestedValues:
    """The values that a question asks for."""

    schema: Mapping[str, Any]
    """Schema of an object with a field for each value. Every field may be null or an empty list."""
    titles: Mapping[str, str]
    """Name of each value in the words of the question, by its key in the schema."""
    are_known: bool
    """True if documents are known to print such values, so that an unlikely value is an answer, too."""
    contexts: Mapping[str, str]
    """The question without the names that documents print, by the key of each value: "What is Ben Cole's ?"."""
    unnamed: Sequence[str] = ()
    """Parts of the question that name no value."""


def is_question(text: str) -> bool:
    """True if a text ends with a question mark or is in the words of a question."""
    return text.rstrip().endswith(_QUESTION_MARKS) or name_model().form(text) == "question"


def without_opening(text: str) -> str:
    """Return a question or an order from the first name of a value on. If it names none, return it without the words at
    its beginning that name nothing: "What is the …"."""
    begins = (name.begin for name in name_model().names_in(text[:LONGEST]) if name.kind != "open")
    named = text[next(begins, 0) :]
    return without_function_words(named) or text


def values_asked_for(question: str) -> RequestedValues | None:
    """Return the values named by the parts of a question or an order. Return None for a long text, for a question to be
    answered with yes or no, and if no value is named."""
    if len(question) > LONGEST:
        return None
    fields: dict[str, tuple[str, Any]] = {}
    contexts: dict[str, str] = {}
    unnamed: list[str] = []
    names = name_model().names_in(question)
    for name in names:
        if name.kind == "open":
            unnamed.append(name.text)
        elif key := _key_asked_for(name):
            fields.setdefault(key, (name.text, field_asked_for(name, key)))
            contexts.setdefault(key, _context(question, names, name))
    if not fields:
        return None
    titles = {key: title for key, (title, _) in fields.items()}
    schema = object_of({key: schema for key, (_, schema) in fields.items()})
    are_known = all(key == "items" or kinds_of(key) for key in fields)
    return RequestedValues(schema, titles, are_known, contexts, tuple(unnamed))


def _context(question: str, names: Sequence[AskedName], asked: AskedName) -> str:
    """Return the question without the names in it. A turn of phrase that stands for the value is not printed beside it,
    so it remains: all of "How much is a ticket to Mull"."""
    for name in reversed(names):
        if name is not asked or name.kind in PRINTED_KINDS:
            question = f"{question[: name.begin]} {question[name.end :]}"
    return question


def _key_asked_for(name: AskedName) -> str:
    """Return the key of a value. A name that stands for a known one, such as "what I have to pay", has its key."""
    return key_of_name(name.text).lower() if name.kind in PRINTED_KINDS else name.kind
