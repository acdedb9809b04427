"""Structured answers in which tasks' results fill in some fields, or all, and an LLM writes the rest.

An LLM that may be relied on answers all of them. One that invents is not asked for what has been read: transcripts,
translations, texts and counts are the specialists' results, and dates, amounts, codes and the like stand on the page,
beside their labels: an extractor scores every piece of what was read for every field (`tasks/extraction`).
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
"""Characters of a value that the LLM is told."""


@dataclass(frozen=True, slots=True)
class Filling:
    values: Mapping[JsonPath, Any]
    """Copied, by the field's path."""
    whole: Shape
    rest: Shape | None
    """What the LLM is asked for; None where every field is filled in."""
    answer: JsonAnswer | None = None
    """The whole answer, where no field is left to the LLM."""
    scored: FieldScores | None = None
    """The extractor's scores of every span of what was read."""

    @property
    def instruction(self) -> str:
        """The instruction that tells the LLM which fields are filled in already."""
        values = {
            ".".join(map(str, path)): _shorten(value) for path, value in self.values.items() if value is not LEFT_OUT
        }
        return _TOLD + json.dumps(values, ensure_ascii=False) if values else ""

    @property
    def written_fields(self) -> list[str]:
        """The fields that the LLM writes beside those that are copied."""
        rest = (self.rest.schema if self.rest else None) or {}
        return list(rest.get("properties", {})) if self.values else []

    def parse(self, text: str) -> JsonAnswer:
        """The whole answer, the rest of it from what the LLM wrote. Raises what `Shape.parse`
        raises."""
        if self.rest is None:
            return self.whole.parse(text)
        rest = self.rest.parse(text)
        return self.whole.parse(_join(self.whole, self.values, rest.value)) if self.values else rest

    def cut_answer(self, rest: str) -> str:
        """An answer that breaks off within `rest`, with what is filled in before it."""
        if not self.values or not rest.lstrip().startswith("{"):
            return rest
        return f"{_join(self.whole, self.values, {})[:-1]}, {rest.lstrip()[1:]}"


def is_written(filling: Filling | None, path: JsonPath) -> bool:
    """Tells whether the LLM wrote the value at `path` of an answer: it is no part of a field that is filled in."""
    return filling is None or not any(path[:end] in filling.values for end in range(1, len(path) + 1))


async def fill(
    shape: Shape, plan: Plan, entries: Sequence[Entry], document: Entry | None, extractor: Extractor | None
) -> Filling | None:
    """Fills in what the steps of `plan` found, or, where no step read anything, the `document` that the request brings
    as its text. None where nothing of `shape` can be filled in. Raises ModelError."""
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
