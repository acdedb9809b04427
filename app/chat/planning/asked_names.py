"""Finds the names of values in a message: in "What is the total and who is the seller?", `total` and `seller`.

A linear model over hashed features gives each word a tag, and a second one says whether the message asks or orders.
`python -m training.asked.fit` makes their weights from labelled messages: a name that is missed is mended by adding
messages, never by a rule here.
"""

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Final, Literal, NamedTuple, Self, get_args

import numpy as np
from numpy.typing import NDArray

from models.hashed_grams import grams_of
from tasks.extraction.concepts import PHRASES
from tasks.wording.viterbi import best_tags

NameKind = Literal["value", "number", "list", "items", "total", "due_date", "date", "seller", "open"]
"""Kinds of things that a name stands for. `training/asked/README.md` says what each kind means."""
Form = Literal["question", "order", "other"]
KINDS: Final[tuple[NameKind, ...]] = get_args(NameKind)
PRINTED_KINDS: Final[frozenset[NameKind]] = frozenset({"value", "number", "list"})
"""Kinds of names that documents print. The others are turns of phrase."""
FORMS: Final[tuple[Form, ...]] = get_args(Form)
BUCKETS: Final = 1 << 15
"""Number of weights of a tag. Features share them by their hash (Weinberger et al. 2009)."""
TAGS: Final = 2 * len(KINDS) + 1
"""Tags of a word: 0 outside of names, 2 · kind + 1 at the beginning of a name, and 2 · kind + 2 inside of it."""
LONGEST_FORM: Final = 300
"""At most this many characters of a message, half of them at each end, tell its form."""
MODEL_FILE: Final = Path(__file__).with_name("asked_names.npz")
"""Weights of a byte each, as `training.asked.fit` writes them."""
_TOKEN: Final = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff]|(?:(?![\u3040-\u30ff\u3400-\u9fff])[\w\u0300-\u036f\u0900-\u0963])+|[^\w\s]|\n"
)
"""Pattern of a word, of a character of Chinese or Japanese, in which no spaces separate words, and of a sign."""
_ENDS: Final = frozenset(".?!:;\n。？！：；؟।¿¡")
_QUOTES: Final = frozenset("\"'`“”„«»‘’「」")
_WINDOW: Final = 3
_NEAR: Final = 8
"""Up to this distance, the other words of a sentence are near a word."""
_LONGEST_KNOWN: Final = 6
"""At most this many words, or characters of Chinese and Japanese, are looked up together among the names of fields."""
_NEVER: Final = -1e9


class AskedName(NamedTuple):
    text: str
    """Name as the message writes it."""
    kind: NameKind
    begin: int
    end: int


class MessageToken(NamedTuple):
    text: str
    begin: int
    end: int


def tokens_of(text: str) -> list[MessageToken]:
    """Return the words and the signs of a text."""
    return [MessageToken(match[0], match.start(), match.end()) for match in _TOKEN.finditer(text)]


def features_of(tokens: Sequence[MessageToken]) -> list[NDArray[np.int64]]:
    """Return the buckets of the features of each token: its letters, the words around it, and its place."""
    words = [token.text.lower() for token in tokens]
    known = _known_names(words)
    padded = ["", *[""] * _WINDOW, *words, *[""] * _WINDOW]
    found = []
    for place, (begin, end) in enumerate(_sentences(words)):
        around = padded[place + 1 : place + 2 + 2 * _WINDOW]
        sentence = (
            words[begin],
            " ".join(words[begin : begin + 2]),
            words[end - 1],
            " ".join(words[max(begin, end - 3) : end]),
        )
        names = [
            *_feature_names(tokens[place].text, around, sentence, (place - begin, end - place)),
            f"known {known[place]}",
            f"known {known[place]} {around[_WINDOW - 1]}",
            *(f"near {word[:4]}" for word in words[max(begin, place - _NEAR) : min(end, place + _NEAR + 1)]),
            f"known around {''.join(known[max(0, place - 1) : place + 2])}",
        ]
        flags = [zlib.crc32(name.encode("utf-8", "surrogatepass")) % BUCKETS for name in names]
        found.append(np.unique(np.concatenate([_letters(words[place]), np.array(flags, np.int64)])))
    return found


def _known_names(words: Sequence[str]) -> list[str]:
    """Return for each word whether it begins (B) or continues (I) a name that documents print, or not (O)."""
    found = ["O"] * len(words)
    place = 0
    while place < len(words):
        for size in range(min(_LONGEST_KNOWN, len(words) - place), 0, -1):
            some = words[place : place + size]
            if tuple(some) in PHRASES or ("".join(some),) in PHRASES:
                found[place : place + size] = ["B", *["I"] * (size - 1)]
                place += size - 1
                break
        place += 1
    return found


@lru_cache(maxsize=4096)
def _letters(word: str) -> NDArray[np.int64]:
    return grams_of(word[:20], BUCKETS, space=3).astype(np.int64)


def _sentences(words: Sequence[str]) -> list[tuple[int, int]]:
    """Return the ends of the sentence of each word. The sign at the end is a part of the sentence."""
    found: list[tuple[int, int]] = []
    begin = 0
    for place, word in enumerate(words):
        if word in _ENDS or place == len(words) - 1:
            found += [(begin, place + 1)] * (place + 1 - begin)
            begin = place + 1
    return found


def _feature_names(
    written: str, around: Sequence[str], sentence: Sequence[str], places: tuple[int, int]
) -> Iterator[str]:
    third, second, before, word, after, next_one, last = around
    yield "any"
    yield from (f"{offset} {one}" for offset, one in enumerate(around))
    yield f"b1 {before} {word}"
    yield f"a1 {word} {after}"
    yield f"b2 {second} {before}"
    yield f"a2 {after} {next_one}"
    yield f"b3 {third} {second} {before}"
    yield f"a3 {after} {next_one} {last}"
    yield f"around {before} {after}"
    yield from (f"s{name} {one}" for name, one in enumerate(sentence))
    yield f"first {sentence[0]} {before}"
    yield f"first two {sentence[1]} {before}"
    yield f"start {sentence[0]} {sentence[2]}"
    yield f"end {after} {sentence[2]}"
    yield f"whole {sentence[1]} {sentence[3]}"
    yield f"from start {min(places[0], 4)}"
    yield f"to end {min(places[1], 4)}"
    yield from (f"before ends {before[-length:]}" for length in (2, 3))
    yield from (f"after ends {after[-length:]}" for length in (2, 3))
    yield f"shape {_shape(written)} {before in _QUOTES} {after in _QUOTES}"


def _shape(word: str) -> str:
    if not word[0].isalnum():
        return "sign"
    if "_" in word or (not word.isupper() and word[1:] != word[1:].lower()):
        return "identifier"
    return "number" if word.isdigit() else "capitals" if word.isupper() else "word"


def features_of_form(text: str) -> NDArray[np.int64]:
    """Return the buckets of the features by which a message asks, orders, or does neither."""
    if len(text) > LONGEST_FORM:
        text = f"{text[: LONGEST_FORM // 2]}\n{text[-LONGEST_FORM // 2 :]}"
    words = [token.text.lower() for token in tokens_of(text)] or [""]
    names = [
        *(f"word {word}" for word in words),
        *(f"pair {one} {other}" for one, other in zip(["", *words], [*words, ""], strict=True)),
        *(f"begins {' '.join(words[:length])}" for length in (1, 2, 3)),
        *(f"ends {' '.join(words[-length:])}" for length in (1, 2, 3)),
    ]
    flags = [zlib.crc32(name.encode("utf-8", "surrogatepass")) % BUCKETS for name in names]
    return np.unique(np.array(flags, np.int64))


def allowed_steps() -> NDArray[np.float32]:
    """Return the matrix that forbids the inside of a name except after a word of a name of the same kind. A text begins
    as after a word outside."""
    steps = np.zeros((TAGS, TAGS), np.float32)
    for inside in range(2, TAGS, 2):
        steps[:, inside] = _NEVER
        steps[[inside - 1, inside], inside] = 0
    return steps


@dataclass(frozen=True, slots=True)
class NameModel:
    weights: NDArray[np.float32]
    """Matrix of BUCKETS × TAGS."""
    steps: NDArray[np.float32]
    """Score of each tag (column) after each other (row)."""
    forms: NDArray[np.float32]
    """Matrix of BUCKETS × FORMS."""

    @classmethod
    def load(cls, path: Path = MODEL_FILE) -> Self:
        stored = np.load(path)
        if (tuple(stored["kinds"].tolist()), tuple(stored["form_names"].tolist())) != (KINDS, FORMS):
            raise ValueError(f"{path.name} has other kinds: run `python -m training.asked.fit`")
        weights, steps, forms = (
            stored[name].astype(np.float32) * stored[f"{name}_scale"] for name in ("weights", "steps", "forms")
        )
        return cls(weights, steps + allowed_steps(), forms)

    def names_in(self, text: str) -> list[AskedName]:
        """Return the names of values that a message asks for, in order."""
        tokens = tokens_of(text)
        if not tokens:
            return []
        features = features_of(tokens)
        return names_of_tags(text, tokens, best_tags(scores_of(self.weights, features), self.steps[0], self.steps))

    def form(self, text: str) -> Form:
        """Return whether a message asks, orders, or does neither."""
        if not text.strip():
            return "other"
        return FORMS[int(self.forms[features_of_form(text)].sum(0).argmax())]


def scores_of(weights: NDArray[np.float32], features: Sequence[NDArray[np.int64]]) -> NDArray[np.float32]:
    """Return the scores of the tags of each token."""
    starts = np.cumsum([0, *map(len, features[:-1])])
    return np.add.reduceat(weights[np.concatenate(features)], starts, axis=0)


def names_of_tags(text: str, tokens: Sequence[MessageToken], tags: Sequence[int]) -> list[AskedName]:
    """Return the names that the tags of the tokens mark."""
    names: list[AskedName] = []
    for token, tag in zip(tokens, tags, strict=True):
        if tag % 2:
            names.append(AskedName(token.text, KINDS[tag // 2], token.begin, token.end))
        elif tag:
            begin = names[-1].begin
            names[-1] = AskedName(text[begin : token.end], names[-1].kind, begin, token.end)
    return names


@cache
def name_model() -> NameModel:
    return NameModel.load()
