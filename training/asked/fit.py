"""Fits the model of asked names to the labelled messages of this folder, with the same result each time.

    .venv/bin/python -m training.asked.fit

Fits the model to all messages but those that are held out, writes it into the package, and prints how often it finds
exactly the names of the messages that it has not seen. `python -m eval.asked` prints which are wrong.
"""

import argparse
import random
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.chat.planning.asked_names import (
    BUCKETS,
    FORMS,
    KINDS,
    MODEL_FILE,
    PRINTED_KINDS,
    TAGS,
    AskedName,
    Form,
    MessageToken,
    NameKind,
    NameModel,
    allowed_steps,
    features_of,
    features_of_form,
    scores_of,
    tokens_of,
)
from tasks.wording.viterbi import best_tags
from tasks.wording.wishes import Label
from training.labelled import LabelledRow, in_bytes, print_shares, read_rows
from training.wishes.fit import labelled_messages as messages_of_wishes

FOLDER = Path(__file__).parent
OF_NO_VALUE: frozenset[Label] = frozenset(
    {"summary", "prose", "translate", "greeting", "thanks", "read_out", "detect", "forecast", "server", "manner"}
)
"""Wishes that name no printed value."""
FROM_WISHES = 6
"""One in this many messages of `training/wishes` with only such wishes is an example of a message without names."""
LONGEST = 200
"""Only messages of wishes with at most this many characters are taken."""
SWAPPED = 2
"""Number of copies of a message with other names of the same kind and language in the places of its names. With them,
the words around a name tell as much as the name."""
PASSES = 10
MARGIN = 60.0
"""A wrong tag counts as found until the right one has this much more."""


@dataclass(frozen=True, slots=True)
class NamedMessage(LabelledRow):
    asked: Mapping[str, NameKind]
    """Kind of each name in the message, in order."""
    form: Form | None
    """Form of the message; None if no label says it."""

    def tags(self, tokens: Sequence[MessageToken]) -> list[int]:
        """Return the tag of each token. Raises ValueError if a name is not in the message behind the one before it."""
        tags = [0] * len(tokens)
        position = 0
        for name, kind in self.asked.items():
            begin = self.text.index(name, position)
            position = begin + len(name)
            places = [place for place, token in enumerate(tokens) if begin <= token.begin and token.end <= position]
            if not places or (tokens[places[0]].begin, tokens[places[-1]].end) != (begin, position):
                raise ValueError(f"{name!r} are no whole words")
            tags[places[0]] = 2 * KINDS.index(kind) + 1
            for place in places[1:]:
                tags[place] = 2 * KINDS.index(kind) + 2
        return tags


def labelled_messages(folder: Path = FOLDER) -> list[NamedMessage]:
    """Return the messages of all languages. Raises what `read_rows` raises, also for an unknown kind or form, and for a
    name that the message does not have."""
    return read_rows(folder, _message_of, lambda message: message.asked)


def _message_of(row: Mapping[str, Any], language: str) -> NamedMessage:
    one = NamedMessage(row["text"], language, row["asked"], row["form"])
    if one.form not in FORMS or not set(one.asked.values()) <= set(KINDS):
        raise ValueError("has an unknown kind or form")
    one.tags(tokens_of(one.text))
    return one


def without_names() -> Iterator[NamedMessage]:
    """Yield messages of `training/wishes` that ask for no printed value."""
    for one in messages_of_wishes():
        if one.drawn(FROM_WISHES) == 0 and one.wishes <= OF_NO_VALUE and len(one.text) <= LONGEST:
            yield NamedMessage(one.text, one.language, {}, None)


def swapped(messages: Sequence[NamedMessage]) -> Iterator[NamedMessage]:
    """Yield copies of messages with the names of others in the places of theirs."""
    names: dict[tuple[str, NameKind], set[str]] = defaultdict(set)
    for one in messages:
        for name, kind in one.asked.items():
            if kind in PRINTED_KINDS:
                names[one.language, kind].add(name)
    choices = {key: sorted(some) for key, some in names.items()}
    for one in messages:
        chance = random.Random(zlib.crc32(one.folded_text.encode()))
        for _ in range(SWAPPED if any(kind in PRINTED_KINDS for kind in one.asked.values()) else 0):
            text, asked, position = "", {}, 0
            for name, kind in one.asked.items():
                begin = one.text.index(name, position)
                other = chance.choice(choices[one.language, kind]) if kind in PRINTED_KINDS else name
                text, position = text + one.text[position:begin] + other, begin + len(name)
                asked[other] = kind
            if len(asked) == len(one.asked):
                yield replace(one, text=text + one.text[position:], asked=asked)


def split() -> tuple[list[NamedMessage], list[NamedMessage]]:
    """Return the messages that the model is fitted to, with those without names, and the messages that are held out."""
    messages = labelled_messages()
    everything = {one.key: one for one in messages}
    for one in without_names():
        everything.setdefault(one.key, one)
    return [one for one in everything.values() if not one.is_held_out], [one for one in messages if one.is_held_out]


def fit(messages: Sequence[NamedMessage]) -> NameModel:
    weights, steps = _fit_tags(messages)
    return NameModel(weights, steps + allowed_steps(), _fit_forms([one for one in messages if one.form]))


def _fit_tags(messages: Sequence[NamedMessage]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the averaged weights and steps of a perceptron (Collins 2002)."""
    examples = [
        (features_of(tokens), one.tags(tokens))
        for one in (*messages, *swapped(messages))
        if (tokens := tokens_of(one.text))
    ]
    allowed = allowed_steps()
    weights, sums = np.zeros((BUCKETS, TAGS), np.float32), np.zeros((BUCKETS, TAGS), np.float64)
    steps, step_sums = np.zeros((TAGS, TAGS), np.float32), np.zeros((TAGS, TAGS), np.float64)
    chance, count = random.Random(1), 0
    for _ in range(PASSES):
        chance.shuffle(examples)
        for features, right in examples:
            count += 1
            scores = scores_of(weights, features) + MARGIN
            scores[np.arange(len(right)), right] -= MARGIN
            found = best_tags(scores, steps[0] + allowed[0], steps + allowed)
            if found == right:
                continue
            for tags, change in ((right, 1), (found, -1)):
                for buckets, tag, other in zip(features, right, found, strict=True):
                    if tag != other:
                        weights[buckets, tag if change > 0 else other] += change
                        sums[buckets, tag if change > 0 else other] += count * change
                for before, after in pairwise([0, *tags]):
                    steps[before, after] += change
                    step_sums[before, after] += count * change
    return weights - (sums / count).astype(np.float32), steps - (step_sums / count).astype(np.float32)


def _fit_forms(messages: Sequence[NamedMessage]) -> NDArray[np.float32]:
    examples = [(features_of_form(one.text), FORMS.index(one.form)) for one in messages if one.form]
    weights, sums = np.zeros((BUCKETS, len(FORMS)), np.float32), np.zeros((BUCKETS, len(FORMS)), np.float64)
    chance, count = random.Random(1), 0
    for _ in range(PASSES):
        chance.shuffle(examples)
        for buckets, right in examples:
            count += 1
            found = int(weights[buckets].sum(0).argmax())
            if found != right:
                for form, change in ((right, 1), (found, -1)):
                    weights[buckets, form] += change
                    sums[buckets, form] += count * change
    return weights - (sums / count).astype(np.float32)


def save(model: NameModel, path: Path) -> None:
    """Write the model with one byte a weight."""
    stored: dict[str, Any] = {}
    for name, values in (("weights", model.weights), ("steps", model.steps - allowed_steps()), ("forms", model.forms)):
        stored[name], stored[f"{name}_scale"] = in_bytes(values)
    np.savez_compressed(path, kinds=np.array(KINDS), form_names=np.array(FORMS), **stored)


def has_right_names(one: NamedMessage, found: Sequence[AskedName]) -> bool:
    """True if the names of values and their kinds are exactly those of the message."""
    wanted = [(name, kind) for name, kind in one.asked.items() if kind != "open"]
    return [(name.text, name.kind) for name in found if name.kind != "open"] == wanted


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None).parse_args()
    seen, held_out = split()
    save(fit(seen), MODEL_FILE)
    print(f"{len(seen)} messages, {len(held_out)} held out, {MODEL_FILE.stat().st_size / 1e6:.2f} MB")
    model = NameModel.load()
    print_shares("names right", [(one, has_right_names(one, model.names_in(one.text))) for one in held_out])
    print_shares("form right", [(one, model.form(one.text) == one.form) for one in held_out])


if __name__ == "__main__":
    main()
