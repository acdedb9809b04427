"""Languages that a request may name as a translation's target, in the words of eleven languages."""

import re

from models.translation.languages import (
    CODES_THAT_ARE_WORDS,
    LANGUAGES,
    NAMES_THAT_ARE_WORDS,
    STEMS,
    TAG_OF_CODE,
    TAG_OF_NAME,
    either,
    tag_of_name,
)

_NAME = either(STEMS)
# Before a name: the prepositions of direction and their articles. After it: "translation", に and へ.
_BEFORE = (
    r"\b(?:into|to|in|as|ins|auf|nach|zu|en|vers|al|a|all'|para|pro|ao|em|naar|на|в|до|по-)\s*"
    r"(?:(?:the|das|l'|le|la|el|o|het|brazilian|british|american|simplified|traditional)\s*)?"
)
_TARGET = re.compile(
    rf"{_BEFORE}(?P<into>{_NAME})"
    rf"|(?:[成为為到至]|إلى|الى|ل|بال)\s*(?:اللغة\s+)?(?P<adjacent>{_NAME})"
    rf"|(?P<with>{_NAME})(?:\w{{0,2}}\s+(?:translation|version|übersetzung|fassung)|\s*(?:に|へ|翻译|翻譯))",
    re.IGNORECASE,
)
_WORDS = either(CODES_THAT_ARE_WORDS | {"am", "be", "el", "he", "hi", "id", "is", "it", "la", "my", "no", "so"})
"""Codes that mean a language only before a colon or with a region: `to it: hello`, `to it-IT`."""
_OF_TRANSLATION = re.compile(
    rf"(?:\b(?:into|to|nach|vers|al|a|para|naar|на)\s+|[成为為到至]\s*)"
    rf"(?:(?P<name>{either(frozenset(TAG_OF_NAME))})(?!\w)"
    rf"|(?!{_WORDS}\b(?!\s*[:：]|[-_]))"
    rf"(?P<code>{either(frozenset(TAG_OF_CODE))})(?:[-_][a-z]{{2,4}})?(?=\s*(?:[:：.,!?)\n]|$)))",
    re.IGNORECASE,
)


def target_language(text: str) -> str | None:
    """The English name of the common language that `text` wants something in, by any of its names."""
    found = _TARGET.search(text)
    tag = tag_of_name(next(name for name in found.groups() if name)) if found else None
    return LANGUAGES[tag].name if tag else None


def without_target(text: str) -> str:
    """`text` without the language that it wants something in: what is left of it is about the media themselves."""
    return _TARGET.sub(" ", text)


def target_of_translation(text: str) -> str | None:
    """The same of a text that is known to ask for a translation: by the name of any language, or an ISO 639 code at the
    end of a clause (`to zh`). Many of these are words, too."""
    for found in _OF_TRANSLATION.finditer(text):
        if found["code"]:
            return LANGUAGES[TAG_OF_CODE[found["code"].lower()]].name
        if found["name"] not in NAMES_THAT_ARE_WORDS and (tag := tag_of_name(found["name"])):
            return LANGUAGES[tag].name
    return None
