"""S14: code that attacks the interpreter or its host, and plain requests for it.

Not what people do with their own things: administration, `kill -9`, `rm -rf build/`, tests, lessons that only speak of
an attack.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import re2

from models.safety.text.matching import PATTERN_BYTES, RULES_A_SET, SET_BYTES, Match, Pattern, best, folded
from models.safety.text.phrases import ATTACKS, PARTS, REQUESTS, Attack

_SPACES = re.compile(r"[ \t\f\v\xa0]+")
_LINES = re.compile(r" ?(?:\r?\n ?)+")
_AROUND_PUNCTUATION = re.compile(r" ?([()\[\]{}=|&;,:<>+*\"%!]) ?")
_BEFORE_A_DOT = re.compile(r" \. ?(?=\w)")
_QUOTES = str.maketrans("'`‘’“”", '""""""')
_TAKEN_APART = re.compile(r'"\+?"(?=[\w/])|(?<=[\w./])"\+"')


def flattened(code: str) -> str:
    """`code` without what the patterns need not know. Its lines stay; so do most of its spaces within strings."""
    code = _SPACES.sub(" ", code.lower().replace("\\\n", " ").translate(_QUOTES))
    code = _BEFORE_A_DOT.sub(".", _AROUND_PUNCTUATION.sub(r"\1", _LINES.sub("\n", code)))
    return _TAKEN_APART.sub("", _escapes_read(code))


_HEX_ESCAPE = re.compile(r"(?:\\x[0-9a-f]{2})+")


def _escapes_read(code: str) -> str:
    return _HEX_ESCAPE.sub(lambda run: bytes.fromhex(run[0].replace("\\x", "")).decode("latin-1"), code)


@dataclass(frozen=True, slots=True)
class Found:
    attack: Attack
    start: int
    end: int
    """Bytes of the flattened code."""


def attacks_in(code: bytes) -> Iterator[Found]:
    """Each place of each pattern, in code as `flattened` makes it. In linear time."""
    for together, rules in _sets():
        for place in together.Match(code) or ():
            attack, pattern = rules[place]
            for found in _regex(pattern).finditer(code):
                yield Found(attack, *found.span())


@cache
def _sets() -> "list[tuple[Any, list[tuple[Attack, str]]]]":
    rules = [(attack, _expanded(pattern)) for attack in ATTACKS for pattern in attack.patterns]
    sets: list[tuple[Any, list[tuple[Attack, str]]]] = []
    for start in range(0, len(rules), RULES_A_SET):
        together = re2.Set.SearchSet(_options(SET_BYTES))
        for _, pattern in rules[start : start + RULES_A_SET]:
            together.Add(pattern)
        together.Compile()
        sets.append((together, rules[start : start + RULES_A_SET]))
    return sets


def _expanded(pattern: str) -> str:
    for name, part in PARTS.items():
        pattern = pattern.replace(f"{{{name}}}", part)
    pattern = pattern.replace(r" \"", r" ?\"")  # Flattened code has no space before a quote.
    pattern = pattern.replace("{lines}", r"(?:[^\n]*\n){0,6}?[^\n]*")
    # The nearest end will do, and is found without reading on to the end of a long line.
    return pattern.replace(r"[^\n]*", r"[^\n]*?")


@cache
def _regex(pattern: str) -> Pattern:
    return re2.compile(pattern, _options(PATTERN_BYTES))


def _options(memory: int) -> Any:
    options = re2.Options()
    options.max_mem = memory
    options.log_errors = False
    return options


__all__ = ["Match", "matches"]

CODE = "S14"

_CONTEXT = 400
"""Bytes on either side of an attack that are read for what its sentence says."""
_MORE_KINDS = 0.01
"""What each further kind of attack in one text adds to how sure it is."""
_SUREST = 0.99
_MOST_QUOTED = 200
"""Bytes of the place that a match repeats."""

_COMMENT = re.compile(rb"(?:#|//).*$")
_SPOKEN_OF = re.compile(
    (
        r"\b(?:what(?:\"s| is| does| do| did| happens| would happen| are)|why|explain|meaning of|means|how does|how do|"
        r"danger|dangerous|never|accident|accidentally|by mistake|oops|protect|prevent|defend|detect|mitigat\w*|"
        r"block\w*|deny|harden\w*|forbid\w*|alert|history|famous|meme|joke|t-?shirt|warn\w*|lesson|teach\w*|students?|"
        r"difference|stop\w* .{0,30}from|worst that|disaster|que es|que hace|por que|qué|was ist|was macht|warum|"
        r"qu\"est|pourquoi|cosa fa|perche|perché|o que|wat doet|waarom|co robi|dlaczego|nedir|neden)\b"
        r"|что|почему|什么|为什么|とは|なぜ"
    ).encode()
)
_TO_BE_RUN = re.compile(
    rb"\b(?:run|execute|exec|launch|start|try|test|invoke|send|paste) "
    rb"(?:it|this|that|these|the|for me|now|following|code|:)|\brun:"
)
_WORDS = re.compile(rb"[a-z\x80-\xff]{2,}")
_FEWEST_WORDS = 5
"""Beside the attack on its line, that make it a sentence about it rather than code."""


def matches(text: str) -> list[Match]:
    """The surest match that there is of S14 in `text`, or none. In linear time."""
    found = [*_code_matches(text), *best(REQUESTS, folded(text))]
    return [max(found, key=lambda match: match.score)] if found else []


def _code_matches(text: str) -> list[Match]:
    code = flattened(text).encode(errors="ignore")
    found = [place for place in attacks_in(code) if not _is_spoken_of(place, code)]
    if not found:
        return []
    surest = max(found, key=lambda place: place.attack.score)
    kinds = len({place.attack.kind for place in found})
    score = min(_SUREST, surest.attack.score + _MORE_KINDS * (kinds - 1))
    words = code[surest.start : min(surest.end, surest.start + _MOST_QUOTED)].decode(errors="ignore")
    return [Match(CODE, score, f"{surest.attack.kind}: {words}")]


def _is_spoken_of(place: Found, code: bytes) -> bool:
    """Whether a sentence speaks of the attack, as lessons and questions do. Code on lines of its own is never that, nor
    what somebody wants run."""
    if not place.attack.taught or b"\n" in code[place.start : place.end].strip():
        return False
    before = code[max(0, place.start - _CONTEXT) : place.start].rpartition(b"\n")[2]
    after = code[place.end : place.end + _CONTEXT].partition(b"\n")[0]
    line = before + b" " + _COMMENT.sub(b"", after)
    about = len(_WORDS.findall(line)) >= _FEWEST_WORDS and _SPOKEN_OF.search(line) is not None
    return about and not _TO_BE_RUN.search(line)
