"""The pages of a document that a request asks for: their short form, "1, 4-6", and how words become it ("page 3",
"Seiten 2 bis 4", "the last two pages"); and the options of the `ocr` task."""

import re
from collections.abc import Callable, Iterator
from typing import Annotated

from pydantic import AfterValidator, StringConstraints
from pydantic.json_schema import SkipJsonSchema

from tasks.errors import InputError
from tasks.notation import words
from tasks.notation.words import NUMBERS, any_of, count_named
from tasks.wording.options import TaskOptions, ends_of
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
# In "not page 2 but page 3" and "nothing but page 3", the word "but" excludes nothing.
_NOT_BUT = r"(?P<not>(?:\bnot|n['’]t|\bnothing)\b[^.!?\n]{0,40}?)\bbut\b(?!\s+not\b)"
_UNWANTED = (
    r"\b(?:no|not|don['’]t|without|ignor\w+|skip\w*|except|exclud\w+|nicht|ohne|keine?|außer|sans|pas|sin|sem|senza)\b"
    r"(?:\W+\w+){0,2}\W*$"
)


_PART = re.compile(
    r"(?P<but>not\s+)?(?:(?P<alternate>odd|even)|(?P<end>first|last)\s+(?P<count>\d{1,9})"
    r"|(?P<first>-?\d{1,9})(?:\s*(?P<range>[-–])\s*(?P<last>-?\d{1,9})?)?)"
)


def _checked(pages: str) -> str:
    for part in pages.split(",") if pages.strip() else ():
        if not _PART.fullmatch(part.strip()):
            raise ValueError(
                f"'{part.strip()[:40]}' names no pages: write 3, 2-5, 4- (to the end), -1 (the last), first 2, last 2, "
                "odd, even, or 'not' before one of them, with commas between them"
            )
    return pages


Pages = Annotated[str, StringConstraints(max_length=400), AfterValidator(_checked)]
"""Pages in the short form: `3`, `2-5`, `4-` (to the end), `-1` (the last), `first 2`, `last 2`, `odd`, `even`, with
commas between them; behind `not` the pages are left out. Empty for all."""


def selected_pages(pages: str, total: int, check: Callable[[int], None] = lambda _number: None) -> list[int] | None:
    """Return the numbers of the pages that the short form names, in ascending order, of a document of `total` pages;
    None if it is empty.

    `check` is called with the number of these pages before they are listed, and may raise. Raises InputError for a page
    that the document does not have.
    """
    ranges = [(bool(part["but"]), _range_of(part, total)) for part in _PART.finditer(pages)]
    for _, found in ranges:
        for page in (found[0], found[-1]):
            if not 1 <= page <= total:
                count = "1 page" if total == 1 else f"{total} pages"
                raise InputError(f"page {page} was asked for, but the document has {count}")
    if not ranges:
        return None
    # Each page takes one byte, because a small file can claim a million pages. Index 0 is unused.
    is_left = bytearray(total + 1) if any(not but for but, _ in ranges) else bytearray(b"\0" + b"\1" * total)
    for but, found in sorted(ranges, key=lambda one: one[0]):
        is_left[found.start : found.stop : found.step] = (b"\0" if but else b"\1") * len(found)
    check(is_left.count(1))
    return [page for page, left in enumerate(is_left) if left]


def _range_of(part: re.Match[str], total: int) -> range:
    if part["alternate"]:
        first = 1 if part["alternate"] == "odd" else 2
        return range(first, max(first, total) + 1, 2)
    if part["end"]:
        count = max(1, min(int(part["count"]), total))
        return range(1, count + 1) if part["end"] == "first" else range(total - count + 1, total + 1)
    first = _counted(int(part["first"]), total)
    if not part["range"]:
        return range(first, first + 1)
    last = _counted(int(part["last"]), total) if part["last"] else max(first, total)
    return range(min(first, last), max(first, last) + 1)


def _counted(page: int, total: int) -> int:
    """Return the number of a page that is counted from the end if it is negative."""
    return page if page >= 0 else total + 1 + page


def pages_in(text: str) -> str:
    """Return the short form of the pages that `text` asks for; empty if it names none.

    The function understands numbers, ranges and lists ("pages 1, 3 and 5-7", "pp. 2–4", "Seite 3", "from page 3 to the
    end"), ordinals ("the first two pages", "dernière page", "the 2nd and the last page"), and exceptions ("all but the
    first page", "not page 2").
    """
    text = compiled(_NOT_BUT).sub(r"\g<not>;", text)
    found = dict.fromkeys([*_numbered_pages(text), *_ordinal_pages(text)])
    return ", ".join(found)


def _numbered_pages(text: str) -> Iterator[str]:
    for match in compiled(_NUMBERED).finditer(text):
        numbers = match["numbers"]
        if not match["several"]:
            # After a single page a comma begins something else: "on page 3, 2024 comes first".
            numbers = numbers.partition(",")[0]
        but = "not " if match["but"] or match["all_but"] else ""
        ranges = [_parse_range(one[0]) for one in re.finditer(RANGE, numbers, re.IGNORECASE)]
        (first, _), (last, last_end) = ranges[0], ranges[-1]
        if match["between"]:
            ranges = [(first, last_end if last_end is not None else last)]
        elif match["up_to"]:
            ranges[0] = (1, ranges[0][1] or first)
        elif match["on"] or (match["start"] and last_end == last):
            ranges[-1] = (last, None)
        yield from (but + _written(begin, end) for begin, end in ranges)


def _parse_range(words: str) -> tuple[int, int | None]:
    """Return the first and the last page; None for the end of the document."""
    ends = [count_named(count, COUNTS) for count in re.findall(COUNT, words, re.IGNORECASE)]
    if re.search(ONWARDS, words, re.IGNORECASE):
        return ends[0], None
    return ends[0], ends[-1]


def _written(first: int, last: int | None) -> str:
    return str(first) if first == last else f"{first}-{'' if last is None else last}"


def _ordinal_pages(text: str) -> Iterator[str]:
    for match in compiled(_PLACED).finditer(text):
        parts = re.split(COMMA, match["places"], flags=re.IGNORECASE)
        count = match["count"] or (match["before"] if match["several"] else None)
        if count is None and match["several"] and len(re.findall(PLACE, match["places"], re.IGNORECASE)) == 1:
            continue  # "the first pages" gives no number
        size = count_named(count, COUNTS) if count else 1
        but = "not " if match["but"] else ""
        for part in parts:
            places = [_place_of(place) for place in re.findall(PLACE, part, re.IGNORECASE)]
            if size > 1 and places in ([1], [-1]):
                yield f"{but}{'first' if places == [1] else 'last'} {size}"
            elif places[0] < 0:
                yield but + _written(places[0] - size + 1, places[-1])
            else:
                yield but + _written(min(places), max(places) + size - 1 if places[-1] > 0 else places[-1])


def _place_of(place: str) -> int:
    return PLACES.get(place.lower()) or int("".join(filter(str.isdecimal, place)))


# Words in a URL or a file's name do not count.
_TABLES, _MARKDOWN = (
    rf"(?<![\w/.=&?#-])(?:{PHRASES['form'][name]})(?![\w/=&#-]|\.\w)" for name in ("tables", "markdown")
)


class OcrOptions(TaskOptions):
    pages: Pages = ""
    """Pages of a document to read: 3, 2-5 or 1, 4-6; 4- (to the end), -1 (the last), first 2, odd; `not 1` leaves one
    out. Default: all."""
    tables: bool = False
    """Return tables as well, cell by cell."""
    markdown: bool = False
    """Return the whole text as Markdown as well."""
    is_for_llm: SkipJsonSchema[bool] = False
    """True if a language model reads the page. The model is then shown the page's tables."""

    @property
    def needs_tables(self) -> bool:
        return self.tables or self.markdown or self.is_for_llm


def parse_ocr(words: str, _has_sources: bool = False) -> OcrOptions:
    """Return the options that `words` ask for.

    >>> parse_ocr("Read page 3 with its tables, please.")
    OcrOptions(pages='3', tables=True, markdown=False, is_for_llm=False)
    >>> parse_ocr("Read https://example.org/tables.pdf as Markdown, without tables.").tables
    False
    """
    words = ends_of(words)

    def asks(wish: str) -> bool:
        starts = (found.start() for found in compiled(wish).finditer(words))
        return any(not compiled(_UNWANTED).search(words, max(0, start - 40), start) for start in starts)

    return OcrOptions(pages=pages_in(words), tables=asks(_TABLES), markdown=asks(_MARKDOWN))
