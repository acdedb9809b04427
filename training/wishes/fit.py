"""Fits the models of wishes and of languages to the labelled messages of this folder, with the same result each time.

    .venv/bin/python -m training.wishes.fit

Fits the models to all messages but those that are held out, writes them into the package, and prints how often they are
right for the held-out messages. So the package's models have never seen the messages that `python -m eval.planning`
measures them with, and those figures are their own.
"""

import argparse
import json
import warnings
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from tasks.inputs.kinds import Kind
from tasks.wording import message_language
from tasks.wording.message import split_message
from tasks.wording.message_language import LanguageClassifier
from tasks.wording.wishes import (
    BUCKETS,
    LABELS,
    LIKELY,
    MODEL_FILE,
    TRAITS,
    Label,
    WishModel,
    features_of,
    wishes_in,
)
from training.extraction.written import written_documents

FOLDER = Path(__file__).parent
HELD_OUT = 5
"""One message in this many is held out, by a hash of its text."""
MATERIAL = 3
"""One line and block of the documents in this many is an example of material."""
SEPARATORS = ("  ", "; ", " | ", ";", ",", "\t")
"""Texts between the cells of a line of material, by a hash of the line."""
OF_NO_INPUT: frozenset[Label] = frozenset(
    {"fact", "search", "prose", "other", "greeting", "thanks", "server", "bare", "manner", "json", "json_only"}
)
"""Wishes that are of no input."""
BESIDE_INPUTS = 3
"""One in this many messages that come without an input and wish nothing of one is shown beside a picture, too, and one
beside a document: it wishes the same there."""
READING: frozenset[Label] = frozenset({"read_out", "summary", "value"})
"""Wishes that the text of an input fulfils."""
READING_BESIDE_SCHEMA, ACTING_BESIDE_SCHEMA = 2, 6
"""One in this many messages with an input that wish its text, and one in this many that wish more, is shown beside a
schema, too. Orders to read are what schemas mostly come with."""
COST, LANGUAGE_COST = 20.0, 10.0
"""Inverse strengths of the regularisation of labels and of languages."""
TOLERANCE = 0.01
"""The fit of a label ends when its steps are smaller than this. Smaller ones make no label better."""
PASSES = 300
"""The fit of a label ends after this many passes over the messages at the latest."""
_BYTE = 127
_BESIDE: tuple[Kind, ...] = ("image", "document")
_KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class LabelledMessage:
    text: str
    media: tuple[Kind, ...]
    wishes: frozenset[Label]
    language: str
    has_schema: bool = False

    @property
    def key(self) -> tuple[str, tuple[Kind, ...], bool]:
        """The text, the media, and whether a schema comes with it. Messages that differ only in capitals and spaces
        have the same."""
        return " ".join(self.text.lower().split()), self.media, self.has_schema

    @property
    def tells_language(self) -> bool:
        """True if the message has words of its own. Material may be in any language."""
        return "material" not in self.wishes and any(map(str.isalpha, split_message(self.text).instruction))

    @property
    def is_held_out(self) -> bool:
        return zlib.crc32(self.key[0].encode()) % HELD_OUT == 0


def labelled_messages(folder: Path = FOLDER) -> list[LabelledMessage]:
    """Return the messages of all languages, each once. Raises ValueError for one with an unknown label or medium, one
    that is in its file already, and one with other labels than in another file."""
    found: dict[tuple[str, tuple[Kind, ...], bool], LabelledMessage] = {}
    wrong = []
    for file in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
            row = json.loads(line)
            one = LabelledMessage(
                row["text"], tuple(row["media"]), frozenset(row["wishes"]), file.stem, row.get("schema", False)
            )
            unknown = one.wishes.difference(LABELS) | set(one.media).difference(_KINDS)
            if unknown or not one.wishes:
                wrong.append(f"{file.name}:{number} has unknown or no labels: {sorted(unknown)}")
            first = found.setdefault(one.key, one)
            # "Hej" is a greeting in Polish and in Swedish.
            if first is not one and (first.language == one.language or first.wishes != one.wishes):
                wrong.append(f"{file.name}:{number} {one.text[:60]!r} is in {first.language}.jsonl already")
    if wrong:
        raise ValueError("\n".join(wrong))
    return list(found.values())


def material() -> Iterator[LabelledMessage]:
    """Yield lines and blocks of the documents that extraction is trained with: texts that a message brings along."""
    for document in written_documents():
        cells = [["".join(piece.text for piece in cell) for cell in line] for line in document.lines]
        lines = [_separated(line).strip() for line in cells]
        blocks = [block.strip() for block in "\n".join(lines).split("\n\n") if block.strip()]
        single = [cell for line in cells if len(line) > 1 for cell in line if zlib.crc32(cell.encode()) % 2]
        for text in (*filter(None, lines), *blocks, *single):
            if zlib.crc32(text.encode()) % MATERIAL == 0 and any(map(str.isalpha, text)):
                yield LabelledMessage(text, (), frozenset({"material"}), document.language)


def _separated(cells: Sequence[str]) -> str:
    return SEPARATORS[zlib.crc32("".join(cells).encode()) % len(SEPARATORS)].join(cells)


def beside_inputs(messages: Sequence[LabelledMessage]) -> Iterator[LabelledMessage]:
    """Yield copies, beside an input, of some messages that come without one and wish nothing of one."""
    for one in messages:
        if not one.media and one.wishes <= OF_NO_INPUT and not split_message(one.text).document:
            # Of the reversed text, because the hash of the text says whether it is held out.
            place = zlib.crc32(one.text.encode()[::-1]) % BESIDE_INPUTS
            if place < len(_BESIDE):
                yield replace(one, media=(_BESIDE[place],))


def beside_schema(messages: Sequence[LabelledMessage]) -> Iterator[LabelledMessage]:
    """Yield copies, beside a schema, of some messages about an input: they wish the same there."""
    for one in messages:
        if not one.has_schema and (one.media or split_message(one.text).document):
            rarity = READING_BESIDE_SCHEMA if one.wishes <= READING else ACTING_BESIDE_SCHEMA
            # As in `beside_inputs`.
            if zlib.crc32(one.text.encode()[::-1]) % rarity == 0:
                yield replace(one, has_schema=True)


def split() -> tuple[list[LabelledMessage], list[LabelledMessage]]:
    """Return the messages that the model is fitted to, with those of `material`, `beside_inputs` and `beside_schema`,
    and the messages that are held out."""
    messages = labelled_messages()
    everything = {one.key: one for one in messages}
    for one in (*material(), *beside_inputs(messages), *beside_schema(messages)):
        everything.setdefault(one.key, one)
    return [one for one in everything.values() if not one.is_held_out], [one for one in messages if one.is_held_out]


def fit(messages: Sequence[LabelledMessage]) -> WishModel:
    features = _matrix_of(messages)
    weights, biases = [], []
    for label in LABELS:
        # Material wishes nothing, so it says nothing of the other labels.
        rows = np.array([label == "material" or "material" not in one.wishes for one in messages])
        is_wished = np.array([label in one.wishes for one in messages])[rows]
        model = LogisticRegression(
            C=COST,
            solver="liblinear",
            dual=True,
            tol=TOLERANCE,
            max_iter=PASSES,
            random_state=1,
            intercept_scaling=3,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(features[rows], is_wished)
        weights.append(model.coef_[0])
        biases.append(float(model.intercept_[0]))
    return WishModel(np.array(weights, np.float32), np.array(biases, np.float32))


def fit_languages(messages: Sequence[LabelledMessage]) -> LanguageClassifier:
    own = [one for one in messages if one.tells_language]
    features = _sparse([message_language.features_of(one.text) for one in own], message_language.BUCKETS)
    # Some languages have a tenth of the messages of others.
    model = LogisticRegression(C=LANGUAGE_COST, max_iter=PASSES, class_weight="balanced")
    model.fit(features, [one.language for one in own])
    return LanguageClassifier(
        model.classes_.tolist(), model.coef_.astype(np.float32), model.intercept_.astype(np.float32)
    )


def _matrix_of(messages: Sequence[LabelledMessage]) -> "scipy.sparse.csr_matrix":
    rows = [features_of(split_message(one.text), one.media, has_schema=one.has_schema) for one in messages]
    return _sparse(rows, BUCKETS)


def _sparse(rows: Sequence[tuple[NDArray[np.integer], NDArray[np.float32]]], buckets: int) -> "scipy.sparse.csr_matrix":
    columns, values = ([row[part] for row in rows] for part in (0, 1))
    ends = np.cumsum([0, *map(len, columns)])
    return scipy.sparse.csr_matrix((np.concatenate(values), np.concatenate(columns), ends), shape=(len(rows), buckets))


def save(model: WishModel, path: Path) -> None:
    """Write the model with one byte a weight."""
    np.savez_compressed(path, labels=np.array(LABELS), biases=model.biases, **_in_bytes(model.weights))


def save_languages(model: LanguageClassifier, path: Path) -> None:
    """Write the model with one byte a weight."""
    np.savez_compressed(path, languages=np.array(model.languages), biases=model.biases, **_in_bytes(model.weights))


def _in_bytes(weights: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
    scales = np.abs(weights).max(1) / _BYTE
    return {"weights": np.rint(weights / scales[:, None]).astype(np.int8), "scales": scales}


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None).parse_args()
    seen, held_out = split()
    save(fit(seen), MODEL_FILE)
    print(f"{len(seen)} messages, {len(held_out)} held out, {MODEL_FILE.stat().st_size / 1e6:.2f} MB")
    print_scores(WishModel.load(), held_out)
    save_languages(fit_languages(seen), message_language.MODEL_FILE)
    print_languages(LanguageClassifier.load(), held_out)


def print_languages(model: LanguageClassifier, messages: Sequence[LabelledMessage]) -> None:
    """Print how often the language of a message is right, by language."""
    right: dict[str, list[bool]] = defaultdict(list)
    for one in messages:
        for name in (one.language, "all") if one.tells_language else ():
            right[name].append(model.language(one.text) == one.language)
    print("language right:", "  ".join(f"{name} {np.mean(found):.1%}" for name, found in sorted(right.items())))


def print_scores(model: WishModel, messages: Sequence[LabelledMessage]) -> None:
    """Print how often all labels of a message are right, by language, and the outcomes of each label."""
    exact: dict[str, list[bool]] = defaultdict(list)
    outcomes: Counter[tuple[Label, bool, bool]] = Counter()
    for one in messages:
        if "material" in one.wishes:
            continue
        probabilities = model.probabilities(split_message(one.text), one.media, has_schema=one.has_schema)
        wishes = wishes_in(probabilities)
        found = wishes | {label for label in TRAITS if probabilities[label] >= LIKELY}
        for name in (one.language, "all"):
            exact[name].append(wishes == one.wishes - TRAITS)
        outcomes.update((label, label in one.wishes, label in found) for label in LABELS)
    print("all labels right:", "  ".join(f"{name} {np.mean(right):.0%}" for name, right in exact.items()))
    print(f"{'label':11}{'right':>7}{'missed':>7}{'wrong':>7}")
    for label in LABELS:
        print(
            f"{label:11}"
            + "".join(f"{outcomes[label, *kind]:7}" for kind in ((True, True), (True, False), (False, True)))
        )


if __name__ == "__main__":
    main()
