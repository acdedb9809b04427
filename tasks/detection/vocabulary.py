"""Maps a user's words for things to the labels of an engine."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from models.base import ModelError
from models.embedding.embedder import Embedder
from tasks.wording.object_phrases import listed_in

_TABLE: Mapping[str, Mapping[str, list[str]]] = tomllib.loads(
    Path(__file__).with_name("synonyms.toml").read_text("utf-8")
)

SYNONYMS: Mapping[str, frozenset[str]] = {
    label: frozenset({label, *words}) for label, words in _TABLE["labels"].items()
}
"""Synonyms of each label, including the label itself."""

GROUPS: Mapping[str, tuple[str, ...]] = {word: tuple(labels) for word, labels in _TABLE["groups"].items()}
"""Words that stand for several labels."""


_LEAST_LIKENESS = 0.7
_LEAST_LEAD = 0.1
"""A phrase gets the nearest label if their cosine (all-MiniLM-L6-v2) is at least the first number, and exceeds that of
the next label by at least the second. In a test with 51 things for which COCO has a label ("canoe", "kitten"), 27 got a
label, and each of these was right. Of 120 things without a label ("wheelchair", "sword"), none got one."""

_NO_WORDS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
"""Scripts without spaces, in which names are searched for anywhere in the text."""

_ENDINGS = (
    ("ies", "y"),
    ("ves", "f"),
    ("ches", "ch"),
    ("shes", "sh"),
    ("sses", "ss"),
    ("xes", "x"),
    ("ses", "s"),
    ("en", ""),
    ("es", ""),
    ("er", ""),
    ("s", ""),
    ("n", ""),
    ("e", ""),
)
"""Endings of plurals, each with the ending of the singular."""

_OTHER_THINGS = re.compile("机器人|ロボット|熊猫|パンダ|地球|蜗牛|犀牛|河马|海马|名人|本人|人工|美人|雪人|車椅子")
"""Words in scripts without spaces that contain a label's name but mean something else."""


class LabelVocabulary:
    """The labels of one engine. Their embeddings are computed when a phrase first needs them."""

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = tuple(labels)
        self._by_name: dict[str, tuple[str, ...]] = {}
        for label in labels:
            for names in SYNONYMS.values():
                if label.casefold() in names:
                    self._by_name |= {name: (label,) for name in names if name not in self._by_name}
        for group, members in GROUPS.items():
            known = [label for member in members for label in self._by_name.get(member, ())]
            if known:
                self._by_name[group] = tuple(known)
        # The name of a label takes precedence over synonyms of others.
        self._by_name |= {label.casefold(): (label,) for label in labels}
        self._vectors: np.ndarray[tuple[int, ...], np.dtype[np.float32]] | None = None

    def named(self, phrase: str) -> tuple[str, ...]:
        """Return the labels that `phrase` names: exactly, as a plural, by a synonym or a group."""
        for form in _singular_forms(phrase):
            if form in self._by_name:
                return self._by_name[form]
        return ()

    def kind_of(self, phrase: str) -> tuple[str, ...]:
        """Return the labels that a description stands for: a "tall red bus" is a bus and a "cup of tea" a cup, but a
        "group of people" is people."""
        words = phrase.split()
        if "of" in words and (found := self.named(" ".join(words[: words.index("of")]))):
            return found
        for first in range(1, len(words)):
            if found := self.named(" ".join(words[first:])):
                return found
        return ()

    async def like(self, phrase: str, embedder: Embedder) -> tuple[str, ...]:
        """Return the label whose embedding is nearest to that of `phrase`, if it is near enough and clearly nearer than
        any other."""
        # The embedding of "sign" is close to that of "stop sign", which contains the word, but "sign" does not mean a
        # stop sign.
        candidates = [label for label in self.labels if phrase.casefold() not in label.casefold()]
        if self._vectors is None:
            self._vectors = await embedder.embed(self.labels)
        [vector] = await embedder.embed([phrase.casefold()])
        likeness = {label: float(row @ vector) for label, row in zip(self.labels, self._vectors, strict=True)}
        first, *others = sorted(self.labels, key=likeness.__getitem__, reverse=True)
        lead = likeness[first] - likeness[others[0]] if others else 1.0
        alike = first in candidates and likeness[first] >= _LEAST_LIKENESS and lead >= _LEAST_LEAD
        return (first,) if alike else ()

    def mentioned(self, text: str) -> list[str]:
        """Return the names of labels that occur in a text without spaces, the longest first."""
        found, rest = [], _OTHER_THINGS.sub(" ", text)
        for name in sorted(filter(_NO_WORDS.search, self._by_name), key=len, reverse=True):
            if name in rest:
                found.append(name)
                rest = rest.replace(name, " ")
        return found


def named_in(text: str, vocabulary: LabelVocabulary) -> list[str]:
    """Return the phrases of `text` that name things to find, if it is a list of names that `vocabulary` knows; else an
    empty list."""
    if _NO_WORDS.search(text):
        return vocabulary.mentioned(text)
    listed = listed_in(text)
    return listed if all(vocabulary.named(phrase) for phrase in listed) else []


async def labels_for(
    phrase: str, vocabulary: LabelVocabulary, embedder: Embedder | None, *, loosely: bool
) -> tuple[str, ...]:
    """Return the labels that `phrase` means; empty if the engine has no such label. With `loosely`, a description
    counts as the thing itself, because no engine here could distinguish a red car from other cars."""
    if found := vocabulary.named(phrase):
        return found
    if loosely and (found := vocabulary.kind_of(phrase)):
        return found
    if embedder is None:
        return ()
    try:
        return await vocabulary.like(phrase, embedder)
    except ModelError:
        # Names and synonyms work without embeddings.
        return ()


def singular(phrase: str) -> str:
    """Return the singular for an open-vocabulary engine: "red Unicorns" becomes "red unicorn"."""
    name = phrase.casefold()
    if name.endswith("ies") and len(name) > 4:
        return name[:-3] + "y"
    return name[:-1] if name.endswith("s") and not name.endswith(("ss", "us", "is")) and len(name) > 3 else name


def _singular_forms(phrase: str) -> Iterator[str]:
    """Yield the phrase and its likely singulars."""
    name = phrase.casefold().replace("-", " ").replace("’", "'")
    yield name
    for ending, singular in _ENDINGS:
        if name.endswith(ending) and len(name) >= len(ending) + 2:
            yield name[: -len(ending)] + singular
