"""Finds the parties of a contract by the sentence that introduces them: `Acme Ltd of 9 Quay Street (hereinafter
"Landlord")`.

The sentence has the party's name, address and representative before this definition.
"""

import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from tasks.extraction.folding import fold
from tasks.matches_in_slices import matches_in_slices

Aspect = Literal["name", "address", "representative"]

MAX_CHARS: Final = 600
"""A party is introduced within this many characters before its definition. The bound limits the work on a long text."""
MAX_TEXT: Final = 100_000
"""Parties are searched for in this many characters at the beginning of a passage, which limits the work."""
LONGEST_NAME: Final = 9
"""A party's name has at most this many words. A longer text does not name a party."""

_OPEN, _CLOSE = '“„«"‘‚»', '”“»"’‘«'
_ROLE = rf"[{_OPEN}]\s?(?P<role>[^{_OPEN}{_CLOSE}]{{2,40}}?)\s?[{_CLOSE}]"
_HEREINAFTER = (
    r"(?:herein-?after|hereafter|nachfolgend|nachstehend|im folgenden|ci-après|ci-dessous|en adelante|en lo sucesivo"
    r"|di seguito|in seguito|doravante|adiante|zwan\w+ dalej|zwan\w+ w dalszej|hierna|härefter|nedan)"
)
_PLAIN = r"(?!(?:the|der|die|das|les?|la|los|las|el|il|lo|gli|os?|as?|de|het)\b)(?-i:[A-ZÀ-Þ])[^\W\d_]{2,30}"
_DEFINED = re.compile(
    rf"\(?\s?{_HEREINAFTER}[^{_OPEN}{_CLOSE}.;]{{0,50}}{_ROLE}\s?\)?"
    rf"|\(?\s?{_HEREINAFTER},?(?: [^\W\d_]{{2,12}}){{0,3}}? (?P<plain>{_PLAIN})(?=[\s,.;)])\)?"
    rf"|\((?:the |der |die |le |la |el |il |o |a |de |het )?{_ROLE.replace('role', 'short')}\)"
    r"|\((?:the|der|die|le|la|el|il|o|a|de|het) (?P<bare>(?-i:[A-ZÀ-Þ])[^\W\d_]{2,30})\)",
    re.IGNORECASE,
)
_BEFORE_PARTIES = re.compile(
    r"\b(?:by and between|between|zwischen|entre(?: les soussignés)?|po?między|tra|fra|tussen|mellan"
    r"|(?:de|por) (?:una?|la otra|otra|otro) parte|da una parte|dall['’]altra(?: parte)?|de um lado"
    r"|do outro)\b\s?[:,]?",
    re.IGNORECASE,
)
_AND = re.compile(
    r"[\s,;.:)\d-]*(?:(?:and|und|sowie|et|y|e|ed|a|i|oraz|en|och|d'une part|d'autre part|einerseits|andererseits)\b"
    r"[\s,;:]*)*",
    re.IGNORECASE,
)
_FORM = re.compile(
    r"(?:(?:mrs?|ms|dr|prof|herrn?|frau|m|mme|mlle|monsieur|madame|d|dña|don|doña|sra?|sig|sig\.ra|ing|avv"
    r"|de heer|mevrouw"
    r"|spółką|spółka|pan(?:em|ią|i)?|the company|la société|l['’]entreprise|die firma|firma|der|die|la empresa|la ditta"
    r"|a empresa|o|a|la|il|el|le)\b\.? )++",
    re.IGNORECASE,
)
_NEXT_PARTY = re.compile(
    rf".*?[\s,](?:and|und|sowie|et|y|e|ed|i|oraz|en|och)\s+(?=(?:{_FORM.pattern})?(?-i:[^\W\d_a-zà-ÿ]))", re.IGNORECASE
)
"""Pattern of the text before the next party, whose name begins at the first capital letter after an "and"."""
_NAME_ENDS = re.compile(
    r",|;|\(| (?:of|residing|whose|having|with|wohnhaft|vertreten|geb|geboren|représent|demeurant|domicili|dont|con|mit"
    r"|gevestigd|wonende|zamieszka|z siedzib|born|née?|nato|nata|nacid|com sede|residente|titular|sis)",
)
_LEGAL_FORM = re.compile(r", ?(?:Inc|Ltd|LLC|LLP|PLC|S\.?A|S\.?L|Lda|GmbH|S\.r\.l|S\.p\.A)\b\.?")
_BEFORE_ADDRESS = re.compile(
    r"(?:^|,?\s|,)(?:(?:with |whose |having )?(?:its )?(?:registered office"
    r"|principal place of business)(?: is)? at|residing at"
    r"|of|at|wohnhaft(?: in)?|ansässig in|mit sitz in|demeurant(?: à| au)?|domicili\w+(?: à| au| en| in)?"
    r"|dont le siège(?: social)? est(?: situé| sis)?(?: à| au)?|sise?(?: à| au)?|con sede(?: legale)?(?: in| a)?"
    r"|residente (?:in|a|em|en)|con domicilio en|gevestigd (?:te|aan)|wonende (?:te|aan)|com sede (?:em|na|no)"
    r"|z siedzibą we?|zamieszkał\w+ we?|zam\.(?: przy| we?)?)\s+(?=\S)",
    re.IGNORECASE,
)
_ADDRESS_ENDS = re.compile(
    r"\s?(?:;|\((?!\d)|,? ?(?:\b(?:represent|vertret|représent|reprezent|rappresent|vertegenw|company n"
    r"|registered (?:under|with|in)"
    r"|regist\w+ n|under (?:company )?number|siret|siren|rcs|nip|krs|regon|pesel|vat|ust|hrb|nif|nipc|cif|dni"
    r"|bsn|kvk|p\. ?iva"
    r"|c\.?f\b|codice|tel|phone|e-?mail|born|geb|née?\b|wpisan|immatricul|legitym|inscrit|titular|con (?:dni|nif|cif)"
    r"|nachfolg|each|im folg)))",
    re.IGNORECASE,
)
_REPRESENTED_BY = re.compile(
    r"(?P<by>represented|vertreten|représentée?s?|reprezentowan\w+|representad[oa]|rappresentat[oa]|vertegenwoordigd)"
    r" (?:by|durch|par|przez|por|dal?(?:la)?|door)\s+",
    re.IGNORECASE,
)
_PERSON = re.compile(
    r"(?<!\w)[^\W\d_a-zà-ÿ][\w'’.-]+(?: (?:[^\W\d_a-zà-ÿ][\w'’.-]*|de|van|von|der|la|le|del|di|da|dos))+"
)
_TITLED = re.compile(r"(?:Mrs?|Ms|Dr|Prof|Dott|Avv|Ing|Herrn?|Frau|M|Mme|Sig|Sra?|D|Dña|Pana?|Panią)\.? ")


class NamedPart(NamedTuple):
    """A part of the text that introduces a party, by its place in the text."""

    role: tuple[str, ...]
    """Folded words by which the text refers to the party."""
    aspect: Aspect
    start: int
    end: int


class Introduction(NamedTuple):
    """The text that introduces a party, before the words that define it."""

    role: tuple[str, ...]
    """Folded words by which the text refers to the party."""
    start: int
    end: int


def named_parties(text: str) -> Iterator[NamedPart | None]:
    """Yield the name, the address and the representative of each party that the text defines, and None after each slice
    of work.

    If any definition in the text is in quotation marks, brackets without quotation marks, as in `(the Netherlands)`,
    define no party.
    """
    for party in introductions(text):
        if party is None:
            yield None
        else:
            yield from _parts(text[:MAX_TEXT].replace("\n", " ").replace("\t", " "), *party)


def introductions(text: str) -> Iterator[Introduction | None]:
    """Yield the place where the text introduces each party that it defines, and None after each slice of work."""
    flat = text[:MAX_TEXT].replace("\n", " ").replace("\t", " ")
    definitions = []
    for match in matches_in_slices(_DEFINED, flat):
        if match is None:
            yield None
        else:
            definitions.append(match)
    definitions = [found for found in definitions if not found["bare"]] or definitions
    done = 0
    for found in definitions:
        yield None
        role = tuple(fold(found["role"] or found["plain"] or found["short"] or found["bare"]))
        begin, end = max(done, found.start() - MAX_CHARS), found.start()
        # The text after the previous definition may be the address of that party: `(the Landlord) of 9 Quay Street and
        # …`.
        if begin == done and _BEFORE_ADDRESS.match(flat, begin, end) and (rest := _NEXT_PARTY.match(flat, begin, end)):
            begin = rest.end()
        done = found.end()
        for between in _BEFORE_PARTIES.finditer(flat, begin, end):
            begin = between.end()
        if (led := _AND.match(flat, begin, end)) is not None:
            begin = led.end()
        if (form := _FORM.match(flat, begin, end)) is not None:
            begin = form.end()
        yield Introduction(role, begin, end)


def _parts(text: str, role: tuple[str, ...], begin: int, end: int) -> Iterator[NamedPart]:
    stop = _NAME_ENDS.search(text, begin, end)
    until = stop.start() if stop else end
    if (legal := _LEGAL_FORM.match(text, until, end)) is not None:
        until = legal.end()
    while until > begin and text[until - 1] in " ,;:(":
        until -= 1
    name = text[begin:until]
    if not name[:1].isupper() or name.count(" ") >= LONGEST_NAME:
        return
    yield NamedPart(role, "name", begin, until)
    by = _REPRESENTED_BY.search(text, until, end)
    people = _PERSON.finditer(text, by.end(), end) if by else ()
    if (person := next((one for one in people if one[0][0].isupper()), None)) is not None:
        titled = _TITLED.match(text, person.start(), person.end())
        yield NamedPart(role, "representative", titled.end() if titled else person.start(), person.end())
    position = _BEFORE_ADDRESS.search(text, until, by.start() if by else end)
    start = position.end() if position else until
    while start < end and text[start] in " ,;:)":
        start += 1
    closed = _ADDRESS_ENDS.search(text, start, end)
    last = closed.start() if closed else end
    while last > start and text[last - 1] in " ,;:(.":
        last -= 1
    address = text[start:last]
    if any(map(str.isdigit, address)) and any(map(str.isalpha, address)):
        yield NamedPart(role, "address", start, last)
