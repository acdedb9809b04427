"""Cuts a line into pieces of one kind each: `12.03.2025 Oak lamp, 2 pcs 40.00 EUR` has a day, a text, a measure and an
amount."""

import itertools
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from models.safety.account_numbers import ibans_in
from tasks.extraction.concepts import PHRASES
from tasks.extraction.folding import fold
from tasks.extraction.passages import Passage
from tasks.extraction.words_on_page import GAP, WordOnPage
from tasks.notation.addresses import EMAIL, URI
from tasks.notation.cldr import MONTHS, WEEKDAYS
from tasks.notation.currencies import ANY as CURRENCY
from tasks.notation.dates import ORDINAL, find_days
from tasks.notation.words import any_of

LONGEST: Final = 600
"""A line is cut into pieces only if it has at most this many characters. A longer line is running text."""
MAX_PIECES: Final = 24
"""A line has at most this many pieces."""
MAX_WORDS_OF_LABEL: Final = 5
NOT_BEFORE_FIGURES: Final = frozenset(
    ("street", "address", "nothing", "description", "city", "title", "name", "company")
)
"""Concepts whose names are not labels before a figure, but part of a text: `Street 5`."""

_FIGURES = r"\d{1,3}(?:[ .,٬'’\u00a0\u202f]\d{3}){1,6}(?:[.,٫]\d{1,2})?|\d+(?:[.,٫]\d{1,4})?"
_MONTH = rf"(?:{any_of(MONTHS.common)})\.?"
_MOMENT = (
    r"(?:(?:0?[1-9]|[12]\d|3[01])[./](?:0?[1-9]|1[0-2])[./](?:(?:19|20)\d\d|\d\d)"
    r"|(?:0?[1-9]|1[0-2])[./](?:19|20)\d\d|(?:19|20)\d\d[-./](?:0[1-9]|1[0-2])(?:[-./](?:0[1-9]|[12]\d|3[01]))?(?!\d)"
    r"|(?:0[1-9]|[12]\d|3[01])-(?:0[1-9]|1[0-2])-(?:19|20)\d\d|[1-3]?\d\. 1?\d\. (?:19|20)\d\d"
    rf"|(?:\d{{1,2}}(?:{ORDINAL} (?:de )?|\.? ?))?{_MONTH}(?:,? (?:del? )?|[/-])(?:19|20)\d\d|(?:19|20)\d\d)"
)
_NOW = (
    "present|today|now|current|ongoing|heute|jetzt|laufend|aujourd['’]hui|ce jour|actuel(?:lement)?|présent|hoy"
    "|(?:la )?actualidad|presente|actual|oggi|in corso|attuale|hoje|atual|heden|nu|obecnie|nadal|dziś|teraz|idag"
    "|pågående|dosud|d\\.d\\.|to date"
)
_TO_WORD = (
    r"to|until|till|through|bis(?: zum)?|à|au|jusqu['’]au|al|a|ad|do|tot(?: en met)?|t/m|hasta(?: el)?|até|til"
    r"|till och med|t\.o\.m\.|aż do"
)
_TO = rf"--?|[–—－~→]|{_TO_WORD}"
_SINCE = "since|from|seit|ab|vo[mn]|depuis|de|du|desde(?: el)?|del?|dal?|da|sinds|vanaf|van|od|sedan|från|fra"
_TIME = (
    r"(?:[01]?\d|2[0-3])(?:[:.][0-5]\d(?::[0-5]\d)?(?: ?[ap]\.?m\b\.?)?| ?[hu] ?[0-5]\d| ?[ap]\.?m\b\.?| Uhr\b)"
    r"(?:[^\S\t]?Uhr\b)?"
)
_UNIT = (
    r"(?:%|‰|°C|°F|°|º|mg|µg|mcg|kg|g|ml|cl|dl|l|km/h|km|mm|cm|m/s|m²|m2|m³|m3|m|kWh|kW|W|V|A|Ah|mAh|GB|MB|mmHg|bpm|hPa|IE"
    r"|IU|UI|j\.m\.|pts?\.?|points?|Punkte|Pkt\.?|punti|puntos|pontos|pkt\.?|poäng|pcs\.?|pieces|Stk?\.?|Stück|szt\.?"
    r"|stuks?|st\.|uds?\.?|pz\.?|un\.?|h|min(?:ut\w{0,4}|\.)?|Std\.?|hrs?|hours?|Stunden|heures?|horas?|ore|uur|godz\.?|tim\.?|days?"
    r"|Tage?|jours?|días?|giorni|dias?|dagen|dni|dagar|weeks?|Wochen?|months?|Monate?|mois|meses|mesi|years?|Jahre?|ans"
    r"|años|anni|anos|jaar|lat|år|mph|kt|mm/h|kcal|kJ|x|×)"
)
_DOSED = r"(?:/(?:\d+(?:[.,]\d+)? ?)?(?:ml|h|d|g|kg|min|dos\w*|Tag|day|jour))?"

_FORMS: Final = {
    "period": rf"(?:(?P<since>{_SINCE}) )?(?P<start>{_MOMENT})[^\S\t]?(?:{_TO})[^\S\t]?(?P<end>{_MOMENT}|{_NOW})"
    rf"|(?P<from>(?:{_SINCE})) (?P<begun>{_MOMENT})",
    "money": rf"(?:[-−–+] ?)?(?:(?:{CURRENCY}) ?[-−]?(?:{_FIGURES})(?:,-{{1,2}})?"
    rf"|(?:{_FIGURES})(?:,-{{1,2}})? ?(?:{CURRENCY})(?![^\W\d_]))"
    r"(?: ?/ ?[^\W\d_]\w{0,8})?",
    "time": rf"{_TIME}",
    "moment": _MOMENT,
    "day": rf"(?:(?:{any_of(WEEKDAYS.common)})\.?,? )?"
    rf"(?:\d{{1,2}}(?:st|nd|rd|th|er|\.)?[^\S\t]?(?:de )?(?:{any_of(MONTHS.common)})\b\.?(?! of )"
    rf"|(?:{any_of(MONTHS.common)})\.? \d{{1,2}}(?:st|nd|rd|th)?\b|\d\d\.\d\d\.(?!\d))"
    rf"|(?:{any_of(WEEKDAYS.common)})\.?,? \d{{1,2}}[./]\d{{1,2}}\.?(?![\d./])"
    rf"|(?:0?[1-9]|[12]\d|3[01])/(?:0?[1-9]|1[0-2])(?=,? (?:[^\W\d_]{{1,4}}\.? )?{_TIME}(?!\w))",
    "phone": r"\+\d[\d ()/-]{6,18}\d|0\d{1,4}[ /-]\d[\d -]{4,12}\d",
    "measure": rf"[-−+<>≤≥~]? ?(?:{_FIGURES}) ?{_UNIT}{_DOSED}(?![^\W_])",
    "code": r"(?=[A-Z0-9./-]*\d)(?=[A-Z0-9./-]*[A-Z])[A-Z0-9]+(?:[./-][A-Z0-9]+)*"
    r"|[A-Z]{2,4}[- ]\d{2,6}|\d{3,}(?:[-/.]\d+)+",
    "decimal": r"[-−–+]?(?:\d{1,3}(?:[ .,٬'’\u00a0]\d{3})*|\d+)[.,٫]\d\d(?!\d)",
    "number": rf"[-−+]?(?:{_FIGURES})",
}
_BEFORE: Final = {
    "other": r"(?<![\w@])",
    "period": r"(?<![\w@/.])",
    "day": r"(?<![\w@])(?<!\d[.,])",
    "money": r"(?:(?<![\w@])|(?<=\d)(?=[£$]))",
}
"""Pattern of the place before a piece, by the name of its form. OCR may join a struck price and the next one."""
_TYPED: Final = [
    (
        kind,
        re.compile(
            rf"{_BEFORE.get(kind, _BEFORE['other'])}(?:{form})(?![\w@{'/' if kind.endswith('period') else ''}])",
            re.I if kind not in ("code", "phone") else 0,
        ),
    )
    for kind, form in _FORMS.items()
]
_AFTER_ADDRESS: Final = ".,;:!?"
BEFORE_DAYS: Final = 1
"""Number of forms that are searched for before days, which may be parts of them."""
_PERIOD: Final = dict(_TYPED)["period"]
_MARK: Final = re.compile(
    r"(?P<heading>#{1,6}(?=\s))|(?P<box>(?:[-*] )?\[[ xX✓]?\](?=\s))|(?P<bullet>[-–—*+•·◦▪‣☐□✓✔☑➢➤►●○■])(?=\s)"
    r"|(?P<ordinal>\(?(?:\d{1,3}|[a-z]|[ivx]{1,4})[.)](?=\s)|§ ?\d+[a-z]?\.?(?=\s)"
    r"|\d{1,2}(?:\.\d)+\.?(?=\s[^\W\d_a-zß-ÿ])|#\d{1,3}(?=\s))"
)
_SIGN: Final = re.compile(
    r"(?P<gap>\t)|(?P<bar> ?[|·•¦▪] ?| // )|(?P<arrow> ?(?:→|➔|➝|⟶|›|»|->|=>) ?)|(?P<open> ?\()|(?P<close>\)[,;]?)"
    r"|(?P<dash> [-–—] )"
    r"|(?P<semicolon>; ?)|(?P<slash> / )|(?P<comma>, )|(?P<colon>: ?)|(?P<at> @ )"
)


class Piece(NamedTuple):
    kind: str
    """Kind of the piece: the kind of its form, `date` for a day that `find_days` finds, or `text`."""
    text: str
    words: tuple[int, ...]
    """Indices of the words, in the passage."""
    sign: str
    """Name of the separator between the previous piece and this one: `gap`, `comma`, `dash` …; empty for a space."""
    label: str = ""
    """Label before the piece: a text that ends with a colon, or the name of a concept before a figure."""
    in_brackets: bool = False
    start: int = 0
    end: int = 0
    """Start and end of the piece in the line's text."""


class PiecedLine(NamedTuple):
    words: Sequence[WordOnPage]
    text: str
    """The text of the line; a tab stands for a wide gap."""
    mark: str
    """Sign at the beginning of the line: a bullet, a number, a box, or the number signs of a heading."""
    pieces: Sequence[Piece]

    @property
    def left(self) -> int:
        return self.words[0].box[0]

    @property
    def top(self) -> int:
        return self.words[0].box[1]

    @property
    def bottom(self) -> int:
        return max(word.box[3] for word in self.words)

    @property
    def height(self) -> int:
        return self.words[0].height


class PiecePart(NamedTuple):
    name: str
    """`first`, `last`, `figure` or `unit`."""
    text: str


def cut_line(passage: Passage, words: Sequence[WordOnPage]) -> PiecedLine:
    """Cut a line of a page into pieces."""
    text = passage.words[words[0].at]
    starts = [0]
    for before, word in itertools.pairwise(words):
        text += "\t" if word.box[0] - before.box[2] > GAP * before.height else " "
        starts.append(len(text))
        text += passage.words[word.at]
    mark = _MARK.match(text)
    begin = mark.end() if mark else 0
    pieces: list[Piece] = []
    if len(text) <= LONGEST:
        pieces = list(_pieces_of(text, begin, _spans(text, begin), [word.at for word in words], starts))
    return PiecedLine(words, text, mark[0] if mark else "", pieces[:MAX_PIECES])


def ends_of(period: str) -> tuple[str, str]:
    """Return the beginning and the end of a period; the end is empty if the period has not ended. A beginning that
    lacks its month or year takes them from the end; the year before is taken if the beginning would otherwise be after
    the end. A text that is not a period counts as a beginning."""
    found = _PERIOD.search(period)
    if found is None:
        return period, ""
    end = found["end"] or ""
    return found["start"] or found["begun"] or "", "" if re.fullmatch(_NOW, end, re.IGNORECASE) else end


def _spans(text: str, begin: int) -> list[tuple[int, int, str]]:
    """Return the typed pieces of a text, in order."""
    taken: list[tuple[int, int, str]] = []

    def add(start: int, end: int, kind: str) -> None:
        if start >= begin and end > start and all(end <= one or start >= other for one, other, _ in taken):
            taken.append((start, end, kind))

    for kind, pattern in (("email", EMAIL), ("uri", URI)):
        for found in pattern.finditer(text):
            add(found.start(), found.start() + len(found[0].rstrip(_AFTER_ADDRESS)), kind)
    for start, end in ibans_in(text, begin, len(text)):
        add(start, end, "code")
    for number, (kind, form) in enumerate(_TYPED):
        if number == BEFORE_DAYS:
            for day in find_days(text):
                add(day.start, day.end, "date")
        for found in form.finditer(text):
            start, end = found.span()
            add(end - len(found[0].lstrip()), start + len(found[0].rstrip()), kind)
    return sorted(taken)


def _pieces_of(
    text: str, begin: int, typed: Sequence[tuple[int, int, str]], ats: Sequence[int], starts: Sequence[int]
) -> Iterator[Piece]:
    sign, label, depth = "", "", 0
    spans = [*typed, (len(text), len(text), "")]

    def piece(kind: str, start: int, end: int) -> Piece:
        own = tuple(at for at, first in zip(ats, [*starts[1:], len(text) + 1], strict=False) if first > start)
        firsts = dict(zip(ats, starts, strict=True))
        words = tuple(at for at in own if firsts[at] < end)
        return Piece(
            kind, text[start:end], words=words, sign=sign, label=label, in_brackets=depth > 0, start=start, end=end
        )

    at = begin
    for start, end, kind in spans:
        while at < start:
            found = _SIGN.search(text, at, start)
            stop = found.start() if found else start
            if piece_span := _trimmed(text, at, stop):
                if found and found.lastgroup == "colon" and _is_label(text[piece_span[0] : piece_span[1]]):
                    label = text[piece_span[0] : piece_span[1]]
                    sign = sign or "colon"
                    at = found.end()
                    continue
                if (
                    found is None
                    and kind
                    and text[stop - 1 : stop] == " "
                    and (begun := _label_at_end(text, *piece_span)) is not None
                    and not (label and begun == piece_span[0])
                ):
                    if rest := _trimmed(text, piece_span[0], begun):
                        yield piece("text", *rest)
                        sign = ""
                    label = text[begun : piece_span[1]]
                    break
                yield piece("text", *piece_span)
                sign, label = "", ""
            if found is None:
                break
            name = str(found.lastgroup)
            if name == "open":
                depth += 1
            elif name == "close":
                depth = max(0, depth - 1)
            sign = name if name != "close" else sign
            at = found.end()
        if kind:
            yield piece(kind, start, end)
            sign, label = "", ""
        at = max(at, end)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Return the span of a text without the signs around it; None if it has no letter or figure."""
    while start < end and (text[start].isspace() or text[start] in ",;:-–—|·•*_.…=~"):
        start += 1
    while end > start and (text[end - 1].isspace() or text[end - 1] in ",;:-–—|·•*_…=~"):
        end -= 1
    return (start, end) if any(map(str.isalnum, text[start:end])) else None


def _label_at_end(text: str, start: int, end: int) -> int | None:
    """Return the start of the known label at the end of a text before a figure, or None if there is none."""
    words = [found.start() for found in re.finditer(r"\S+", text[start:end])]
    for first in words[-3:]:
        label_words = tuple(fold(text[start + first : end]))
        if label_words in PHRASES and PHRASES[label_words] not in NOT_BEFORE_FIGURES:
            return start + first
    return None


def _is_label(text: str) -> bool:
    return text.count(" ") < MAX_WORDS_OF_LABEL and any(map(str.isalpha, text))


@lru_cache(maxsize=4096)
def parts_of(kind: str, text: str) -> Sequence[PiecePart]:
    """Return the parts of a piece that may be separate values."""
    if kind == "period":
        first, last = ends_of(text)
        return [PiecePart("first", first), *_part("last", last)]
    if kind in ("number", "decimal"):
        return [PiecePart("figure", text)]
    if kind in ("measure", "money"):
        figure = "".join(character for character in text if character in "0123456789.,'’ -–−½/").strip(" /")
        return [*_part("figure", figure if figure.strip(" -/") else ""), *_part("unit", unit_text(text))]
    return []


def _part(name: str, text: str) -> Sequence[PiecePart]:
    """Return a part in a list; an empty list if the part has no text."""
    return [PiecePart(name, text)] if text else []


def unit_text(text: str) -> str:
    """Return the unit of a measure or an amount."""
    return text.strip("0123456789.,'’ -–−+<>≤≥~½")
