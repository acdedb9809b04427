"""Fills structured answers: results of tasks fill in some or all fields, and an LLM writes the others.

| LLM | fields that it writes | other fields |
|---|---|---|
| reliable | all | none |
| reliable, and fields are always extracted | those that could not be copied | copied |
| none, or one that invents values | none | copied, or the emptiest values that the schema permits |

Transcripts, translations, texts and counts are copied from the results of specialists. Dates, amounts, codes and the
like are copied from the page: an extractor (`tasks/extraction`) scores every candidate span of the text for every
field.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.chat.plan import Plan
from app.chat.shape import NotFoundInInput, Shape
from tasks.errors import InputError
from tasks.extraction.copied_fields import CopiedFields
from tasks.extraction.examples import Example
from tasks.extraction.extractor import Extractor
from tasks.extraction.fields import conditions_of, is_written_prose
from tasks.extraction.passages import read_of
from tasks.extraction.printed_keys import open_objects, with_printed_keys
from tasks.extraction.printed_types import with_printed_types
from tasks.extraction.trace import Trace
from tasks.extraction.yes_and_no import most_harmless
from tasks.from_results.arguments_in_words import with_arguments
from tasks.from_results.given import copy_with_results
from tasks.from_results.whole_results import TaskResult, TaskResults
from tasks.precontext import Entry
from tasks.schema.awaited import in_thread, in_turn
from tasks.schema.checker import SchemaChecker
from tasks.schema.emptiness import Completion, NothingFits
from tasks.schema.json_answer import AnswerInvalid, JsonAnswer
from tasks.schema.paths import JsonPath, PartsOfSchema, pointer_of
from tasks.schema.remainder import LEFT_OUT, independent, rest_of, whole_of
from tasks.wording.translation import TranslateOptions

_FILLED_IN = "These fields are filled in already, answer with the others alone: "
_ADVICE = "A capable language model would write them: set OPENFAZE_LLM_BASE_URL."
_WANTS_A_JUDGEMENT = "These fields need a judgement or a summary, which copying cannot give: {fields}. {advice}"
_UNDECIDED = "The input does not decide {fields}: each has the most cautious choice, which may be wrong: check it."
_IMPROBABLE = (
    "The input probably does not answer {fields}. The schema requires a value, so each has the "
    "likeliest one of its type."
)
_CONDITIONS = (
    "The values were chosen field by field; only the whole answer was checked against what the schema says of several "
    "fields together, at {pointers}."
)
_EMPTY_LISTS = "Nothing was found for these lists, which are empty: {fields}."
_EMPTY_OBJECT = "Nothing was found for the object at '{pointer}', whose keys the schema leaves open: it is empty."
_MAX_NAMED = 20
"""A warning lists at most this many fields."""
_MAX_SHOWN_CHARS = 60
"""The LLM is shown at most this many characters of a filled-in value."""


@dataclass(frozen=True, slots=True)
class Filling:
    """The fields of an answer that are filled in, and the shape of the other fields, which the LLM writes."""

    values: Mapping[JsonPath, Any]
    """Copied values, by the path of their field."""
    whole: Shape
    rest: Shape | None
    """Shape of the fields left to the LLM; None if every field is filled in."""
    answer: JsonAnswer | None = None
    """The whole answer, if no field is left to the LLM."""
    copied: CopiedFields = field(default_factory=lambda: CopiedFields({}))
    """The copied values, with their places in the texts that were read."""
    undecided: Mapping[JsonPath, float] = field(default_factory=dict)
    """Probabilities of the booleans and enums that have a value without any evidence, by path."""
    warnings: Sequence[str] = ()
    trace: Trace | None = None
    """The ways that were considered while the fields were copied; None if no explanation is requested."""

    @property
    def instruction(self) -> str:
        """Instruction for the LLM, with the fields that are filled in already."""
        values = {
            ".".join(map(str, path)): _shorten(value) for path, value in self.values.items() if value is not LEFT_OUT
        }
        return _FILLED_IN + json.dumps(values, ensure_ascii=False) if values else ""

    @property
    def written_fields(self) -> list[str]:
        """Names of the fields that the LLM writes in addition to copied fields; empty if no field is copied."""
        rest = (self.rest.schema if self.rest else None) or {}
        return list(rest.get("properties", {})) if self.values else []

    def parse(self, text: str) -> JsonAnswer:
        """Return the whole answer. The fields that are not filled in come from the LLM's `text`. Raises what
        `Shape.parse` raises."""
        if self.rest is None:
            return self.whole.parse(text)
        rest = self.rest.parse(text)
        return self.whole.parse(_join(self.whole, self.values, rest.value)) if self.values else rest

    def cut_answer(self, rest: str) -> str:
        """Return the text of a truncated answer: the copied values, then the part of `rest` that the LLM wrote."""
        if not self.values or not rest.lstrip().startswith("{"):
            return rest
        return f"{_join(self.whole, self.values, {})[:-1]}, {rest.lstrip()[1:]}"


async def fill(
    shape: Shape,
    plan: Plan,
    entries: Sequence[Entry],
    document: Entry | None,
    extractor: Extractor | None,
    examples: Sequence[Example] = (),
    *,
    is_explained: bool = False,
) -> Filling | None:
    """Fill in fields of `shape` from the results of `plan`'s steps, and leave the others to an LLM.

    If no step read anything, the fields are filled in from `document`, a text in the request. Return None if no field
    can be filled in, or if all fields are copied but do not satisfy the schema together. With `is_explained`, the
    filling has a trace. Raises ModelError.
    """
    if shape.schema is None:
        return None
    trace = Trace() if is_explained else None
    copied = await _copy_fields_from_results(shape.schema, plan, entries, document, extractor, examples, trace)
    filling = await in_thread(_leave_rest_to_llm, shape, copied)
    return filling and replace(filling, trace=trace)


async def fill_whole(
    shape: Shape,
    plan: Plan,
    entries: Sequence[Entry],
    document: Entry | None,
    extractor: Extractor | None,
    root: str,
    examples: Sequence[Example] = (),
    *,
    are_own_words: bool = False,
    is_explained: bool = False,
) -> Filling:
    """Fill in all fields of `shape` without an LLM. A field that nothing answers gets the emptiest value that its
    schema permits. If it must not be empty, it gets the likeliest value of its type, however improbable.

    `are_own_words` states that `document` consists of the user's own words and is not a document that they pasted.
    `root` is the pointer of the filled value in the answer, for errors. With `is_explained`, the filling has a trace.
    Raises ModelError, and NotFoundInInput for a field that must not be empty if no value of its type was read.
    """
    read = read_of(entries, document)
    schema = await in_thread(with_printed_types, shape.schema or {"type": "object"}, read)
    open_paths = [*open_objects(schema)]
    schema, printed = await in_thread(with_printed_keys, schema, read)
    if schema is not shape.schema:
        shape = shape.with_schema(schema)
    trace = Trace() if is_explained else None
    copied = await _copy_fields_from_results(schema, plan, entries, document, extractor, examples, trace)
    copied = replace(copied, values={**copied.values, **printed})
    if are_own_words and document is not None:
        copied = await in_thread(with_arguments, schema, copied, document)
    filling = await _complete(shape, schema, copied, root)
    return replace(filling, warnings=[*filling.warnings, *_empty_objects(filling, open_paths)], trace=trace)


async def fill_given(shape: Shape, values: Mapping[JsonPath, Any]) -> Filling:
    """Fill in fields of `shape` with given values, and all others with the emptiest values that the schema permits.
    Raises NotFoundInInput for a field that must not be empty."""
    return replace(await _complete(shape, shape.schema or {"type": "object"}, CopiedFields(values), ""), warnings=())


async def _copy_fields_from_results(
    schema: Mapping[str, Any],
    plan: Plan,
    entries: Sequence[Entry],
    document: Entry | None,
    extractor: Extractor | None,
    examples: Sequence[Example],
    trace: Trace | None,
) -> CopiedFields:
    steps = [*zip(plan.steps, entries, strict=True)]
    succeeded = [
        TaskResult(step.task, step.options, entry.result, step.sources)
        for step, entry in steps
        if entry.error is None and not isinstance(step.options, InputError)
    ]
    failed = [step.options for step, entry in steps if step.after and entry.error is not None]
    target = next((one.target_language for one in failed if isinstance(one, TranslateOptions)), None)
    read = read_of(entries, document)
    results = TaskResults(succeeded, plan.reads_out, target, any(one.result.text().strip() for one in read))
    threads = extractor.threads if extractor is not None else None
    return await in_turn(threads, copy_with_results, schema, results, read, extractor, examples, trace)


async def _complete(shape: Shape, schema: Mapping[str, Any], copied: CopiedFields, root: str) -> Filling:
    checker = shape.checker or SchemaChecker(schema)
    completion = Completion(schema, checker, copied.likeliest, most_harmless)
    try:
        value = await in_thread(completion.answer)
        answer = await in_thread(_parse, shape, value)
    except (NothingFits, AnswerInvalid) as error:
        # What is improbable, or was chosen without any evidence, is missing, too: an error has no warnings.
        found = {path: value for path, value in copied.values.items() if value is not LEFT_OUT}
        partial = await in_thread(Completion(schema, checker, found, most_harmless, is_partial=True).answer)
        if isinstance(error, NothingFits):
            raise NotFoundInInput(root + pointer_of(error.path), partial) from None
        # Fields may depend on each other, so that the schema requires a value for which nothing was found.
        raise NotFoundInInput(root, partial, str(error)) from None
    warnings = [*copied.warnings, *await in_thread(_warnings, schema, completion, copied.from_results)]
    if copied.improbable:
        warnings.append(_IMPROBABLE.format(fields=_list_fields(list(copied.improbable))))
    return Filling(copied.values, shape, None, answer, copied, completion.undecided, warnings)


def _parse(shape: Shape, value: Any) -> JsonAnswer:
    return shape.parse(json.dumps(value, ensure_ascii=False))


def _warnings(schema: Mapping[str, Any], completion: Completion, from_results: Collection[JsonPath]) -> list[str]:
    parts = PartsOfSchema(schema)
    judged: dict[JsonPath, None] = {}
    for path in (*completion.unanswered, *completion.undecided):
        if is_written_prose(path, parts.at(path)):
            judged[path] = None
    undecided = [path for path in completion.undecided if path not in judged]
    lists = [path for path, value in completion.values.items() if value == [] and path not in from_results]
    lists += completion.empty
    warnings = []
    if judged:
        warnings.append(_WANTS_A_JUDGEMENT.format(fields=_list_fields([*judged]), advice=_ADVICE))
    if undecided:
        warnings.append(_UNDECIDED.format(fields=_list_fields(undecided)))
    if lists:
        warnings.append(_EMPTY_LISTS.format(fields=_list_fields(lists)))
    if pointers := conditions_of(schema):
        warnings.append(_CONDITIONS.format(pointers=", ".join(pointers[:_MAX_NAMED])))
    return warnings


def _empty_objects(filling: Filling, paths: Sequence[JsonPath]) -> Iterator[str]:
    """Yield a warning for each of the objects at `paths` that is empty."""
    for path in paths:
        value = filling.answer and filling.answer.value
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        if value == {}:
            yield _EMPTY_OBJECT.format(pointer=pointer_of(path))


def _list_fields(paths: Sequence[JsonPath]) -> str:
    names = [f"'{'.'.join(map(str, path))}'" for path in paths]
    return ", ".join(names[:_MAX_NAMED]) + (" …" if len(names) > _MAX_NAMED else "")


def _leave_rest_to_llm(shape: Shape, copied: CopiedFields) -> Filling | None:
    # The LLM must be able to satisfy what the schema says of several fields.
    values = independent(shape.schema or {}, copied.values)
    if not values:
        return None
    rest = rest_of(shape.schema or {}, values)
    if rest is not None:
        return Filling(values, shape, shape.with_schema(rest), copied=copied)
    try:
        answer = shape.parse(_join(shape, values, {}))
        return Filling(values, shape, None, answer, copied)
    except AnswerInvalid:
        return None


def _join(shape: Shape, values: Mapping[JsonPath, Any], rest: Any) -> str:
    return json.dumps(whole_of(shape.schema or {}, values, rest), ensure_ascii=False)


def _shorten(value: Any) -> Any:
    return f"{value[:_MAX_SHOWN_CHARS]}…" if isinstance(value, str) and len(value) > _MAX_SHOWN_CHARS else value
