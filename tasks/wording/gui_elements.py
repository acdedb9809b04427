"""Determines which element of a screen a request means, by the text on the element, its type and its place.

"the Save button at the bottom right" gives the text "save", the type button, and the places bottom and right. English,
German, French, Spanish, Italian, Portuguese and Dutch are understood; in other languages, only the text on an element
is recognised.
"""

import re
from dataclasses import dataclass
from typing import Self

from tasks.notation.words import PLACES
from tasks.wording.phrases import PHRASES

TYPE_WORDS = PHRASES["elements"]
"""Regular expressions for the names of the types."""

_PLURAL = re.compile(r"\b(?:all|every|each|alle|tous|toutes|todos|todas|tutti|tutte|list)\b", re.IGNORECASE)
_PLACES = PHRASES["screen"]
_QUOTED = re.compile(r"[\"“„«]\s*+([^\"“”„«»]{1,80}?)(?<!\s)\s*+[\"”“»]|(?<!\w)['‘]([^'‘’]{1,80})['’](?!\w)")
_SHOWN_IN = re.compile(
    r"\b(?:in|on|of|from|within|inside|im|in diesem|auf dem|dans l['’]|sur l['’]|en la|nell['’]|na)"
    r" ?(?:the|this|that|my|an?|attached|given|cette|esta)? ?(?:attached )?"
    r"(?:image|picture|photo|screenshot|page|screen|bild|imagen|immagine|imagem)\b",
    re.IGNORECASE,
)
"""Phrases about the whole picture, which name no element although they contain words such as "image"."""
_FUNCTION_WORDS = frozenset(PHRASES["little"]["elements"].split())
_PARTICLES = frozenset(("in", "on", "to", "all", "me", "it"))
"""Small words that may end the text of a button: "Sign in", "Select all", "Contact me"."""


@dataclass(frozen=True, slots=True)
class Wording:
    written: str = ""
    """Text on the element, as written in the request; empty if the request names none."""
    quoted: bool = False
    types: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()
    """Some of `top`, `bottom`, `left`, `right` and `middle`."""
    order: int | None = None
    """Index among several elements, from 0; -1 is the last."""
    several: bool = False
    """True if all elements of the types are meant."""
    first_line: str = ""
    """First line of the request, from which all other fields come."""

    @property
    def names_an_element(self) -> bool:
        """True if particular elements are meant, and not all elements of a type or of the screen."""
        if self.written or self.order is not None:
            return True
        return bool(self.types or self.places) and not self.several

    @classmethod
    def of(cls, text: str) -> Self:
        """Parse a request. The result names no element if the request asks for the elements in general."""
        first = text.strip().splitlines()[0] if text.strip() else ""
        quoted = _QUOTED.search(first)
        rest = _SHOWN_IN.sub(" ", _QUOTED.sub(" ", first) if quoted else first)
        types = frozenset(kind for kind, words in TYPE_WORDS.items() if _word_pattern(words).search(rest))
        several = bool(_PLURAL.search(rest)) or any(_is_plural(kind, rest) for kind in types)
        bare = rest
        for words in TYPE_WORDS.values():
            bare = _word_pattern(words).sub(" ", bare)
        places = frozenset(place for place, words in _PLACES.items() if _word_pattern(words).search(bare))
        for words in _PLACES.values():
            bare = _word_pattern(words).sub(" ", bare)
        left = re.findall(r"[\w'’+&%/.-]+", bare)
        order = next((PLACES[word.casefold()] for word in left if word.casefold() in PLACES), None)
        left = [word for word in left if word.casefold() not in PLACES]
        written = (quoted[1] or quoted[2]) if quoted else " ".join(_strip_small_words(left))
        return cls(
            written.strip(),
            quoted is not None,
            types,
            places,
            order - 1 if order and order > 0 else order,
            several,
            first,
        )


def _word_pattern(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:{words})(?![\w-])", re.IGNORECASE)


def _is_plural(kind: str, text: str) -> bool:
    """True if the last word that `text` uses for the type is a plural."""
    found = list(_word_pattern(TYPE_WORDS[kind]).finditer(text))
    return bool(found) and re.search(r"(?:s|en|er|knöpfe|kästchen|schede)$", found[-1][0], re.IGNORECASE) is not None


def _strip_small_words(words: list[str]) -> list[str]:
    """Remove small words at both ends but not inside. Particles at the end are kept, so that "the sign in" becomes
    "sign in"."""
    stripped = [word.strip(".'’") for word in words]
    begin = next(
        (index for index, word in enumerate(stripped) if word.casefold() not in _FUNCTION_WORDS), len(stripped)
    )
    kept = stripped[begin:]
    while kept and kept[-1].casefold() in _FUNCTION_WORDS and not (len(kept) > 1 and kept[-1].casefold() in _PARTICLES):
        kept.pop()
    return [word for word in kept if word]
