"""Parses an English question with the words of questions.toml, so that `vetoes` can compare it."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

from app.chat.planning.prose import CODE, EMAIL, QUOTED
from models.normal_forms import normalized
from models.translation.languages import detected
from tasks.inputs.source import urls_in
from tasks.notation.dates import find_days
from tasks.notation.numbers import find_numbers
from tasks.notation.words import MONTHS, NUMBERS, PLACES, UNITS, any_of, unit_named

_LEAST_PROBABILITY: Final = 0.8
"""A text is taken to be in a language if the probability of the language is at least this."""

Readings = Sequence[frozenset[Any]]
"""Possible readings of each number, or of each date, in a question."""
_WORD: Final = re.compile(r"[^\W_]+(?:['./_+&-][^\W_]+)*[+#]*|[#%]")
_SIGN: Final = re.compile(r"[<>=≤≥^*×÷@\\|~]|(?<=[\d\s])[+/-](?=[\d\s])")
"""Pattern of signs in calculations and code."""
_OPERATOR: Final = re.compile(
    r"[<>=^*|~&+:-]{2,}|!==?|(?<!\S)\?[?:.]=?(?=\s)"
    r"|(?<!\S)[^\w\s?!.,;%‰°$€£¥₹]+(?=[?!.,;]*(?!\S))"
)
"""Pattern of operators of several signs, and of words without letters and digits."""
_CONTRACTIONS: Final = (
    (re.compile(r"\b(?:can't|cannot)\b"), "can not"),
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"\b(what|who|where|how|when|why|there|it|that)'s\b"), r"\1 is"),
    (re.compile(r"\bi'm\b"), "i am"),
    (re.compile(r"\bi'd\b"), "i would"),
    (re.compile(r"(?<=\w)'(?:s|re|ve|ll|d)\b"), ""),
    (re.compile(r"(?<=s)'(?=\W|$)"), ""),
)
_COUNTRY: Final = re.compile(r"\bU\.?S\.?(?:A\.?)?(?=\W|$)")
_SYMBOLS: Final = {
    "%": "percent",
    "$": "dollar",
    "€": "euro",
    "£": "sterling",
    "¥": "yen",
    "₹": "rupee",
    "°c": "celsius",
    "°f": "fahrenheit",
}
_SYMBOL: Final = re.compile("|".join(map(re.escape, _SYMBOLS)), re.IGNORECASE)
_I_OR_YOU: Final = {"i": "i", "me": "i", "we": "i", "us": "i", "you": "you"}
_AMBIGUOUS_DATES: Final = frozenset({"may", "march", "mar", "sun", "sat", "second"})
_BEFORE_NAMES: Final = " \t\"'“„«(["
_SENTENCE_ENDS: Final = ".!?:;\n"
_BEFORE_UNITS: Final = frozenset({"#", "in", "to", "into", "from", "per"})
_COSTS: Final = frozenset({"cost", "costs"})
"""Words of a price. A question with "how much" and one of these words, anywhere in it, has no kind."""
_TOWARDS: Final = dict.fromkeys(("into", "onto", "toward", "towards"), "to")
_DOUBLED: Final = re.compile(r"([bdgklmnprt])\1$")
_SINGULAR_ENDINGS: Final = ("ss", "us", "is")
_WEEKDAYS: Final = tuple(
    f"{day}{ending}" for day in ("mon", "tues", "wednes", "thurs", "fri", "satur", "sun") for ending in ("day", "days")
)


@dataclass(frozen=True, slots=True)
class ParsedQuestion:
    language: str | None
    """Code of the language, or None if it is in doubt."""
    quoted: frozenset[str]
    addresses: frozenset[str]
    codes: frozenset[str]
    """Words with digits or signs in them, such as names of files and products."""
    days: Readings
    dates: frozenset[str]
    """Names of months, weekdays and ordinal numbers."""
    numbers: Readings
    units: frozenset[str]
    denies: bool
    kind: str
    """Kind of the question: "why", "howmany" …, "can", "must", "yes or no", or "" for any other."""
    words: Sequence[str]
    """Stems of all words, in order."""
    content: Sequence[str]
    """Stems of the words that carry meaning."""
    names: Sequence[str]
    objects: Mapping[str, frozenset[str]]
    """Objects of directions: the next word with a meaning after "to", "from", "than" …, by direction."""
    times: frozenset[int]
    """Numbers of the tenses (present, past, future) that occur, by their order in `times` of questions.toml."""
    persons: frozenset[int]
    """Numbers of the persons that occur, by their order in `persons` of questions.toml."""
    light: frozenset[int]
    """Numbers of the light verbs that occur, by their order in `light` of questions.toml."""
    begins_with: str
    """The word "i" or "you", whichever comes first if both occur, else ""."""
    has_order: bool
    """True if the order of the words matters. It does not matter in a question with a word such as "and" or
    "versus"."""


@lru_cache(1024)
def parse_question(text: str) -> ParsedQuestion:
    table = question_words()
    text = normalized("NFKC", text).replace("’", "'").replace("\N{EM DASH}", " ").replace("\N{EN DASH}", "-")
    line = " ".join(text.split())
    language, probability = next(iter(detected(line)), ("", 0.0))
    addresses = [*urls_in(text), *EMAIL.findall(text)]
    quoted = [found.group() for pattern in (CODE, QUOTED) for found in pattern.finditer(text)]
    for each in (*addresses, *quoted):
        text = text.replace(each, " ")
    text = _COUNTRY.sub("usa", text)
    capitals = set(_capitalised(text))
    text = " ".join(text.lower().split())
    for pattern, replacement in _CONTRACTIONS:
        text = pattern.sub(replacement, text)
    text = table.phrase.sub(lambda found: f" {table.phrases[found.group()]} ", text)
    named_days = list(find_days(text))
    text = _without(text, [(day.start, day.end) for day in named_days])
    codes = {*_SIGN.findall(text), *_OPERATOR.findall(text)}
    found_numbers = list(find_numbers(text))
    units = {_SYMBOLS[symbol] for symbol in _SYMBOL.findall(text)}
    text = _without(text, [(number.start, number.end) for number in found_numbers], " # ")
    terms = _WORD.findall(text)
    terms = [_unit(term, term_before) or term for term_before, term in zip(["", *terms], terms, strict=False)]
    words, content, names, dates = [], [], [], set()
    values = [number.readings for number in found_numbers]
    for term in terms:
        words.append(stem(term))
        if term in table.numbers:
            values.append(frozenset({Decimal(table.numbers[term])}))
        elif (month := table.dates.get(term)) and (term not in _AMBIGUOUS_DATES or term in capitals):
            dates.add(month)
        elif term in table.unit_names:
            units.add(term)
        elif is_code(term):
            codes.add(term)
        elif term not in "#%":
            word = stem(term)
            if term in capitals:
                names.append(word)
            if term in capitals or term not in table.function_words:
                content.append(word)
    return ParsedQuestion(
        language=language if probability >= _LEAST_PROBABILITY else None,
        quoted=frozenset(each.casefold() for each in quoted),
        addresses=frozenset(each.casefold().rstrip("/.") for each in addresses),
        codes=frozenset(codes),
        days=[frozenset(day.readings) for day in named_days],
        dates=frozenset(dates),
        numbers=values,
        units=frozenset(units),
        denies=any(term in table.negations for term in terms),
        kind=_kind_of_question(terms),
        words=words,
        content=content,
        names=names,
        objects=_objects(terms),
        times=_numbers_in(terms, table.times),
        persons=_numbers_in(terms, table.persons),
        light=_numbers_in(terms, table.light),
        begins_with=_first_person(terms),
        has_order=not any(term in table.without_order for term in terms),
    )


def is_code(term: str) -> bool:
    """True if a word contains digits or signs."""
    return term != "#" and any(character.isdigit() or character in "./_+#&" for character in term)


def _numbers_in(terms: Sequence[str], kinds: Mapping[str, int]) -> frozenset[int]:
    return frozenset(kinds[term] for term in terms if term in kinds)


def _first_person(terms: Sequence[str]) -> str:
    found = [_I_OR_YOU[term] for term in terms if term in _I_OR_YOU]
    return found[0] if len(set(found)) == 2 else ""


def _without(text: str, spans: Sequence[tuple[int, int]], replacement: str = " ") -> str:
    for start, end in reversed(spans):
        text = f"{text[:start]}{replacement}{text[end:]}"
    return text


def _capitalised(text: str) -> Iterator[str]:
    """Yield, in lower case, the words whose capitals make them names.

    Capitals mean nothing in a text of more than three words if most of these words have them. The initial capital of a
    sentence means nothing either.
    """
    found = list(_WORD.finditer(text))
    function_words = question_words().function_words - question_words().dates.keys()
    if sum(each.group()[0].isupper() for each in found) > len(found) / 2 and len(found) > 3:
        return
    for each in found:
        word = each.group().removesuffix("'s")
        has_inner_capital = any(character.isupper() for character in word[1:])
        if word == "I" or word.startswith("I'") or (word.lower() in function_words and not word.isupper()):
            continue  # such as "What" in "Hi, What"
        text_before = text[: each.start()].rstrip(_BEFORE_NAMES)
        if has_inner_capital or (word[0].isupper() and text_before and text_before[-1] not in _SENTENCE_ENDS):
            yield word.lower()


def _unit(term: str, word_before: str) -> str | None:
    """Return the name of a unit; None if `term` is not a unit. A term of one or two letters is a unit only after a
    number or a direction."""
    if len(term) <= 2 and word_before not in _BEFORE_UNITS:
        return None
    named = question_words().units.get(term)
    return named or (unit_named(term) if term.isascii() else None)


def _kind_of_question(terms: Sequence[str]) -> str:
    table = question_words()
    for index, term in enumerate(terms):
        following = terms[index + 1] if index + 1 < len(terms) else ""
        if term in table.questions and (
            index < 2 or term.startswith("how") or following in table.yes_or_no or following == "to"
        ):
            costs = term == "howmuch" and not _COSTS.isdisjoint(terms)
            return "" if costs else term
        if term == "whom":
            return "who"
    if not terms or terms[0] not in table.yes_or_no:
        return ""
    if not table.obligations.isdisjoint(terms):
        return "must"
    return "can" if terms[0] in table.possibilities else "yes or no"


def _objects(terms: Sequence[str]) -> Mapping[str, frozenset[str]]:
    table = question_words()
    objects: dict[str, set[str]] = {}
    for index, term in enumerate(terms):
        if term in table.directions:
            following = (
                stem(each) for each in terms[index + 1 : index + 4] if each not in table.without_meaning and each != "#"
            )
            objects.setdefault(_TOWARDS.get(term, term), set()).update([next(following, "")])
    return {direction: frozenset(found - {""}) for direction, found in objects.items()}


@lru_cache(4096)
def stem(word: str) -> str:
    """Return `word` without the endings of plurals, verbs and adverbs: "cancelling", "cancelled" and "cancels" have one
    stem."""
    for ending, replacement in (
        ("ies", "y"),
        ("ied", "y"),
        ("sses", "ss"),
        ("ing", ""),
        ("ed", ""),
        ("ly", ""),
        ("es", ""),
        ("s", ""),
    ):
        if (
            word.endswith(ending)
            and len(word) - len(ending) >= 3
            and not (ending[-1] == "s" and word.endswith(_SINGULAR_ENDINGS))
        ):
            word = word.removesuffix(ending) + replacement
            break
    word = _DOUBLED.sub(r"\1", word)
    return word[:-1] if len(word) > 3 and word.endswith("e") else word


@dataclass(frozen=True, slots=True)
class QuestionWords:
    phrase: re.Pattern[str]
    phrases: Mapping[str, str]
    without_meaning: frozenset[str]
    function_words: frozenset[str]
    """Function words and interrogatives, which are compared separately."""
    negations: frozenset[str]
    questions: frozenset[str]
    yes_or_no: frozenset[str]
    directions: frozenset[str]
    opposite_directions: Mapping[str, frozenset[str]]
    without_order: frozenset[str]
    obligations: frozenset[str]
    possibilities: frozenset[str]
    times: Mapping[str, int]
    persons: Mapping[str, int]
    light: Mapping[str, int]
    synonyms: Mapping[str, frozenset[int]]
    """Numbers of the sets of synonyms that a stem belongs to, by stem."""
    opposites: Mapping[str, frozenset[str]]
    """Stems of opposite meaning, by stem."""
    units: Mapping[str, str]
    unit_names: frozenset[str]
    numbers: Mapping[str, int]
    dates: Mapping[str, str]


@cache
def question_words() -> QuestionWords:
    data = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
    phrases = {
        phrase: word.strip() for word, lists in data["phrases"].items() for phrase in _split_list(", ".join(lists))
    }
    words = {
        name: frozenset(_split_list(phrase) if "," in phrase else phrase.split())
        for name, phrase in data["words"].items()
        if isinstance(phrase, str)
    }
    synonyms: dict[str, set[int]] = {}
    for index, synonym_set in enumerate(data["synonyms"]["sets"]):
        for word in _split_list(synonym_set):
            synonyms.setdefault(stem(word), set()).add(index)
    return QuestionWords(
        phrase=re.compile(rf"(?<![\w'])(?:{any_of(map(re.escape, phrases))})(?![\w'])"),
        phrases=phrases,
        without_meaning=words["without_meaning"],
        function_words=words["without_meaning"] | words["questions"],
        negations=words["negations"],
        questions=words["questions"],
        yes_or_no=words["yes_or_no"],
        directions=words["directions"],
        opposite_directions=_pair_up(map(_split_list, data["words"]["opposite_directions"])),
        without_order=words["without_order"],
        obligations=words["obligations"],
        possibilities=words["possibilities"],
        times=_number_words(data["words"]["times"]),
        persons=_number_words(data["words"]["persons"]),
        light=_number_words(data["words"]["light"]),
        synonyms={word: frozenset(sets) for word, sets in synonyms.items()},
        opposites=_pair_up((stem(word) for word in _split_list(pair)) for pair in data["opposites"]["pairs"]),
        units={word: unit for unit, phrase in data["units"].items() for word in _split_list(phrase)},
        unit_names=frozenset({*data["units"], *UNITS}),
        numbers=_english_words(NUMBERS, 1),
        dates={
            **{word: f"place {number}" for word, number in _english_words(PLACES, 2).items()},
            **{word: f"month {MONTHS[word[:3]]}" for word in _english_words(MONTHS, 2)},
            **{name: f"weekday {name[:3]}" for name in _WEEKDAYS},
        },
    )


def _pair_up(pairs: Iterable[Iterable[str]]) -> dict[str, frozenset[str]]:
    """Return, for each word, the words that are paired with it."""
    partners: dict[str, set[str]] = {}
    for x, y in pairs:
        partners.setdefault(x, set()).add(y)
        partners.setdefault(y, set()).add(x)
    return {word: frozenset(others) for word, others in partners.items()}


def _number_words(kinds: Sequence[str]) -> dict[str, int]:
    return {word: index for index, words in enumerate(kinds) for word in _split_list(words)}


def _split_list(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _english_words(named: Mapping[str, int], words: int) -> dict[str, int]:
    """Return the first `words` words of each number, without "one". In these lists, the English words come first."""
    by_number: dict[int, list[str]] = {}
    for word, number in named.items():
        by_number.setdefault(number, []).append(word)
    return {word: number for number, found in by_number.items() for word in found[:words] if word != "one"}


def share_of_english(text: str) -> float:
    """Return the share of the words of `text` that are among the most common words of English questions."""
    table = question_words()
    terms = _WORD.findall(text.lower())
    common = table.without_meaning | table.questions | table.yes_or_no | table.directions
    return sum(term in common for term in terms) / max(1, len(terms))
