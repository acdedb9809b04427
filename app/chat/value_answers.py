"""Answers a question with the printed values that it asks for.

A question may name a row: "What is Ben Cole's salary?" The words of a question that name no value but are printed
describe its values, as a description in a schema does. A value in a row without these words does not answer the
question if a row with them has one that is nearly as likely.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from app.chat.filling import Filling, fill_whole
from app.chat.planning.function_words import content_words
from app.chat.planning.questions import RequestedValues
from app.chat.quotes import lines_with
from app.chat.run_plan import Material
from app.chat.sentences import Sentences, sentences_for
from app.chat.shape import Shape
from app.chat.structured_answers import StructuredAnswers
from app.chat.trim import words
from tasks.extraction.concepts import FIELD_WORDS
from tasks.extraction.forms import form_of, values_of_form
from tasks.extraction.printed_rows import row_of, row_of_span
from tasks.precontext import Entry
from tasks.schema.awaited import in_thread
from tasks.schema.paths import JsonPath, pointer_of

LEAST_CERTAIN: Final = 0.9
"""A value with at least this probability is returned without a remark on its probability."""
LEAST_PROBABLE: Final = 0.8
"""A question about something that documents rarely print is answered only by a value with at least this probability."""
LEAST_PRINTED: Final = 0.3
"""Values that documents usually print, such as the items of a receipt, answer a question if they have at least this
probability. Otherwise, objects in the picture may answer it."""
ROW_BONUS: Final = 4.0
"""A value in a row with all words of the question that are printed has this much more log-odds. Of 192 questions that
name rows of documents that nothing was fitted to, the best candidate is right for 100 without it, and for 116 with 4 or
5; higher values choose other columns of the right row."""
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
    read: Sequence[Entry],
    structured: StructuredAnswers,
    *,
    only_likely: bool,
) -> str | None:
    """Return an answer with the requested values.

    The values are searched in the texts that were read, or else in `document`; `read` has these texts. For each value
    that was not found, and each part of the question that names no value, the answer has the lines with its words, or a
    sentence that says that there are none. If documents rarely print what the question is about, if `only_likely` is
    true, or if a part names no value, only likely values count as found. Return None if no value is found and words of
    the question are printed, or likely values are required. A bare answer leaves out the lines of the values. Raises
    ModelError.
    """
    described = await in_thread(_printed_words, requested, read)
    shape = Shape.of_schema(_with_descriptions(requested.schema, described), "messages")
    filling = await fill_whole(shape, material.plan, material.results, document, structured.extractor, "")
    assert filling.answer is not None
    material = replace(material, shape=shape, filling=filling, document=document)
    values = filling.answer.value
    evidence, _ = await structured.trace(values, material.results, material)
    found = {key: list(_printed_values((key,), values[key], filling, evidence.fields)) for key in requested.titles}
    for key, about in described.items():
        is_elsewhere: bool = await in_thread(_is_of_another_row, filling, (key,), values[key], about)
        if is_elsewhere:
            found[key] = []
    needs_likely = only_likely or bool(requested.unnamed) or not requested.are_known
    if needs_likely:
        least = LEAST_PRINTED if requested.are_known and not requested.unnamed else LEAST_PROBABLE
        found = {key: values_of_key if _is_likely(values_of_key, least) else [] for key, values_of_key in found.items()}
    absent = [*(requested.titles[key] for key, values in found.items() if not values), *requested.unnamed]
    quoted = await in_thread(_quoted_lines, absent, read)
    if not any(found.values()) and (needs_likely or described or any(quoted.values())):
        return None
    wish = material.turn.wish
    sentences = sentences_for(wish.question)
    is_bare = "bare" in wish.labels
    parts = [
        _format_values(requested, key, values, sentences, is_bare=is_bare) for key, values in found.items() if values
    ]
    parts += [
        "\n".join([f"{name}:\n", *(f"> {line}" for line in lines)]) if lines else sentences.missing.format(name=name)
        for name, lines in quoted.items()
    ]
    return "\n\n".join(parts)


def _quoted_lines(names: Sequence[str], read: Sequence[Entry]) -> dict[str, list[str]]:
    return {name: lines_with(name, read) for name in names}


def _printed_words(requested: RequestedValues, read: Sequence[Entry]) -> dict[str, frozenset[str]]:
    """Return for each single value the words of the question that may name its row, if there are any: words that are
    printed, and name neither this value nor fields of other documents. "This invoice" names no row."""
    printed = {word for entry in read for word in words(entry.result.text())} - FIELD_WORDS
    described = {key: printed.intersection(content_words(text)) for key, text in requested.contexts.items()}
    return {
        key: frozenset(about)
        for key, about in described.items()
        if about and "items" not in requested.schema["properties"][key]
    }


def _with_descriptions(schema: Mapping[str, Any], described: Mapping[str, frozenset[str]]) -> dict[str, Any]:
    fields = {
        key: {**field, "description": " ".join(sorted(described[key]))} if key in described else field
        for key, field in schema["properties"].items()
    }
    return {**schema, "properties": fields}


def _is_of_another_row(filling: Filling, path: JsonPath, value: Any, about: frozenset[str]) -> bool:
    """True if a candidate for the field in another row, which has more of the words `about` than the row of `value`, is
    as likely as the value with ROW_BONUS for a row with all of them."""
    scored, place = filling.copied.scored, filling.copied.place(path, value)
    number = scored.rows.get(path) if scored is not None else None
    if scored is None or number is None or place is None or not place.words:
        return False
    shares: dict[str, float] = {}

    def share(row: str) -> float:
        if row not in shares:
            shares[row] = len(about.intersection(words(row))) / len(about)
        return shares[row]

    logits = scored.logits[number]
    rows = [share(row_of_span(scored.candidates, span)) for span in scored.candidates.spans]
    best = max(range(len(rows)), key=lambda index: logits[index] + ROW_BONUS * rows[index], default=None)
    return best is not None and rows[best] > share(row_of(scored, place))


def listed_by_form(requested: RequestedValues, read: Sequence[Entry]) -> str | None:
    """Return all values that were read, if the question asks for nothing but lists of values with a form of their own,
    such as dates; otherwise, or if there are none, None."""
    forms = {key: form_of(key) for key, schema in requested.schema["properties"].items() if "items" in schema}
    if requested.unnamed or forms.keys() != requested.titles.keys():
        return None
    found = {key: values_of_form(read, form) for key, form in forms.items() if form is not None}
    if forms.keys() != found.keys() or not all(found.values()):
        return None
    lists = {key: "\n".join(f"- {value}" for value in values) for key, values in found.items()}
    return "\n\n".join(
        f"{requested.titles[key]}:\n{lines}" if len(lists) > 1 else lines for key, lines in lists.items()
    )


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


def _format_values(
    requested: RequestedValues, key: str, found: Sequence[_PrintedValue], sentences: Sentences, *, is_bare: bool
) -> str:
    """Return the part of an answer that is about one value that was found, as Markdown."""
    title = requested.titles[key]
    parts = []
    if isinstance(requested.schema["properties"][key].get("items"), dict):
        parts.append("\n".join(f"- {one.text}" for one in found))
    else:
        [one] = found
        parts.append(one.text if len(requested.titles) == 1 else f"{title}: {one.text}")
        page = f" ({sentences.page.format(page=one.page)})" if one.page is not None else ""
        if (one.row != one.text or page) and not is_bare:
            parts.append(f"> {one.row}{page}")
    if (least_probability := min(one.probability for one in found)) < LEAST_CERTAIN:
        parts.append(sentences.uncertain.format(percent=round(100 * least_probability)))
    return "\n\n".join(parts)
