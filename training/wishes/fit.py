"""Fits the models of wishes and of languages to the labelled messages of this folder, with the same result each time.

    .venv/bin/python -m training.wishes.fit

Fits the models to all messages but those that are held out, writes them into the package, and prints how often they are
right for the held-out messages. So the package's models have never seen the messages that `python -m eval.planning`
measures them with, and those figures are their own.
"""

import argparse
import warnings
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
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
from training.labelled import LabelledRow, in_bytes, print_shares, read_rows

FOLDER = Path(__file__).parent
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
_BESIDE: tuple[Kind, ...] = ("image", "document")
_KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class LabelledMessage(LabelledRow):
    media: tuple[Kind, ...]
    wishes: frozenset[Label]
    has_schema: bool = False

    @property
    def key(self) -> tuple[str, tuple[Kind, ...], bool]:
        """The text, the media, and whether a schema comes with it."""
        return self.folded_text, self.media, self.has_schema

    @property
    def tells_language(self) -> bool:
        """True if the message has words of its own. Material may be in any language."""
        return "material" not in self.wishes and any(map(str.isalpha, split_message(self.text).instruction))


def labelled_messages(folder: Path = FOLDER) -> list[LabelledMessage]:
    """Return the messages of all languages. Raises what `read_rows` raises, also for an unknown label or medium."""
    return read_rows(folder, _message_of, lambda message: message.wishes)


def _message_of(row: Mapping[str, Any], language: str) -> LabelledMessage:
    one = LabelledMessage(
        row["text"], language, tuple(row["media"]), frozenset(row["wishes"]), row.get("schema", False)
    )
    unknown = one.wishes.difference(LABELS) | set(one.media).difference(_KINDS)
    if unknown or not one.wishes:
        raise ValueError(f"has unknown or no labels: {sorted(unknown)}")
    return one


def material() -> Iterator[LabelledMessage]:
    """Yield lines and blocks of the documents that extraction is trained with: texts that a message brings along."""
    for document in written_documents():
        cells = [["".join(piece.text for piece in cell) for cell in line] for line in document.lines]
        lines = [_separated(line).strip() for line in cells]
        blocks = [block.strip() for block in "\n".join(lines).split("\n\n") if block.strip()]
        single = [cell for line in cells if len(line) > 1 for cell in line if zlib.crc32(cell.encode()) % 2]
        for text in (*filter(None, lines), *blocks, *single):
            if zlib.crc32(text.encode()) % MATERIAL == 0 and any(map(str.isalpha, text)):
                yield LabelledMessage(text, document.language, (), frozenset({"material"}))


def _separated(cells: Sequence[str]) -> str:
    return SEPARATORS[zlib.crc32("".join(cells).encode()) % len(SEPARATORS)].join(cells)


def beside_inputs(messages: Sequence[LabelledMessage]) -> Iterator[LabelledMessage]:
    """Yield copies, beside an input, of some messages that come without one and wish nothing of one."""
    for one in messages:
        if not one.media and one.wishes <= OF_NO_INPUT and not split_message(one.text).document:
            place = one.drawn(BESIDE_INPUTS)
            if place < len(_BESIDE):
                yield replace(one, media=(_BESIDE[place],))


def beside_schema(messages: Sequence[LabelledMessage]) -> Iterator[LabelledMessage]:
    """Yield copies, beside a schema, of some messages about an input: they wish the same there."""
    for one in messages:
        if not one.has_schema and (one.media or split_message(one.text).document):
            rarity = READING_BESIDE_SCHEMA if one.wishes <= READING else ACTING_BESIDE_SCHEMA
            if one.drawn(rarity) == 0:
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
    return WishModel(np.array(weights, np.float32).T, np.array(biases, np.float32))


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
    weights, scales = in_bytes(model.weights.T, 1)
    np.savez_compressed(path, labels=np.array(LABELS), biases=model.biases, weights=weights, scales=scales[:, 0])


def save_languages(model: LanguageClassifier, path: Path) -> None:
    """Write the model with one byte a weight."""
    weights, scales = in_bytes(model.weights, 1)
    languages = np.array(model.languages)
    np.savez_compressed(path, languages=languages, biases=model.biases, weights=weights, scales=scales[:, 0])


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
    telling = [one for one in messages if one.tells_language]
    print_shares("language right", [(one, model.language(one.text) == one.language) for one in telling])


def print_scores(model: WishModel, messages: Sequence[LabelledMessage]) -> None:
    """Print how often all labels of a message are right, by language, and the outcomes of each label."""
    exact: list[tuple[LabelledMessage, bool]] = []
    outcomes: Counter[tuple[Label, bool, bool]] = Counter()
    for one in messages:
        if "material" in one.wishes:
            continue
        probabilities = model.probabilities(split_message(one.text), one.media, has_schema=one.has_schema)
        wishes = wishes_in(probabilities)
        found = wishes | {label for label in TRAITS if probabilities[label] >= LIKELY}
        exact.append((one, wishes == one.wishes - TRAITS))
        outcomes.update((label, label in one.wishes, label in found) for label in LABELS)
    print_shares("all labels right", exact)
    print(f"{'label':11}{'right':>7}{'missed':>7}{'wrong':>7}")
    for label in LABELS:
        print(
            f"{label:11}"
            + "".join(f"{outcomes[label, *kind]:7}" for kind in ((True, True), (True, False), (False, True)))
        )


if __name__ == "__main__":
    main()
