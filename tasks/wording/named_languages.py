"""The languages that an instruction names: the one to translate into, and the one to translate from."""

# ruff: noqa: E501 - a language a line

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from models.translation.languages import (
    CODES_THAT_ARE_WORDS,
    LANGUAGES,
    NAMES_THAT_ARE_WORDS,
    STEMS,
    TAG_OF_CODE,
    TAG_OF_NAME,
    base_of,
    either,
    tag_of_code,
    tag_of_name,
)

_VARIANTS = {
    "latin american": "419", "brazilian": "BR", "european": "PT", "british": "GB", "american": "US", "mexican": "MX", "canadian": "CA",
    "traditional": "Hant", "simplified": "Hans", "brasilianisch": "BR", "繁體": "Hant", "繁体": "Hant", "简体": "Hans",
}  # fmt: skip
_OF = {
    "brazil": "BR",
    "portugal": "PT",
    "traditional": "Hant",
    "simplified": "Hans",
    "us": "US",
    "uk": "GB",
    "br": "BR",
}
_VARIANT = rf"(?:(?P<variant>{'|'.join(_VARIANTS)})(?:es|en)?\s*)?"
_REGION = r"(?:[-_](?P<region>[A-Za-z]{2}|[A-Za-z]{4}(?:[-_][A-Za-z]{2})?|\d{3}))?(?![\w-])"
_ASIDE = r"(?:\s*\((?P<of{}>[a-zA-Z]+)\))?"
_NAME = either(frozenset(TAG_OF_NAME)).replace("'", "['’ʼʻ]")
_LANGUAGE = re.compile(
    rf"{_VARIANT}(?:(?P<whole>{_NAME})(?!\w){_ASIDE.format(1)}"
    rf"|(?P<stem>{either(STEMS)})(?P<ending>[a-zA-Zà-žа-яё]{{0,6}}){_ASIDE.format(2)}"
    rf"|(?P<code>{either(frozenset(TAG_OF_CODE))}){_REGION})",
    re.IGNORECASE,
)
"""Compiled once: it is large. What stands before or after a language is looked for apart."""
_OPEN_QUOTE = "[\"'“‘«「„`*<\\[(]*"
_ARTICLES = r"(?:(?:l['’]|(?:the|das|le|la|el|o|het|language|lingua|langue|sprache|язык|اللغة)\b)\s*)*"
_INTO = r"(?:\b(?:into|to|ins|nach|vers|al|naar|para|на|до|по-|till|na|til)\b\s*|[成为為到至]\s*|إلى\s*|الى\s*)"
_IN = r"(?:\b(?:in|im|as|auf|zu|en|a|em|pro|ao|all['’]|в|w|på)\b\s*|ل|بال)"
_STRONG = re.compile(rf"{_INTO}(?P<articles>{_ARTICLES}){_OPEN_QUOTE}", re.IGNORECASE)
_WEAK = re.compile(rf"{_IN}(?P<articles>{_ARTICLES}){_OPEN_QUOTE}", re.IGNORECASE)
_LABELLED = re.compile(
    r"\b(?:target|output|dest(?:ination)?|zielsprache|to|lang|langue cible|目标语言)(?:[ _-]?lang(?:uage)?)?[\"']?\s*[:=：]\s*"
    rf"(?P<articles>){_OPEN_QUOTE}",
    re.IGNORECASE,
)
_FROM = re.compile(
    r"\b(?:from|aus dem|vom|du|de l['’]|del|dal|dall['’]|do|uit het|van het|с|со|从|從)\s*"
    rf"(?P<articles>(?:the\s+)?){_OPEN_QUOTE}",
    re.IGNORECASE,
)
_SOURCE = re.compile(rf"\bsource(?:[ _-]?lang(?:uage)?)?[\"']?\s*[:=：]\s*(?P<articles>){_OPEN_QUOTE}", re.IGNORECASE)
_AFTER = re.compile(
    r"\s*(?:translation|version|übersetzung|fassung|(?:に|へ)|翻译|翻譯|で|ye çevir|e çevir|'[ye])", re.IGNORECASE
)
_BEGIN = re.compile(r"\W{0,4}")
_ARROW = re.compile(r"\s*(?:-+>|=+>|→|➜|>|–|/|-|\bto\b|\binto\b)\s*", re.IGNORECASE)
_MOST_ARROWS = 8
"""Signs of the kind at a message's beginning that are looked at."""
_END = re.compile(r"\W{0,3}(?=[:：\n]|\s*\Z)")
_ON_TO = re.compile(r"\s*(?:to|into|nach|vers|al|->|→)\b", re.IGNORECASE)
_SHORT = 4
"""Letters of a name: shorter ones begin words that have nothing to do with them."""
_UNKNOWN = re.compile(
    r"(?:\b(?:into|to|ins|nach|vers|al|naar|на)\s+|[译譯]成)(?:the )?(?P<what>[^\W\d_][\w-]{1,30})", re.IGNORECASE
)
_WORDS = (
    "el he hi id is it la no so am my be as or an to do in at de et es al pa st si ca ml ps ne da per may mac a fa "
    "the ml ta bg et pl te"
)
_ALSO_WORDS = frozenset(_WORDS.split())
"""Codes that mean a language only where nothing but a clause's end follows."""
_CLAUSE_END = re.compile(r"[\"'”’»`*>\])]*\s*(?:[:：.,!?;)\n。，]|please\b|\Z)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Target:
    tag: str
    start: int
    """Where the words of direction before it begin."""
    end: int


def target_in(instruction: str) -> Target | None:
    """The language to translate into."""
    arrow = _arrow_in(instruction)
    after = ((found.start(), found) for found in _LANGUAGE.finditer(instruction) if _follows(_AFTER, found))
    for places in (_behind(_LABELLED, instruction), [arrow[1]] if arrow else [], _behind(_STRONG, instruction), after):
        if found := _targets(places):
            return found[0]
    if weak := _targets(_behind(_WEAK, instruction)):
        return weak[-1]
    bare = _LANGUAGE.match(instruction, 1 if instruction[:1] in "[(" else 0)
    return _target((0, bare)) if bare and _follows(_END, bare) else None


_Place = tuple[int, re.Match[str]]
"""Where the words before a language begin, and what `_LANGUAGE` found."""


def _behind(words: re.Pattern[str], text: str) -> Iterator[_Place]:
    """The languages that stand behind `words`. What looks like an article may be one itself: `translate to la: hello`."""
    for before in words.finditer(text):
        found = _LANGUAGE.match(text, before.end()) or _LANGUAGE.match(text, before.start("articles"))
        if found:
            yield before.start(), found


def _follows(pattern: re.Pattern[str], found: re.Match[str]) -> bool:
    return pattern.match(found.string, found.end()) is not None


def _arrow_in(text: str) -> tuple[re.Match[str], _Place] | None:
    """What stands on the two sides of an arrow at the beginning: `en -> fr: hello`, `English to French`."""
    begin = _BEGIN.match(text)
    start = begin.end() if begin else 0
    for sign in islice(_ARROW.finditer(text), _MOST_ARROWS):
        source = _LANGUAGE.fullmatch(text, start, sign.start())
        target = _LANGUAGE.match(text, sign.end()) if source else None
        if source and target and _follows(_END, target):
            return source, (0, target)
    return None


def _targets(places: Iterable[_Place]) -> list[Target]:
    """The common languages in order; where there is none, the others: `Translate my letter to Mari into French`."""
    found = [target for place in places if (target := _target(place))]
    return [target for target in found if _is_common(target)] or found


def _is_common(target: Target) -> bool:
    return LANGUAGES[base_of(target.tag)].is_common


def source_in(instruction: str, target: Target) -> str | None:
    """The tag of the language to translate from, if the instruction names it."""
    if arrow := _arrow_in(instruction):
        return _tag_of(arrow[0])
    for _, labelled in _behind(_SOURCE, instruction):
        return _tag_of(labelled)
    for start, found in _behind(_FROM, instruction):
        if found["code"] and _follows(_ON_TO, found):
            return tag_of_code(found["code"])
        source = _target((start, found))
        if source and source.tag != target.tag and (found["whole"] or "").lower() not in NAMES_THAT_ARE_WORDS:
            return source.tag
    return None


def named(language: str) -> str | None:
    """The tag of what is nothing but a language: a code or a name, perhaps with its region."""
    found = _LANGUAGE.fullmatch(language.strip())
    return _tag_of(found) if found else tag_of_code(language.strip())


def unknown_in(instruction: str) -> str | None:
    """What stands where a language should."""
    found = _UNKNOWN.search(instruction)
    return found["what"] if found else None


def without_source(text: str) -> str:
    """`text` without "from English" at its end."""
    for start, found in _behind(_FROM, text):
        if not text[found.end() :].strip():
            return text[:start]
    return text


def _target(place: _Place) -> Target | None:
    start, found = place
    if found["code"]:
        if not _follows(_CLAUSE_END, found) or _is_a_word(found):
            return None
    else:
        name = found["whole"] or found["stem"]
        if (found["ending"] and name.isascii() and len(name) < _SHORT) or name in NAMES_THAT_ARE_WORDS:
            return None
    tag = _tag_of(found)
    return Target(tag, start, found.end()) if tag else None


def _tag_of(found: re.Match[str]) -> str | None:
    if found["code"]:
        return tag_of_code(f"{found['code']}-{found['region']}" if found["region"] else found["code"])
    tag = tag_of_name(found["whole"] or found["stem"])
    region = _VARIANTS.get((found["variant"] or "").lower()) or _OF.get((found["of1"] or found["of2"] or "").lower())
    return f"{tag}-{region}" if tag and region else tag


def _is_a_word(found: re.Match[str]) -> bool:
    """`translate this to it, please`: but `to it: hello` and `to it-IT` name Italian."""
    code = found["code"]
    if LANGUAGES[TAG_OF_CODE[code.lower()]].is_common:
        may_be = code.lower() in _ALSO_WORDS and not code.isupper()
    else:
        may_be = code.lower() in CODES_THAT_ARE_WORDS
    return may_be and not found["region"] and found.string[found.end() :].lstrip()[:1] not in {":", "：", ""}
