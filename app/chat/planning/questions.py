"""Recognises questions, and turns a question or an order ("What is the total?", "List the items.") into a schema of the
printed values that it asks for."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from app.chat.planning.named_keys import (
    COURTESY,
    ORDERS,
    field_named,
    names_listed_in,
    object_of,
    pattern_of,
    words_of_name,
)
from app.chat.planning.prose import Prose
from tasks.extraction.concepts import CONCEPTS, LONGEST_NAME
from tasks.extraction.names import Names, names_of
from tasks.extraction.whole_results import names_prose
from tasks.wording.phrases import compiled

LONGEST: Final = 300
"""Only questions with at most this many characters are searched for names of values."""
TOTAL: Final = "total"
ITEMS: Final = "items"
"""Key of the list of the rows of a receipt."""
_TABLE: Final = tomllib.loads(Path(__file__).with_name("questions.toml").read_text("utf-8"))
_POLITE_OPENING: Final = pattern_of(_TABLE["courtesy"])
_OPENING: Final = pattern_of(_TABLE["opening"])
_PLACE: Final = pattern_of(_TABLE["place"])
_ENUMERATE: Final = pattern_of(_TABLE["enumerate"])
_YES_OR_NO: Final = pattern_of(_TABLE["yes_or_no"])
_HOW_MUCH: Final = pattern_of(_TABLE["how_much"])
_PRICE_OF: Final = pattern_of(_TABLE["price_of"])
_ALL_OF_IT: Final = pattern_of(_TABLE["all_of_it"])
_ASKS: Final = "|".join(_TABLE["asks"])
_BESIDE: Final = "|".join(_TABLE["beside"])
_PREFACE: Final = pattern_of(_TABLE["preface"])
_FACT_WORDS: Final[list[str]] = _TABLE["fact_words"]
_FACT_FORMS: Final[list[str]] = _TABLE["fact_forms"]
_PERSONAL: Final[list[str]] = _TABLE["personal"]
_OWN: Final = "|".join(_TABLE["own"])
_COMPOSES: Final = "|".join(_TABLE["composes"])
_MEANINGS: Final = {key: pattern_of(phrases) for key, phrases in _TABLE["meanings"].items()}
_ITEMS: Final = pattern_of(_TABLE["lists"]["items"])
_BOUGHT: Final = pattern_of(_TABLE["lists"]["bought"])
_ARTICLE = r"^(?:the|an?|der|die|das|den|dem|les?|la|l['’]|el|los|las|il|lo|gli|i|os?|as|de|het|den|det)\b"
_ENDS_OF_TEXT: Final = 2_000
"""Only this many characters at each end of a long text are searched for a question or an order."""
_SIGNS_AROUND = " ¿?!."
_SENTENCE_ENDS: Final = re.compile(r"(?<=[.!?])\s+|(?<=[。！？؟])|\n+")
_BRINGS_TEXT: Final = re.compile(r"[:：]\s+\S|：\s*\S|`")
"""Pattern of a text, or of code, that a message brings along."""
_WORDS: Final = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]|[^\W_]+")
"""Pattern of a word, or of a character of Chinese or Japanese, in which no spaces separate words."""
_LEAST_WORDS: Final = 3
"""A question of fact has at least this many words."""
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
class Sentences:
    """Sentences and phrases of an answer in one language, with placeholders for `name`, `percent`, `page` and
    `search`."""

    missing: str
    uncertain: str
    page: str
    unanswered: str
    search: str
    """End of `unanswered` if no web search is set up either."""


_LANGUAGES: Final = {
    frozenset(row["words"].split()): Sentences(**{name: text for name, text in row.items() if name != "words"})
    for row in _TABLE["languages"].values()
}


@dataclass(frozen=True, slots=True)
class RequestedValues:
    """The values that a question asks for."""

    schema: Mapping[str, Any]
    """Schema of an object with a field for each value. Every field may be null or an empty list."""
    titles: Mapping[str, str]
    """Name of each value in the words of the question, by its key in the schema."""
    sentences: Sentences
    """Parts of the answer in the language of the question."""
    are_known: bool
    """True if documents are known to print such values, so that an unlikely value is an answer, too."""


def is_question(text: str) -> bool:
    """True if a text ends with a question mark or begins with a word that asks. Only both ends of a long text are
    searched."""
    return compiled(_ASKS).search(_ends_of(text)) is not None


def asks_for_fact(message: str) -> bool:
    """True if the message is clearly a question of fact about the world, which has to be known or found.

    Each of its sentences asks for a fact, or only greets, thanks or says how to answer. A message that brings a text
    along, small talk, and a question about the assistant itself do not count.
    """
    prose = Prose.of(message)
    if not prose.is_short or prose.brings_text or _BRINGS_TEXT.search(message) or asks_for_prose(message):
        return False
    sentences = [part.strip() for part in _SENTENCE_ENDS.split(prose.text) if part.strip()]
    others = [sentence for sentence in sentences if not _asks_for_fact(sentence)]
    return len(others) < len(sentences) and all(compiled(_BESIDE).search(sentence) for sentence in others)


def asks_for_prose(message: str) -> bool:
    """True if a sentence of the message orders a text to be written, such as a poem or a summary."""
    return any(compiled(_COMPOSES).search(sentence) for sentence in _sentences_of(Prose.of(message)))


def _sentences_of(prose: Prose) -> list[str]:
    """Return the sentences of the instructions with their punctuation, but without words of courtesy before them."""
    return [_without(_POLITE_OPENING, part) for part in _SENTENCE_ENDS.split(prose.text) if part.strip()]


def _asks_for_fact(sentence: str) -> bool:
    question = compiled(_PREFACE).sub("", sentence, count=1)
    # A word may ask in several languages, and be a pronoun in one but an article in another: German and French "du".
    forms = _FACT_WORDS if sentence.endswith(("?", "？", "؟")) else _FACT_FORMS
    personal = [
        compiled(personal).search(question) is not None
        for form, personal in zip(forms, _PERSONAL, strict=True)
        if compiled(form).search(question)
    ]
    if personal:
        # "What a day!" and "Wie bitte?" ask for nothing.
        is_whole = not sentence.endswith(("!", "！")) and len(_WORDS.findall(question)) >= _LEAST_WORDS
        return is_whole and not any(personal)
    if not is_order(sentence) or compiled("|".join(_PERSONAL)).search(sentence):
        return False
    values = values_asked_for(sentence)
    return values is not None and values.are_known


def is_public(message: str) -> bool:
    """True if a question is not about the person who asks it, so that it may be searched for on the web."""
    return not compiled(_OWN).search(compiled(_PREFACE).sub("", message, count=1))


def unanswered(question: str, *, can_search: bool) -> str:
    """Return a sentence, in the question's language, which says that no LLM here can answer it and which settings
    help."""
    sentences = _sentences_for(question[:LONGEST])
    return sentences.unanswered.format(search="" if can_search else sentences.search)


def is_order(text: str) -> bool:
    """True if a text is an order to return, find or list something, but not to write something. Only both ends of a
    long text are searched."""
    text = _ends_of(text)
    return compiled(ORDERS).search(_without(_POLITE_OPENING, text)) is not None and not _names_prose(text)


def values_asked_for(question: str) -> RequestedValues | None:
    """Return the values named by a question or an order of one sentence. Return None for a longer text, for a question
    to be answered with yes or no, and if no value is named."""
    sentences = [part for part in re.split(r"[.!?¿](?:\s|$)|\n", question[: LONGEST + 1]) if part.strip(_SIGNS_AROUND)]
    if len(question) > LONGEST or len(sentences) != 1:
        return None
    sentence = _without(_POLITE_OPENING, sentences[0].strip(_SIGNS_AROUND))
    sentence = compiled(COURTESY).sub("", sentence)
    if compiled(_YES_OR_NO).search(sentence):
        return None
    named = _without(_OPENING, _without(ORDERS, sentence))
    named = _without_place_and_article(named)
    if priced := _name_of_priced_thing(sentence):
        if compiled(_ALL_OF_IT).search(priced):
            return _values_asked_by(question, {TOTAL: (priced, field_named(TOTAL, ""))})
        return _values_asked_by(
            question, {"_".join(words_of_name(priced.lower())): (priced, {"type": ["number", "null"]})}
        )
    for key, pattern in _MEANINGS.items():
        if compiled(pattern).search(sentence) or compiled(pattern).search(named):
            return _values_asked_by(question, {key: (named, field_named(key, ""))})
    if compiled(_BOUGHT).search(sentence) or compiled(_ITEMS).search(named):
        return _values_asked_by(question, {ITEMS: (named, {"type": "array", "items": _ITEM})})
    keys = [key for key, _ in names_listed_in(named)]
    if len(keys) <= 1 and (whole := _key_of_known_name(named)):
        keys = [whole]
    if not keys or any(names_prose(names_of((key,), {})) for key in keys):
        return None
    fields = {}
    for key in keys:
        field = field_named(key, "")
        if compiled(_ENUMERATE).search(sentence) and _kinds(key) <= {"text"}:
            field = {"type": "array", "items": {"type": "string"}}
        elif compiled(_HOW_MUCH).search(sentence) and not _kinds(key):
            field = {"type": ["number", "null"]}
        title = named if len(keys) == 1 else key.replace("_", " ")
        fields[key] = (title, field)
    return _values_asked_by(question, fields)


def _name_of_priced_thing(sentence: str) -> str | None:
    """Return the name of the thing whose price the sentence asks for ("What did the toast cost?"), or None."""
    found = compiled(_PRICE_OF).search(sentence)
    if found is None:
        return None
    name = _without_place_and_article(next(filter(None, found.groups())))
    return name if words_of_name(name.lower()) else None


def _values_asked_by(question: str, fields: Mapping[str, tuple[str, Any]]) -> RequestedValues:
    titles = {key: title for key, (title, _) in fields.items()}
    schemas = {key: schema for key, (_, schema) in fields.items()}
    are_known = all(key == ITEMS or _kinds(key) for key in fields)
    return RequestedValues(object_of(schemas), titles, _sentences_for(question), are_known)


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


def _sentences_for(question: str) -> Sentences:
    """Return the sentences in the language that most words of the question belong to. In case of a tie, the first of
    these languages in the table counts."""
    words = _WORDS.findall(question.lower())
    return _LANGUAGES[max(_LANGUAGES, key=lambda known: sum(word in known for word in words))]
