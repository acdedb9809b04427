"""Recognises questions, and turns a question or an order ("What is the total?", "List the items.") into a schema of the
printed values that it asks for."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from app.chat.planning.described_json import (
    COURTESY,
    ORDERS,
    field_named,
    names_listed_in,
    object_of,
    pattern_of,
    words_of_name,
)
from tasks.extraction.concepts import CONCEPTS, LONGEST_NAME
from tasks.extraction.names import Names, names_of
from tasks.extraction.result_names import names_prose
from tasks.wording.phrases import compiled

LONGEST: Final = 300
"""Only questions with at most this many characters are searched for names of values."""
TOTAL: Final = "total"
ITEMS: Final = "items"
"""Key of the list of the rows of a receipt."""
_TABLE: Final = tomllib.loads(Path(__file__).with_name("questions.toml").read_text("utf-8"))
_POLITE_OPENING: Final = pattern_of(_TABLE["courtesy"])
_OPENING: Final = pattern_of(_TABLE["opening"])
_FURTHER: Final = pattern_of(_TABLE["further"])
_CLAUSE: Final[str] = _TABLE["clause"]
_EXPLANATION: Final = pattern_of(_TABLE["explanation"])
_VERB_AT_END: Final[str] = _TABLE["verb_at_end"]
_BETWEEN_CLAUSES: Final = pattern_of(_TABLE["between_clauses"])
_END_OF_CLAUSE: Final = f"(?:{_BETWEEN_CLAUSES})$"
_PLACE: Final = pattern_of(_TABLE["place"])
_ENUMERATE: Final = pattern_of(_TABLE["enumerate"])
_YES_OR_NO: Final = pattern_of(_TABLE["yes_or_no"])
_BEGINNINGS: Final = (_OPENING, ORDERS, _YES_OR_NO, _FURTHER, _EXPLANATION)
"""Patterns with one of which each part of a question or an order begins."""
_HOW_MUCH: Final = pattern_of(_TABLE["how_much"])
_PRICE_OF: Final = pattern_of(_TABLE["price_of"])
_ALL_OF_IT: Final = pattern_of(_TABLE["all_of_it"])
_ASKS: Final = "|".join(_TABLE["asks"])
_PREFACE: Final = pattern_of(_TABLE["preface"])
_MEANINGS: Final = {key: pattern_of(phrases) for key, phrases in _TABLE["meanings"].items()}
_ITEMS: Final = pattern_of(_TABLE["lists"]["items"])
_BOUGHT: Final = pattern_of(_TABLE["lists"]["bought"])
_ARTICLE = r"^(?:the|an?|der|die|das|den|dem|les?|la|l['’]|el|los|las|il|lo|gli|i|os?|as|de|het|den|det)\b"
_ENDS_OF_TEXT: Final = 2_000
"""Only this many characters at each end of a long text are searched for a question or an order."""
_SIGNS_AROUND = " ¿?!."
_NUMBERING: Final = re.compile(r"^[ \t]*(?:\d{1,2}[.)]|[-*•])\s+", re.MULTILINE)
_SENTENCE_ENDS: Final = re.compile(r"(?<=[.!?])\s+|(?<=[。！？؟])|\n+")
_OR_NULL: Final = {"text": {"type": ["string", "null"]}, "number": {"type": ["number", "null"]}}
_ITEM: Final = object_of(
    {
        "description": _OR_NULL["text"],
        "quantity": _OR_NULL["number"],
        "unit_price": _OR_NULL["number"],
        "amount": _OR_NULL["number"],
    }
)


@dataclass(frozen=True, slots=True)
class RequestedValues:
    """The values that a question asks for."""

    schema: Mapping[str, Any]
    """Schema of an object with a field for each value. Every field may be null or an empty list."""
    titles: Mapping[str, str]
    """Name of each value in the words of the question, by its key in the schema."""
    are_known: bool
    """True if documents are known to print such values, so that an unlikely value is an answer, too."""
    unnamed: Sequence[str] = ()
    """Parts of the question that name no value."""


def is_question(text: str) -> bool:
    """True if a text ends with a question mark or begins with a word that asks. Only both ends of a long text are
    searched."""
    return compiled(_ASKS).search(_ends_of(text)) is not None


def sentences_of(text: str) -> list[str]:
    """Return the sentences of a text with their punctuation, but without numbers before them."""
    return [sentence for part in _SENTENCE_ENDS.split(_NUMBERING.sub("", text)) if (sentence := part.strip())]


def clauses_of(sentence: str) -> list[str]:
    """Return the parts of a sentence that each ask or order: "Who is the customer, how much is it and until when?"."""
    begins = [
        gap.end()
        for gap in compiled(_BETWEEN_CLAUSES).finditer(sentence)
        if any(compiled(form).search(sentence[gap.end() :]) for form in _BEGINNINGS)
    ]
    parts = (sentence[begin:end] for begin, end in pairwise([0, *begins, len(sentence)]))
    return [clause for part in parts if (clause := compiled(_END_OF_CLAUSE).sub("", part).strip())]


def without_courtesy(text: str) -> str:
    """Return a text without words of courtesy at its beginning: "Could you please …"."""
    return _without(_POLITE_OPENING, text)


def is_order(text: str) -> bool:
    """True if a text is an order to return, find or list something, but not to write something. Only both ends of a
    long text are searched."""
    text = _ends_of(text)
    return compiled(ORDERS).search(_without(_POLITE_OPENING, text)) is not None and not _names_prose(text)


def values_asked_for(question: str) -> RequestedValues | None:
    """Return the values named by the parts of a question or an order. Return None for a long text, for a question to be
    answered with yes or no, and if no value is named."""
    if len(question) > LONGEST:
        return None
    fields: dict[str, tuple[str, Any]] = {}
    unnamed: list[str] = []
    sentences = [compiled(_PREFACE).sub("", sentence, count=1) for sentence in sentences_of(question)]
    if len(sentences) > 1 and not all(is_question(sentence) or is_order(sentence) for sentence in sentences):
        return None
    for sentence in sentences:
        for clause in clauses_of(sentence.strip(_SIGNS_AROUND)):
            named = _fields_named_in(clause)
            fields |= named
            if not named:
                unnamed.append(clause)
    if not fields:
        return None
    titles = {key: title for key, (title, _) in fields.items()}
    schema = object_of({key: schema for key, (_, schema) in fields.items()})
    are_known = all(key == ITEMS or _kinds(key) for key in fields)
    return RequestedValues(schema, titles, are_known, tuple(unnamed))


def _fields_named_in(clause: str) -> dict[str, tuple[str, Any]]:
    """Return the title and the schema of each value that one question or order names, by key."""
    clause = without_courtesy(clause)
    clause = compiled(COURTESY).sub("", clause)
    if compiled(_YES_OR_NO).search(clause) or compiled(_EXPLANATION).search(clause):
        return {}
    named = _without(_OPENING, _without(ORDERS, clause))
    named = _without(_VERB_AT_END, _without_place_and_article(named))
    if priced := _name_of_priced_thing(clause):
        if compiled(_ALL_OF_IT).search(priced):
            return {TOTAL: (priced, field_named(TOTAL, ""))}
        return {"_".join(words_of_name(priced.lower())): (priced, {"type": ["number", "null"]})}
    for key, pattern in _MEANINGS.items():
        is_named = compiled(pattern).search(named)
        if is_named or compiled(pattern).search(clause):
            return {key: (named if is_named else clause, field_named(key, ""))}
    if compiled(_BOUGHT).search(clause) or compiled(_ITEMS).search(named):
        return {ITEMS: (named, {"type": "array", "items": _ITEM})}
    if compiled(_CLAUSE).search(clause):
        return {}
    keys = [key for key, _ in names_listed_in(named)]
    if len(keys) <= 1 and (whole := _key_of_known_name(named)):
        keys = [whole]
    if not keys or any(names_prose(names_of((key,), {})) for key in keys):
        return {}
    fields = {}
    for key in keys:
        field = field_named(key, "")
        if compiled(_ENUMERATE).search(clause) and _kinds(key) <= {"text"}:
            field = {"type": "array", "items": {"type": "string"}}
        elif compiled(_HOW_MUCH).search(clause) and not _kinds(key):
            field = {"type": ["number", "null"]}
        title = named if len(keys) == 1 else key.replace("_", " ")
        fields[key] = (title, field)
    return fields


def _name_of_priced_thing(sentence: str) -> str | None:
    """Return the name of the thing whose price the sentence asks for ("What did the toast cost?"), or None."""
    found = compiled(_PRICE_OF).search(sentence)
    if found is None:
        return None
    name = _without_place_and_article(next(filter(None, found.groups())))
    return name if words_of_name(name.lower()) else None


def _key_of_known_name(named: str) -> str | None:
    """Return the key of a name that documents are known to print, including its function words: `número de factura`."""
    words = words_of_name(named.lower())
    key = "_".join(words)
    return key if 0 < len(words) <= LONGEST_NAME and _kinds(key) else None


def _without_place_and_article(name: str) -> str:
    # The patterns of phrases of a place begin with a space. With the added space, they also match at the beginning of a
    # name.
    return _without(_ARTICLE, _without(_PLACE, f" {name}"))


def _ends_of(text: str) -> str:
    """Return both ends of a long text, because users ask before and after what they paste."""
    return text if len(text) <= 2 * _ENDS_OF_TEXT else f"{text[:_ENDS_OF_TEXT]}\n{text[-_ENDS_OF_TEXT:]}"


def _without(pattern: str, text: str) -> str:
    return compiled(pattern).sub("", text, count=1).strip()


def _kinds(key: str) -> set[str]:
    return {CONCEPTS[name].kind for name in names_of((key,), {}).concepts}


def _names_prose(text: str) -> bool:
    return names_prose(Names(own=(tuple(re.findall(r"\w+", text.lower())),)))
