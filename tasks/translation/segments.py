"""Splits a text into sentences and the parts between them, and checks that a translation keeps the parts that must not
change. In a file whose format is known, such as JSON or subtitles, the sentences are those of its texts.

Items (markup, code, addresses and placeholders) and numbers must survive unchanged. Bounds in the patterns keep them
fast on any text.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from models.safety.personal_data import KINDS
from models.translation.marks import (
    MARK,
    MAX_MARKS,
    closing_mark,
    content_mark,
    is_markup,
    markup_mark,
    number_of,
    opening_mark,
    pairs_of,
    renumbered,
    same_marks,
)
from tasks.translation.file_formats import Quoting, places_in, quoted
from tasks.wording.phrases import compiled

Kind = Literal["break", "markup", "content"]
"""Kind of an item. A `break` ends a sentence (a line's end, `<p>`, a fenced block), `markup` stands between words
(`<b>`, `**`), and `content` takes the place of a word (`{name}`, a code span, an address)."""

_INLINE = (
    "a|abbr|b|bdi|bdo|big|cite|data|del|dfn|em|font|g|i|ins|label|mark|q|rp|rt|ruby|s|small|span|strike|strong|sub"
)
_INLINE += "|sup|time|tt|u|var|x|wbr|\\d{1,4}"
_ATTRIBUTES = r"(?:\s(?:[^<>\"']|\"[^\"]{0,2000}\"|'[^']{0,2000}'){0,2000})?"

_PATTERNS: tuple[tuple[Kind, str], ...] = (
    ("break", r"<[!?][^<>]{0,2000}>"),
    # a line's end with everything that begins the next line
    ("break", r"(?:\A|[ \t]*[\r\n\v\f\x85\u2028\u2029]+)[ \t]{0,12}\[[^\]\n]{1,200}\]:[ \t]+\S[^\n]*"),
    (
        "break",
        r"(?:(?:\A|[ \t]*\\?[\r\n\v\f\x85\u2028\u2029]+)[ \t\u3000]*"
        r"(?:>[ \t]?){0,10}(?:#{1,6}[ \t]+|(?:[-*+•–]|\d{1,9}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?)?)",
    ),
    # code and templates
    ("content", r"(?<!`)(?P<ticks>`{1,2})(?!`)[^\n]{1,1000}?(?<!`)(?P=ticks)(?!`)"),
    (
        "content",
        r"\{\{(?:(?!\{\{)[^\n]){0,500}?\}\}|\{%(?:(?!\{%)[^\n]){0,500}?%\}|<%(?:(?!<%).){0,500}?%>|[$#]\{[^{}\n]{0,300}\}|\[\[[^\[\]\n]{1,200}\]\]",
    ),
    (
        "content",
        r"\{[^\W\d]\w{0,60}, ?(?:plural|select|selectordinal),"
        r"(?:[^{}]|\{(?:[^{}]|\{[^{}]{0,300}\}){0,500}\}){0,3000}\}",
    ),
    ("content", r"\{[^{}\n]{0,200}\}"),
    ("content", rf"\[(?:{'|'.join(KINDS)})\]"),
    ("content", r"%\([\w.]{1,60}\)[#0\- +]?\d*(?:\.\d+)?[a-zA-Z]|%\d{1,2}\$[#0\- +]?\d*(?:\.\d+)?[a-zA-Z@]"),
    ("content", r"%[#0\-+]?\d{0,3}(?:\.\d{1,2})?(?:[hlqLzjt]{0,2}[diouxXeEfFgGcs@])(?![A-Za-z])|%[A-Z_]{2,40}%|%%"),
    ("content", r"\$[A-Za-z_]\w{0,60}"),
    # addresses
    ("content", r"(?:https?|ftp|file|mailto|tel|data):[^\s<>\"'`\]})\u3000-\u303f\uff00-\uffef]{1,2000}(?<![.,;:!?])"),
    ("content", r"\bwww\.[^\s<>\"'`\]})]{1,1000}(?<![.,;:!?])"),
    ("content", r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}"),
    ("content", r"(?<![\w@])[@#][A-Za-z_][\w.]{0,60}(?<!\.)"),
    # HTML and XML
    ("markup", rf"</?(?:{_INLINE})(?=[\s/>]){_ATTRIBUTES}\s*/?>"),
    ("break", rf"</?[A-Za-z][\w:.-]{{0,60}}{_ATTRIBUTES}\s*/?>"),
    ("content", r"&(?:[A-Za-z][A-Za-z0-9]{1,30}|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});"),
    # Markdown within a line
    ("content", r"\[\^[^\]\n]{1,60}\]"),
    ("markup", r"!?\[(?=[^\[\]\n]{0,500}\](?:\([^()\n]{0,1000}\)|\[[^\[\]\n]{0,200}\]))"),
    ("markup", r"\](?:\([^()\n]{0,1000}\)|\[[^\[\]\n]{0,200}\])"),
    ("break", r"[ \t]*\|[ \t]*"),
    ("content", r"\\[^\w\s]|\\[nrt0]"),
    ("markup", r"\*{1,3}(?=[^\s*])|(?<=[^\s*])\*{1,3}|~~"),
    ("markup", r"(?<![^\W_])_{1,3}(?=[^\W_])|(?<=[^\s_])_{1,3}(?!\w)"),
    ("break", r"\t+| {3,}"),
    # signs that engines do not know
    ("content", r"[\U0001f000-\U0001faff\u2600-\u27bf\u2190-\u21ff\u2b00-\u2bff\ufe0f\u200d~]+|[\ue000-\uf8ff]"),
)

_OPENERS: tuple[tuple[Kind, str, str], ...] = (
    ("break", r"(?:(?<=\n)|\A)[ \t]{0,3}(?P<fence>`{3,}|~{3,})[^\n]*", r"\n[ \t]{0,3}FENCE[^\n]*"),
    ("break", "<!--", "-->"),
    ("break", r"<!\[CDATA\[", r"\]\]>"),
    ("break", r"<(?P<raw>script|style|pre|textarea|svg|math)\b[^<>]{0,2000}>", r"</RAW\s*>"),
    ("content", r"<(?P<code>code|kbd|samp)\b[^<>]{0,500}>", r"</CODE\s*>"),
    ("break", r"\$\$", r"\$\$"),
    ("break", r"\\\[", r"\\\]"),
)
"""Opening and closing patterns of blocks whose content is not prose. They are searched for separately, because each
opener that is never closed would cause a search to the end of the text."""

_FRONT_MATTER = r"(?s)\A---[ \t]*\n.{0,20000}?\n---[ \t]*(?=\n|\Z)"
_OPENER = "|".join(f"(?P<o{place}>{opener})" for place, (_, opener, _) in enumerate(_OPENERS))
_NAMED = [f"(?P<k{place}>{pattern})" for place, (_, pattern) in enumerate(_PATTERNS)]
# Items never begin within a word. The preceding character is checked first, which saves trying the other patterns. The
# beginning of a text is an item only if it has signs, so that no item is empty.
_ITEM = rf"(?s)(?:(?<![A-Za-z])|(?=[\W_]))(?:{'|'.join(_NAMED)})(?!\A)"
_LONGEST_ITEM = 1500
"""An item between sentences that has more characters than this may be missed, because the patterns take up to 3 µs for
each character in which an item may begin and for each of the _LONGEST_ITEM after it."""
_SEARCHED_AT_ONCE = 1000
"""Number of characters in which one search looks for the beginnings of items."""
_NEAR_END = 100
"""Number of characters after an item that may decide where it ends."""
NUMBER = re.compile(r"(?<![A-Za-z\u00c0-\u024f_\d])\d+(?:[.,:/\-\u2019]\d+)*(?![A-Za-z\u00c0-\u024f_\d])")
LONGEST = 500
"""A sentence has at most this many characters. A longer one is cut at a comma, at a space, or else at this length,
because models were trained on short sentences."""
_END = re.compile(
    r"(?<![.!?…])[.!?…]++[\"'”’»)\]\ue400-\uefff]*+\s++(?![a-zß-öø-ÿа-яё,;])"
    r"|[。！？｡]++[」』”’）]*+\s*+|(?<![।॥؟۔])[।॥؟۔]++\s++"
)
_LAST_WORD = re.compile(r"(?:\A|[\s(\"'“„«])([^\W\d_](?:[\w.]{0,9}[^\W_])?)\.\Z")
_ABBREVIATED = (
    "mr mrs ms dr prof st sr jr vs etc e.g i.e cf no nos vol fig figs approx dept est inc ltd co corp gen col capt sgt "
    "rev hon jan feb mar apr jun jul aug sep sept oct nov dec a.m p.m u.s u.k z.b d.h u.a bzw usw ca nr bd hr fr str "
    "vgl evtl ggf inkl mme mlle m mm p.ex c.-à-d env art sra srta dña ud uds ee.uu p.ej av sig dott ing avv ecc pag "
    "exmo eng bijv enz dhr mevr т.е т.д т.п г ул им др"
)
_ABBREVIATIONS = frozenset(_ABBREVIATED.split())
_SOFT = re.compile(r"[,;:،、；：，][ \t]*|\s+")
_ONE_AFTER = r"[,;:،、；：，]"
_MAX_ITEMS = MAX_MARKS // 2
"""A run of text between two breaks has at most this many items, so that some marks remain for numbers. Further items
begin another run."""
_EDGE = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "".join(map(markup_mark, range(MAX_MARKS)))
"""White space and marks that may surround a sentence."""
_SOMETHING = re.compile(rf"[^\W_]|[{content_mark(0)}-{content_mark(MAX_MARKS - 1)}]")
_TAG = re.compile(r"<(?P<slash>/?)(?P<name>\w+)[^<]*?(?P<end>/?)>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class MarkupItem:
    start: int
    end: int
    kind: Kind
    text: str


def items_of(text: str) -> Iterator[MarkupItem]:
    """Yield the items of a text in order, not empty and without overlaps."""
    place = 0
    for block in _blocks_of(text):
        yield from _items_between(text, place, block.start)
        yield block
        place = block.end
    yield from _items_between(text, place, len(text))


def _items_between(text: str, start: int, end: int) -> Iterator[MarkupItem]:
    for found in _search(compiled(_ITEM), text, start, end):
        # The last group to close is the outermost one.
        kind = _PATTERNS[int(str(found.lastgroup)[1:])][0]
        yield MarkupItem(found.start(), found.end(), kind, found.group())


def _search(pattern: re.Pattern[str], text: str, position: int, end: int) -> Iterator[re.Match[str]]:
    """Yield the matches of `pattern` in `text[position:end]`, as far as their first _LONGEST_ITEM characters suffice to
    recognise them."""
    while position < end:
        stop = position + _SEARCHED_AT_ONCE
        found = pattern.search(text, position, min(stop + _LONGEST_ITEM, end))
        if found is None or found.start() >= stop:
            position = stop
            continue
        seen = stop + _LONGEST_ITEM
        while found.end() + _NEAR_END > seen and seen < end:
            seen += seen - position
            found = pattern.match(text, found.start(), min(seen, end)) or found
        yield found
        position = found.end()


def _blocks_of(text: str) -> Iterator[MarkupItem]:
    never_closed: set[str] = set()
    place = 0
    if front_matter := compiled(_FRONT_MATTER).match(text):
        place = front_matter.end()
        yield MarkupItem(0, place, "break", front_matter.group())
    while opened := next(_search(compiled(_OPENER), text, place, len(text)), None):
        kind, _, closer = _OPENERS[int(str(opened.lastgroup)[1:])]
        for name in ("fence", "raw", "code"):
            closer = closer.replace(name.upper(), re.escape((opened[name] or "").lower()))
        closed = None
        if closer not in never_closed:
            closed = re.compile(closer, re.IGNORECASE).search(text, opened.end())
        place = opened.end()
        if closed is None:
            never_closed.add(closer)
            if opened["fence"] is None:
                continue
        place = closed.end() if closed else len(text)
        yield MarkupItem(opened.start(), place, kind, text[opened.start() : place])


def cut(text: str) -> list[str]:
    """Split `text` into sentences, each with the white space after it, so that their concatenation is `text`."""
    sentences: list[str] = []
    start = 0
    for end in _END.finditer(text):
        if not _is_abbreviated(text[max(start, end.start() - 12) : end.start() + 1], end.group()):
            sentences += _split_long(text[start : end.end()])
            start = end.end()
    if start < len(text):
        sentences += _split_long(text[start:])
    return sentences


def _is_abbreviated(text_before: str, end: str) -> bool:
    word = _LAST_WORD.search(text_before) if end.rstrip() == "." else None
    return word is not None and (len(word[1]) == 1 or word[1].lower() in _ABBREVIATIONS)


def _split_long(sentence: str) -> list[str]:
    pieces: list[str] = []
    start = 0
    while len(sentence) - start > LONGEST:
        piece = sentence[start : start + _place_to_cut(sentence[start : start + LONGEST])]
        pieces.append(piece)
        start += len(piece)
    return [*pieces, sentence[start:]]


def _place_to_cut(sentence: str) -> int:
    ends = [(found.end(), bool(re.match(_ONE_AFTER, found.group()))) for found in _SOFT.finditer(sentence, 1, LONGEST)]
    commas = [end for end, is_comma in ends if is_comma and end >= LONGEST // 3]
    return commas[-1] if commas else ends[-1][0] if ends else LONGEST


@dataclass(frozen=True, slots=True)
class Sentence:
    text: str
    """The sentence with marks, on one line, stripped."""
    items: tuple[str, ...]
    """Items that the marks stand for, by number."""
    quoting: Quoting = ""
    """The way in which the translation is written in a file."""

    @property
    def original(self) -> str:
        return self.restored(self.text)

    @property
    def with_numbers_marked(self) -> "Sentence":
        items = [*self.items]

        def mark(number: re.Match[str]) -> str:
            items.append(number.group())
            return content_mark(len(items) - 1)

        return replace(self, text=NUMBER.sub(mark, self.text), items=tuple(items))

    def restored(self, translation: str) -> str:
        """Replace the marks in `translation` by their items."""
        return MARK.sub(lambda mark: self.items[number_of(mark.group())], translation)

    def is_kept_by(self, translation: str) -> bool:
        """True if `translation` has exactly the items that must survive."""
        if not translation.strip() or not same_marks(self.text, translation):
            return False
        return _items_to_keep(self.original) == _items_to_keep(self.restored(translation))


def pieces_of(text: str) -> list[str | Sentence]:
    """Split `text` into sentences and strings that stay unchanged. Together, these strings and the original sentences
    are `text`; but signs in JSON may be escaped in another way, and the targets of a catalogue have the texts of its
    sources."""
    places = places_in(text)
    if places is None:
        return _pieces_of_prose(text)
    pieces: list[str | Sentence] = []
    end = 0
    for place in places:
        pieces.append(text[end : place.start] + place.before)
        end = place.end
        for piece in _pieces_of_prose(place.text):
            if isinstance(piece, Sentence):
                pieces.append(replace(piece, quoting=place.quoting))
            else:
                pieces.append(quoted(piece, place.quoting))
        pieces.append(place.after)
    return [piece for piece in [*pieces, text[end:]] if piece]


def joined(pieces: Sequence[str | Sentence], translations: Sequence[str]) -> str:
    """Return the text of `pieces` with a translation for each sentence."""
    remaining = iter(translations)
    return "".join(piece if isinstance(piece, str) else quoted(next(remaining), piece.quoting) for piece in pieces)


def _pieces_of_prose(text: str) -> list[str | Sentence]:
    pieces: list[str | Sentence] = []
    run: list[str | MarkupItem] = []
    items = place = 0
    for item in items_of(text):
        run.append(text[place : item.start])
        place = item.end
        if item.kind == "break" or items == _MAX_ITEMS:
            pieces += _sentences_of(run)
            run, items = [], 0
        if item.kind == "break":
            pieces.append(item.text)
        else:
            run.append(item)
            items += 1
    pieces += _sentences_of([*run, text[place:]])
    return [piece for piece in pieces if piece]


def is_invented(translation: str, original: str) -> bool:
    """True if a fragment's translation has markup, code or placeholders that differ from those of the fragment."""
    return any(True for _ in items_of(translation)) and _items_to_keep(translation)[:2] != _items_to_keep(original)[:2]


def respaced(source: str, translation: str) -> str:
    """Space the markup in `translation` as in `source`: an opening `<b>`, for example, touches the word after it."""
    for mark in {mark for mark in MARK.findall(source) if is_markup(mark)}:
        before, _, after = source.partition(mark)
        left, right = before[-1:], after[:1]
        opens = right != "" and not right.isspace() and not left.isalnum()
        closes = left != "" and not left.isspace() and not right.isalnum()
        if opens == closes:
            continue
        translation = re.sub(f"{mark}\\s+" if opens else f"\\s+{mark}", mark, translation)
        if closes and right and not right.isspace():
            translation = re.sub(f"{mark}\\s+(?=[^\\w\\s])", mark, translation)
    return translation


def _sentences_of(run: Sequence[str | MarkupItem]) -> list[str | Sentence]:
    """Split the run between two breaks into sentences."""
    marked = ""
    items: list[str] = []
    for part in run:
        if isinstance(part, str):
            marked += part
        else:
            mark = markup_mark if part.kind == "markup" else content_mark
            marked += mark(len(items))
            items.append(part.text)
    whole = Sentence(marked, tuple(items))
    pieces: list[str | Sentence] = []
    for sentence in cut(marked):
        before, core, after = _trimmed(_with_pairs(sentence, items))
        if not any(letter.isalpha() for letter in core):
            pieces.append(whole.restored(sentence))
            continue
        pieces += [whole.restored(before), _renumber_marks(core, items), whole.restored(after)]
    return pieces


def _with_pairs(sentence: str, items: Sequence[str]) -> str:
    """Replace the marks for markup by opening and closing marks where both are in the sentence, around some text."""
    signs = list(sentence)
    opened: list[tuple[str, int]] = []
    for found in MARK.finditer(sentence):
        if not is_markup(found.group()):
            continue
        name, opens, closes = _markup_sides(items[number_of(found.group())])
        openings = [index for index, (other, _) in enumerate(opened) if other == name] if closes else []
        if openings:
            start = opened[openings[-1]][1]
            del opened[openings[-1] :]
            if _SOMETHING.search(sentence, start, found.start()):
                signs[start] = opening_mark(number_of(signs[start]))
                signs[found.start()] = closing_mark(number_of(found.group()))
        elif opens:
            opened.append((name, found.start()))
    return "".join(signs)


def _markup_sides(item: str) -> tuple[str, bool, bool]:
    """Return the markup's name, and whether it can open and close a pair of this name."""
    if tag := _TAG.fullmatch(item):
        return f"<{tag['name'].lower()}>", not tag["slash"] and not tag["end"], bool(tag["slash"])
    if "[" in item or item.startswith("]"):
        return "[]", not item.startswith("]"), item.startswith("]")
    return item, True, True


def _trimmed(sentence: str) -> tuple[str, str, str]:
    """Split a sentence into what surrounds it, the sentence, and what surrounds it: white space and markup, with the
    pairs that enclose all of it."""
    pairs = pairs_of(sentence)
    core = sentence.strip(_EDGE)
    while core and pairs.get(core[0]) == core[-1]:
        core = core[1:-1].strip(_EDGE)
    before, _, after = sentence.partition(core) if core else (sentence, "", "")
    return before, core, after


def _renumber_marks(core: str, items: Sequence[str]) -> Sentence:
    own: list[str] = []

    def renumber(found: re.Match[str]) -> str:
        own.append(items[number_of(found.group())])
        return renumbered(found.group(), len(own) - 1)

    return Sentence(MARK.sub(renumber, core), tuple(own))


def _items_to_keep(text: str) -> tuple[list[str], list[str], list[str]]:
    """Return the sorted markup, other items and numbers."""
    items = list(items_of(text))
    bare, place = [], 0
    for item in items:
        bare.append(text[place : item.start])
        place = item.end
    return (
        sorted(item.text for item in items if item.kind == "markup"),
        sorted(item.text for item in items if item.kind != "markup"),
        sorted(NUMBER.findall(" ".join([*bare, text[place:]]))),
    )
