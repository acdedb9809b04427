"""Corrects the types of fields that were guessed from the fields' names, by the text printed after their labels.

A `payment`, for example, is usually an amount, but not if the page has `Payment: bank transfer`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tasks.extraction.folding import fold
from tasks.extraction.labelled_values import LabelLayout, layout_of
from tasks.extraction.names import Names, names_of
from tasks.extraction.passages import Passage, passages_to_search
from tasks.precontext import Entry

GUESSED: Final = "type guessed by the name"
"""Value of `$comment` in fields whose type nobody stated."""
MAX_LINES: Final = 1_500
"""The labels of a passage are compared only if it has at most this many lines."""


def with_printed_types(schema: Mapping[str, Any], read: Sequence[Entry]) -> Mapping[str, Any]:
    """Return a schema in which a field's type `number` becomes `string` if it was guessed and words are printed after
    the field's label.

    Only the direct fields of the schema's object may have guessed types.
    """
    properties = schema.get("properties", {})
    guessed = [key for key, field in properties.items() if isinstance(field, dict) and field.get("$comment") == GUESSED]
    if not guessed:
        return schema
    passages = passages_to_search(read)
    layouts = []
    for passage in passages:
        if len(passage.lines) <= MAX_LINES:
            layout = layout_of(passage)
            layouts.append((passage, layout))
    texts = {key for key in guessed if _is_label_of_text(names_of((key,), {}), layouts)}
    return {**schema, "properties": {**properties, **{key: {"type": ["string", "null"]} for key in texts}}}


def _is_label_of_text(names: Names, layouts: Sequence[tuple[Passage, LabelLayout]]) -> bool:
    return any(_stands_before_text(names, passage, layout) for passage, layout in layouts)


def _stands_before_text(names: Names, passage: Passage, layout: LabelLayout) -> bool:
    """True if a name of the field is printed as a label with a colon, and the values after it have letters and no
    digits. Only the first of the field's names that is printed as a label counts."""
    for name in filter(None, names.own):
        pairs = layout.of_word.get(name[0], ())
        whole = [pair for pair in pairs if tuple(fold(pair.label)) == name]
        matching = whole or [pair for pair in pairs if set(name) <= set(fold(pair.label))]
        if matching:
            words = [passage.words[index] for pair in matching for index in pair.values]
            return any(map(str.isalpha, "".join(words))) and not any(map(str.isdigit, "".join(words)))
    return False
