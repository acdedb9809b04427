"""Structured answers: results of tasks fill in some or all fields, and an LLM writes the others.

A reliable LLM answers all fields. An LLM that invents values is not asked for values that have been read. Transcripts,
translations, texts and counts are copied from the specialists' results. Dates, amounts, codes and the like are copied
from the page, beside their labels: an extractor scores every piece of the text for every field (`tasks/extraction`).
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.chat.plan import Plan
from app.chat.schema.structured import Shape
from tasks.extraction.extractor import Extractor
from tasks.extraction.filling import CopiedFields, copy_fields
from tasks.extraction.passages import read_of
from tasks.extraction.probability import FieldScores
from tasks.extraction.whole_results import TaskResult, TaskResults
from tasks.precontext import Entry
from tasks.schema.json_answer import AnswerInvalid, JsonAnswer
from tasks.schema.paths import JsonPath
from tasks.schema.remainder import LEFT_OUT, rest_of, whole_of

_TOLD = "These fields are filled in already, answer with the others alone: "
_MOST_TOLD = 60
"""Number of characters shown to the LLM of a value that is filled in already."""


@dataclass(frozen=True, slots=True)
class Filling:
    values: Mapping[JsonPath, Any]
    """Copied values, by the path of their field."""
    whole: Shape
    rest: Shape | None
    """Shape of the fields left to the LLM; None if every field is filled in."""
    answer: JsonAnswer | None = None
    """Whole answer, if no field is left to the LLM."""
    scored: FieldScores | None = None
    """Scores that the extractor gave every span of the text that was read."""

    @property
    def instruction(self) -> str:
        """Instruction for the LLM, with the fields that are filled in already."""
        values = {
            ".".join(map(str, path)): _shorten(value) for path, value in self.values.items() if value is not LEFT_OUT
        }
        return _TOLD + json.dumps(values, ensure_ascii=False) if values else ""

    @property
    def written_fields(self) -> list[str]:
        """Names of the fields that the LLM writes beside copied fields."""
        rest = (self.rest.schema if self.rest else None) or {}
        return list(rest.get("properties", {})) if self.values else []

    def parse(self, text: str) -> JsonAnswer:
        """Return the whole answer, with remaining fields from the LLM's `text`. Raises what `Shape.parse` raises."""
        if self.rest is None:
            return self.whole.parse(text)
        rest = self.rest.parse(text)
        return self.whole.parse(_join(self.whole, self.values, rest.value)) if self.values else rest

    def cut_answer(self, rest: str) -> str:
        """Return the text of a truncated answer: the copied values, and then `rest` as far as the LLM wrote it."""
        if not self.values or not rest.lstrip().startswith("{"):
            return rest
        return f"{_join(self.whole, self.values, {})[:-1]}, {rest.lstrip()[1:]}"


def is_written(filling: Filling | None, path: JsonPath) -> bool:
    """True if the LLM wrote the value at `path` of an answer: the value is not part of a copied field."""
    return filling is None or not any(path[:end] in filling.values for end in range(1, len(path) + 1))


async def fill(
    shape: Shape, plan: Plan, entries: Sequence[Entry], document: Entry | None, extractor: Extractor | None
) -> Filling | None:
    """Fill in fields of `shape` from the results of `plan`'s steps.

    If no step read anything, the fields are filled in from `document`, a text in the request. Return None if no field
    can be filled in. Raises ModelError.
    """
    if shape.schema is None:
        return None
    steps = zip(plan.steps, entries, strict=True)
    succeeded = [
        TaskResult(step.task, step.text, entry.result)
        for step, entry in steps
        if not step.is_aside and entry.error is None
    ]
    results = TaskResults(succeeded, plan.reads_out)
    copied = await copy_fields(shape.schema, results, read_of(entries, document), extractor)
    return await asyncio.to_thread(_filling, shape, copied) if copied.values else None


def _filling(shape: Shape, copied: CopiedFields) -> Filling | None:
    values = copied.values
    rest = rest_of(shape.schema or {}, values)
    if rest is not None:
        return Filling(values, shape, shape.with_schema(rest), scored=copied.scored)
    try:
        return Filling(values, shape, None, shape.parse(_join(shape, values, {})), copied.scored)
    except AnswerInvalid:
        return None


def _join(shape: Shape, values: Mapping[JsonPath, Any], rest: Any) -> str:
    return json.dumps(whole_of(shape.schema or {}, values, rest), ensure_ascii=False)


def _shorten(value: Any) -> Any:
    return f"{value[:_MOST_TOLD]}…" if isinstance(value, str) and len(value) > _MOST_TOLD else value
