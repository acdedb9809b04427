"""Undoes spellings that are meant to evade a filter: `k1ll` becomes `kill`."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice, pairwise, product

from models.safety.text.known_words import COMMON_WORDS, KNOWN_WORDS, TELLING_WORDS, is_pronounceable

_LEET: Mapping[str, str] = {
    "0": "o",
    "1": "il",
    "2": "z",
    "3": "e",
    "4": "a",
    "5": "s",
    "6": "gb",
    "7": "t",
    "8": "b",
    "9": "g",
    "@": "a",
    "$": "s",
    "!": "i",
    "|": "li",
    "€": "e",
    "£": "l",
    "¢": "c",
    "+": "t",
}
"""Letters that a sign stands for, the most likely first."""
_PLAIN_LEET = str.maketrans({sign: letters[0] for sign, letters in _LEET.items() if sign in "013457"})

_SIGNS = re.escape("".join(sign for sign in _LEET if not sign.isdigit()))
_LEET_SEEN = re.compile(rf"[A-Za-z][0-9{_SIGNS}]|[0-9{_SIGNS}][A-Za-z]")
_LEET_WORD = re.compile(rf"(?<![\w{_SIGNS}])[\w{_SIGNS}]{{3,30}}(?![\w{_SIGNS}])")
_MAX_READINGS = 16
_LEET_WORDS_OF_LEETSPEAK = 3
"""If a text has at least this many words of leetspeak, the digits in its other words are read as letters, too."""
_MAYBE_LEET = re.compile(r"(?<!\w)(?=\w*[013457])[A-Za-z013457]{1,30}(?!\w)")
_SHORT_WORDS = frozenset(word for word in COMMON_WORDS if len(word) <= 2)

_LETTER = "[0-9A-Za-zÀ-ɏͰ-ϿЀ-ӿ\u0621-\u064a]"
"""A digit, or a letter of an alphabetic script (Latin, Greek, Cyrillic, Arabic)."""
_BETWEEN_LETTERS = r"""(?:[ \t]{1,4}|[ \t]?[.\-_*/\\|,~+·•'"’…:;=)(\]\[]{1,3}[ \t]?|[ \t]?\r?\n[ \t]?(?:\r?\n)?)"""
_SPACED = re.compile(rf"(?<!{_LETTER}){_LETTER}(?:{_BETWEEN_LETTERS}{_LETTER}){{2,}}(?!{_LETTER})")
_IDEOGRAPH = "[\u3040-\u30ff\u3400-\u9fff]"
_SPACED_IDEOGRAPHS = re.compile(rf"(?<!{_IDEOGRAPH}){_IDEOGRAPH}(?:[ \t]{_IDEOGRAPH})+(?!{_IDEOGRAPH})")
_NO_LETTER = re.compile(r"[\W_]+")
_BEGINNINGS = frozenset(word[:end] for word in KNOWN_WORDS for end in range(1, len(word) + 1))
_LONGEST_LIST = 100
"""More spaced-out letters in a row than this are joined even if they make no word, because harmless texts have no runs
of this length."""
_MAX_SEGMENTED = 8_000
"""At most this many spaced-out letters per text are divided into words if no wider gaps mark the boundaries."""

_STARRED = re.compile(r"(?<![\w*#])[A-Za-z]{1,12}[*#]{1,6}[A-Za-z]{1,12}(?![\w*#])")
_BY_SHAPE: dict[tuple[int, str, str], list[str]] = {}
for _word in TELLING_WORDS:
    _BY_SHAPE.setdefault((len(_word), _word[0], _word[-1]), []).append(_word)
_TELLING_BEGINNINGS = frozenset(word[:end] for word in TELLING_WORDS for end in range(1, len(word)))
_MARKED = re.compile(r"(?<![\w*~`])[A-Za-z*_~`]{3,40}(?![\w*~`])")
_MARK_WITHIN = re.compile(r"[A-Za-z][*_~`]+[A-Za-z]")
_MARKS = re.compile(r"[*_~`]+")
_PIECES = re.compile(r"[A-Za-z]{1,12}(?:[^\w\s'’`]{1,4}(?:\r?\n)?[A-Za-z]{1,12}){1,6}")
_PIECE = re.compile(r"[A-Za-z]+")

_STRETCHED = re.compile(r"(?<![^\W\d_])[^\W\d_]*?([^\W\d_])\1{2}[^\W\d_]*", re.IGNORECASE)
_STRETCH = re.compile(r"([^\W\d_])\1{2,}", re.IGNORECASE)
_ROMAN = re.compile(r"[IVXLCDM]+")
_MAX_STRETCHES = 4
_LONGEST_STRETCHED = 60

_LEET_SHAPE = re.compile(r"[a-z]+(?:[013457][a-z]+){2,}[013457]?|[A-Z]+(?:[013457][A-Z]+){2,}[013457]?")
_HEX = re.compile(r"[0-9a-fA-F]+")
_FORMULA = re.compile(r"(?:[A-Z][a-z]?\d*)+")


def undisguised(text: str) -> str:
    """Return `text` with spaced-out letters joined, stars and signs inside words replaced by the letters that they
    stand for, and stretched letters shortened. The work takes linear time."""
    text = _SPACED_IDEOGRAPHS.sub(lambda run: re.sub(r"[ \t]", "", run[0]), text)
    text = _SPACED.sub(_LetterJoiner(), text)
    if "*" in text or "#" in text:
        text = _STARRED.sub(lambda word: _unstarred(word[0]), text)
    text = _MARKED.sub(lambda word: _unmarked(word[0]), text)
    text = _PIECES.sub(lambda pieces: _with_pieces_joined(pieces[0]), text)
    if _LEET_SEEN.search(text):
        text = _all_without_leet(text)
    return _STRETCHED.sub(lambda word: _shortened(word[0]), text)


class _LetterJoiner:
    """Joins the letters that are spaced apart in one text."""

    def __init__(self) -> None:
        self._left = _MAX_SEGMENTED

    def __call__(self, found: re.Match[str]) -> str:
        """Return letters such as `b o m b` and `h-o-w t-o` as words. Letters that make no word, as in initials, lists
        and formulas, stay unchanged."""
        run = found[0]
        letters = _NO_LETTER.split(run)
        if sum(map(str.isalpha, letters)) < max(3, 0.6 * len(letters)):
            return run
        gaps = _NO_LETTER.findall(run)
        whole = "".join(letters)
        if gaps.count(gaps[0]) < len(gaps):
            usual = Counter(gaps).most_common(1)[0][0]
            joined = letters[0] + "".join(
                letter if gap == usual else f" {letter}" for gap, letter in zip(gaps, letters[1:], strict=True)
            )
        elif len(whole) <= self._left and whole.casefold() not in KNOWN_WORDS:
            self._left -= len(whole)
            joined = " ".join(_segmented(whole))
        else:
            joined = whole
        return joined if len(whole) > _LONGEST_LIST or any(map(_is_word, joined.split())) else run


def _is_word(joined: str) -> bool:
    lower = joined.casefold()
    read = _without_leet(lower)
    if read in KNOWN_WORDS:
        return len(read) >= 3
    if not lower.isascii():
        return len(lower) >= 3
    follows = all(ord(b) - ord(a) in (0, 1, 2) for a, b in pairwise(lower))
    return len(joined) >= 4 and not joined.isupper() and not follows and is_pronounceable(read)


def _segmented(letters: str) -> list[str]:
    """Return the words in joined letters such as `howtomakeit`: the longest known words, and the unknown stretches
    between them."""
    lower = letters.lower()
    if len(lower) != len(letters):  # true of `İ`
        return [letters]
    best = [0] * (len(lower) + 1)
    cut = list(range(-1, len(lower)))
    for start in range(len(lower)):
        if best[start] > best[start + 1]:
            best[start + 1], cut[start + 1] = best[start], start
        for end in range(start + 1, len(lower) + 1):
            word = lower[start:end]
            if word not in _BEGINNINGS:
                break
            if word in KNOWN_WORDS and (score := best[start] + len(word) ** 2) > best[end]:
                best[end], cut[end] = score, start
    known: list[tuple[int, int]] = []
    end = len(lower)
    while end > 0:
        start = cut[end]
        if best[end] > best[start]:
            known.append((start, end))
        end = start
    words: list[str] = []
    end = 0
    for start, stop in reversed(known):
        words += [letters[end:start]] if end < start else []
        words.append(letters[start:stop])
        end = stop
    return words + ([letters[end:]] if end < len(letters) else [])


def _unstarred(word: str) -> str:
    """Return a word such as `b*mb` with the missing letter if exactly one telling word fits."""
    lower = word.lower()
    fitting = [
        known
        for known in _BY_SHAPE.get((len(lower), lower[0], lower[-1]), ())
        if all(sign in "*#" or sign == letter for sign, letter in zip(lower, known, strict=True))
    ]
    return fitting[0] if len(fitting) == 1 else word


def _unmarked(word: str) -> str:
    """Return a word such as `__bo__mb` or `**k**ill` without the marks of emphasis if the result is a known word."""
    if not _MARK_WITHIN.search(word):
        return word
    joined = _MARKS.sub("", word)
    return joined if joined.casefold() in KNOWN_WORDS else word


def _with_pieces_joined(run: str) -> str:
    """Return words such as `bo.mb` and `ki-//-ll` with neighbouring pieces joined if the result is a telling word."""
    pieces = list(_PIECE.finditer(run))
    lower = [piece[0].casefold() for piece in pieces]
    for first in range(len(pieces) - 1):
        word = lower[first]
        for last in range(first + 1, len(pieces)):
            if word not in _TELLING_BEGINNINGS:
                break
            word += lower[last]
            if word in TELLING_WORDS:
                joined = "".join(piece[0] for piece in pieces[first : last + 1])
                return run[: pieces[first].start()] + joined + run[pieces[last].end() :]
    return run


def _all_without_leet(text: str) -> str:
    undone = 0

    def read(word: re.Match[str]) -> str:
        nonlocal undone
        reading = _without_leet(word[0])
        undone += reading != word[0]
        return reading

    read_text = _LEET_WORD.sub(read, text)
    if undone < _LEET_WORDS_OF_LEETSPEAK:
        return read_text
    return _MAYBE_LEET.sub(lambda word: _without_any_leet(word[0]), read_text)


def _without_any_leet(word: str) -> str:
    """Return a word of a text in leetspeak with letters in place of digits. Even `70` becomes `to`."""
    reading = word.casefold().translate(_PLAIN_LEET)
    return reading if reading in _SHORT_WORDS or (len(word) >= 3 and not word.isdigit()) else word


def _without_leet(word: str) -> str:
    """Return `k1ll` as `kill`. Numbers, versions, formulas, and names such as `MP3`, `log4j` and `S1` stay
    unchanged."""
    core = word.rstrip("!+|")
    signs = [c for c in core if c in _LEET]
    if not signs or len(signs) == len(core) or not any(c.isalpha() for c in core):
        return word
    known = TELLING_WORDS if core[0].isdigit() or (len(core) == 3 and core[-1].isdigit()) else KNOWN_WORDS
    readings = product(*(_LEET.get(c, c) for c in core.casefold()))
    for reading in map("".join, islice(readings, _MAX_READINGS)):
        if len(reading) >= 3 and reading in known:
            return reading + word[len(core) :]
    return core.casefold().translate(_PLAIN_LEET) + word[len(core) :] if _is_leet(core) else word


def _is_leet(word: str) -> bool:
    """True if an unknown word contains at least two digits surrounded by letters, and is pronounceable once they are
    replaced by letters."""
    return (
        len(word) >= 6
        and bool(_LEET_SHAPE.fullmatch(word))
        and not _HEX.fullmatch(word)
        and not _FORMULA.fullmatch(word)
        and is_pronounceable(word.translate(_PLAIN_LEET))
    )


def _shortened(word: str) -> str:
    """Return `kiiiill` as `kill`. Roman numerals such as `III`, and words such as `www` that repeat one letter, stay
    unchanged."""
    if len(set(word.casefold())) == 1 or _ROMAN.fullmatch(word):
        return word
    if len(word) <= _LONGEST_STRETCHED:
        stretches = min(len(_STRETCH.findall(word)), _MAX_STRETCHES)
        for lengths in product((1, 2), repeat=stretches):
            reading = _shortened_to(word, iter(lengths))
            if reading.casefold() in KNOWN_WORDS:
                return reading
    return _STRETCH.sub(r"\1", word) if word.islower() or word.isupper() or word.istitle() else word


def _shortened_to(word: str, lengths: Iterator[int]) -> str:
    return _STRETCH.sub(lambda stretch: stretch[1] * next(lengths, 1), word)
