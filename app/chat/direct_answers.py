"""Answers questions and orders without a capable LLM. The answer has the values that a question names, each with the
line in which it is printed.

A question is a schema: "What is the total?" asks for a field `total`. The field is filled like a field of any schema
(`filling.py`), and the answer quotes what is printed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from app.chat.filling import Filling, fill_whole
from app.chat.material import Material
from app.chat.planning.questions import RequestedValues
from app.chat.schema.structured import Shape
from app.chat.structured_answers import StructuredAnswers
from tasks.extraction.printed_rows import row_of
from tasks.precontext import Entry
from tasks.schema.paths import JsonPath, pointer_of

LEAST_CERTAIN: Final = 0.9
"""A value with at least this probability is returned without a remark on its probability."""
LEAST_PROBABLE: Final = 0.8
"""A question about something that documents rarely print is answered only by a value with at least this probability."""
LEAST_PRINTED: Final = 0.3
"""Values that documents usually print, such as the items of a receipt, answer a question if they have at least this
probability. Otherwise, objects in the picture may answer it."""
_MARKS: Final = '"“”„«»,; '
"""Signs around a printed value that are not part of it."""


@dataclass(frozen=True, slots=True)
class _PrintedValue:
    """A value of an answer, as printed."""

    text: str
    row: str
    page: int | None
    probability: float


async def answer_with_values(
    requested: RequestedValues,
    material: Material,
    document: Entry | None,
    structured: StructuredAnswers,
    *,
    only_likely: bool,
    is_bare: bool = False,
) -> str | None:
    """Return an answer with the requested values.

    The values are searched in the texts that were read, or else in `document`. For each value that was not found, and
    each part of the question that names no value, the answer has a sentence that says so. If documents rarely print
    what the question is about, if `only_likely` is true, or if a part names no value, only likely values count as
    found; without any of these, return None. If `is_bare`, the lines of the values are left out. Raises ModelError.
    """
    shape = Shape.of_schema(requested.schema, "messages")
    filling = await fill_whole(shape, material.plan, material.results, document, structured.extractor, "")
    assert filling.answer is not None
    material = replace(material, shape=shape, filling=filling, document=document)
    values = filling.answer.value
    evidence, _ = await structured.trace(values, material.results, material, shape)
    found = {key: list(_printed_values((key,), values[key], filling, evidence.fields)) for key in requested.titles}
    if only_likely or requested.unnamed or not requested.are_known:
        least = LEAST_PRINTED if requested.are_known and not requested.unnamed else LEAST_PROBABLE
        found = {key: values_of_key if _is_likely(values_of_key, least) else [] for key, values_of_key in found.items()}
        if not any(found.values()):
            return None
    parts = [_format_values(requested, key, values, is_bare=is_bare) for key, values in found.items()]
    parts += [requested.sentences.missing.format(name=part) for part in requested.unnamed]
    return "\n\n".join(parts)


def _is_likely(found: Sequence[_PrintedValue], least: float) -> bool:
    return bool(found) and min(one.probability for one in found) >= least


def _printed_values(
    path: JsonPath, value: Any, filling: Filling, evidence: Mapping[str, Any]
) -> Iterator[_PrintedValue]:
    """Yield the printed values of a field: one value, or one per item of a list. The cells of a row are joined."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            parts = {(*path, index, key): cell for key, cell in item.items()} if isinstance(item, dict) else None
            cells = [
                found
                for part, cell in (parts or {(*path, index): item}).items()
                for found in _printed_values(part, cell, filling, evidence)
            ]
            if cells:
                text = " | ".join(cell.text for cell in cells)
                yield _PrintedValue(text, text, cells[0].page, min(cell.probability for cell in cells))
        return
    known = evidence.get(pointer_of(path))
    if value in (None, "") or known is None:
        return
    place = filling.copied.place(path, value)
    row = row_of(filling.copied.scored, place) if filling.copied.scored and place and place.cell is None else ""
    label = known.get("label_text", "")
    text = known["text"].strip(_MARKS)
    if not row or row == text:
        row = f"{label} {text}".strip()
    yield _PrintedValue(text, row, known.get("page"), known.get("probability", 0.0))


def _format_values(requested: RequestedValues, key: str, found: Sequence[_PrintedValue], *, is_bare: bool) -> str:
    """Return the part of an answer that is about one value, as Markdown."""
    title = requested.titles[key]
    if not found:
        return requested.sentences.missing.format(name=title)
    parts = []
    if isinstance(requested.schema["properties"][key].get("items"), dict):
        parts.append("\n".join(f"- {one.text}" for one in found))
    else:
        [one] = found
        parts.append(one.text if len(requested.titles) == 1 else f"{title}: {one.text}")
        page = f" ({requested.sentences.page.format(page=one.page)})" if one.page is not None else ""
        if (one.row != one.text or page) and not is_bare:
            parts.append(f"> {one.row}{page}")
    if (least_probability := min(one.probability for one in found)) < LEAST_CERTAIN:
        parts.append(requested.sentences.uncertain.format(percent=round(100 * least_probability)))
    return "\n\n".join(parts)
