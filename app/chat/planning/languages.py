"""Languages that a request may name as a translation's target, in the words of eleven languages."""

import re

from models.translation.languages import CODES, LANGUAGE_OF

_NAME = "|".join(sorted(map(re.escape, LANGUAGE_OF), key=len, reverse=True))
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
_ALSO_WORDS = "am|be|el|he|hi|id|is|it|la|my|no|so"
"""Codes that are words, which mean a language only before a colon or with a region: `to it: hello`, `to it-IT`."""
_CODE = re.compile(
    rf"(?:\b(?:into|to|nach|vers|al|a|para|naar|на)\s+|[成为為到至]\s*)"
    rf"(?!(?:{_ALSO_WORDS})\b(?!\s*[:：]|[-_]))"
    rf"(?P<code>{'|'.join(CODES)})(?:[-_][a-z]{{2,4}})?(?=\s*(?:[:：.,!?)\n]|$))",
    re.IGNORECASE,
)


def target_language(text: str) -> str | None:
    """The English name of the language that `text` wants something in, by its name in any of eleven languages."""
    lower = text.lower()
    # The pattern tries hundreds of names at each letter; most texts hold none of them.
    if any(name in lower for name in LANGUAGE_OF) and (found := _TARGET.search(text)):
        return LANGUAGE_OF[next(name for name in found.groups() if name).lower()]
    return None


def without_target(text: str) -> str:
    """`text` without the language that it wants something in: what is left of it is about the media themselves."""
    return _TARGET.sub(" ", text)


def target_by_code(text: str) -> str | None:
    """The same by an ISO 639-1 code at the end of a clause (`to zh`), in a text that is known to ask for a
    translation: many codes are words."""
    found = _CODE.search(text)
    return CODES[found["code"].lower()] if found else None
