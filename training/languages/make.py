"""Makes `models/translation/languages.tsv`: the languages that engines know, by their names and codes.

    uv run --no-project --with babel==2.18.0 --with language_data==1.4.0 python -m training.languages.make

The list has all languages of ISO 639-1, the languages that the detector distinguishes, and the languages in the
vocabulary of MADLAD-400 (the latter two are listed beside this file). English names and native names come from CLDR, by
way of Babel (Unicode-3.0); further English names come from IANA's language subtag registry, by way of language_data.
Codes are CLDR's aliases of ISO 639-3 and 639-2.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from language_data.registry_parser import parse_registry

HERE = Path(__file__).parent
TABLE = HERE.parents[1] / "models/translation/languages.tsv"
_SAME = {"tl": ("fil",), "no": ("nb",)}
"""Codes that CLDR distinguishes although their translations are the same."""
_ISO_639_3 = {"sh": "hbs", "tw": "twi", "ak": "aka", "ber": "ber", "bh": "bih", "no": "nor nob", "tl": "tgl fil"}
_ASIDE = re.compile(r"\s*[(,].*")


def main() -> None:
    registry = {
        entry["Subtag"]: entry
        for entry in parse_registry()
        if entry.get("Type") == "language" and "Subtag" in entry and "Deprecated" not in entry
    }
    madlad = _listed("madlad.txt")
    tags = {tag for tag in registry if len(tag) == 2} | _listed("detector.txt") | {tag.split("_")[0] for tag in madlad}
    tags -= {other for others in _SAME.values() for other in others}
    translated = {tag.split("_")[0] for tag in madlad} | {
        tag for tag, others in _SAME.items() if madlad & {tag, *others}
    }
    english: Mapping[str, str] = Locale("en").languages
    codes = _codes(registry)
    lines = []
    merged = {other: tag for tag, others in codes.items() for other in others if tag in tags}
    for tag in sorted(tags - merged.keys()):
        others = sorted(codes.get(tag, ()))
        alike = [tag, *(other for other in others if other in tags)]
        names = [*(name for each in alike for name in _english(each, english, registry)), *_own(tag)]
        known = "madlad-400" if tag in translated else ""
        lines.append("\t".join((tag, " ".join(others), known, "|".join(dict.fromkeys(names)))))
    TABLE.write_text("\n".join(("tag\tcodes\tengines\tnames", *lines)) + "\n", encoding="utf-8")


def _listed(name: str) -> set[str]:
    return set((HERE / name).read_text().split())


def _codes(registry: Mapping[str, Any]) -> Mapping[str, set[str]]:
    """Return the other codes of each language by tag: codes of three letters, and outdated codes of two letters."""
    codes: dict[str, set[str]] = defaultdict(set)
    aliases: Mapping[str, str] = get_global("language_aliases")
    for code, tag in aliases.items():
        # The code of a language with a tag of its own is not a code of another language.
        if re.fullmatch("[a-z]{2,3}", code) and re.fullmatch("[a-z]{2,3}", tag) and code not in _own_tags(registry):
            codes[tag].add(code)
    for tag, others in _SAME.items():
        codes[tag].update(others)
        for other in others:
            codes[tag] |= codes.pop(other, set())
    for tag, written in _ISO_639_3.items():
        codes[tag] |= set(written.split())
    return {tag: others - {tag} for tag, others in codes.items()}


def _own_tags(registry: Mapping[str, Any]) -> set[str]:
    return {tag for tag in registry if tag in _listed("madlad.txt")}


def _english(tag: str, english: Mapping[str, str], registry: Mapping[str, Any]) -> Iterator[str]:
    if tag in english:
        yield english[tag]
    for description in registry.get(tag, {}).get("Description", []):
        yield _ASIDE.sub("", description).removesuffix(" languages")


def _own(tag: str) -> Iterator[str]:
    try:
        own = Locale.parse(tag).languages.get(tag)
    except (UnknownLocaleError, ValueError):
        return
    if own:
        yield own
        yield _ASIDE.sub("", own)


if __name__ == "__main__":
    main()
