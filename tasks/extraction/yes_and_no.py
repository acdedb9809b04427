"""Interprets words and signs that make a choice: yes and no, ticked boxes, and words that mean the same as a value of
an enum."""

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from models.normal_forms import normalized
from tasks.extraction.folding import fold

FILE: Final = Path(__file__).with_name("yes_and_no.toml")
_TABLE: Final[Mapping[str, Mapping[str, Any]]] = tomllib.loads(FILE.read_text("utf-8"))

LONGEST_CHOICE: Final = 1_000
"""A value of an enum is compared with texts only if it has at most this many characters."""

_NEAR_CHARACTERS: Final = 80
"""A denial of a value is searched for in this many characters before the value."""
_MOST_BETWEEN: Final = 2
"""At most this many words are between a denial and what it denies: `no longer a`."""

Words = tuple[str, ...]
TICKED: Final = tuple(dict.fromkeys(_TABLE["boxes"]["ticked"].replace("( )", "").split()))
EMPTY: Final = ("[ ]", "( )", *(sign for sign in _TABLE["boxes"]["empty"].split() if sign not in "[]()"), "[]", "()")
_BOXES: Final = {**dict.fromkeys(TICKED, True), **dict.fromkeys(EMPTY, False)}
_CELLS: Final = {sign: answer == "yes" for answer, signs in _TABLE["cells"].items() for sign in signs.split()}
_MEANINGS: dict[Words, set[int]] = {}
"""Indices of the synonym groups that contain a phrase, by phrase."""


def words_of(text: str) -> Words:
    """Return the normalised words of a text without accents, because OCR and schema keys often lack them: `Não` →
    nao."""
    return tuple(_without_accents(word) for word in fold(text.replace("_", " ")))


def _without_accents(word: str) -> str:
    if word.isascii():
        return word
    letters = normalized("NFD", word.replace("ł", "l"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _phrases(listed: str) -> Iterator[Words]:
    return (words_of(phrase) for phrase in listed.split(","))


_ANSWERS: Final = {words: answer == "yes" for answer, listed in _TABLE["answers"].items() for words in _phrases(listed)}
DENIALS: Final = frozenset(_phrases(_TABLE["denials"]["before"]))
_DENIES_VALUE: Final = frozenset(_phrases(_TABLE["denials"]["value"]))
_DENYING_PAIRS: Final = frozenset((first, last) for first, last in _phrases(_TABLE["denials"]["pairs"]))
_WORDS_AFTER_DENIAL: Final = frozenset(word for phrase in _phrases(_TABLE["denials"]["between"]) for word in phrase)
_WORDS_BESIDE_DENIAL: Final = _WORDS_AFTER_DENIAL | {
    word for phrase in _phrases(_TABLE["denials"]["beside"]) for word in phrase
}
_LIMITS_VALUE: Final = frozenset(_phrases(_TABLE["limiting"]["before"]))
_TURNING: Final = frozenset(_phrases(_TABLE["turning"]["labels"]))
_TURNED_NAMES: Final = tuple(word for words in _phrases(_TABLE["turning"]["names"]) for word in words)
_DENYING_PREFIXES: Final = ("un", "non", "in", "dis")
_NO_AS_NUMBER: Final = re.compile(r"no(?:[.:#]|\W*\d|$)", re.IGNORECASE)
"""Pattern of a label that begins with "no" in the sense of "number": `No. 3`."""
_LONGEST_PHRASE: Final = 3
"""Longest phrase, in words, that is searched for in a remark or label."""
_LONGEST_DENIAL: Final = max(map(len, _DENIES_VALUE))
_LONGEST_MERE_DENIAL: Final = 4
_CLAUSE: Final = re.compile(r"[.,;:!?\n\t()|]")
_LONGEST_ANSWER: Final = 200
"""Largest number of characters of a text that may be an answer with signs around it, such as a row of dots."""
_SIGNS: Final = {"≤": ("<=", "<"), "≥": (">=", ">"), "<=": ("≤", "<"), ">=": ("≥", ">")}
"""Signs that mean the same as a sign, the most similar first."""
_OPEN: Final = frozenset(_phrases(_TABLE["open"]["values"]))
_OPEN_SIGNS: Final = frozenset(_TABLE["open"]["signs"].split())
_HARMLESS: Final = tuple(_phrases(_TABLE["harmless"]["values"]))
for _number, _meaning in enumerate(_TABLE["choices"]["meanings"]):
    for _words in _phrases(_meaning):
        _MEANINGS.setdefault(_words, set()).add(_number)


def answer_of(text: str, *, is_cell: bool = True) -> bool | None:
    """Return the answer if the whole text is a yes or a no: `Yes`, `nein`, `☒`; else None.

    Signs around the words do not matter: `Yes.` The text of a cell (`is_cell`) may also be a single sign or character:
    `x`.
    """
    bare = text.strip()
    if (sign := _BOXES.get(bare, _CELLS.get(bare) if is_cell else None)) is not None:
        return sign
    if len(bare) > _LONGEST_ANSWER:
        return None
    words = words_of(bare)
    return False if _is_mere_denial(words) else _ANSWERS.get(words)


def answer_after_label(text: str) -> bool | None:
    """Return the answer of the whole text after a label. In addition to what `answer_of` knows, a few words that begin
    with a denial, and a single word that denies, are a no: `not allowed`, `keine`."""
    if (answer := answer_of(text, is_cell=False)) is not None:
        return answer
    words = words_of(text[:_LONGEST_ANSWER])
    if not 0 < len(words) <= _LONGEST_PHRASE:
        return None
    denies = words in DENIALS or any(words[:size] in _DENIES_VALUE for size in range(1, len(words)))
    return False if denies else None


def _is_mere_denial(words: Words) -> bool:
    """True if the words are a denial and no more than what may stand beside it: `not any more`, `noch nicht`. A single
    word is none, because it may be cut from a sentence."""
    if not 1 < len(words) <= _LONGEST_MERE_DENIAL:
        return False
    for start in range(len(words)):
        for size in range(1, min(_LONGEST_DENIAL, len(words) - start) + 1):
            if words[start : start + size] in _DENIES_VALUE:
                return _WORDS_BESIDE_DENIAL.issuperset(words[:start] + words[start + size :])
    return False


def is_left_open(text: str) -> bool:
    """True if the whole text says that the answer is not known, or not known yet: `n/a`, `?`, `to be confirmed`."""
    bare = text.strip()
    return bare in _OPEN_SIGNS or (len(bare) <= _LONGEST_ANSWER and words_of(bare) in _OPEN)


def is_denied(text_before: str) -> bool:
    """True if the text before a value denies the value: `not`, `nicht mehr`, `The number is not`.

    Only the words of the value's own clause count.
    """
    words = list(words_of(_CLAUSE.split(text_before[-_NEAR_CHARACTERS:])[-1]))
    if words and any(first in words[:-1] and words[-1] == last for first, last in _DENYING_PAIRS):
        return True
    for _ in range(_MOST_BETWEEN + 1):
        if any(tuple(words[-size:]) in _DENIES_VALUE for size in range(1, _LONGEST_DENIAL + 1)):
            return True
        if not words or words.pop() not in _WORDS_AFTER_DENIAL:
            return False
    return False


def is_limited(text_before: str) -> bool:
    """True if the words before a value say that it is only partly so: `partially`, `almost`."""
    words = words_of(_CLAUSE.split(text_before[-_NEAR_CHARACTERS:])[-1])
    return any(words[-size:] in _LIMITS_VALUE for size in range(1, _LONGEST_PHRASE + 1))


def is_turned(label: str) -> bool:
    """True if a label asks for the opposite of what its other words name, so that a yes behind it denies them: `No
    smoking`, `Opt out of newsletter`."""
    words = words_of(label)
    # Further words of `before`, within a label, deny only a part of it: `Delivered without damage`.
    denies = any(words[:size] in DENIALS for size in range(1, _LONGEST_PHRASE + 1))
    if denies and not _NO_AS_NUMBER.match(label.strip()):
        return True
    return any(phrase in _DENIES_VALUE or phrase in _TURNING for phrase in _phrases_in(words))


def is_turned_name(name: Words, label: str) -> bool:
    """True if the name of a field says the opposite itself, by a denial, in a compound or by a prefix that the label
    lacks: `non_smoking`, `gluten_free`, `unfurnished` for the label `Not furnished`."""
    opposites = {prefix + word for prefix in _DENYING_PREFIXES for word in words_of(label)}
    return is_turned(" ".join(name)) or any(word.endswith(_TURNED_NAMES) or word in opposites for word in name)


def _phrases_in(words: Words) -> Iterator[Words]:
    return (words[start : start + size] for start in range(len(words)) for size in range(1, _LONGEST_PHRASE + 1))


class EnumValues:
    """The values of an enum, prepared for comparison with many texts.

    >>> EnumValues(["card", "transfer"]).meant_by("Überweisung")
    'transfer'
    """

    def __init__(self, values: Sequence[Any]) -> None:
        """Prepare the values. Only values that are strings of at most LONGEST_CHOICE characters are compared with
        texts."""
        self.values = [value for value in values if isinstance(value, str) and len(value) <= LONGEST_CHOICE]
        self.words = [words_of(value) for value in self.values]
        self._longest = _LONGEST_ANSWER + 2 * max(map(len, self.values), default=0)
        """Largest number of characters of a text that is compared: OCR may put a space between any two letters."""
        self._spelt: dict[str, int] = {}
        self._meanings: dict[int, set[int]] = {}
        self._answers: dict[bool, set[int]] = {True: set(), False: set()}
        for index, (value, words) in enumerate(zip(self.values, self.words, strict=True)):
            self._spelt.setdefault("".join(words), index)
            for meaning in _MEANINGS.get(words, ()):
                self._meanings.setdefault(meaning, set()).add(index)
            if (answer := answer_of(value)) is not None:
                self._answers[answer].add(index)

    def meant_by(self, text: str) -> Any:
        """Return the value with the words of `text`, or else the only value that `text` is a known synonym of; None if
        there is neither."""
        if len(text) > self._longest:
            return None
        answer_words = words_of(text)
        if not answer_words:
            sign = text.strip()
            return next((one for like in (sign, *_SIGNS.get(sign, ())) for one in self.values if one == like), None)
        # OCR may split a word.
        if "".join(answer_words) in self._spelt:
            return self.values[self._spelt["".join(answer_words)]]
        by_meaning = set().union(*(self._meanings.get(meaning, ()) for meaning in _MEANINGS.get(answer_words, ())))
        answer = _ANSWERS.get(answer_words)
        by_answer = set() if answer is None else self._answers[answer]
        return next(
            (self.values[index] for found in (by_meaning, by_answer) if len(found) == 1 for index in found), None
        )


def most_harmless(values: Sequence[Any]) -> Any:
    """Return the value of an enum that claims least, such as `unknown` or `other`, or else the first value."""
    spelt = {words_of(value): value for value in reversed(values) if isinstance(value, str)}
    return next((spelt[words] for words in _HARMLESS if words in spelt), values[0])
