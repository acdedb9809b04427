"""Copies whole results of specialists as values of fields: a transcript, a translation, a page's text, or numbers of
objects."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tasks.detection.search import DetectionOptions, wanted_phrases
from tasks.detection.vocabulary import SYNONYMS, LabelVocabulary, singular
from tasks.extraction.concepts import CONCEPTS
from tasks.extraction.folding import fold
from tasks.extraction.names import Names
from tasks.extraction.result_names import result_names
from tasks.result import Result
from tasks.wording.object_phrases import phrases_in
from tasks.wording.options import TaskOptions

_READERS: Final = ("speech_to_text", "ocr", "scraper")
_COUNTS: Final = tomllib.loads(Path(__file__).with_name("counts.toml").read_text("utf-8"))
_COUNTING, _EVERYTHING, _PRESENCE = (frozenset(fold(_COUNTS[key])) for key in ("words", "everything", "presence"))


@dataclass(frozen=True, slots=True)
class TaskResult:
    """The result of a run task that succeeded."""

    task: str
    options: TaskOptions
    result: Result[Any]
    sources: Sequence[Any] = ()
    """Inputs of the task."""


@dataclass(frozen=True, slots=True)
class TaskResults:
    """The results of a request's run tasks. Their whole texts and their numbers may be values of the answer."""

    results: Sequence[TaskResult] = ()
    reads_out: bool = False
    """True if the request asks for the whole text that was read or spoken, not for a part of it."""
    untranslated_into: str | None = None
    """Tag of the language into which a translation failed."""
    has_text: bool = False
    """True if a text was read, by a run task or otherwise."""

    def of(self, *tasks: str) -> Iterator[TaskResult]:
        return (one for one in self.results if one.task in tasks)

    @property
    def readings(self) -> list[TaskResult]:
        """The results that are whole texts of inputs. Of a video, that is what is spoken, if anything is."""
        spoken = [one.sources for one in self.of("speech_to_text") if one.result.text()]
        return [one for one in self.of(*_READERS) if one.task != "ocr" or one.sources not in spoken]

    def texts(self, *tasks: str) -> str | None:
        """Return the texts of all results of these tasks, or None if none of the tasks ran."""
        found = [one.result.text() for one in self.of(*tasks)]
        return "\n\n".join(found) if found else None


def values_from_results(
    schema: Mapping[str, Any], names: Names, results: TaskResults, others: Sequence[Names]
) -> Iterator[Any]:
    """Find values for a field of this schema and these names, the most likely first.

    `others` are the names of all fields.
    """
    types = schema.get("type")
    match [types] if isinstance(types, str) else types or []:
        case ["string", *_] | [_, "string"]:
            yield from _results_named(names, results)
            text = _text_asked_for(names, results, others)
            yield from () if text is None else (text,)
        case ["integer" | "number", *_] | [_, "integer" | "number"]:
            count = _count_of(names, results)
            yield from () if count is None else (count,)
        case ["boolean", *_] | [_, "boolean"]:
            count = _count_of(names, results, is_there=True)
            yield from () if count is None else (count > 0,)


def _results_named(names: Names, results: TaskResults) -> Iterator[str]:
    for task, key, known in result_names().results:
        if known.isdisjoint(names.own):
            continue
        if key is None:
            text = results.texts(task)
            yield from () if text is None else (text,)
        else:
            values = {str(one.result.data[key]) for one in results.of(task) if one.result.data.get(key)}
            if key == "target_language" and results.untranslated_into is not None:
                values.add(results.untranslated_into)
            yield from values if len(values) == 1 else ()


def _text_asked_for(names: Names, results: TaskResults, others: Sequence[Names]) -> str | None:
    """Return the whole text that was read, or its translation, if the field's name asks for it; None otherwise."""
    words, own = result_names(), frozenset(names.own)
    translations = {name for task, _, known in words.results if task == "translate" for name in known}
    translated = results.texts("translate")
    is_text = bool(own & (words.text | words.outcome))
    if is_text and translated is not None and not any(translations.intersection(other.own) for other in others):
        return translated
    readings = results.readings
    if own & words.markdown and readings:
        return "\n\n".join(one.result.markdown() for one in readings)
    whole = words.text.union(*(known for task, key, known in words.results if task in _READERS and key is None))
    if own & whole or (own & words.outcome and (results.reads_out or translated is not None)):
        return "\n\n".join(one.result.text() for one in readings) if readings else None
    return None


def labels_named(names: Names) -> frozenset[str] | None:
    """Return the labels of the kind of objects that a field is called after, in lower case; None if its name means
    every object, or none."""
    vocabulary = LabelVocabulary(tuple(SYNONYMS))
    return next((labels for name in names.own[:2] if (labels := _wanted(name, vocabulary))), None)


def _count_of(names: Names, results: TaskResults, *, is_there: bool = False) -> int | None:
    """Return the number of detected objects of the kind in a field's name, or None if the number is not known.

    The number is unknown if the detector did not look for the kind, or may have seen an object in several frames. With
    `is_there`, a name without any kind of object gives no number.
    """
    searches = list(results.of("object_detection"))
    objects = [one for search in searches for one in search.result.data["detected_objects"]]
    # The same object is detected in many frames of a video.
    if not searches or any("timestamp" in one for one in objects):
        return None
    options = searches[0].options
    assert isinstance(options, DetectionOptions)
    vocabulary = LabelVocabulary(tuple(dict.fromkeys([*SYNONYMS, *(one["label"] for one in objects)])))
    wanted_labels = [_labels(phrase, vocabulary) for phrase in wanted_phrases(options, vocabulary)]
    looked_for = frozenset[str]().union(*wanted_labels)
    for name in names.own:
        wanted = _wanted(name, vocabulary)
        if wanted is None or (is_there and not wanted):
            continue
        if not wanted:
            # On a page with text, `total` is an amount, but `total_objects` is not.
            names_objects = not _EVERYTHING.isdisjoint(name)
            is_amount = any(CONCEPTS[concept].kind == "amount" for concept in names.concepts)
            return None if results.has_text and is_amount and not names_objects else len(objects)
        if not wanted_labels or wanted <= looked_for:
            return sum(one["label"].casefold() in wanted for one in objects)
    return None


def _wanted(name: tuple[str, ...], vocabulary: LabelVocabulary) -> frozenset[str] | None:
    """Return the labels that a field's name means. An empty set stands for all labels; None means that the name
    contains no label."""
    rest = [word for word in name if word not in _COUNTING and word not in _PRESENCE]
    if all(word in _EVERYTHING for word in rest):
        return frozenset()
    labels = vocabulary.named(" ".join(rest))
    if not labels:
        # The name may be a description: "the number of people in the picture".
        labels = tuple(label for phrase in phrases_in(" ".join(name)) for label in vocabulary.named(phrase))
    return frozenset(map(str.casefold, labels)) or None


def _labels(phrase: str, vocabulary: LabelVocabulary) -> frozenset[str]:
    return frozenset(map(str.casefold, vocabulary.named(phrase))) or frozenset({singular(phrase)})
