"""Single fields of pasted texts, with their evidence."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from tasks.extraction.extract import copy_fields
from tasks.extraction.given_values import GivenValues
from tasks.precontext import REQUEST, Entry
from tasks.result import JsonResult
from tasks.schema.awaited import in_thread
from tasks.tracing.find_evidence import find_evidence
from tests.kit.papers.filling import extractor

NUMBER, TEXT, BOOLEAN = ({"type": [name, "null"]} for name in ("number", "string", "boolean"))
DAY = {"type": ["string", "null"], "format": "date"}


class ReadField(NamedTuple):
    value: Any
    probability: float
    match: str
    text: str


def choice(*values: str) -> Mapping[str, Any]:
    return {"type": ["string", "null"], "enum": [*values, None]}


async def read_field(text: str, name: str, schema: Mapping[str, Any]) -> ReadField:
    """The field `name` of a text; without a value, the probability is 0."""
    entry = Entry(REQUEST, JsonResult({"messages": {"0": {"content": text}}}))
    whole = {"type": "object", "properties": {name: schema}, "required": [name]}
    copied = await in_thread(copy_fields, whole, GivenValues(), [entry], extractor())
    answer = {name: copied.values.get((name,))}
    search = find_evidence(
        answer, [], whole, most_chars=10**6, support=copied.place, request=copied.document, decided=copied.decided
    )
    evidence = search[0].fields.get(f"/{name}")
    if evidence is None:
        return ReadField(answer[name], 0.0, "", "")
    return ReadField(answer[name], evidence["probability"], evidence["match"], evidence["text"])
