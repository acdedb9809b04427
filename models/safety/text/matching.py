"""Searches a text for the phrases of a table, in time linear in the length of the text.

A table has the phrases of one language. The table and the text are folded before they are compared: case, accents,
punctuation and white space are ignored. In the patterns of a table

- `{name}` is a group of words that the table names,
- ` .. ` is a gap of up to three words, ` ... ` a gap of up to eight, both within one sentence; `(?:the )?.. ` is a gap
  of up to three words after an optional word; in a language that writes without spaces, `..` is a gap of up to six
  characters and `...` of up to fifteen,
- the rest is a regular expression of RE2, matched from the beginning of a word to the end of a word.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import re2

from models.normal_forms import normalized

Pattern = Any
"""A compiled pattern of RE2, which has no types."""

RULES_PER_SET = 16
"""Number of rules that are searched for together. With more rules, the automaton would have more states than fit in its
memory."""

_AUTOMATON_BYTES = 8 << 20
"""The automaton of a pattern or of a set takes at most this many bytes of memory. Ordinary texts need a fraction of
them."""

ASKED_SCORE = 0.97
"""Score of a phrase that somebody asks for: "how do I …"."""

SAID_SCORE = 0.93
"""Score of a phrase by itself."""

_NOT_EXCUSED_BY_FICTION = frozenset({"S8", "S12"})
"""Codes that apply to films, books and games themselves, so fiction does not excuse them."""

_CONTEXT = 110
"""Number of bytes of folded text on either side of a phrase that are searched for certain words. These show that
somebody asks for the phrase, or that it is harmless."""

_SENTENCE_START = "(?:^| [.]) (?:(?:please|now|then|just|also|first|and|or|por favor|bitte|per favore|alsjeblieft) )?"
_APOSTROPHE = re.compile(r"(?<=[a-z])['’‘ʼ`´](?=(?:t|s|re|ve|ll|d|m)\b)")
_SENTENCE_END = re.compile(r"[!?;؟؛。！？।॥]+|\.(?=[\s\"'”’)\]]|$)(?<!\.\.)|\n\s*\n")
_BETWEEN_WORDS = re.compile(
    "[\\s\\x00-\\x2f\\x3a-\\x40\\x5b-\\x60\\x7b-\\xbf×÷\u2000-\u206f\u2e00-\u2e7f\u3000-\u303f،٪・]+"
)
_COMBINING_MARKS = re.compile("[\u0300-\u036f\u064b-\u065f\u0670\u093c\u0640\u200b-\u200f\u00ad\ufeff]")
_LETTERS = str.maketrans({"ı": "i", "ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "ة": "ه", "ى": "ي", "ی": "ي"})


@dataclass(frozen=True, slots=True)
class PhraseMatch:
    code: str
    score: float
    words: str
    """The matched words of the folded text. They may repeat a user's words, so they must not be logged."""


@dataclass(frozen=True)
class PhraseTable:
    """The rules of one language."""

    language: str
    words: Mapping[str, str] = field(default_factory=dict)
    """Groups of alternative words, by the name that patterns use."""
    asking: str = ""
    """Pattern of words of requests and questions, such as "how do I". They count if they are before a phrase, with up
    to three words in between. The words of `asking_after` count if they are after it."""
    asking_after: str = ""
    asked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Phrases that count only if somebody asks for them, by code."""
    said: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Phrases that count anywhere, by code."""
    aside: str = ""
    """Pattern of words about place and manner ("at home", "step by step"), which may stand anywhere in a phrase. A text
    that contains such words is also searched without them."""
    unless: Mapping[str, str] = field(default_factory=dict)
    """Patterns of words which, near a phrase, show that it is harmless, by code. The key "" stands for all codes, and
    "fiction" for all codes except those that are about films, books and games themselves."""
    spaced: bool = True
    """True if the language puts spaces between its words."""
    orders: bool = False
    """True if an asked phrase also counts at the beginning of a sentence: "crash the …"."""

    def matches(self, folded: bytes) -> Iterator[PhraseMatch]:
        """Yield one match of each rule that matches in `folded`, a text that the function `folded` made. If the text
        has asides, the matches in the text without them follow."""
        texts = [folded]
        if self._aside is not None and self._aside.search(folded):
            texts.append(self._aside.sub(b" ", folded))
        for text in texts:
            for found, rules in self._sets:
                for place in found.Match(text) or ():
                    if (match := rules[place].match(text)) is not None:
                        yield match

    @cached_property
    def _aside(self) -> Pattern | None:
        return compiled(f" (?:(?:{self._expanded(self.aside)}) )+") if self.aside else None

    @cached_property
    def _sets(self) -> "Sequence[tuple[Any, Sequence[_Rule]]]":
        """Sets of RE2, each with its rules. A set determines which of its patterns a text contains."""
        sets: list[tuple[Any, Sequence[_Rule]]] = []
        rules = list(self._rules())
        for start in range(0, len(rules), RULES_PER_SET):
            part = rules[start : start + RULES_PER_SET]
            found = re2.Set.SearchSet(options())
            for rule in part:
                found.Add(rule.source)
            found.Compile()
            sets.append((found, part))
        return sets

    def _rules(self) -> "Iterator[_Rule]":
        fiction = self._exception_pattern("fiction")
        for phrases, asking in ((self.asked, self._asking), (self.said, None)):
            for code, patterns in phrases.items():
                unless = self._exception_pattern("", code)
                among = None if code in _NOT_EXCUSED_BY_FICTION else fiction
                for pattern in patterns:
                    yield _Rule(code, self._source(pattern), asking, unless, among)

    @cached_property
    def _asking(self) -> "_Asking":
        gap = "(?: [^ .]+){0,3} " if self.spaced else "[^.]{0,8}"
        start = " " if self.spaced else ""
        asks = f"{start}(?:{self._expanded(self.asking)}){gap}$"
        pattern_before = compiled(f"{asks}|{_SENTENCE_START}$" if self.orders else asks)
        pattern_after = compiled(f"^{gap}(?:{self._expanded(self.asking_after)}){start}") if self.asking_after else None
        pattern_within = compiled(f"{start}(?:{self._expanded(self.asking)}){start}") if self.asking_after else None
        return _Asking(pattern_before, pattern_after, pattern_within, len(start))

    def _exception_pattern(self, *keys: str) -> Pattern | None:
        found = [self._expanded(self.unless[key]) for key in keys if key in self.unless]
        space = " " if self.spaced else ""
        return compiled(f"{space}(?:{'|'.join(found)}){space}") if found else None

    def _source(self, pattern: str) -> str:
        expanded = self._expanded(pattern)
        # The word boundary serves patterns that end with a space, because their last words may be missing.
        return rf" (?:{expanded})(?: |\b)" if self.spaced else f"(?:{expanded})"

    def _expanded(self, pattern: str) -> str:
        for _ in range(3):  # groups may use groups
            pattern = re.sub(r"\{([a-z_]+)\}", lambda name: f"(?:{_joined(self.words[name[1]])})", pattern)
        # `\S` is replaced first, because folding would turn it into `\s`.
        pattern = fold_letters(_joined(pattern).replace(r"\S", "[^ ]"))
        if not self.spaced:
            return pattern.replace("...", "[^.]{0,15}").replace("..", "[^.]{0,6}")
        pattern = pattern.replace(" ... ", "(?: [^ .]+){0,8} ").replace(" .. ", "(?: [^ .]+){0,3} ")
        return pattern.replace("?.. ", "?(?:[^ .]+ ){0,3}")


@dataclass(frozen=True, slots=True)
class _Asking:
    before: Pattern | None
    after: Pattern | None
    within: Pattern | None
    """Pattern of words of requests inside the phrase, for languages in which the verb comes last."""
    shared: int
    """Number of bytes at either end of a match that are also searched with the text before or after the match: 1 for
    the space between words, 0 in a language without spaces."""

    def is_at(self, text: bytes, start: int, end: int) -> bool:
        places = (
            (self.before, text[max(0, start - _CONTEXT) : start + self.shared]),
            (self.after, text[end - self.shared : end + _CONTEXT]),
            (self.within, text[start:end]),
        )
        return any(pattern is not None and pattern.search(place) for pattern, place in places)


@dataclass
class _Rule:
    code: str
    source: str
    asking: _Asking | None
    unless: Pattern | None
    """Pattern which, in the same sentence and within _CONTEXT bytes, shows that the phrase is harmless."""
    among: Pattern | None
    """Pattern which, within _CONTEXT bytes of the phrase, shows that it is harmless, even in another sentence."""

    @cached_property
    def pattern(self) -> Pattern:
        return compiled(self.source)

    def match(self, text: bytes) -> PhraseMatch | None:
        for found in self.pattern.finditer(text):
            start, end = found.span()
            if self.asking is not None and not self.asking.is_at(text, start, end):
                continue
            if not self._is_harmless(text, start, end):
                words = text[start:end].decode(errors="ignore").strip()
                return PhraseMatch(self.code, SAID_SCORE if self.asking is None else ASKED_SCORE, words)
        return None

    def _is_harmless(self, text: bytes, start: int, end: int) -> bool:
        text_before = text[max(0, start - _CONTEXT) : start]
        text_after = text[end : end + _CONTEXT]
        if self.among is not None and self.among.search(text_before + text[start:end] + text_after):
            return True
        sentence = (
            text_before[text_before.rfind(b" . ") + 1 :] + text[start:end] + text_after.partition(b" . ")[0] + b" "
        )
        return self.unless is not None and self.unless.search(sentence) is not None


def folded(text: str) -> bytes:
    """Return `text` in small letters without accents, with one space around each word and around each dot that ends a
    sentence."""
    text = fold_letters(text)
    text = _APOSTROPHE.sub("", text)
    text = _SENTENCE_END.sub("\x01", text)
    text = _BETWEEN_WORDS.sub(lambda gap: " . " if "\x01" in gap[0] else " ", text)
    return f" {text} ".encode(errors="ignore")


def fold_letters(text: str) -> str:
    """Return `text` in small letters without accents. Patterns can be folded in the same way."""
    if text.isascii():
        return text.lower()
    text = _COMBINING_MARKS.sub("", normalized("NFKD", text.casefold()))
    return normalized("NFC", text).translate(_LETTERS)


def _joined(pattern: str) -> str:
    """Return `pattern`, which may be written over several lines, on one line."""
    return re.sub(r"\s*\n\s*", "", pattern)


@cache
def compiled(pattern: str) -> Pattern:
    return re2.compile(pattern, options())


def options() -> Any:
    found = re2.Options()
    found.max_mem = _AUTOMATON_BYTES
    found.log_errors = False
    return found


def best(tables: tuple[PhraseTable, ...], text: bytes) -> list[PhraseMatch]:
    """Return the best match of each code that `tables` find in a folded text, the highest score first."""
    found: dict[str, PhraseMatch] = {}
    for table in tables:
        for match in table.matches(text):
            if match.code not in found or match.score > found[match.code].score:
                found[match.code] = match
    return sorted(found.values(), key=lambda match: -match.score)
