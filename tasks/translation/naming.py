"""The languages that an instruction names: the one to translate into, and the one to translate from."""

# ruff: noqa: E501 - a language a line

import re
from dataclasses import dataclass

from models.translation.languages import CODES, LANGUAGE_OF, SYNONYMS, tag_of_code, tag_of_name

_NAME = "|".join(sorted(map(re.escape, LANGUAGE_OF), key=len, reverse=True))
_CODE = "|".join(sorted((*CODES, *SYNONYMS), key=len, reverse=True))
_VARIANTS = {
    "brazilian": "BR", "european": "PT", "british": "GB", "american": "US", "mexican": "MX", "canadian": "CA",
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
_REGION = r"(?:[-_](?P<region>[A-Za-z]{2}|[A-Za-z]{4}))?(?![\w-])"
_LANGUAGE = rf"{_VARIANT}(?:(?P<name>{_NAME})(?P<ending>[a-zA-Zà-žа-яё]{{0,6}})(?:\s*\((?P<of>[a-zA-Z]+)\))?|(?P<code>{_CODE}){_REGION})"
_OPEN_QUOTE = "[\"'“‘«「„`*<\\[(]*"
_ARTICLES = r"(?:(?:the|das|l['’]|le|la|el|o|het|language|lingua|langue|sprache|язык|اللغة)\s*)*"
_INTO = r"(?:\b(?:into|to|ins|nach|vers|al|naar|para|на|до|по-|till|na|til)\b\s*|[成为為到至]\s*|إلى\s*|الى\s*)"
_IN = r"(?:\b(?:in|im|as|auf|zu|en|a|em|pro|ao|all['’]|в|w|på)\b\s*|ل|بال)"
_STRONG = re.compile(rf"{_INTO}{_ARTICLES}{_OPEN_QUOTE}{_LANGUAGE}", re.IGNORECASE)
_WEAK = re.compile(rf"{_IN}{_ARTICLES}{_OPEN_QUOTE}{_LANGUAGE}", re.IGNORECASE)
_AFTER = re.compile(
    rf"{_LANGUAGE}(?=\s*(?:translation|version|übersetzung|fassung|(?:に|へ)|翻译|翻譯|で|ye çevir|e çevir|'[ye]))",
    re.IGNORECASE,
)
_LABELLED = re.compile(
    rf"\b(?:target|output|dest(?:ination)?|zielsprache|to|lang|langue cible|目标语言)(?:[ _-]?lang(?:uage)?)?[\"']?\s*[:=：]\s*"
    rf"{_OPEN_QUOTE}{_LANGUAGE}",
    re.IGNORECASE,
)
_ANY = rf"(?:(?:{_NAME})[a-zà-žа-яё]{{0,6}}|(?:{_CODE})(?:[-_][A-Za-z]{{2,4}})?(?!\w))"
_ARROW = re.compile(
    rf"\A\W{{0,4}}(?P<from>{_ANY})\s*(?:-+>|=+>|→|➜|>|–|/|-|\bto\b|\binto\b)\s*{_LANGUAGE}\W{{0,3}}(?=[:：\n]|\s*\Z)",
    re.IGNORECASE,
)
_BARE = re.compile(rf"\A[\[(]?{_LANGUAGE}[\])]?(?=\s*[:：\n]|\s*\Z)", re.IGNORECASE)
_FROM = re.compile(
    rf"\b(?:from|aus dem|vom|du|de l['’]|del|dal|dall['’]|do|uit het|van het|с|со|从|從)\s*(?:the\s+)?{_OPEN_QUOTE}{_LANGUAGE}"
    rf"|\bsource(?:[ _-]?lang(?:uage)?)?[\"']?\s*[:=：]\s*{_OPEN_QUOTE}(?P<labelled>{_ANY})",
    re.IGNORECASE,
)

_ON_TO = re.compile(r"\s*(?:to|into|nach|vers|al|->|→)\b", re.IGNORECASE)
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
    """Of the words of direction before it."""
    end: int


def target_in(instruction: str) -> Target | None:
    """The language to translate into."""
    for pattern in (_LABELLED, _ARROW, _STRONG, _AFTER):
        for found in pattern.finditer(instruction):
            if target := _target(found):
                return target
    weak = [target for found in _WEAK.finditer(instruction) if (target := _target(found))]
    if weak:
        return weak[-1]
    bare = _BARE.match(instruction)
    return _target(bare) if bare else None


def source_in(instruction: str, target: Target) -> str | None:
    """The tag of the language to translate from, if the instruction names it."""
    if arrow := _ARROW.match(instruction):
        return _tag_of(arrow["from"])
    for found in _FROM.finditer(instruction):
        if found["labelled"]:
            return _tag_of(found["labelled"])
        if found["code"] and _ON_TO.match(instruction, found.end()):
            return tag_of_code(found["code"])
        source = _target(found)
        if source and source.tag != target.tag:
            return source.tag
    return None


def unknown_in(instruction: str) -> str | None:
    """What stands where a language should."""
    found = _UNKNOWN.search(instruction)
    return found["what"] if found else None


def without_source(text: str) -> str:
    """`text` without "from English" at its end."""
    for found in _FROM.finditer(text):
        if not text[found.end() :].strip():
            return text[: found.start()]
    return text


def _target(found: re.Match[str]) -> Target | None:
    groups = found.groupdict()
    if groups["name"]:
        tag = tag_of_name(groups["name"])
        if (groups["ending"] and groups["name"].isascii() and len(groups["name"]) < 4) or tag is None:
            return None
        region = tag_of_code(f"{tag}-{_OF[groups['of'].lower()]}") if (groups["of"] or "").lower() in _OF else None
    else:
        if not _CLAUSE_END.match(found.string, found.end()) or _is_a_word(found):
            return None
        tag, region = tag_of_code(groups["code"]), None
        if tag and groups["region"]:
            tag = tag_of_code(f"{tag}-{groups['region']}")
    if tag is None:
        return None
    if groups["variant"] and "-" not in tag:
        tag = f"{tag}-{_VARIANTS[groups['variant'].lower()]}"
    return Target(region or tag, found.start(), found.end())


def _is_a_word(found: re.Match[str]) -> bool:
    """`translate this to it, please`: but `to it: hello` and `to it-IT` name Italian."""
    if found["code"].lower() not in _ALSO_WORDS or found["region"] or found["code"].isupper():
        return False
    return found.string[found.end() :].lstrip()[:1] not in {":", "：", ""}


def _tag_of(written: str) -> str | None:
    if tag := tag_of_code(written):
        return tag
    lower = written.lower()
    return next((tag_of_name(lower[:end]) for end in range(len(lower), 1, -1) if lower[:end] in LANGUAGE_OF), None)
