"""Fits the tagger of parts to the labelled orders of this folder, with the same result each time.

    .venv/bin/python -m training.orders.fit

Fits the tagger to all orders but those that are held out, writes it into the package, and prints how often the parts of
held-out orders are right.
"""

import argparse
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tasks.wording.order_parts import BUCKETS, MODEL_FILE, Part, PartTagger, features_of, words_of
from training.labelled import LabelledRow, in_bytes, print_shares, read_rows

FOLDER = Path(__file__).parent
PARTS: tuple[Part, ...] = ("", "text")
"""The parts that the tagger finds. Grammars find the others that the orders are labelled with."""
COPIES = 20
"""Each order is shown so many times with other texts of its language in its parts."""
OTHER_TEXT = 0.7
"""Share of the parts in copies that get another text."""
PASSES = 6


@dataclass(frozen=True, slots=True)
class LabelledOrder(LabelledRow):
    task: str
    parts: tuple[tuple[Part, int, int], ...]
    """Parts with their places, in order."""
    held_out: ClassVar[int] = 3

    @property
    def key(self) -> tuple[str, str]:
        """The text and the task: the words of an order may fit several."""
        return self.folded_text, self.task

    @property
    def is_one_clause(self) -> bool:
        """True if no sign sets the text apart, which then only the words tell."""
        return not any(sign in self.text for sign in ':："“”„«»「」‘"\n`')

    def of(self, part: Part) -> list[str]:
        return [self.text[start:end] for name, start, end in self.parts if name == part]


def labelled_orders(folder: Path = FOLDER) -> list[LabelledOrder]:
    """Return the orders of all languages. Raises what `read_rows` raises, also for a part whose words the order does
    not have."""
    return read_rows(folder, _order_of, lambda order: order.parts)


def _order_of(row: Mapping[str, Any], language: str) -> LabelledOrder:
    places: list[tuple[Part, int, int]] = []
    for part, texts in row["parts"].items():
        for text in texts:
            start = _place_of(text, row["text"], places)
            places.append((part, start, start + len(text)))
    places.sort(key=lambda place: place[1])
    return LabelledOrder(row["text"], language, row["task"], tuple(places))


def _place_of(text: str, order: str, taken: Sequence[tuple[Part, int, int]]) -> int:
    """Return where a part's text stands in an order, as whole words if it can."""
    starts = [at for at in range(len(order)) if order.startswith(text, at)]
    free = [at for at in starts if all(at >= end or at + len(text) <= start for _, start, end in taken)]
    whole = [at for at in free if not _is_inside_word(order, at) and not _is_inside_word(order, at + len(text))]
    if not free:
        raise ValueError(f"{order!r} does not have {text!r}")
    return (whole or free)[0]


def _is_inside_word(text: str, at: int) -> bool:
    return 0 < at < len(text) and text[at - 1].isalnum() and text[at].isalnum()


def copies(orders: Sequence[LabelledOrder], chance: random.Random) -> Iterator[LabelledOrder]:
    """Yield the orders, and copies of them with other texts in their parts, so that the words around a part say more
    than those in it."""
    texts: dict[tuple[str, Part], list[str]] = defaultdict(list)
    for order in orders:
        for part, start, end in order.parts:
            texts[order.language, part].append(order.text[start:end])
    yield from orders
    for _ in range(COPIES):
        for order in orders:
            written, places, done = "", [], 0
            for part, start, end in order.parts:
                written += order.text[done:start]
                text = order.text[start:end]
                if chance.random() < OTHER_TEXT:
                    text = chance.choice(texts[order.language, part])
                places.append((part, len(written), len(written) + len(text)))
                written += text
                done = end
            yield LabelledOrder(written + order.text[done:], order.language, order.task, tuple(places))


def tags_of(order: LabelledOrder) -> list[int]:
    tags = []
    for word in words_of(order.text):
        own = [part for part, start, end in order.parts if word.start < end and word.end > start and part in PARTS]
        tags.append(PARTS.index(own[0]) if own else 0)
    return tags


def fit(orders: Sequence[LabelledOrder]) -> PartTagger:
    """Fit a structured perceptron, with its weights averaged over all steps."""
    chance = random.Random(1)
    examples = [(features_of(words_of(order.text)), tags_of(order)) for order in copies(orders, chance)]
    weights = np.zeros((BUCKETS, len(PARTS)), np.float32)
    moves = np.zeros((len(PARTS) + 1, len(PARTS)), np.float32)
    late_weights, late_moves = np.zeros_like(weights), np.zeros_like(moves)
    tagger, step = PartTagger(PARTS, weights, moves), 1.0
    for _ in range(PASSES):
        chance.shuffle(examples)
        for features, right in examples:
            found = tagger.tags(features)
            for tags, sign in ((right, 1.0), (found, -1.0)) if found != right else ():
                for row, tag in zip(features, tags, strict=True):
                    np.add.at(weights, (row, tag), sign)
                    np.add.at(late_weights, (row, tag), sign * step)
                for before, tag in pairwise((-1, *tags)):
                    moves[before, tag] += sign
                    late_moves[before, tag] += sign * step
            step += 1
    return PartTagger(PARTS, weights - late_weights / step, moves - late_moves / step)


def save(tagger: PartTagger, path: Path) -> None:
    """Write the tagger with one byte a weight."""
    weights, scale = in_bytes(tagger.weights)
    np.savez_compressed(path, parts=np.array(tagger.parts), weights=weights, scale=scale, moves=tagger.moves)


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None).parse_args()
    orders = [one for one in labelled_orders() if one.task == "translate" and one.is_one_clause]
    held_out = [one for one in orders if one.is_held_out]
    save(fit([one for one in orders if not one.is_held_out]), MODEL_FILE)
    tagger = PartTagger.load()
    print(f"{len(orders)} orders, {len(held_out)} held out, {MODEL_FILE.stat().st_size / 1e6:.2f} MB")
    print_shares("text right", [(one, tagger.text_of(one.text, "text") == "".join(one.of("text"))) for one in held_out])


if __name__ == "__main__":
    main()
