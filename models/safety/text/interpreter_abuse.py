"""Rules for S14: code that attacks the interpreter or its host, and plain requests for such code.

Work on a user's own machine does not count: administration, `kill -9`, `rm -rf build/`, tests, and lessons that only
mention an attack.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import re2

from models.safety.text.matching import RULES_PER_SET, PhraseMatch, best, compiled, folded, options
from models.safety.text.phrasebook import ATTACK_REQUEST_RULES, ATTACKS, PARTS, Attack

CODE = "S14"
_SPACES = re.compile(r"[ \t\f\v\xa0]+")
_LINES = re.compile(r" ?(?:\r?\n ?)+")
_AROUND_PUNCTUATION = re.compile(r" ?([()\[\]{}=|&;,:<>+*\"%!]) ?")
_BEFORE_A_DOT = re.compile(r" \. ?(?=\w)")
_QUOTES = str.maketrans("'`‘’“”", '""""""')
_CONTEXT = 400
"""The sentence around an attack is searched for in this many bytes on either side of it."""
_SCORE_PER_KIND = 0.01
"""Amount that each further kind of attack in one text adds to the score."""
_MAX_SCORE = 0.99
_MAX_QUOTED = 200
"""A match quotes at most this many bytes of the matched code."""
_COMMENT = re.compile(rb"(?:#|//).*$")
_MENTION = re.compile(
    (
        r"\b(?:what(?:\"s| is| does| do| did| happens| would happen| are)|why|explain|meaning of|means|how does|how do|"
        r"danger|dangerous|never|accident|accidentally|by mistake|oops|protect|prevent|defend|detect|mitigat\w*|"
        r"block\w*|deny|harden\w*|forbid\w*|alert|history|famous|meme|joke|t-?shirt|warn\w*|lesson|teach\w*|students?|"
        r"difference|stop\w* .{0,30}from|worst that|disaster|que es|que hace|por que|qué|was ist|was macht|warum|"
        r"qu\"est|pourquoi|cosa fa|perche|perché|o que|wat doet|waarom|co robi|dlaczego|nedir|neden)\b"
        r"|что|почему|什么|为什么|とは|なぜ"
    ).encode()
)
_REQUEST_TO_RUN = re.compile(
    rb"\b(?:run|execute|exec|launch|start|try|test|invoke|send|paste) "
    rb"(?:it|this|that|these|the|for me|now|following|code|:)|\brun:"
)
_WORDS = re.compile(rb"[a-z\x80-\xff]{2,}")
_FEWEST_WORDS = 5
"""A line with at least this many words in addition to an attack may be a sentence about the attack."""


@dataclass(frozen=True, slots=True)
class FoundAttack:
    attack: Attack
    start: int
    end: int
    """Index after the attack in the flattened code; `start` and `end` count bytes."""


def matches(text: str) -> list[PhraseMatch]:
    """Return a list with the most certain match of S14 in `text`, or an empty list if there is no match. The work takes
    linear time."""
    found = [*_code_matches(text), *best(ATTACK_REQUEST_RULES, folded(text))]
    return [max(found, key=lambda match: match.score)] if found else []


def _code_matches(text: str) -> list[PhraseMatch]:
    code = flattened(text).encode(errors="ignore")
    found = [place for place in attacks_in(code) if not _is_mention(place, code)]
    if not found:
        return []
    surest = max(found, key=lambda place: place.attack.score)
    kinds = len({place.attack.kind for place in found})
    score = min(_MAX_SCORE, surest.attack.score + _SCORE_PER_KIND * (kinds - 1))
    words = code[surest.start : min(surest.end, surest.start + _MAX_QUOTED)].decode(errors="ignore")
    return [PhraseMatch(CODE, score, f"{surest.attack.kind}: {words}")]


def _is_mention(place: FoundAttack, code: bytes) -> bool:
    """True if a sentence only mentions the attack, as in lessons and questions. An attack that takes several lines is
    not a mention, and neither is code that the text asks to run."""
    if not place.attack.taught or b"\n" in code[place.start : place.end].strip():
        return False
    text_before = code[max(0, place.start - _CONTEXT) : place.start].rpartition(b"\n")[2]
    text_after = code[place.end : place.end + _CONTEXT].partition(b"\n")[0]
    line = text_before + b" " + _COMMENT.sub(b"", text_after)
    is_prose = len(_WORDS.findall(line)) >= _FEWEST_WORDS and _MENTION.search(line) is not None
    return is_prose and not _REQUEST_TO_RUN.search(line)


def flattened(code: str) -> str:
    """Return `code` without details that the patterns ignore. The line breaks are kept, and so are most spaces within
    strings."""
    code = _SPACES.sub(" ", code.lower().replace("\\\n", " ").translate(_QUOTES))
    return _BEFORE_A_DOT.sub(".", _AROUND_PUNCTUATION.sub(r"\1", _LINES.sub("\n", code)))


def attacks_in(code: bytes) -> Iterator[FoundAttack]:
    """Yield each match of each pattern in code that `flattened` has prepared. The work takes linear time."""
    for pattern_set, rules in _pattern_sets():
        for place in pattern_set.Match(code) or ():
            attack, pattern = rules[place]
            for found in compiled(pattern).finditer(code):
                yield FoundAttack(attack, *found.span())


@cache
def _pattern_sets() -> "list[tuple[Any, list[tuple[Attack, str]]]]":
    rules = [(attack, _expanded(pattern)) for attack in ATTACKS for pattern in attack.patterns]
    sets: list[tuple[Any, list[tuple[Attack, str]]]] = []
    for start in range(0, len(rules), RULES_PER_SET):
        pattern_set = re2.Set.SearchSet(options())
        for _, pattern in rules[start : start + RULES_PER_SET]:
            pattern_set.Add(pattern)
        pattern_set.Compile()
        sets.append((pattern_set, rules[start : start + RULES_PER_SET]))
    return sets


def _expanded(pattern: str) -> str:
    for name, part in PARTS.items():
        pattern = pattern.replace(f"{{{name}}}", part)
    pattern = pattern.replace(r" \"", r" ?\"")  # flattened code has no space before a quote
    pattern = pattern.replace("{lines}", r"(?:[^\n]*\n){0,6}?[^\n]*")
    # The nearest end suffices, and is found without reading to the end of a long line.
    return pattern.replace(r"[^\n]*", r"[^\n]*?")
