"""Determines which pages of a document a request asks for ("page 3", "Seiten 2 bis 4", "the last two pages"), and
whether it asks for tables or Markdown."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tasks.errors import InputError
from tasks.notation import words
from tasks.notation.words import NUMBERS, any_of, count_named
from tasks.wording.phrases import PHRASES, compiled

# Fragments of regular expressions for pages in English, German, French, Spanish, Portuguese and Italian. They capture
# nothing.
COUNTS = {word: number for word, number in NUMBERS.items() if number <= 10 and (number > 1 or word == "one")}
"""Number words for counts up to 10. Of the words for 1, only the English one counts, because the others are also
articles."""
PLACES = {**words.PLACES, "prime": 1, "final": -1}

PAGES = r"pages|seiten|p[áa]ginas|pagine"
PAGE = r"page|seite|p[áa]gina"
# Case matters: "PG 13" is a film's rating, and "s. 3" may be a section.
SHORT_PAGES = r"(?-i:pp\.|[Pp]gs\b\.?|p[áa]gs\b\.?)"
SHORT_PAGE = r"(?-i:p\.|S\.|[Pp]g\b\.?|p[áa]g\b\.?)"
THE = r"(?:(?:the|die|der|den|las?|les?|el|o|as?)\s+)?"

AND = r"\s*(?:&|\+|\b(?:and|und|et|y|e)\b)\s*"
COMMA = rf"(?:\s*,(?:{AND})?\s*|{AND})"
_TILL = r"up\s+to|until|till|bis(?:\s+zu[rm]?)?|jusqu['’]à|hasta|até|fino\s+a(?:lla)?"
TO = rf"\s*(?:[-–—]|\b(?:to|through|{_TILL}|à|al?)\b)\s*"
UP_TO = rf"\b(?:{_TILL})\s+(?:and\s+including\s+|einschließlich\s+)?"
FROM = r"\b(?:(?:start|begin)(?:ing)?\s+(?:at|from|with|on)|ab|à\s+partir\s+de|a\s+partir\s+d[aeo]|desde)\s+"
FROM_ON = r"\b(?:from|von|de|da)\s+"
"""Words that begin an open range only if ON follows, as in "from page 3 on". Without ON, as in "the table from page 3",
only page 3 is meant."""
BETWEEN = r"\b(?:between|zwischen|entre|tra|fra)\s+"
ONWARDS = (
    r"(?:\s+(?:(?:and\s+)?onwards?|et\s+suivantes|en\s+adelante|em\s+diante|in\s+poi)\b|\s*\bff\b"
    r"|\s*[-–—]\s*(?:the\s+)?(?:end|last|ende|fin|fim|fine)\b"
    r"|\s+(?:to|through|until|till)\s+(?:the\s+)?(?:very\s+)?(?:end|last)\b"
    r"|\s+bis\s+(?:zu[rm]\s+)?(?:ende|schluss|letzten)\b|\s+(?:à|jusqu['’]à)\s+la\s+fin\b"
    r"|\s+(?:al|hasta\s+el)\s+final\b|\s+até\s+(?:a?o\s+)?(?:fim|final)\b|\s+(?:fino\s+)?alla\s+fine\b)"
)
ON = r"\s+(?:on|an)(?=\s*(?:[.,;:!?)]|$)|\s+please\b)"

# "3.5" and "3-column" are not page 3. No document has a page number of more than nine digits.
COUNT = rf"(?:\d{{1,9}}(?!\d|\.\d)|(?:{any_of(COUNTS)}))(?!\w|-(?!(?:end|ende|fin|fim|fine|last)\b)[^\W\d])"
RANGE = rf"{COUNT}(?:{TO}{THE}(?:(?:{PAGE})\s+)?{COUNT}|{ONWARDS})?"
PLACE = rf"(?:\d{{1,9}}(?:st|nd|rd|th|re|ère|e|ème|ª|a|\.(?=\s+(?:seiten?|und|bis)\b|$))|(?:{any_of(PLACES)}))(?!\w)"

_READ = "read|include|use|process|extract|transcribe|scan|return|output|show|want|need"
BUT = (
    r"\b(?:except|excluding|without|skip|skipping|ignore|ignoring|omit|omitting|but|(?:but\s+)?not|never"
    rf"|(?:do\s+not|don['’]?t|never)\s+(?:{_READ})|außer|ohne|nicht|sauf|sans|pas|excepto|salvo|sin|exceto|sem|não"
    r"|tranne|senza)(?:\s+(?:for|from|the|die|der|las?|les?|as?)\b)*+\s+"
)
ODD = r"odd|ungeraden?|impaires|impares|dispari"
EVEN = r"even|geraden?|paires|pares|pari"


# A word, a path or a query may end in "page", and "every page 3 columns" does not mean page 3.
_NOT_AFTER = r"(?<![\w/.=&?#-])(?!(?<=\ba\s)page)" + "".join(
    rf"(?<!\b{word}\s)" for word in ("per", "each", "every", "this", "web", "home", "landing")
)

_NUMBERED = (
    rf"(?P<but>{BUT})?(?:(?P<up_to>{UP_TO})|(?P<start>{FROM})|(?P<from>{FROM_ON})|(?P<between>{BETWEEN}))?{THE}"
    rf"{_NOT_AFTER}(?:(?P<several>(?:{PAGES})\b|{SHORT_PAGES})|(?:{PAGE})\b|{SHORT_PAGE})(?!-):?\s*"
    rf"(?P<all_but>{BUT})?(?:(?:numbers?|no\.?|nr\.?)\s+|#)?"
    rf"(?P<numbers>{RANGE}(?:{COMMA}{RANGE}|{AND}{THE}(?:{PAGE})\s+{RANGE})*)(?P<on>(?(from){ON}))?"
)
_PLACED = (
    rf"(?P<but>{BUT})?(?<![\w-])(?<!\bto\s)(?<!\bevery\s)(?:(?P<before>{COUNT})\s+)?"
    rf"(?P<places>{PLACE}(?:(?:{COMMA}|(?:\s+(?:{PAGE}))?{TO}){THE}{PLACE})*+)\s+"
    rf"(?:(?P<count>{COUNT})\s+)?(?:(?P<several>{PAGES})|{PAGE})(?![-\w])"
)
_ALTERNATE = (
    rf"(?P<but>{BUT})?\b(?:(?:(?P<odd>{ODD})|{EVEN})(?:[- ]numbered)?\s+(?:{PAGES})"
    rf"|(?:{PAGES})\s+(?:(?P<odd_after>{ODD})|{EVEN}))\b(?!\s*\d)"
)

# In "not page 2 but page 3" and "nothing but page 3", the word "but" excludes nothing.
_NOT_BUT = r"(?P<not>(?:\bnot|n['’]t|\bnothing)\b[^.!?\n]{0,40}?)\bbut\b(?!\s+not\b)"
_UNWANTED = (
    r"\b(?:no|not|don['’]t|without|ignor\w+|skip\w*|except|exclud\w+|nicht|ohne|keine?|außer|sans|pas|sin|sem|senza)\b"
    r"(?:\W+\w+){0,2}\W*$"
)


def requested_pages(text: str, total: int, check: Callable[[int], None] = lambda _number: None) -> list[int] | None:
    """Return the numbers of the pages that `text` asks for, in ascending order, of a document of `total` pages. Return
    None if the text names no pages.

    The function understands numbers, ranges and lists ("pages 1, 3 and 5-7", "pp. 2–4", "Seite 3", "from page 3 to the
    end"), ordinals ("the first two pages", "dernière page", "the 2nd and the last page"), "odd pages", and exceptions
    ("all but the first page", "not page 2"). `check` is called with the number of requested pages before they are
    listed, and may raise. Raises InputError for a page that the document does not have.
    """
    text = compiled(_NOT_BUT).sub(r"\g<not>;", text)
    hints = {*_numbered_pages(text, total), *_ordinal_pages(text, total), *_alternate_pages(text, total)}
    for _, pages in hints:
        for page in (pages[0], pages[-1]):
            if not 1 <= page <= total:
                count = "1 page" if total == 1 else f"{total} pages"
                raise InputError(f"page {page} was asked for, but the document has {count}")
    if not hints:
        return None
    # Each page takes one byte, because a small file can claim a million pages. Index 0 is unused.
    is_left = bytearray(total + 1) if any(not excluded for excluded, _ in hints) else bytearray(b"\0" + b"\1" * total)
    for excluded, pages in sorted(hints, key=lambda hint: hint[0]):
        is_left[pages.start : pages.stop : pages.step] = (b"\0" if excluded else b"\1") * len(pages)
    check(is_left.count(1))
    return [page for page, left in enumerate(is_left) if left]


def page_hints(text: str) -> list[str]:
    """Return all parts of `text` on which the result of `requested_pages` depends, for any document. Two texts with the
    same hints ask for the same pages.

    >>> page_hints("What is the total on page 3?") == page_hints("Who signed page 3?")
    True
    """
    text = compiled(_NOT_BUT).sub(r"\g<not>;", text)
    patterns = (_NUMBERED, _PLACED, _ALTERNATE)
    return [match.group().lower() for pattern in patterns for match in compiled(pattern).finditer(text)]


Hint = tuple[bool, range]
"""A flag that is True to exclude pages, and the range of these pages (at least one)."""


def _numbered_pages(text: str, total: int) -> Iterator[Hint]:
    for match in compiled(_NUMBERED).finditer(text):
        numbers = match["numbers"]
        if not match["several"]:
            # After a single page a comma begins something else: "on page 3, 2024 comes first".
            numbers = numbers.partition(",")[0]
        excluded = bool(match["but"] or match["all_but"])
        ranges = [_parse_range(one[0], total) for one in re.finditer(RANGE, numbers, re.IGNORECASE)]
        first, last = ranges[0], ranges[-1]
        if match["between"]:
            ranges = [_inclusive_range(first[0], last[-1])]
        elif match["up_to"]:
            ranges[0] = _inclusive_range(1, first[-1])
        elif match["on"] or (match["start"] and len(last) == 1):
            ranges[-1] = _inclusive_range(last[0], max(last[0], total))
        yield from ((excluded, pages) for pages in ranges)


def _parse_range(words: str, total: int) -> range:
    ends = [count_named(count, COUNTS) for count in re.findall(COUNT, words, re.IGNORECASE)]
    if re.search(ONWARDS, words, re.IGNORECASE):
        ends.append(max(ends[0], total))
    return _inclusive_range(ends[0], ends[-1])


def _inclusive_range(first: int, last: int) -> range:
    return range(min(first, last), max(first, last) + 1)


def _ordinal_pages(text: str, total: int) -> Iterator[Hint]:
    for match in compiled(_PLACED).finditer(text):
        parts = re.split(COMMA, match["places"], flags=re.IGNORECASE)
        count = match["count"] or (match["before"] if match["several"] else None)
        if count is None and match["several"] and len(re.findall(PLACE, match["places"], re.IGNORECASE)) == 1:
            continue  # "the first pages" gives no number
        size = min(count_named(count, COUNTS), total) if count else 1
        for part in parts:
            starts = [_first_page(place, size, total) for place in re.findall(PLACE, part, re.IGNORECASE)]
            yield bool(match["but"]), _inclusive_range(min(starts), max(starts) + size - 1)


def _first_page(place: str, size: int, total: int) -> int:
    number = PLACES.get(place.lower()) or int("".join(filter(str.isdecimal, place)))
    return number if number > 0 else total + 1 + number - (size - 1)


def _alternate_pages(text: str, total: int) -> Iterator[Hint]:
    for match in compiled(_ALTERNATE).finditer(text):
        first = 1 if match["odd"] or match["odd_after"] else 2
        yield bool(match["but"]), range(first, max(first, total) + 1, 2)


# Words in a URL or a file's name do not count.
_TABLES, _MARKDOWN = (
    rf"(?<![\w/.=&?#-])(?:{PHRASES['form'][name]})(?![\w/=&#-]|\.\w)" for name in ("tables", "markdown")
)


@dataclass(frozen=True, slots=True)
class Form:
    """The parts of a page's layout that are returned in addition to its lines."""

    tables: bool = False
    markdown: bool = False
    is_read: bool = False
    """True if a language model reads the page. The model is then shown the page's tables."""

    @property
    def needs_tables(self) -> bool:
        return bool(self) or self.is_read

    def __or__(self, other: "Form") -> "Form":
        return Form(self.tables or other.tables, self.markdown or other.markdown, self.is_read or other.is_read)

    def __bool__(self) -> bool:
        return self.tables or self.markdown


PLAIN = Form()


def requested_form(text: str) -> Form:
    """Return the form that `text` asks for.

    >>> requested_form("Read this with its tables, please.")
    Form(tables=True, markdown=False, is_read=False)
    >>> requested_form("Read https://example.org/tables.pdf as Markdown, without tables.")
    Form(tables=False, markdown=True, is_read=False)
    """

    def asks(wish: str) -> bool:
        starts = (found.start() for found in compiled(wish).finditer(text))
        return any(not compiled(_UNWANTED).search(text, max(0, start - 40), start) for start in starts)

    return Form(asks(_TABLES), asks(_MARKDOWN))
