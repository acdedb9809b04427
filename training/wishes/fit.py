"""Fits the model of wishes to the labelled messages of this folder, the same each time.

    .venv/bin/python -m training.wishes.fit

Prints how often the wishes of the messages that it has not seen are exactly right, by language and by label. Then it
fits the model to all messages but these, and writes it into the package.
"""

import argparse
import json
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse
from sklearn.linear_model import LogisticRegression

from tasks.wording.message import split_message
from tasks.wording.wishes import _FILE, BUCKETS, LABELS, Label, WishModel, features_of, wishes_in
from training.extraction.written import written_documents

FOLDER = Path(__file__).parent
HELD_OUT = 5
"""One message in this many is held out, by a hash of its text."""
MATERIAL = 3
"""One line and block of the documents in this many is an example of material."""
COST = 20.0
"""Inverse strength of the regularisation."""
_BYTE = 127


@dataclass(frozen=True, slots=True)
class LabelledMessage:
    text: str
    media: tuple[str, ...]
    wishes: frozenset[Label]
    language: str

    @property
    def is_held_out(self) -> bool:
        return zlib.crc32(" ".join(self.text.lower().split()).encode()) % HELD_OUT == 0


def labelled_messages() -> list[LabelledMessage]:
    """Return all messages, each once. Raises ValueError for an unknown label."""
    found: dict[tuple[str, tuple[str, ...]], LabelledMessage] = {}
    for file in sorted(FOLDER.glob("*.jsonl")):
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
            row = json.loads(line)
            if unknown := set(row["wishes"]) - set(LABELS):
                raise ValueError(f"{file.name}:{number}: unknown {', '.join(sorted(unknown))}")
            one = LabelledMessage(row["text"], tuple(row["media"]), frozenset(row["wishes"]), file.stem[:2])
            found.setdefault((" ".join(one.text.lower().split()), one.media), one)
    for text, language in material():
        one = LabelledMessage(text, (), frozenset({"material"}), language)
        found.setdefault((" ".join(one.text.lower().split()), one.media), one)
    return list(found.values())


def material() -> Iterator[tuple[str, str]]:
    """Yield lines and blocks of the documents that extraction is trained with: texts that a message brings along."""
    for document in written_documents():
        cells = [["".join(piece.text for piece in cell) for cell in line] for line in document.lines]
        lines = [separators(line, zlib.crc32("".join(line).encode())).strip() for line in cells]
        lines += [cell for line in cells for cell in line if len(line) > 1 and zlib.crc32(cell.encode()) % 2]
        blocks = [block.strip() for block in "\n".join(lines).split("\n\n") if block.strip()]
        for text in (*filter(None, lines), *blocks):
            if zlib.crc32(text.encode()) % MATERIAL == 0 and any(map(str.isalpha, text)):
                yield text, document.language


APART = frozenset({"fact", "search", "prose", "other", "greeting", "thanks", "server", "bare", "manner"})
"""Wishes that are of no input."""
BESIDE_INPUTS = 3
"""One in this many of the messages without an input that wish nothing of one is shown beside a picture, too, and one
beside a document: it wishes the same there."""


def beside_inputs(messages: Sequence[LabelledMessage]) -> Iterator[LabelledMessage]:
    for one in messages:
        if not one.media and one.wishes <= APART and not split_message(one.text).document:
            kind = {0: "image", 1: "document"}.get(zlib.crc32(one.text.encode()[::-1]) % BESIDE_INPUTS)
            if kind is not None:
                yield LabelledMessage(one.text, (kind,), one.wishes, one.language)


def separators(line: Sequence[str], number: int) -> str:
    return ("  ", "; ", " | ", ";", ",", "\t")[number % 6].join(line)


def matrix_of(messages: Sequence[LabelledMessage]) -> "scipy.sparse.csr_matrix":
    columns, values, ends = [], [], [0]
    for one in messages:
        buckets, own = features_of(split_message(one.text), one.media)
        columns.append(buckets)
        values.append(own)
        ends.append(ends[-1] + len(buckets))
    shape = (len(messages), BUCKETS)
    return scipy.sparse.csr_matrix((np.concatenate(values), np.concatenate(columns), ends), shape=shape)


def fit(messages: Sequence[LabelledMessage]) -> WishModel:
    features = matrix_of(messages)
    weights, biases = [], []
    for label in LABELS:
        # Material wishes nothing, so it says nothing of the other labels.
        rows = np.array([label == "material" or "material" not in one.wishes for one in messages])
        is_wished = np.array([label in one.wishes for one in messages])[rows]
        model = LogisticRegression(
            C=COST, solver="liblinear", dual=True, max_iter=300, random_state=1, intercept_scaling=3
        )
        model.fit(features[rows], is_wished)
        weights.append(model.coef_[0])
        biases.append(float(model.intercept_[0]))
    return WishModel(np.array(weights, np.float32), np.array(biases, np.float32))


def save(model: WishModel, path: Path = _FILE) -> None:
    """Write the model with one byte a weight."""
    scales = np.abs(model.weights).max(1) / _BYTE
    weights = np.rint(model.weights / scales[:, None]).astype(np.int8)
    np.savez_compressed(path, labels=np.array(LABELS), weights=weights, scales=scales, biases=model.biases)


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None).parse_args()
    messages = labelled_messages()
    seen = [one for one in messages if not one.is_held_out]
    held_out = [one for one in messages if one.is_held_out]
    model = fit([*seen, *beside_inputs(seen)])
    save(model)
    print_scores(WishModel.load(), held_out)
    print(f"{len(seen)} messages, {len(held_out)} held out, {_FILE.stat().st_size / 1e6:.2f} MB")


def print_scores(model: WishModel, messages: Sequence[LabelledMessage]) -> None:
    right: dict[str, list[bool]] = defaultdict(list)
    counts: dict[str, Counter[Label]] = defaultdict(Counter)
    for one in messages:
        if "material" in one.wishes:
            continue
        found = wishes_in(model.probabilities(split_message(one.text), one.media))
        right[one.language].append(found == one.wishes)
        for label in LABELS:
            counts[
                "right"
                if label in found and label in one.wishes
                else "missed"
                if label in one.wishes
                else "wrong"
                if label in found
                else ""
            ][label] += 1
    for language, outcomes in sorted(right.items()):
        print(f"{language:10}{np.mean(outcomes):8.1%}{len(outcomes):6}")
    everything = [outcome for outcomes in right.values() for outcome in outcomes]
    print(f"{'all':10}{np.mean(everything):8.1%}{len(everything):6}")
    for label in LABELS:
        print(f"{label:10}" + "".join(f"  {counts[kind][label]:4} {kind}" for kind in ("right", "missed", "wrong")))


if __name__ == "__main__":
    main()
