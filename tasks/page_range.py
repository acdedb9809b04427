"""Which pages of a document the user's words ask for: "page 3", "Seiten 2 bis 4", "the last two pages"."""

import re
from collections.abc import Iterable, Iterator

from tasks.errors import InputError


def _by_word(words: dict[int, str]) -> dict[str, int]:
    return {word: number for number, line in words.items() for word in line.split(", ")}


_COUNTS = _by_word(
    {
        1: "one",
        2: "two, zwei, deux, dos, due, duas",
        3: "three, drei, trois, tres, tre, três",
        4: "four, vier, quatre, cuatro, quattro, quatro",
        5: "five, fünf, cinq, cinco, cinque",
        6: "six",
        7: "seven",
        8: "eight",
        9: "nine",
        10: "ten",
    }
)
_PLACES = _by_word(
    {
        1: "first, erste, ersten, première, premières, primera, primeras, primeira, primeiras, prima, prime",
        2: "second",
        3: "third",
        4: "fourth",
        5: "fifth",
        -1: "last, final, letzte, letzten, dernière, dernières, última, últimas, ultima, ultime",
        -2: "second to last, second-to-last, penultimate",
    }
)
"""Below zero: counted from the end."""


def _any_of(words: Iterable[str]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


_PAGES = r"pages|seiten|p[áa]ginas|pagine"
_PAGE = r"page|seite|p[áa]gina"
_AND = r"\s*(?:&|\+|\b(?:and|und|et|y|e)\b)\s*"
_COMMA = rf"(?:\s*,(?:{_AND})?\s*|{_AND})"
_TO = r"\s*(?:[-–—]|\b(?:to|through|until|bis|à|al?|até)\b)\s*"
# "3.5" and "3-column" are not page 3. Nine digits are more than any document has pages.
_COUNT = rf"(?:\d{{1,9}}(?!\d|\.\d)|{_any_of(_COUNTS)})(?!\w|-[^\W\d])"
_RANGE = rf"{_COUNT}(?:{_TO}(?:(?:{_PAGE})\s+)?{_COUNT})?"
_PLACE = rf"(?:\d{{1,9}}(?:st|nd|rd|th)|{_any_of(_PLACES)})"
_BUT = (
    r"\b(?:except|excluding|without|skip|skipping|ignore|ignoring|omit|omitting|but|but\s+not"
    r"|außer|ohne|sauf|sans|excepto|salvo|exceto|tranne)(?:\s+(?:for|the|die|der|la|las|le|les))*\s+"
)
# A word, a path or a query may end in "page", and "every page 3 columns" does not speak of page 3.
_BEFORE = r"(?<![\w/.=&?#-])" + "".join(
    rf"(?<!\b{word}\s)" for word in ("a", "per", "each", "every", "this", "web", "home", "landing")
)

_NUMBERED = re.compile(
    rf"(?P<but>{_BUT})?{_BEFORE}(?:(?P<several>(?:{_PAGES})\b|(?-i:pp\.))|(?:{_PAGE})\b|(?-i:p\.))(?!-):?\s*"
    rf"(?P<all_but>{_BUT})?(?:(?:numbers?|no\.?|nr\.?)\s+|#)?(?P<numbers>{_RANGE}(?:{_COMMA}{_RANGE})*)",
    re.IGNORECASE,
)
_PLACED = re.compile(
    rf"(?P<but>{_BUT})?(?<![\w-])(?<!\bto\s)(?:(?P<before>{_COUNT})\s+)?"
    rf"(?P<places>{_PLACE}(?:{_COMMA}(?:the\s+)?{_PLACE})*)\s+"
    rf"(?:(?P<count>{_COUNT})\s+)?(?:(?P<several>{_PAGES})|{_PAGE})(?![-\w])",
    re.IGNORECASE,
)


def requested_pages(text: str, total: int) -> list[int] | None:
    """The pages of a document of `total` pages that `text` asks for, ascending from 1; None if it names none.

    Understands numbers, ranges and lists ("pages 1, 3 and 5-7", "pp. 2–4", "Seite 3", "páginas 2 a 4"),
    places ("the first two pages", "dernière page", "the 2nd and the last page") and exceptions ("all but the
    first page"). Raises InputError for a page that the document does not have.
    """
    wanted: set[int] = set()
    unwanted: set[int] = set()
    for excluded, first, last in (*_numbered(text), *_placed(text, total)):
        for page in (first, last):
            if not 1 <= page <= total:
                pages = "1 page" if total == 1 else f"{total} pages"
                raise InputError(f"page {page} was asked for, but the document has {pages}")
        (unwanted if excluded else wanted).update(range(first, last + 1))
    if not wanted and not unwanted:
        return None
    return sorted((wanted or set(range(1, total + 1))) - unwanted)


Hint = tuple[bool, int, int]
"""Whether the pages are to be left out, the first and the last of them."""


def _numbered(text: str) -> Iterator[Hint]:
    for match in _NUMBERED.finditer(text):
        numbers = match["numbers"]
        if not match["several"]:
            # After one page a comma begins something else: "on page 3, 2024 comes first".
            numbers = numbers.partition(",")[0]
        for one in re.finditer(_RANGE, numbers, re.IGNORECASE):
            ends = [_number(count) for count in re.findall(_COUNT, one[0], re.IGNORECASE)]
            yield bool(match["but"] or match["all_but"]), min(ends), max(ends)


def _placed(text: str, total: int) -> Iterator[Hint]:
    for match in _PLACED.finditer(text):
        places = [_place(place) for place in re.findall(_PLACE, match["places"], re.IGNORECASE)]
        count = match["count"] or (match["before"] if match["several"] else None)
        if count is None and match["several"] and len(places) == 1:
            continue  # "the first pages": nobody knows how many
        size = min(_number(count), total) if count else 1
        for place in places:
            first = place if place > 0 else total + 1 + place - (size - 1)
            yield bool(match["but"]), first, first + size - 1


def _number(count: str) -> int:
    return _COUNTS.get(count.lower()) or int(count)


def _place(place: str) -> int:
    return _PLACES.get(place.lower()) or int(place[:-2])
