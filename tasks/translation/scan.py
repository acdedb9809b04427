"""What in a text must come out of a translation as it went in: markup, code, addresses, placeholders, numbers.

Bounds in the patterns keep any text, however odd, from making them slow.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from models.safety.personal_data import KINDS

Kind = Literal["break", "markup", "content"]
"""A `break` ends a sentence (a line's end, `<p>`, a fenced block); `markup` stands between words (`<b>`, `**`);
`content` is in a word's place (`{name}`, a code span, an address)."""

_INLINE = (
    "a|abbr|b|bdi|bdo|big|cite|data|del|dfn|em|font|g|i|ins|label|mark|q|rp|rt|ruby|s|small|span|strike|strong|sub"
)
_INLINE += "|sup|time|tt|u|var|x|wbr|\\d{1,4}"
_ATTRIBUTES = r"(?:\s(?:[^<>\"']|\"[^\"]{0,2000}\"|'[^']{0,2000}'){0,2000})?"

_PATTERNS: tuple[tuple[Kind, str], ...] = (
    ("break", r"\A---[ \t]*\n.{0,20000}?\n---[ \t]*(?=\n|\Z)|<[!?][^<>]{0,2000}>"),
    # A line's end with all that begins the next line.
    ("break", r"(?:\A|[ \t]*[\r\n\v\f\x85\u2028\u2029]+)[ \t]{0,12}\[[^\]\n]{1,200}\]:[ \t]+\S[^\n]*"),
    (
        "break",
        r"(?:(?:\A|[ \t]*[\r\n\v\f\x85\u2028\u2029]+)[ \t\u3000]*"
        r"(?:>[ \t]?){0,10}(?:#{1,6}[ \t]+|(?:[-*+•–]|\d{1,9}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?)?)",
    ),
    # Code and templates.
    ("content", r"(?<!`)(?P<ticks>`{1,2})(?!`)[^\n]{1,1000}?(?<!`)(?P=ticks)(?!`)"),
    (
        "content",
        r"\{\{[^\n]{0,500}?\}\}|\{%[^\n]{0,500}?%\}|<%.{0,500}?%>|[$#]\{[^{}\n]{0,300}\}|\[\[[^\[\]\n]{1,200}\]\]",
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
    # Addresses.
    ("content", r"(?:https?|ftp|file|mailto|tel|data):[^\s<>\"'`\]})\u3000-\u303f\uff00-\uffef]{1,2000}(?<![.,;:!?])"),
    ("content", r"\bwww\.[^\s<>\"'`\]})]{1,1000}(?<![.,;:!?])"),
    ("content", r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}"),
    ("content", r"(?<![\w@])[@#][A-Za-z_][\w.]{0,60}(?<!\.)"),
    # HTML and XML.
    ("markup", rf"</?(?:{_INLINE})(?=[\s/>]){_ATTRIBUTES}\s*/?>"),
    ("break", rf"</?[A-Za-z][\w:.-]{{0,60}}{_ATTRIBUTES}\s*/?>"),
    ("content", r"&(?:[A-Za-z][A-Za-z0-9]{1,30}|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});"),
    # Markdown within a line.
    ("content", r"\[\^[^\]\n]{1,60}\]"),
    ("markup", r"!?\[(?=[^\[\]\n]{0,500}\](?:\([^()\n]{0,1000}\)|\[[^\[\]\n]{0,200}\]))"),
    ("markup", r"\](?:\([^()\n]{0,1000}\)|\[[^\[\]\n]{0,200}\])"),
    ("break", r"[ \t]*\|[ \t]*"),
    ("content", r"\\[^\w\s]|\\[nrt0]"),
    ("markup", r"\*{1,3}(?=[^\s*])|(?<=[^\s*])\*{1,3}|~~"),
    ("markup", r"(?<![^\W_])_{1,3}(?=[^\W_])|(?<=[^\s_])_{1,3}(?!\w)"),
    ("break", r"\t+| {3,}"),
    # Signs that engines do not know.
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
"""Blocks whose inside is not prose: how they open and close. They are searched for by themselves: an opener that is
never closed must not cost a search at each place where it stands."""

_OPENER = re.compile(
    "|".join(f"(?P<o{place}>{opener})" for place, (_, opener, _) in enumerate(_OPENERS)), re.IGNORECASE
)
_NAMED = [f"(?P<k{place}>{pattern})" for place, (_, pattern) in enumerate(_PATTERNS)]
# Nothing begins amid a word: the look at the character before saves the rest.
_ITEM = re.compile(rf"(?:(?<![A-Za-z])|(?=[\W_]))(?:{'|'.join(_NAMED)})", re.DOTALL | re.IGNORECASE)
NUMBER = re.compile(r"(?<![A-Za-z\u00c0-\u024f_\d])\d+(?:[.,:/\-\u2019]\d+)*(?![A-Za-z\u00c0-\u024f_\d])")


@dataclass(frozen=True, slots=True)
class Item:
    start: int
    end: int
    kind: Kind
    text: str


def items_of(text: str) -> Iterator[Item]:
    """In order, without overlaps, none of them empty."""
    place = 0
    for block in _blocks_of(text):
        yield from _between(text, place, block.start)
        yield block
        place = block.end
    yield from _between(text, place, len(text))


def _between(text: str, start: int, end: int) -> Iterator[Item]:
    for found in _ITEM.finditer(text, start, end):
        if found.group():
            # The last group to close is the outermost one.
            kind = _PATTERNS[int(str(found.lastgroup)[1:])][0]
            yield Item(found.start(), found.end(), kind, found.group())


def _blocks_of(text: str) -> Iterator[Item]:
    never_closed: set[str] = set()
    place = 0
    while opened := _OPENER.search(text, place):
        kind, _, closer = _OPENERS[int(str(opened.lastgroup)[1:])]
        for name in ("fence", "raw", "code"):
            closer = closer.replace(name.upper(), re.escape(opened[name] or ""))
        closed = None
        if closer not in never_closed:
            closed = re.compile(closer, re.IGNORECASE).search(text, opened.end())
        place = opened.end()
        if closed is None:
            never_closed.add(closer)
            if opened["fence"] is None:
                continue
        place = closed.end() if closed else len(text)
        yield Item(opened.start(), place, kind, text[opened.start() : place])
