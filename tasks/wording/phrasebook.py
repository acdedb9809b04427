"""Determines which of many subjects a text may mention. RE2 searches for all their regular expressions in one pass,
while Python's `re` would need one pass for each.

RE2 searches an ASCII image of the text for images of the expressions. Letters that differ only in case or accents have
the same image. ASCII characters are only changed to lower case. Any other letter becomes its base letter if that is
ASCII, or else two letters; any other digit becomes `0`, any other white space a space, and any other sign `~`.
Different texts may have the same image, but if an expression matches in a text, its image matches in the text's image.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import re2

from models.normal_forms import normalized
from tasks.wording.phrases import compiled

AUTOMATON_BYTES: Final = 8 << 20
"""Memory for RE2's cached states, in bytes. If more are needed, RE2 drops states and computes them again."""
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SPACES: Final = r"\s\x0b\x1c-\x1f"
"""Members of a character class for white space. RE2's own class has fewer characters than Python's."""
_ANYTHING: Final = "(?s:..?)"
_IMAGES_OF_SIGNS: Final = {
    **{sign: sign for sign in (r"\b", r"\B", r"\d", r"\W", "|", ")")},
    **dict.fromkeys(("(", "(?:", "(?>"), "(?:"),
    **dict.fromkeys((".", r"\D", r"\S"), _ANYTHING),
    **dict.fromkeys(("^", r"\A"), "(?m:^)"),
    **dict.fromkeys(("$", r"\Z"), "(?m:$)"),
    r"\s": f"[{_SPACES}]",
    r"\w": r"(?:\w\w?)",
}
_SIGNS: Final = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?:\?(?::|>|P<\w+>|<?[=!])?)?|(?:\{(?:\d+,?|,)\d*\}|[*+?])[+?]?"
    r"|[^\\[(){*+?.|^$]+|.",
    re.DOTALL,
)
_LOOKS_AROUND: Final = re.compile(r"\(\?<?[=!]")
_REPEATS: Final = re.compile(r"[*+?]|\{[\d,]")


def _image_of_letter(letter: str) -> str:
    if letter.isspace():
        return " "
    if letter.isdecimal():
        return "0"
    if not letter.isalnum():
        return "~"
    # Python's IGNORECASE also matches a dotless i with an i.
    base = "i" if letter == "ı" else normalized("NFD", letter.casefold())[0]
    return base if base.isascii() else _LETTERS[ord(base) // 26 % 26] + _LETTERS[ord(base) % 26]


class _Images(dict[int, str]):
    """Cached images of characters, for `str.translate`."""

    def __missing__(self, code: int) -> str:
        image = _image_of_letter(chr(code))
        if code < 1 << 16:  # other characters are rare, and there are a million
            self[code] = image
        return image


_IMAGES: Final = _Images({code: chr(code).lower() for code in range(128)})


def image(text: str) -> str:
    return text.lower() if text.isascii() else text.translate(_IMAGES)


_ALSO: Final = {**dict.fromkeys("ιΙ\u1fbe", r"|\~"), "\u0345": f"|{image('ι')}"}
"""Additional images of iotas, because Python's IGNORECASE takes a combining iota below a letter for an iota."""


def pieces(pattern: str) -> list[list[str]]:
    """Return, for each alternative of a regular expression, the RE2 expressions of its parts, which are separated by
    gaps of any text (`.*`).

    If the expression matches in a text, all parts of one alternative match the image of that text. Look-around and
    numbers of repetitions are dropped. Flags within the expression, back references and other unknown constructs raise
    ValueError.
    """
    alternatives, depth, skipped, before = [[""]], 0, 0, ""
    for sign in _SIGNS.findall(pattern):
        level = sign.startswith("(") - (sign == ")")
        if skipped or _LOOKS_AROUND.match(sign):
            skipped += level
            continue
        depth += level
        if depth == 0 and sign == "|":
            alternatives.append([""])
        elif depth == 0 and sign == ".":
            alternatives[-1].append("")
        elif depth or before != "." or not _REPEATS.match(sign):
            alternatives[-1][-1] += _image_of_sign(sign)
        before = sign
    return [[part for part in parts if part] or [""] for parts in alternatives]


def _image_of_sign(sign: str) -> str:
    if found := _IMAGES_OF_SIGNS.get(sign):
        return found
    if _REPEATS.match(sign):
        return sign[0] if sign[0] != "{" else "*" if sign[1] in "0," else "+"
    if sign.startswith("(?P<"):
        return "(?:"
    if sign[0] == "[" and len(sign) > 1:
        return _image_of_class(sign[1:-1])
    if sign[0] == "(" or (sign[0] == "\\" and sign[1].isalnum()):
        raise ValueError(f"'{sign}' is not supported in a regular expression")
    return _image_of_literals(sign.removeprefix("\\"))


def _image_of_literals(letters: str) -> str:
    if letters.isascii():
        return re.escape(letters.lower())
    return "".join(f"(?:{re.escape(image(letter))}{_ALSO.get(letter, '')})" for letter in letters)


def _image_of_class(members: str) -> str:
    """Return the image of a character class; a negated one, or one with ranges or classes in it, matches anything."""
    signs = re.findall(r"\\?.", members, re.DOTALL)
    if members[0] == "^" or "-" in signs[1:-1] or any(sign[1:].isalnum() for sign in signs):
        return _ANYTHING
    return f"(?:{'|'.join(_image_of_literals(sign[-1]) for sign in signs)})"


@dataclass(frozen=True)
class Phrasebook:
    """Regular expressions by which subjects are recognised, in upper or lower case."""

    phrases: Mapping[str, Sequence[str]]
    """Regular expressions by subject, one per language because few texts mix several. A subject is recognised if one of
    its expressions matches."""

    def expressions_in(self, *texts: str) -> dict[str, str]:
        """Return, by subject, an expression for `compiled` that has the same matches in `texts` as all phrases of the
        subject together. Missing subjects have no match.

        The expression is one phrase or the alternation of all, because other combinations would be too many to cache.
        """
        automaton, alternatives = self._automaton
        matched = set(automaton.Match(image("\n".join(texts))) or ())
        expressions: dict[str, str] = {}
        for place in matched:
            for subject, phrase, parts in alternatives.get(place, ()):
                if parts <= matched and expressions.setdefault(subject, phrase) != phrase:
                    expressions[subject] = self.wholes[subject]
        return expressions

    def speaks_of(self, text: str, *subjects: str) -> bool:
        """True if the text matches a phrase of any of the subjects."""
        expressions = self.expressions_in(text)
        return any(compiled(expressions[subject]).search(text) for subject in subjects if subject in expressions)

    @cached_property
    def wholes(self) -> Mapping[str, str]:
        """Alternation of all phrases, by subject."""
        return {subject: "|".join(phrases) for subject, phrases in self.phrases.items()}

    @cached_property
    def _automaton(self) -> tuple[Any, Mapping[int, Sequence[tuple[str, str, frozenset[int]]]]]:
        """Return RE2's set of parts, and the alternatives of the phrases by the index of their first part."""
        options = re2.Options()
        options.max_mem = AUTOMATON_BYTES
        options.encoding = re2.Options.Encoding.LATIN1
        options.never_capture = True
        automaton = re2.Set.SearchSet(options)
        places: dict[str, int] = {}
        alternatives: dict[int, list[tuple[str, str, frozenset[int]]]] = {}
        for subject, phrases in self.phrases.items():
            for phrase in phrases:
                for parts in pieces(phrase):
                    for part in parts:
                        if part not in places:
                            places[part] = automaton.Add(part)
                    own = [places[part] for part in parts]
                    alternatives.setdefault(own[0], []).append((subject, phrase, frozenset(own)))
        automaton.Compile()
        return automaton, alternatives
