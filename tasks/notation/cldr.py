"""Names of months, weekdays, magnitudes, units and currencies, and the words within dates, from Unicode's CLDR.

>>> MONTHS.all[folded("Сентября")], MAGNITUDES.common["mio"]
((9,), (1000000,))

The package `babel` has a file for each language. Its tables are read here one after the other, because `babel.Locale`
would keep a megabyte for each language.
"""

import pickle
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from babel.localedata import resolve_locale_filename

from models.normal_forms import normalized

_COMMON: Final = (
    "en", "en_GB", "en_AU", "en_IN", "de", "de_AT", "de_CH", "fr", "fr_CA", "es", "es_MX", "it", "pt", "pt_PT",
    "nl", "pl", "sv", "da", "nb", "no",
)  # fmt: skip
"""Languages whose short names count anywhere. If a word means different things, the first language comes first."""
_OTHERS: Final = (
    "fi", "cs", "ms", "hu", "ro", "tr", "sk", "ru", "uk", "ja", "zh", "zh_Hant", "ko", "id", "vi", "hi", "ar",
    "ar_MA", "ar_LB", "he", "fa", "el", "bg", "hr", "sr", "sr_Latn", "sl", "be", "lt", "lv", "et", "th", "fil",
    "ca", "gl", "eu", "ga", "cy", "is", "sq", "mk", "ka", "hy", "az", "kk", "uz", "af", "sw", "nn",
)  # fmt: skip
_UNLISTED: Final[Mapping[str, Collection[tuple[int, str]]]] = {
    "months": ((3, "mrz"), (3, "maerz")),
    "days": (
        (2, "tues"),
        (3, "weds"),
        (3, "środę"),
        (4, "thur"),
        (4, "thurs"),
        (6, "sonnabend"),
        (6, "sobotę"),
        (7, "niedzielę"),
    ),
    "magnitudes": ((1_000, "tsd"), (1_000, "千"), (10**9, "billions"), (10**12, "trillions")),
}
"""Names that are printed, but not in CLDR."""
_FEWEST_LETTERS: Final = 4
"""A Latin name of fewer letters in one of _OTHERS is a word of another language: `pro` is December in Czech."""
_TWO_LETTERS: Final = ("de", "nl")
"""Languages whose weekdays of two letters count anywhere. Those of others are words elsewhere: `on`, `to`, `la`."""
_WORDS_ELSEWHERE: Final = frozenset(("bill", "mill", "tri", "mil", "mile", "julie", "augusta"))
"""Names that are words or first names in other languages, or that mean different things: `mil` is a thousand in
Spanish, and a million in Czech."""
_ACCENTS: Final = re.compile("[\u0300-\u036f]")
_ENDS: Final = ".॰׳\u200f\u200e"
_FIRST_CJK: Final = "\u2e80"
_QUOTED: Final = re.compile(r"'([^\W\d_]+)\.?,?'")
_CLOCK_LETTERS: Final = re.compile("[aBhHkKms]")
_WEEK_LETTERS: Final = re.compile("[wWY]")
_BEFORE_MONTH: Final = re.compile(r"([^\W\d_a-zA-Z])M{3}")
"""Pattern of a letter that is written together with the name of a month, in Hebrew."""


class NumbersByName(NamedTuple):
    """Words with all their meanings, the likeliest first."""

    all: Mapping[str, tuple[int, ...]]
    """Meanings by the folded word."""
    common: Mapping[str, tuple[int, ...]]
    """Meanings of the words that mean the same in a text of any language, by the word, folded or in small letters, for
    patterns of running text."""


def folded(word: str) -> str:
    """Return a name in small letters, without accents and without the points of an abbreviation."""
    if word.isascii():
        return word.lower().strip(_ENDS)
    return normalized("NFC", _ACCENTS.sub("", normalized("NFD", word.strip(_ENDS).casefold())))


def _tables() -> Iterator[tuple[str, Mapping[str, Any]]]:
    for locale in (*_COMMON, *_OTHERS):
        with open(resolve_locale_filename(locale), "rb") as file:
            yield locale, pickle.load(file)  # noqa: S301 - a file of the package


def _leaves(node: Any, without: Collection[str] = ("narrow",)) -> Iterator[tuple[Any, str]]:
    """Yield the names in a table with their keys, without some tables in it. One letter above a column of a calendar
    (`narrow`) is not a name."""
    for key, below in node.items() if isinstance(node, Mapping) else ():
        name = getattr(below, "pattern", below)
        if isinstance(name, str):
            yield key, name
        elif key not in without:
            yield from _leaves(below, without)


def _named(found: Iterable[tuple[str, int, str]], *, may_be_one_sign: bool = False) -> NumbersByName:
    """Return names, each with its locale and its meaning, by their words. With `may_be_one_sign`, a single Chinese or
    Korean sign counts anywhere."""
    meanings: defaultdict[str, dict[int, None]] = defaultdict(dict)
    common: dict[str, str] = {}
    for locale, meaning, name in found:
        word = folded(name)
        if not word or any(map(str.isdigit, word)):
            continue
        meanings[word][meaning] = None
        fewest = _FEWEST_LETTERS if locale in _OTHERS else 2 if locale in _TWO_LETTERS else 3
        if not "a" <= word[0] <= "z":
            fewest = 1 if may_be_one_sign and word[0] >= _FIRST_CJK else 2 if word.upper() == word else 3
        if len(word) >= fewest and word not in _WORDS_ELSEWHERE:
            common |= {word: word, name.lower().strip(_ENDS): word}
    every = {word: tuple(found) for word, found in meanings.items()}
    return NumbersByName(every, {printed: every[word] for printed, word in common.items()})


def _magnitudes(tables: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    """Yield the words that multiply a number, with their factors: `0 Mio.` is the pattern for 1,000,000."""
    for power, pattern in _leaves(tables.get("compact_decimal_formats")):
        word = re.sub(r"[0\s']", "", pattern)
        zeros = pattern.count("0")
        if zeros and word.strip(_ENDS).isalpha():
            yield int(power) // 10 ** (zeros - 1), word


def _patterns_of_days(tables: Mapping[str, Any]) -> Iterator[str]:
    for table in ("date_formats", "datetime_skeletons"):
        for _, pattern in _leaves(tables.get(table)):
            letters = _QUOTED.sub("", pattern)
            if not _CLOCK_LETTERS.search(letters) and not _WEEK_LETTERS.search(letters):
                yield pattern


def _all_names() -> tuple[NumbersByName, NumbersByName, NumbersByName, frozenset[str]]:
    months, days, magnitudes = ([("", *one) for one in _UNLISTED[kind]] for kind in ("months", "days", "magnitudes"))
    words = set[str]()
    for locale, tables in _tables():
        patterns = [*_patterns_of_days(tables)]
        prefixes = {"", *(prefix for pattern in patterns for prefix in _BEFORE_MONTH.findall(pattern))}
        months += [(locale, at, prefix + name) for at, name in _leaves(tables.get("months")) for prefix in prefixes]
        days += [(locale, at + 1, name) for at, name in _leaves(tables.get("days"), ("narrow", "short"))]
        magnitudes += [(locale, *one) for one in _magnitudes(tables)]
        words.update(word.lower() for pattern in patterns for word in _QUOTED.findall(pattern))
    return _named(months), _named(days), _named(magnitudes, may_be_one_sign=True), frozenset(words)


MONTHS, WEEKDAYS, MAGNITUDES, WORDS_IN_DAYS = _all_names()
"""Months by their numbers, 1 to 12; weekdays, 1 for Monday to 7 for Sunday; the factors of words after numbers; and the
words that are printed between the parts of a day: `de`, `г`."""


@cache
def units_and_currencies() -> frozenset[str]:
    """Return the names and signs of units and currencies in all languages, in small letters: `km/h`, `stunden`."""
    found = set()
    for _, tables in _tables():
        found |= {pattern.replace("{0}", "").strip() for _, pattern in _leaves(tables.get("unit_patterns"))}
        for table in ("currency_names", "currency_names_plural", "currency_symbols"):
            found |= {name for _, name in _leaves(tables.get(table))}
    return frozenset(filter(None, (folded(normalized("NFKC", name)) for name in found)))


def months_named(name: str) -> tuple[int, ...]:
    """Return the numbers of the months, 1 to 12, that a name has, the likeliest first; none for another word."""
    return MONTHS.all.get(folded(name), ())


def month_named(name: str) -> int:
    """Return the number of the likeliest month, 1 to 12, or 0 for a word that is not a month."""
    return next(iter(months_named(name)), 0)
