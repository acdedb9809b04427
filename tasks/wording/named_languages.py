"""Finds the source and target languages that an instruction names."""

# ruff: noqa: E501 - one language per line

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal, cast

from models.translation.languages import (
    CODES_THAT_ARE_WORDS,
    LANGUAGES,
    NAMES_THAT_ARE_WORDS,
    STEMS,
    TAG_OF_CODE,
    base_of,
    names_at,
    tag_of_code,
    tag_of_name,
)

_VARIANTS = {
    "latin american": "419", "brazilian": "BR", "european": "PT", "british": "GB", "american": "US", "mexican": "MX", "canadian": "CA",
    "traditional": "Hant", "simplified": "Hans", "brasilianisch": "BR", "繁體": "Hant", "繁体": "Hant", "简体": "Hans",
}  # fmt: skip
_REGIONS = {
    "brazil": "BR",
    "portugal": "PT",
    "traditional": "Hant",
    "simplified": "Hans",
    "us": "US",
    "uk": "GB",
    "br": "BR",
}
_VARIANT = re.compile(rf"(?P<variant>{'|'.join(_VARIANTS)})(?:es|en)?\s*", re.IGNORECASE)
_CODE = re.compile(
    r"(?P<code>[a-z]{2,3})(?:[-_](?P<region>[a-z]{2}|[a-z]{4}(?:[-_][a-z]{2})?|\d{3}))?(?![\w-])", re.IGNORECASE
)
_NAME_ENDS = re.compile(r"(?!\w)")
_AFTER_NAME = re.compile(r"(?P<ending>[a-zà-žа-яё]{0,6})(?:\s*\((?P<of>[a-z]+)\))?", re.IGNORECASE)
_NAME_BEGINS = re.compile(r"(?<![^\W\d_])[^\W\d_]|[\u3040-\u9fff\uac00-\ud7af]")
_ARABIC_PARTICLES = "بلو"
"""Letters that Arabic writes as one word with the name: "in", "to" and "and"."""
MARK = "\ue000"
_OPEN_QUOTE = "[\"'“‘«「„`*<\\[(]*"
_ARTICLES = r"(?:(?:l['’]|(?:the|both|das|le|la|el|o|het|language|lingua|langue|sprache|язык|اللغة)\b)\s*)*"
_INTO = r"(?:[-=]{1,3}>\s*|→\s*|\b(?:into|to|ins|nach|vers|al|naar|para|na|на|до|по-|till|til)\b\s*|[成为為到至]\s*|إلى\s*|الى\s*)"
_IN = r"(?:\b(?:in|im|as|auf|zu|en|a|em|pro|ao|all['’]|в|w|po|på)\b\s*|用)"
_AND = rf"\s*(?:(?:[,;/&+、，和及与與و]|\b(?:and|as well as|plus|und|sowie|et|ainsi que|y|e|en|og|och|и|i)\b)\s*)+(?:(?:also|then|auch|aussi|también)\s+)?(?:{_INTO}|{_IN})?"
_BEFORE_NAME = re.compile(
    r"(?:(?P<from>\b(?:from|aus dem|vom|du|de l['’]|del|dal|dall['’]|do|uit het|van het|från|z|с|со|从|從)\s*"
    r"|\bsource(?:[ _-]?lang(?:uage)?)?[\"']?\s*[:=：]\s*)"
    r"|(?P<label>\b(?:target|output|dest(?:ination)?|zielsprache|to|langs?|languages?|langue cible|目标语言)"
    r"(?:[ _-]?lang(?:uage)?s?)?[\"']?\s*[:=：]\s*)"
    rf"|(?P<into>{_INTO})|(?P<in>{_IN})){_ARTICLES}{_OPEN_QUOTE}\Z",
    re.IGNORECASE,
)
_LONGEST_BEFORE = 40
"""Words of a role are searched for in this many characters before a name."""
_MAX_LANGUAGES = 16
"""At most this many languages that follow each other are one mention."""
_NEXT_LANGUAGE = re.compile(rf"{_AND}{_ARTICLES}{_OPEN_QUOTE}", re.IGNORECASE)
_BEGIN = re.compile(r"\W{0,4}")
_ARROW = re.compile(r"(?<!\s)\s*+(?:-+>|=+>|→|➜|>|–|/|-|\bto\b|\binto\b)\s*", re.IGNORECASE)
_MAX_ARROWS = 8
"""At most this many arrow signs of a text are examined, from its beginning."""
_INSTRUCTION_END = re.compile(
    r"(?:\W{0,3}\b(?:please|pls|bitte|por favor|per favore))?\W{0,3}(?=[:：\n]|\s*\Z)", re.IGNORECASE
)
_FROM_AFTER = "から"
_FROM_ENDINGS = frozenset(("dan", "den", "tan", "ten"))
"""Turkish endings that mean "from"."""
_ON_TO = re.compile(r"\s*(?:to|into|nach|vers|al|->|→)\b", re.IGNORECASE)
_FEWEST_LETTERS = 4
"""A name in ASCII letters that an ending follows must have at least this many letters. Shorter names begin unrelated
words."""
_WORDS = (
    "el he hi id is it la no so am my be as or an to do in at de et es al pa st si ca ml ps ne da per may mac a fa "
    "the ml ta bg et pl te"
)
_ALSO_WORDS = frozenset(_WORDS.split())
"""Codes that are words as well. In small letters and without a region, they mean a language only before a colon or at
the end of the text."""
_LAST_WORDS = frozenset(["am", "be", "el", "he", "hi", "id", "is", "it", "la", "my", "no", "so"])
"""Codes in `_ALSO_WORDS` that may also be the last word of a sentence."""
_CLAUSE_END = re.compile(
    r"[\"'”’»`*>\])]*\s*(?:[:：.,!?;)/&+\n。，]|please\b|(?:and|und|et|y|e|en)\s+[a-z]{2,3}\b|\Z)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class _LanguageName:
    """A language at the place where a text names it, by a name or a code."""

    text: str
    start: int
    end: int
    tag: str
    name: str
    """Name or code as written."""
    ending: str = ""
    """Letters that make the name an inflected form."""
    is_code: bool = False
    has_region: bool = False


@dataclass(frozen=True, slots=True)
class LanguageMention:
    tags: tuple[str, ...]
    """Tag of the language, and those of further ones that follow directly: "Spanish, French and German"."""
    start: int
    """Start of the preposition before the language."""
    end: int
    is_code: bool

    @property
    def is_common(self) -> bool:
        return LANGUAGES[base_of(self.tags[0])].is_common


_Place = tuple[int, _LanguageName]
"""Start of the words before a language, and the language."""
_Role = Literal["label", "into", "in", "from", "bare"]
_TARGETS: Sequence[_Role] = ("label", "into", "in", "bare")
"""Roles of a target language, the surest first."""


def _language_at(text: str, start: int) -> _LanguageName | None:
    """Return the language at `start`: the longest name, whole or as the stem of an inflected form, or else a code."""
    variant = _VARIANT.match(text, start)
    for position in (variant.end(), start) if variant else (start,):
        names = list(names_at(text, position))
        whole = [name for name in names if _NAME_ENDS.match(text, position + len(name))]
        for name in (*whole, *(name for name in names if name in STEMS)):
            end = position + len(name)
            match_after = _AFTER_NAME.match(text, end)
            assert match_after is not None
            tag = tag_of_name(name)
            region = _VARIANTS.get(variant["variant"].lower() if variant else "") or _REGIONS.get(
                (match_after["of"] or "").lower()
            )
            tag = f"{tag}-{region}" if region else str(tag)
            return _LanguageName(
                text, position, match_after.end(), tag, text[position:end], ending=match_after["ending"]
            )
        code = _CODE.match(text, position)
        if code and code["code"].lower() in TAG_OF_CODE and (tag := tag_of_code(code.group())):
            return _LanguageName(
                text, position, code.end(), tag, code["code"], is_code=True, has_region=bool(code["region"])
            )
    return None


def with_names_marked(text: str, is_known: Callable[[str], bool]) -> tuple[str, dict[int, str]]:
    """Replace each name of a language by MARK if `is_known` accepts the language's tag. Return the text, and the tags
    by the positions of the marks."""
    marked, tags, done = "", {}, 0
    for begin in _NAME_BEGINS.finditer(text):
        found = _language_at(text, begin.start()) if begin.start() >= done else None
        if found and not found.is_code and is_known(found.tag) and _mention_at((0, found)):
            marked += text[done : begin.start()]
            tags[len(marked)] = found.tag
            marked += MARK
            done = found.end
    return marked + text[done:], tags


def named_in(text: str) -> tuple[str, ...]:
    """Return the tags of the languages that a text names, in order, but not their codes."""
    return tuple(with_names_marked(text, lambda _: True)[1].values())


def target_in(instruction: str, *, words_at_end: bool = True) -> LanguageMention | None:
    """Return the language to translate into, or None if the instruction names none. With `words_at_end`, a code at the
    end of the text counts even if it may be the last word of a sentence."""
    found = _places_by_role(instruction)
    if arrow := _arrow_in(instruction):
        found["label"].append(arrow[1])
    for role in _TARGETS:
        if mentions := _mentions_at(found[role], words_at_end):
            return mentions[-1 if role == "in" else 0]
    bare = _language_at(instruction, 1 if instruction[:1] in "[(" else 0)
    return _mention_at((0, bare), words_at_end) if bare and _follows(_INSTRUCTION_END, bare) else None


def roles_in(text: str) -> dict[int, str]:
    """Return the roles of the languages that a text names, by the places of their names."""
    return {one.start: role for role, places in _places_by_role(text).items() for _, one in places}


def _places_by_role(text: str) -> dict[_Role, list[_Place]]:
    """Return the languages that a text names, by the words before them. Codes and names of less common languages
    count only after a word such as "into"."""
    found: dict[_Role, list[_Place]] = {role: [] for role in ("from", *_TARGETS)}
    end = 0
    for begin in _NAME_BEGINS.finditer(text):
        at = begin.start()
        if at < end:
            continue
        one = _language_at(text, at)
        if one is None and text[at] in _ARABIC_PARTICLES:
            one = _language_at(text, at + 1)
        before = one and _BEFORE_NAME.search(text, max(0, at - _LONGEST_BEFORE), at)
        if one is None or (not before and (one.is_code or not LANGUAGES[base_of(one.tag)].is_common)):
            continue
        role = cast(_Role, before.lastgroup) if before else "bare"
        if text.startswith(_FROM_AFTER, one.end) or one.ending in _FROM_ENDINGS:
            role = "from"
        found[role].append((before.start() if before else at, one))
        if not one.is_code:
            end = one.end
    return found


def _follows(pattern: re.Pattern[str], found: _LanguageName) -> bool:
    return pattern.match(found.text, found.end) is not None


def _arrow_in(text: str) -> tuple[str, _Place] | None:
    """Find an arrow at the beginning, as in `en -> fr: hello`. Return the tag of the language before it, and the
    language after it; None if there is no such arrow."""
    begin = _BEGIN.match(text)
    start = begin.end() if begin else 0
    for sign in islice(_ARROW.finditer(text), _MAX_ARROWS):
        source = _tag_of_whole(text[start : sign.start()])
        target = _language_at(text, sign.end()) if source else None
        if source and target and _follows(_INSTRUCTION_END, target):
            return source, (0, target)
    return None


def _tag_of_whole(text: str) -> str | None:
    """Return the tag of a text that consists of a language only."""
    found = _language_at(text, 0)
    return found.tag if found and found.end == len(text) else None


def _mentions_at(places: Iterable[_Place], words_at_end: bool) -> list[LanguageMention]:
    """Return the common languages in order, or else the others. `Translate my letter to Mari into French` therefore
    means French. Languages that follow each other are one mention."""
    found: list[LanguageMention] = []
    for place in places:
        if (not found or place[0] >= found[-1].end) and (target := _mention_at(place, words_at_end)):
            found.append(_with_following(place[1].text, target, words_at_end))
    return [target for target in found if target.is_common] or found


def _with_following(text: str, target: LanguageMention, words_at_end: bool) -> LanguageMention:
    while len(target.tags) < _MAX_LANGUAGES and (gap := _NEXT_LANGUAGE.match(text, target.end)):
        found = _language_at(text, gap.end())
        following = _mention_at((gap.start(), found), words_at_end) if found else None
        if following is None:
            break
        target = replace(target, end=following.end, tags=tuple(dict.fromkeys((*target.tags, *following.tags))))
    return target


def source_in(instruction: str, target: LanguageMention) -> str | None:
    """Return the tag of the language to translate from, if the instruction names one."""
    if arrow := _arrow_in(instruction):
        return arrow[0]
    for start, found in _places_by_role(instruction)["from"]:
        if found.is_code and _follows(_ON_TO, found):
            return found.tag
        source = _mention_at((start, found))
        if source and source.tags[0] not in target.tags and found.name.lower() not in NAMES_THAT_ARE_WORDS:
            return source.tags[0]
    return None


def tag_of_text(language: str) -> str | None:
    """Return the tag of a text that is only a language (a code or a name, perhaps with a region), or None for any other
    text."""
    return _tag_of_whole(language.strip()) or tag_of_code(language.strip())


def _mention_at(place: _Place, words_at_end: bool = True) -> LanguageMention | None:
    start, found = place
    if found.is_code:
        if not _follows(_CLAUSE_END, found) or _is_a_word(found, words_at_end):
            return None
    elif (
        found.ending and found.name.isascii() and len(found.name) < _FEWEST_LETTERS
    ) or found.name in NAMES_THAT_ARE_WORDS:
        return None
    return LanguageMention((found.tag,), start, found.end, found.is_code)


def _is_a_word(found: _LanguageName, words_at_end: bool) -> bool:
    """True if a code is meant as a word, like "it" in `translate this to it, please`."""
    code = found.name.lower()
    is_common = LANGUAGES[TAG_OF_CODE[code]].is_common
    if found.has_region:
        return False  # to it-IT
    if is_common and (code not in _ALSO_WORDS or found.name.isupper()):
        return False  # to fr, to IT
    if not is_common and code not in CODES_THAT_ARE_WORDS:
        return False  # to aar
    following = found.text[found.end :].lstrip()[:1]
    if following in {":", "："}:
        return False  # to it: hello
    if not following and (words_at_end or (is_common and code not in _LAST_WORDS)):
        return False  # to de
    gap = _NEXT_LANGUAGE.match(found.text, found.end)
    begins_list = gap is not None and _language_at(found.text, gap.end()) is not None
    return not begins_list  # to it, fr
