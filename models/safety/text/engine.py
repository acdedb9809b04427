"""The embedded text guard: readings of a text, rules for the clear cases, and a trained head for the others."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.embedding.embedder import Embedder, Vector
from models.fair_executor import FairExecutor, Slices
from models.safety.guard import TEXT_CODES, Judgement, Layer, Scores
from models.safety.text import interpreter_abuse, matching
from models.safety.text.decoding import ENCODINGS, PERCENT, decoded, reversed_, rot13
from models.safety.text.disguises import undisguised
from models.safety.text.head import Head, worst_of
from models.safety.text.lookalikes import clean, with_latin_letters

AS_WRITTEN = "as written"

_WORD = re.compile(r"[^\W\d_]+")
_SHORTEST = 3
"""Letters of a word in ASCII that makes a reading another one."""


@dataclass(frozen=True, slots=True)
class View:
    name: str
    """`as written`, `plain`, `decoded base64` …"""
    text: str


def views(text: str) -> Iterator[View]:
    """`text` itself, then each reading that has words which no reading before it has.

    In time linear in `text`. A reading has at most some eight times as many characters, and there are at most twelve.
    Encodings are read two deep.
    """
    yield View(AS_WRITTEN, text)
    seen = _words(text)
    for name, reading in _readings(text):
        words = _words(reading)
        if any(count > seen[word] for word, count in words.items()):
            yield View(name, reading)
            seen |= words


def _readings(text: str) -> Iterator[tuple[str, str]]:
    cleaned = clean(text)
    yield "plain", _plain(cleaned)
    for encoding in ENCODINGS:
        reading = decoded(cleaned, encoding, _read_once_more)
        if reading != cleaned:
            yield f"decoded {encoding.name}", reading
    for name, turn in (("rot13", rot13), ("reversed", reversed_)):
        turned = turn(cleaned)
        if turned is not None:
            yield name, turned


def _plain(cleaned: str) -> str:
    return undisguised(with_latin_letters(cleaned))


def _read_once_more(hidden: str) -> str:
    """What was decoded, with what is decoded within it, in plain letters."""
    hidden = clean(hidden)
    for encoding in ENCODINGS:
        hidden = decoded(hidden, encoding, clean)
    return _plain(hidden)


def _words(text: str) -> Counter[str]:
    """How often each word is there that could mean something by itself. Words that escapes join ("how%20to") are none:
    what reads them is to be judged."""
    found = _WORD.findall(PERCENT.sub(" ", text).casefold())
    return Counter(word for word in found if len(word) >= _SHORTEST or not word.isascii())


LONGEST = 600
"""Characters of a text that is judged as a whole: what the head learned from is seldom longer."""
_PASSAGE = 320
"""Characters of a passage of a longer text: a question that hides in it should not be a small part of its passage."""
_STEP = 160
"""Characters by which passages advance; each reaches as far into the next: what is shorter stands whole in one."""

WINDOW = 32 * 1024
"""Characters that are read at a time: some milliseconds for each regular expression."""
_SHARED = 2048
"""Characters that neighbouring windows have both: what is shorter stands whole in one of them."""
_LONG_RUN = WINDOW // 4
_GROUP = 24
"""Characters that are whole bytes, and pairs of bytes, in any of hexadecimal, base64, base32 and binary."""
_RUN = re.compile(r"[\w+/=%\\\-]*", re.ASCII)


def windows_of(text: str) -> list[str]:
    """All of `text`. A window ends between words and not within a short run of an encoding; a long run is cut where its
    bytes end."""
    windows, start = [], 0
    while len(text) - start > WINDOW:
        stop = start + WINDOW
        run = _RUN.match(text[start:stop][::-1])
        assert run is not None  # it may be empty
        is_cut = run.end() >= _LONG_RUN
        stop -= run.end() % _GROUP if is_cut else run.end()
        windows.append(text[start:stop])
        start = stop - _SHARED - (-_SHARED % _GROUP if is_cut else 0)
    return [*windows, text[start:]]


def passages_of(text: str) -> list[str]:
    """All of `text`: one passage if it is short, else passages that begin and end between words if there are any."""
    if len(text) <= LONGEST:
        return [text]
    passages, start = [], 0
    while len(text) - start > _PASSAGE:
        passages.append(text[start : _break(text, start + _PASSAGE, start + _STEP)])
        start = _break(text, start + _STEP, start + _STEP // 2)
    return [*passages, text[start:]]


def _break(text: str, stop: int, least: int) -> int:
    """The last place between two words in text[least:stop]; `stop` where there is none."""
    space = max(text.rfind(" ", least, stop), text.rfind("\n", least, stop))
    return space + 1 if space >= 0 else stop


NAME = "openfaze"
_SHOWN = 80
"""Characters of a passage that an explanation repeats."""
_COMPARED_AT_ONCE = 64
"""Passages whose meaning is compared with the head's landmarks."""


@dataclass(frozen=True, slots=True)
class _Passage:
    view: str
    text: str
    words: float
    """Its log odds by words alone."""


@dataclass(frozen=True, slots=True)
class _Read:
    """A text before anything of it is embedded."""

    layers: tuple[Layer, ...]
    """What the rules found."""
    passages: tuple[_Passage, ...]
    """Those that the head suspects by their words."""
    total: int
    """Passages of the text as it is written."""


class OwnTextGuard:
    """Implements models.safety.guard.TextGuard."""

    name = NAME
    codes = frozenset(TEXT_CODES)

    def __init__(self, embedder: Embedder, find_head: Callable[[], Head], threads: FairExecutor | None = None) -> None:
        """`find_head` is first called in a thread: it may read a file. Texts are read in `threads`."""
        self._threads = threads or FairExecutor("guard")
        self._embedder = embedder
        self._find_head = find_head

    @property
    def _head(self) -> Head:
        return self._find_head()

    @property
    def thresholds(self) -> Scores:
        return dict.fromkeys(TEXT_CODES, self._head.threshold)

    async def judge(
        self,
        text: str,
        codes: Sequence[str],
        *,
        answers: str | None = None,  # noqa: ARG002 - the head has learned from questions alone
    ) -> Judgement:
        read = await self._threads.run(self._read, text)
        layers = read.layers
        by_rules = worst_of([layer.scores for layer in layers])
        # Where the rules have settled all that is asked, the rest costs time and changes nothing.
        if read.passages and any(by_rules.get(code, 0.0) < self._head.threshold for code in codes):
            texts = list(dict.fromkeys(passage.text for passage in read.passages))
            vectors = dict(zip(texts, await self._embedder.embed(texts), strict=True))
            layers += await self._threads.run(self._judged, read, vectors)
        worst = worst_of([layer.scores for layer in layers])
        return Judgement({code: worst.get(code, 0.0) for code in codes}, layers)

    def _read(self, text: str) -> Slices[_Read]:
        layers: list[Layer] = []
        passages: list[_Passage] = []
        total = len(passages_of(text))
        yield
        for window in windows_of(text):
            for view in views(window):
                yield
                for name, matches in (("rules", matching.matches), ("code", interpreter_abuse.matches)):
                    layers += [
                        Layer(f"{name}, {view.name}", {match.code: match.score}, (match.words,))
                        for match in matches(view.text)
                    ]
                    yield
                for piece in passages_of(view.text):
                    words = self._head.words_of(piece)
                    if self._head.is_suspect(words, total):
                        passages.append(_Passage(view.name, piece, words))
                    yield
        return _Read(tuple(layers), tuple(passages), total)

    def _judged(self, read: _Read, vectors: Mapping[str, Vector]) -> Slices[tuple[Layer, ...]]:
        meanings: dict[str, float] = {}
        texts = list(vectors)
        for start in range(0, len(texts), _COMPARED_AT_ONCE):
            some = texts[start : start + _COMPARED_AT_ONCE]
            odds = self._head.meanings_of(np.stack([vectors[text] for text in some]))
            meanings |= dict(zip(some, odds.tolist(), strict=True))
            yield
        layers = []
        for passage in read.passages:
            unsafe = self._head.unsafe(passage.words, meanings[passage.text], read.total)
            scores = self._head.scores(unsafe, vectors[passage.text])
            layers.append(Layer(f"head, {passage.view}", scores, (passage.text[:_SHOWN],)))
            yield
        return tuple(layers)
