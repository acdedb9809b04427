"""Tells what a message wishes, by a small linear model over its letters and words and the kinds of its inputs.

The model is a logistic regression a label over hashed features. `python -m training.wishes.fit` makes its weights from
labelled messages: a wrong wish is mended by adding messages, never by a rule here.
"""

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

from models.hashed_grams import grams_of
from tasks.wording.message import Message

Label = Literal[
    "translate",
    "search",
    "detect",
    "objects",
    "gui",
    "forecast",
    "read_out",
    "summary",
    "one_sentence",
    "value",
    "greeting",
    "thanks",
    "server",
    "prose",
    "fact",
    "closed",
    "on_screen",
    "timed",
    "run",
    "bare",
    "manner",
    "other",
    "title",
    "queries",
    "suggestions",
    "json",
    "json_only",
    "material",
]
"""Names of wishes that a message may express. `training/wishes/README.md` says what each label means."""
LABELS: Final[tuple[Label, ...]] = get_args(Label)
TRAITS: Final[frozenset[Label]] = frozenset({"json", "json_only", "material"})
"""Labels that say something else of a text than what it wishes."""
BUCKETS: Final = 1 << 16
"""Number of weights of a label. Features share them by their hash (Weinberger et al. 2009)."""
LETTERS, TAIL_LETTERS = 400, 240
"""At most this many characters of an instruction, and of the text after its colon, are features, half of them at each
end."""
LIKELY: Final = 0.5
"""A label with at least this probability is wished."""
_FLAG: Final = 0.3
"""Value of a feature that says that a word or a kind of input is there. All letters together have the length 2."""
_LENGTH: Final = 2.0
_SERIES: Final = 5
"""A message with at least this many numbers may bring a series."""
_WORD: Final = re.compile(r"\w+")
_NUMBER: Final = re.compile(r"\d+")
MODEL_FILE: Final = Path(__file__).with_name("wishes.npz")
"""Weights of a byte each, as `training.wishes.fit` writes them."""


def features_of(
    message: Message, kinds: Sequence[str], *, has_schema: bool = False
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the buckets and the values of a message's features. `kinds` are the kinds of its inputs, in order.
    `has_schema` says that the answer has to satisfy a schema."""
    grams = np.concatenate(
        [
            grams_of(_ends(message.instruction, LETTERS), BUCKETS),
            grams_of(_ends(message.material, TAIL_LETTERS), BUCKETS, space=2),
        ]
    )
    buckets, counts = np.unique(grams, return_counts=True)
    values = 1 + np.log(counts)
    length = float(np.sqrt((values**2).sum())) or 1.0
    flags = sorted({zlib.crc32(name.encode()) % BUCKETS for name in _flags(message, kinds, has_schema)})
    return (
        np.concatenate([buckets.astype(np.int64), np.array(flags, np.int64)]),
        np.concatenate([_LENGTH * values / length, np.full(len(flags), _FLAG)]).astype(np.float32),
    )


def _ends(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most // 2]} {text[-most // 2 :]}"


def _flags(message: Message, kinds: Sequence[str], has_schema: bool) -> Iterator[str]:
    words = _WORD.findall(_ends(message.instruction, LETTERS).lower())
    inputs = list(dict.fromkeys(kinds)) or ["none"]
    for kind in inputs:
        yield f"input {kind}"
        yield from (f"{kind} {word}" for word in words)
    yield from (f"word {word}" for word in words)
    yield from (f"pair {one} {other}" for one, other in zip(["", *words], [*words, ""], strict=True))
    if has_schema:
        yield "schema"
        yield from (f"schema {kind}" for kind in inputs)
    if message.document:
        yield "document"
    if message.quotations:
        yield "quotation"
    if message.tail:
        yield "tail"
    if len(_NUMBER.findall(f"{message.words[:2000]} {message.document[:2000]}")) >= _SERIES:
        yield "series"


@dataclass(frozen=True, slots=True)
class WishModel:
    weights: NDArray[np.float32]
    """Matrix of BUCKETS × LABELS: what a feature weighs lies together in memory."""
    biases: NDArray[np.float32]

    @classmethod
    def load(cls, path: Path = MODEL_FILE) -> Self:
        stored = np.load(path)
        if tuple(stored["labels"].tolist()) != LABELS:
            raise ValueError(f"{path.name} has other labels: run `python -m training.wishes.fit`")
        weights = np.multiply(stored["weights"].T, stored["scales"], dtype=np.float32, order="C")
        return cls(weights, stored["biases"])

    def probabilities(self, message: Message, kinds: Sequence[str], *, has_schema: bool = False) -> dict[Label, float]:
        buckets, values = features_of(message, kinds, has_schema=has_schema)
        odds = values @ self.weights[buckets] + self.biases
        return dict(zip(LABELS, (1 / (1 + np.exp(-odds))).tolist(), strict=True))

    def labels(self, message: Message, kinds: Sequence[str], *, has_schema: bool = False) -> frozenset[Label]:
        """Return what a message most likely wishes, at least one label."""
        return wishes_in(self.probabilities(message, kinds, has_schema=has_schema))


@cache
def wish_model() -> WishModel:
    return WishModel.load()


def wishes_in(probabilities: Mapping[Label, float]) -> frozenset[Label]:
    """Return the labels that are more likely than not; the likeliest if there is none."""
    wishes = {label: probability for label, probability in probabilities.items() if label not in TRAITS}
    found = frozenset(label for label, probability in wishes.items() if probability >= LIKELY)
    return found or frozenset({max(wishes, key=wishes.__getitem__)})
