"""The options of the `gui_detection` task, and how words become them: the text on an element, its type and its place.

"the Save button at the bottom right" gives the text "save", the type button, and the places bottom and right. English,
German, French, Spanish, Italian, Portuguese and Dutch are understood; in other languages, only the text on an element
is recognised.
"""

import re
from typing import Annotated, Literal

from pydantic import Field

from tasks.notation.words import PLACES
from tasks.wording.message import QUOTED
from tasks.wording.options import TaskOptions, ends_of
from tasks.wording.page_range import Pages, pages_in
from tasks.wording.phrases import PHRASES

TYPE_WORDS = PHRASES["elements"]
"""Regular expressions for the names of the types."""

_PLURAL = re.compile(r"\b(?:all|every|each|alle|tous|toutes|todos|todas|tutti|tutte|list)\b", re.IGNORECASE)
_PLACES = PHRASES["screen"]
_SHOWN_IN = re.compile(
    r"\b(?:in|on|of|from|within|inside|im|in diesem|auf dem|dans l['’]|sur l['’]|en la|nell['’]|na)"
    r" ?(?:the|this|that|my|an?|attached|given|cette|esta)? ?(?:attached )?"
    r"(?:image|picture|photo|screenshot|page|screen|bild|imagen|immagine|imagem)\b",
    re.IGNORECASE,
)
"""Phrases about the whole picture, which name no element although they contain words such as "image"."""
_LONGEST_TEXT, _LONGEST_DESCRIPTION = 200, 2_000
_FUNCTION_WORDS = frozenset(PHRASES["little"]["elements"].split())
_PARTICLES = frozenset(("in", "on", "to", "all", "me", "it"))
"""Small words that may end the text of a button: "Sign in", "Select all", "Contact me"."""


ElementType = Literal[
    "button",
    "input",
    "textarea",
    "icon",
    "link",
    "checkbox",
    "radio",
    "select",
    "text",
    "image",
    "tab",
    "menu",
    "switch",
    "slider",
]
ElementPlace = Literal["top", "bottom", "left", "right", "middle"]


class GuiOptions(TaskOptions):
    text: Annotated[str, Field(max_length=_LONGEST_TEXT)] = ""
    """Text on the element to find. Default: all elements."""
    is_exact: bool = False
    """Find only elements with exactly this text."""
    types: frozenset[ElementType] = frozenset()
    """Types of the elements to find. Default: all."""
    places: frozenset[ElementPlace] = frozenset()
    """Place of the element on the screen."""
    order: int | None = None
    """Index among several elements, from 0; -1 is the last."""
    several: bool = False
    """Find all elements of the types, not a particular one."""
    pages: Pages = ""
    """Pages of a document to search: 3, 2-5 or 1, 4-6. Default: all."""
    description: Annotated[str, Field(max_length=_LONGEST_DESCRIPTION)] = ""
    """The element in words, for a model that looks at the screen."""

    @property
    def names_an_element(self) -> bool:
        """True if particular elements are meant, and not all elements of a type or of the screen."""
        if self.text or self.order is not None:
            return True
        return bool(self.types or self.places) and not self.several


def parse_gui(text: str, _has_sources: bool = False) -> GuiOptions:
    """Return the options that a text asks for. They name no element if it asks for the elements in general."""
    text = ends_of(text)
    first = text.strip().splitlines()[0] if text.strip() else ""
    quoted = QUOTED.search(first)
    rest = _SHOWN_IN.sub(" ", QUOTED.sub(" ", first))
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
    written = quoted[0][1:-1] if quoted else " ".join(_strip_small_words(left))
    return GuiOptions(
        text=written.strip()[:_LONGEST_TEXT],
        is_exact=quoted is not None,
        types=types,
        places=places,
        order=order - 1 if order and order > 0 else order,
        several=several,
        pages=pages_in(text),
        description=first[:_LONGEST_DESCRIPTION],
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
